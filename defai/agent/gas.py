"""What operations cost in gas, vault and record included, as measured on the stand-in.

`make bench ARGS=gas` measures every figure anew and prints it beside what stands here; the guard, `Costs` and the sim
world use these before or without a transaction, the portfolio counts what receipts say. The real cost depends on
what storage held before: on the stand-in these come within a tenth of it for swaps, two-pool arbitrage, opening and
re-centring, and within a fifth for collecting, adding and closing, whose own cost varies by as much.
"""

from collections.abc import Sequence
from typing import Final

from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
)
from defai.market.valuation import Valuation
from defai.strategy.api import Costs
from defai.units import WEI

RECORD_GAS: Final = 119_000
"""A transaction through the vault with its record, before any call."""
PENDING_GAS: Final = 26_000
"""What anchoring the decisions that wait adds to it; some nearly always do."""
ANCHOR_GAS: Final = 70_000
"""A transaction that anchors decisions and does nothing else; how many there are makes no difference."""

OPERATION_GAS: Final[dict[type, int]] = {
    SwapExactInput: 85_000,
    MintPosition: 447_000,
    AddLiquidity: 210_000,
    RemoveLiquidity: 40_000,
    CollectOwed: 132_000,
    BurnPosition: 56_000,
}
REPLACING_SAVES: Final = 150_000
"""A plan that burns one position and mints another uses storage again that the burn has freed."""
TIP_WEI: Final = 100_000_000
"""Priority fee agents pay per gas: 0.1 gwei."""


def estimate_kinds(kinds: Sequence[type], *, anchors: bool = True) -> int:
    """Gas of a plan of operations of these kinds, its record included.

    Args:
        kinds: the operations' types, in any order.
        anchors: whether decisions wait to be anchored ahead of the record.
    """
    total = RECORD_GAS + PENDING_GAS * anchors + sum(OPERATION_GAS[kind] for kind in kinds)
    return total - REPLACING_SAVES if BurnPosition in kinds and MintPosition in kinds else total


def estimate(operations: Sequence[Operation], *, anchors: bool = True) -> int:
    """Gas of a plan, its record included; `anchors` as in `estimate_kinds`."""
    return estimate_kinds([type(operation) for operation in operations], anchors=anchors)


SWAP_GAS: Final = estimate_kinds([SwapExactInput])
REBALANCE_GAS: Final = estimate_kinds(
    [RemoveLiquidity, CollectOwed, BurnPosition, SwapExactInput, MintPosition]
)


def worth_raw(valuation: Valuation, sqrt_price_x96: int, gas_units: int, fee_wei: int) -> int:
    """Worth of gas in the numeraire's smallest unit; see `Valuation.ether`.

    Args:
        valuation: what tokens are worth.
        sqrt_price_x96: at which square-root price of its pool.
        gas_units: so much gas.
        fee_wei: what a unit of it costs.
    """
    paid_in = valuation.ether
    return valuation.worth_at(sqrt_price_x96, paid_in.address, in_ether_raw(valuation, gas_units * fee_wei))


def in_ether_raw(valuation: Valuation, amount_wei: int) -> int:
    """An amount of ether in the smallest unit of the token that stands for it."""
    whole: int = 10**valuation.ether.decimals
    return amount_wei * whole // WEI


def costs(valuation: Valuation, sqrt_price_x96: int, base_fee_wei: int) -> Costs:
    """What acting costs at a base fee; arguments as for `worth_raw`."""
    fee, unit = base_fee_wei + TIP_WEI, 10**valuation.numeraire.decimals
    return Costs(
        worth_raw(valuation, sqrt_price_x96, SWAP_GAS, fee) / unit,
        worth_raw(valuation, sqrt_price_x96, REBALANCE_GAS, fee) / unit,
    )
