"""The recent past of one pool: one row a block, the newest last."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, overload

DEPTH_TICKS: Final = 100
"""How far around the price depth is measured: about one percent to either side."""


class NotKnownError(LookupError):
    """What was asked of a row is not known where the row is from."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What one block did to one pool, and how it stood afterwards. Integers only.

    Attributes:
        tick: the pool's tick after the block.
        tick_low, tick_high: extremes of the tick after each of the block's swaps, the previous block's tick included.
        liquidity: liquidity in range after the block.
        swaps: number of swaps in the block.
        amount0_in: token0 the pool received from swaps, in smallest units; fees included.
        amount1_in: token1 the pool received from swaps.
        fee_pips: the pool's swap fee; None where the source doesn't tell it.
        swap_sizes_raw: worth of what each swap paid in, in token1's smallest unit at the price it left, in order; None
            where the source only tells sums.
        depth_below, depth_above: liquidity summed over the `DEPTH_TICKS` ticks below and above the price, after the
            block; None where nobody asked for it to be measured.
    """

    block_number: int
    timestamp: int
    base_fee_wei: int
    sqrt_price_x96: int
    tick: int
    tick_low: int
    tick_high: int
    liquidity: int
    swaps: int
    amount0_in: int
    amount1_in: int
    fee_pips: int | None = None
    swap_sizes_raw: tuple[int, ...] | None = None
    depth_below: int | None = None
    depth_above: int | None = None

    @property
    def volume_raw(self) -> int:
        """What the block's swaps paid in, in token1's smallest unit at the price after the block."""
        return self.amount1_in + ((self.amount0_in * self.sqrt_price_x96**2) >> 192)


class Window(Sequence[Observation]):
    """The last `capacity` observations of a pool. Slices and indices work as on a tuple; -1 is now."""

    __slots__ = ("_rows",)

    def __init__(self, capacity: int, rows: Iterable[Observation] = ()) -> None:
        self._rows: deque[Observation] = deque(rows, maxlen=capacity)

    def append(self, row: Observation) -> None:
        """Add the newest block's row; the oldest falls out when the window is full."""
        self._rows.append(row)

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self._rows)

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Observation]: ...
    def __getitem__(self, index: int | slice) -> Observation | Sequence[Observation]:
        """One row, or a tuple of them."""
        if isinstance(index, slice):
            return tuple(self._rows)[index]
        return self._rows[index]
