"""The recent past of one pool: one row a block, the newest last."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import overload


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
