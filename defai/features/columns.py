"""A pool's whole history by columns, and the past of all its rows at once: what features see when a table is made."""

from collections.abc import Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, cast

import numpy as np

from defai.features.column import Array, Column, ColumnError, highest_of_last, narrow, running_sums
from defai.features.tape import Past, Quantity, out_of_reach
from defai.market.window import NotKnownError, Observation


class History:
    """Rows of one pool by columns, made as they are asked for."""

    def __init__(self, rows: Sequence[Observation]) -> None:
        self.rows = rows
        self._fields: dict[str, Array] = {}
        self._quantities: dict[Quantity, Array] = {}
        self._sums: dict[tuple[Quantity, int], Array] = {}

    def __len__(self) -> int:
        return len(self.rows)

    def field(self, name: str) -> Array:
        """One field of every row.

        Raises:
            NotKnownError: where no row tells it.
            ColumnError: where only some do, or it is no integer.
        """
        known = self._fields.get(name)
        if known is None:
            values = list(map(attrgetter(name), self.rows))
            missing = values.count(None)
            if missing:
                if missing == len(values):
                    raise NotKnownError(f"the rows don't tell {name}")
                raise ColumnError(f"some rows don't tell {name}")
            known = self._fields[name] = _array(values)
        return known

    def quantity(self, quantity: Quantity) -> Array:
        """A quantity of every row but the first."""
        known = self._quantities.get(quantity)
        if known is None:
            try:
                before, after = Stretch(self, 0, len(self) - 1), Stretch(self, 1, len(self))
                answer: Any = quantity(cast("Observation", before), cast("Observation", after))
                known = as_array(answer, len(self) - 1)
            except ColumnError:
                known = self._row_by_row(quantity)
            self._quantities[quantity] = known
        return known

    def _row_by_row(self, quantity: Quantity) -> Array:
        values, unknown = [], 0
        for before, after in pairwise(self.rows):
            try:
                values.append(quantity(before, after))
            except NotKnownError:
                unknown += 1
        if unknown and not values:
            raise NotKnownError("the rows don't tell it")
        if unknown:
            raise ColumnError("some rows don't tell it")
        return _array(values)

    def sums(self, quantity: Quantity, longest: int) -> Array:
        """Running sums of a quantity as of every row, whose differences are exact up to `longest` rows apart."""
        key = quantity, longest
        known = self._sums.get(key)
        if known is None:
            known = self._sums[key] = running_sums(self.quantity(quantity), longest)
        return known


class Stretch:
    """Some of a history's rows, one after the other, with an observation's fields as columns."""

    __slots__ = ("_history", "_range")

    def __init__(self, history: History, first: int, stop: int) -> None:
        self._history = history
        self._range = slice(first, stop)

    def __getattr__(self, name: str) -> Column:
        if name.startswith("_"):
            raise ColumnError(f"{name} is none of a row's fields")
        if name == "swap_sizes_raw":
            raise ColumnError("a row's swaps are many numbers")
        return Column(self._history.field(name)[self._range])


class ColumnPast(Past):
    """The pasts of all rows of a history that have `depth` rows, as one.

    Args:
        history: the pool's rows.
        depth: how many rows may be looked at from each, itself included.
        others: the same of further pools.
    """

    __slots__ = ("_history", "_stop")

    def __init__(self, history: History, depth: int, others: "tuple[ColumnPast, ...]" = ()) -> None:
        self._history = history
        self._stop = len(history)
        self._others = others
        self.depth = depth

    def __getattr__(self, name: str) -> object:
        raise ColumnError(f"the past of many rows has no {name}")

    @property
    def now(self) -> Observation:
        """The rows themselves."""
        return self.ago(0)

    def ago(self, blocks: int) -> Observation:
        """The row so many blocks before each."""
        first = self._first(blocks)
        return cast("Observation", Stretch(self._history, first, self._stop - blocks))

    def total(self, quantity: Quantity, blocks: int) -> int:
        """Sums up to each row."""
        first = self._first(blocks)
        sums = self._history.sums(quantity, blocks)
        return _as_integer(sums[first + blocks :] - sums[first : self._stop - blocks])

    def highest(self, quantity: Quantity, blocks: int) -> int:
        """Maxima up to each row."""
        if blocks < 1:
            raise out_of_reach(self.depth, blocks)
        first = self._first(blocks)
        return _as_integer(highest_of_last(self._history.quantity(quantity), blocks)[first:])

    def product_total(
        self, mine: Quantity, theirs: Quantity, blocks: int, *, lag: int, of: Past | None = None
    ) -> int:
        """Sums of products up to each row."""
        reach = abs(lag)
        first = self._first(blocks + reach)
        left, right = self._history.quantity(mine), _history_of(of or self).quantity(theirs)
        if lag > 0:
            left, right = left[lag:], right[:-lag]
        elif lag < 0:
            left, right = left[:lag], right[-lag:]
        sums = running_sums((Column(left) * Column(right)).values, max(blocks, 1))
        return _as_integer(sums[first + blocks :] - sums[first : len(sums) - blocks])

    def _first(self, blocks: int) -> int:
        if not 0 <= blocks < self.depth:
            raise out_of_reach(self.depth, blocks)
        return self.depth - 1 - blocks


def _array(values: list[int]) -> Array:
    """Integers, in 64 bits where they fit."""
    if values and type(values[0]) is not int:
        raise ColumnError(f"a {type(values[0]).__name__} is no integer")
    try:
        return np.array(values, dtype=np.int64)
    except OverflowError:
        return np.array(values, dtype=object)


def as_array(answer: object, count: int) -> Array:
    """What a function of columns gave, as one integer a row.

    Raises:
        ColumnError: where it is anything else.
    """
    if isinstance(answer, Column) and answer.values.dtype != np.bool_:
        return answer.values
    if type(answer) is int:
        return narrow(np.full(count, answer, dtype=object))
    raise ColumnError(f"a {type(answer).__name__} is no column of integers")


def _as_integer(values: Array) -> int:
    """A feature is written as if it were given one integer."""
    return cast("int", Column(narrow(values)))


def _history_of(past: Past) -> History:
    if not isinstance(past, ColumnPast):
        raise ColumnError("one pool by columns, the other by rows")
    return past._history  # noqa: SLF001  of its own kind
