"""What operations cost in gas, vault and record included, as measured on the stand-in.

`make bench` prints the same figures anew; the guard and `Costs` use them before a transaction exists, the portfolio
counts what receipts say.
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

RECORD_GAS: Final = 200_000
"""A transaction through the vault with its record, before any call."""

OPERATION_GAS: Final[dict[type, int]] = {
    SwapExactInput: 130_000,
    MintPosition: 410_000,
    AddLiquidity: 180_000,
    RemoveLiquidity: 150_000,
    CollectOwed: 110_000,
    BurnPosition: 60_000,
}
SWAP_GAS: Final = RECORD_GAS + OPERATION_GAS[SwapExactInput]
REBALANCE_GAS: Final = RECORD_GAS + sum(
    OPERATION_GAS[kind] for kind in (RemoveLiquidity, CollectOwed, BurnPosition, SwapExactInput, MintPosition)
)
TIP_WEI: Final = 100_000_000
"""Priority fee agents pay per gas: 0.1 gwei."""


def estimate(operations: Sequence[Operation]) -> int:
    """Gas of a plan, its record included."""
    return RECORD_GAS + sum(OPERATION_GAS[type(operation)] for operation in operations)
