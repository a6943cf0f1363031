"""What a feature is shown: the past of a pool up to one block, never further back than it declares.

Every quantity is an integer, so a sum over the last n blocks is the difference of two running sums, exactly.
That is why one feature function serves a table of a year (running sums over everything) and a decision
(running sums that grow by a block) with identical answers: where a running sum starts does not matter.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Final, TypeAlias

from defai.market.window import NotKnownError, Observation

Quantity: TypeAlias = Callable[[Observation, Observation], int]
"""What one block adds to a sum: an integer from the block before and the block itself. A named function: its
running sum is kept under it."""

AtOnce: TypeAlias = Callable[[Observation, Observation, int], None]

SPARE_ROWS: Final = 1_024
"""By how many rows a growing tape may outgrow what is looked at before its oldest ones are dropped."""


class Series:
    """One number a row and their running sums: entry i of `sums` is the sum of rows 1..i, entry 0 is 0.

    Attributes:
        values: the number of each row; 0 of the first, and of rows that don't know.
        unknown: rows that don't know, rising.
    """

    __slots__ = ("_peaks", "sums", "unknown", "values")

    def __init__(self, count: int) -> None:
        self._peaks: dict[int, tuple[int, int, int]] = {}
        self.values = [0] * min(count, 1)
        self.sums = [0] * min(count, 1)
        self.unknown: list[int] = []

    def add(self, value: int) -> None:
        """The number of the next row."""
        self.values.append(value)
        self.sums.append(self.sums[-1] + value)

    def add_unknown(self) -> None:
        """The next row doesn't know."""
        self.unknown.append(len(self.values))
        self.add(0)

    def drop(self, count: int) -> None:
        """Forget the oldest rows."""
        del self.values[:count], self.sums[:count]
        self._peaks.clear()
        self.unknown[:] = [index - count for index in self.unknown if index >= count]

    def highest(self, end: int, count: int) -> int:
        """The largest of the `count` numbers up to row `end`.

        The last answer is kept: one row later it is looked for again only where it has fallen out.
        """
        until, best, at = self._peaks.get(count, (-1, 0, -1))
        if end == until:
            return best
        if end == until + 1 and at > end - count:
            newest = self.values[end]
            if newest >= best:
                best, at = newest, end
        else:
            values = self.values[end - count + 1 : end + 1]
            best = max(values)
            at = end - values[::-1].index(best)
        self._peaks[count] = end, best, at
        return best

    def check(self, first: int, last: int) -> None:
        """Nothing where rows first..last are known.

        Raises:
            NotKnownError: else.
        """
        at = bisect_left(self.unknown, first)
        if at < len(self.unknown) and self.unknown[at] <= last:
            raise NotKnownError("the rows don't tell it")


class Tape:
    """Rows of one pool, one a block, the newest last, with the running sums that features have asked for.

    Attributes:
        known: what has been asked for.
    """

    __slots__ = ("_apart", "_at_once", "_products", "known", "rows")

    def __init__(self, rows: Sequence[Observation]) -> None:
        self.rows = list(rows)
        self.known: dict[Quantity, Series] = {}
        self._apart: dict[Quantity, Series] = {}
        self._at_once: AtOnce | None = None
        self._products: dict[tuple[Tape, Quantity, Quantity, int], tuple[Series, Series, Series]] = {}

    def series(self, quantity: Quantity) -> Series:
        """A quantity of every row, with its running sums."""
        found = self.known.get(quantity)
        if found is None:
            found = self.known[quantity] = self._apart[quantity] = Series(len(self.rows))
            for before, after in pairwise(self.rows):
                _grow(found, quantity, before, after)
        return found

    def products(self, mine: Quantity, other: "Tape", theirs: Quantity, lag: int) -> Series:
        """A quantity of every row times one of a tape's, its own or another pool's, as many rows before."""
        key = other, mine, theirs, lag
        found = self._products.get(key)
        if found is None:
            parts = Series(len(self.rows)), self.series(mine), other.series(theirs)
            found = self._products[key] = parts
            self.append_products()
        return found[0]

    def __len__(self) -> int:
        return len(self.rows)

    def reaches_back(self, end: int, need: int) -> bool:
        """Whether the `need` rows up to row `end` are there, without a gap."""
        first = end - need + 1
        return first >= 0 and self.rows[end].block_number - self.rows[first].block_number == need - 1

    def append(self, row: Observation) -> None:
        """Add the newest block's row to everything that has been asked for."""
        before, last = self.rows[-1], len(self.rows) - 1
        self.rows.append(row)
        left = self.known
        if self._at_once is not None:
            try:
                self._at_once(before, row, last)
                left = self._apart
            except NotKnownError:
                pass
        for quantity, series in left.items():
            _grow(series, quantity, before, row)

    def grow_at_once(self, quantities: Iterable[Quantity], at_once: AtOnce) -> None:
        """Leave it to a function to add a row to the sums of quantities.

        Args:
            quantities: which.
            at_once: given the row before, the row and the former one's index, it adds to all of their sums, or raises
                a NotKnownError and adds to none.
        """
        taken = set(quantities)
        self._at_once = at_once
        self._apart = {one: series for one, series in self.known.items() if one not in taken}

    def append_products(self) -> None:
        """Catch up with products, once the other pool has its rows too."""
        for (*_, lag), (product, first, second) in self._products.items():
            for index in range(len(product.values), len(self.rows)):
                try:
                    product.add(_product(first, second, index, lag))
                except NotKnownError:
                    product.add_unknown()

    def drop(self, count: int) -> None:
        """Forget the oldest rows, if they are rows that nobody may look at any more."""
        del self.rows[:count]
        for series in self.known.values():
            series.drop(count)
        for product, *_ in self._products.values():
            product.drop(count)


def _grow(series: Series, quantity: Quantity, before: Observation, after: Observation) -> None:
    try:
        value = quantity(before, after)
    except NotKnownError:
        series.add_unknown()
    else:
        series.values.append(value)
        series.sums.append(series.sums[-1] + value)


def _product(mine: Series, theirs: Series, index: int, lag: int) -> int:
    first, second = (index, index - lag) if lag >= 0 else (index + lag, index)
    if first < 1 or second < 1:
        return 0
    if mine.unknown:
        mine.check(first, first)
    if theirs.unknown:
        theirs.check(second, second)
    return mine.values[first] * theirs.values[second]


class Past:
    """The last `depth` rows of a tape that ends, for whoever looks through this, at one block.

    Args:
        tape: the pool's rows.
        end: index of the row that is "now".
        depth: how many rows may be looked at, now included.
        others: the pasts of further pools, for features that compare pools.
    """

    __slots__ = ("_end", "_others", "_tape", "depth")

    def __init__(self, tape: Tape, end: int, depth: int, others: "tuple[Past, ...]" = ()) -> None:
        self._tape = tape
        self._end = end
        self._others = others
        self.depth = depth

    def moved(self, end: int) -> None:
        """Look from another row from now on: for whoever computes row after row, not for features."""
        self._end = end
        for other in self._others:
            other.moved(end)

    @property
    def now(self) -> Observation:
        """The row of the block decided upon."""
        return self._tape.rows[self._end]

    @property
    def other(self) -> "Past":
        """The past of the second pool.

        Raises:
            LookupError: where the feature was not declared with `pools=2`.
        """
        if not self._others:
            raise LookupError("this feature looks at a second pool: declare it with pools=2")
        return self._others[0]

    def ago(self, blocks: int) -> Observation:
        """The row so many blocks ago; 0 is now.

        Raises:
            LookupError: before the declared warm-up, or in the future.
        """
        if not 0 <= blocks < self.depth:
            raise out_of_reach(self.depth, blocks)
        return self._tape.rows[self._end - blocks]

    def move(self, blocks: int) -> int:
        """By how many ticks the pool's tick moved over the last so many blocks."""
        return self.now.tick - self.ago(blocks).tick

    def total(self, quantity: Quantity, blocks: int) -> int:
        """Sum of a quantity over the last so many blocks; it needs one row more, the block before them.

        Raises:
            LookupError: before the declared warm-up, or in the future.
            NotKnownError: where the source of the rows doesn't tell what the quantity is made of.
        """
        if not 0 <= blocks < self.depth:
            raise out_of_reach(self.depth, blocks)
        tape, end = self._tape, self._end
        series = tape.known.get(quantity) or tape.series(quantity)
        if series.unknown:
            series.check(end - blocks + 1, end)
        sums = series.sums
        return sums[end] - sums[end - blocks]

    def highest(self, quantity: Quantity, blocks: int) -> int:
        """The largest value of a quantity within the last so many blocks, at least one; it needs one row more.

        Raises:
            LookupError: as for `total`.
            NotKnownError: as for `total`.
        """
        if not 1 <= blocks < self.depth:
            raise out_of_reach(self.depth, blocks)
        series = self._tape.series(quantity)
        end = self._end
        if series.unknown:
            series.check(end - blocks + 1, end)
        return series.highest(end, blocks)

    def product_total(
        self, mine: Quantity, theirs: Quantity, blocks: int, *, lag: int, of: "Past | None" = None
    ) -> int:
        """Sum over the last so many blocks of one quantity times another one `lag` blocks before.

        It needs `1 + abs(lag)` rows more; with a negative lag it is the first one that is from before.

        Args:
            mine: of this pool.
            theirs: of the pool that `of` is the past of, this one by default.
            blocks: how many products are summed up.
            lag: by how many blocks the second one is older.
            of: `past.other`, for a product across pools.

        Raises:
            LookupError: as for `total`.
            NotKnownError: as for `total`.
        """
        if not 0 <= blocks < self.depth - abs(lag):
            raise out_of_reach(self.depth, blocks + abs(lag))
        series = self._tape.products(mine, (of or self)._tape, theirs, lag)  # noqa: SLF001  of its own kind
        end = self._end
        if series.unknown:
            series.check(end - blocks + 1, end)
        return series.sums[end] - series.sums[end - blocks]


def out_of_reach(depth: int, blocks: int) -> LookupError:
    """What a feature is told that looks too far back, or ahead."""
    return LookupError(f"a feature that may see {depth} rows asked for the one {blocks} blocks ago")
