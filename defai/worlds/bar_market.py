"""The market of a bars world: the world's own pool, and a past that is read from the bars' columns when asked for."""

from collections.abc import Iterator, Sequence
from typing import Final, overload

from defai.amm import Pool
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.errors import DivergenceError
from defai.market.bar_rows import BarCells, cells_of, row_of_bar
from defai.market.bars import MINUTE_S, MinuteBars
from defai.market.state import WINDOW_BLOCKS, MarketState
from defai.market.window import Observation, Window
from defai.worlds.bar_pool import sqrt_ratio_at

_AT_ONCE: Final = 1_024


class BarWindow(Window):
    """The bars up to now, as rows of a window; a row is made when it is looked at, and kept while it is in the window.

    `liquidity` is that of the others.

    Args:
        bars: all bars.
        end: how many of them have happened.
        base_fees_wei: what gas costs, bar by bar; the last one holds for all that come after it.
        fee_pips: the pool's swap fee.

    Attributes:
        end: the row after the newest one.
    """

    __slots__ = (
        "_bars",
        "_base_fees_wei",
        "_cells",
        "_cells_from",
        "_fee_pips",
        "_made",
        "_made_from",
        "_repeats",
        "end",
    )

    def __init__(
        self, bars: MinuteBars, end: int, base_fees_wei: Sequence[int], fee_pips: int | None = None
    ) -> None:
        super().__init__(0)
        self._fee_pips = fee_pips
        self._bars = bars
        self._base_fees_wei = base_fees_wei
        self._repeats = 0
        self._cells: list[BarCells] = []
        self._cells_from = 0
        self._made: list[Observation] = []
        self._made_from = 0
        self.end = end

    def append(self, row: Observation) -> None:
        """Not for this window: its rows are the bars.

        Raises:
            TypeError: always.
        """
        raise TypeError(f"bars are not appended to: {row}")

    def repeat(self) -> None:
        """Another minute like the newest one, without volume: to settle in once the bars have ended."""
        self._repeats += 1

    def __len__(self) -> int:
        return min(self.end + self._repeats, WINDOW_BLOCKS)

    def __iter__(self) -> Iterator[Observation]:
        return iter(self[:])

    @overload
    def __getitem__(self, index: int) -> Observation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Observation]: ...
    def __getitem__(self, index: int | slice) -> Observation | Sequence[Observation]:
        """One row, or a tuple of them."""
        length = len(self)
        first = self.end + self._repeats - length
        if isinstance(index, slice):
            start, stop, step = index.indices(length)
            if step == 1 and not self._repeats:
                return self._kept(first + start, first + max(start, stop))
            return tuple(self._row(first + offset) for offset in range(start, stop, step))
        if not -length <= index < length:
            raise IndexError("the window is not that long")
        return self._row(first + index % length)

    def _kept(self, first: int, last: int) -> tuple[Observation, ...]:
        """Rows from `first` to before `last`, those already made not made again: bar by bar, one is new."""
        made, end = self._made, self._made_from + len(self._made)
        if last < self._made_from or first > end:
            made.clear()
            end = self._made_from = first
        if first < self._made_from:
            made[:0] = map(self._row, range(first, self._made_from))
            self._made_from = first
        made.extend(map(self._row, range(end, last)))
        if len(made) > 2 * WINDOW_BLOCKS:
            stale = self.end - WINDOW_BLOCKS - self._made_from
            del made[:stale]
            self._made_from += stale
        return tuple(made[first - self._made_from : last - self._made_from])

    def _row(self, row: int) -> Observation:
        past = max(row - self.end + 1, 0)
        row -= past
        bar = self._cells_of(row)
        if past:
            start, _, tick, _, _, _, _, liquidity = bar
            bar = (start + MINUTE_S * past, tick, tick, tick, tick, 0, 0, liquidity)
        base_fee_wei = self._base_fees_wei[min(row, len(self._base_fees_wei) - 1)]
        return row_of_bar(row + past + 1, bar, sqrt_ratio_at(bar[2]), base_fee_wei, self._fee_pips)

    def _cells_of(self, row: int) -> BarCells:
        """What a row is made from, in Python's integers; read by the thousand, numpy takes long over one."""
        at = row - self._cells_from
        if not 0 <= at < len(self._cells):
            first, at = row - row % _AT_ONCE, row % _AT_ONCE
            self._cells, self._cells_from = cells_of(self._bars, first, first + _AT_ONCE), first
        return self._cells[at]


class BarMarket(MarketState):
    """The pool after the newest bar, shared with the world that moves it.

    A replica would do all arithmetic twice and could not differ: there is no chain to differ from.
    """

    def __init__(self, key: PoolKey, pool: Pool, window: BarWindow, head: Block) -> None:
        super().__init__([key], {key.address: pool}, head)
        self.windows = {key.address: window}

    def apply(self, block: Block) -> None:
        """Take note of the next bar, which the pool has been through already.

        Raises:
            DivergenceError: where it does not come after the newest one.
        """
        if block.number != self.head.number + 1:
            raise DivergenceError(f"Bar {block.number} does not follow bar {self.head.number}.")
        self.head = block
