"""Gas of plans: sums of what was measured, and the one saving between operations."""

from defai.agent import gas
from defai.domain.operations import BurnPosition, CollectOwed, MintPosition, RemoveLiquidity, SwapExactInput

SWAP = SwapExactInput("0xpool", True, 1, 1)
MINT = MintPosition("0xpool", -10, 10, 1, 1, 0, 0)
CLOSING = (RemoveLiquidity(1, 1, 0, 0), CollectOwed(1), BurnPosition(1))


def test_every_operation_has_its_gas() -> None:
    assert gas.estimate([SWAP, SWAP]) - gas.estimate([SWAP]) == gas.OPERATION_GAS[SwapExactInput]
    assert gas.estimate([SWAP]) == gas.SWAP_GAS
    assert gas.estimate([*CLOSING, SWAP, MINT]) == gas.REBALANCE_GAS


def test_a_position_in_place_of_another_costs_less_than_both() -> None:
    apart = gas.estimate(CLOSING) + gas.estimate([MINT]) - gas.estimate([])
    assert gas.estimate([*CLOSING, MINT]) == apart - gas.REPLACING_SAVES


def test_what_waits_is_paid_for_once() -> None:
    assert gas.estimate([SWAP]) - gas.estimate([SWAP], anchors=False) == gas.PENDING_GAS
    assert gas.estimate([]) > gas.ANCHOR_GAS
