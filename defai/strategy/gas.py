"""What operations cost in gas, vault and record included, as measured on the stand-in.

`make bench ARGS=gas` measures every figure anew and prints it beside what stands here; the guard, `Costs` and the sim
world use these before or without a transaction, the portfolio counts what receipts say. The real cost depends on
what storage held before: on the stand-in these come within a tenth of it for swaps, two-pool arbitrage, opening and
re-centring, and within a fifth for collecting, adding and closing, whose own cost varies by as much. Now and then a
transaction writes storage for the first time - a page of records, a pool's next observation - and takes up to a third
as much again. A vault's first trade takes `FIRST_TRADE_GAS` more, whatever it is: `defai parity` counts it and holds
every estimate to `GAS_ERROR`; guard, sim world and backtests leave it out, for it comes once in a vault's life.
"""

from collections.abc import Sequence
from typing import Final

from defai.domain.intents import (
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
    SwapInPair,
)

GAS_ERROR: Final = 0.35
"""How far an estimate may be off what a transaction takes, relative to that; most are within a tenth."""
RECORD_GAS: Final = 119_000
"""A transaction through the vault with its record, before any call."""
PENDING_GAS: Final = 26_000
"""What anchoring the decisions that wait adds to it; some nearly always do."""
ANCHOR_GAS: Final = 70_000
"""A transaction that anchors decisions and does nothing else; how many there are makes no difference."""

FIRST_TRADE_GAS: Final = 100_000
"""What a vault's first trade takes besides: three slots are written for the first time, of the breaker, of the agent's
chain of decisions and of its records, 51,000 more than to change them; and the vault is valued, which is due then."""

OPERATION_GAS: Final[dict[type, int]] = {
    SwapExactInput: 85_000,
    SwapInPair: 113_000,
    MintPosition: 447_000,
    AddLiquidity: 245_000,
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

OPERATIONS: Final[dict[type, tuple[type, ...]]] = {
    Hold: (),
    Swap: (SwapExactInput,),
    SwapInPair: (SwapInPair,),
    OpenPosition: (MintPosition,),
    IncreaseLiquidity: (AddLiquidity,),
    DecreaseLiquidity: (RemoveLiquidity, CollectOwed),
    CollectFees: (CollectOwed,),
    ClosePosition: (RemoveLiquidity, CollectOwed, BurnPosition),
    Rebalance: (RemoveLiquidity, CollectOwed, BurnPosition, SwapExactInput, MintPosition),
}
"""What each intent comes to, at the most that is usual: a `Rebalance` closes one position and swaps once.

A `Swap` is one in a pool; `SwapInPair` stands for one in a pair of Uniswap v2.
"""


def estimate_intents(kinds: Sequence[type]) -> int:
    """Gas of one transaction that does what intents of these kinds ask for; nothing where they ask for nothing.

    Raises:
        KeyError: for a kind that is no single intent.
    """
    operations = [operation for kind in kinds for operation in OPERATIONS[kind]]
    return estimate_kinds(operations) if operations else 0
