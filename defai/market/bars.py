"""Minute bars of one pool, as columns; and the rule by which a bar's volume pays the liquidity in its way.

The rule is the one that minute-bar engines share: within a bar the price goes straight, in ticks, from where the last
bar ended to where this one ends; what came in is spread evenly over that path; each stretch of it pays the liquidity
that is in range there, ours included. docs/bars.md says what is estimated by it, and how far off it is.
"""

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.units import PIPS

Column: TypeAlias = NDArray[np.int64]
Ticks: TypeAlias = NDArray[np.int32]
Limbs: TypeAlias = NDArray[np.uint64]
"""Unsigned integers below 2**128, shape (rows, 2): the low 64 bits, then the high ones."""

MINUTE_S: Final = 60
LARGEST_AMOUNT: Final = (1 << 128) - 1
"""Amounts and liquidity of a v3 pool fit into 128 bits."""


@dataclass(frozen=True, slots=True, eq=False)
class MinuteBars:
    """Consecutive bars: the row after this one is the next minute. Ticks are log 1.0001 of token1 per token0.

    Attributes:
        timestamps: start of each minute, seconds since 1970.
        open_tick: where the price stood before the minute.
        close_tick: where it stood after it; demeter-fetch's may lie outside low and high by a few ticks.
        amount0_in: token0 that swappers paid in, fee included, in smallest units.
        amount1_in: token1 that swappers paid in.
        liquidity: in range at the end of the minute; nobody's in particular, ours not included.
        padded: minutes that no file had, filled with the price before them and no volume.
        digest: sha256 of the files, in order.
        origin: the files, for people.
    """

    timestamps: Column
    open_tick: Ticks
    close_tick: Ticks
    lowest_tick: Ticks
    highest_tick: Ticks
    amount0_in: Limbs
    amount1_in: Limbs
    liquidity: Limbs
    padded: int
    digest: str
    origin: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.timestamps)

    def tick_before(self, row: int) -> int:
        """The tick at which a bar begins: the close before it, or its own open where it is the first."""
        return int(self.close_tick[row - 1] if row else self.open_tick[0])

    def rows(self, first: int, last: int) -> "MinuteBars":
        """Bars `first` up to and without `last`, sharing memory."""
        parts: dict[str, Any] = {name: getattr(self, name)[first:last] for name in _COLUMNS}
        return MinuteBars(**parts, padded=self.padded, digest=self.digest, origin=self.origin)


_COLUMNS: Final = (
    "timestamps",
    "open_tick",
    "close_tick",
    "lowest_tick",
    "highest_tick",
    "amount0_in",
    "amount1_in",
    "liquidity",
)


def to_limbs(values: list[int]) -> Limbs:
    """Python integers below 2**128 as limbs.

    Raises:
        OverflowError: for a value below zero or too large.
    """
    content = b"".join(value.to_bytes(16, "little") for value in values)
    return np.frombuffer(content, dtype="<u8").reshape(len(values), 2).astype(np.uint64, copy=False)


def from_limbs(limbs: Limbs) -> list[int]:
    """The Python integers that limbs stand for."""
    return [low | high << 64 for low, high in limbs.tolist()]


def path_inside(start: int, end: int, lower: int, upper: int) -> tuple[int, int]:
    """How much of a bar's path lies in a range.

    A bar that does not move is inside where lower <= tick < upper, as liquidity is.

    Returns:
        Part and whole, in ticks; (1, 1) or (0, 1) for a bar that does not move.
    """
    if start == end:
        return int(lower <= start < upper), 1
    low, high = (start, end) if start < end else (end, start)
    return max(0, min(high, upper) - max(low, lower)), high - low


def fee_growth_x128(amount_in: int, fee_pips: int, liquidity: int, part: int, whole: int) -> int:
    """Fees per unit of liquidity that a part of a bar's path pays, Q128.128, rounded down.

    Args:
        amount_in: what came in during the whole bar, fee included, in smallest units.
        fee_pips: the pool's fee.
        liquidity: all liquidity in range on that part, ours included.
        part: length of that part, in ticks.
        whole: length of the path.
    """
    if not liquidity:
        return 0
    return (amount_in * fee_pips * part << 128) // (PIPS * liquidity * whole)
