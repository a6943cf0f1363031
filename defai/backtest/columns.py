"""Columns of integers of any size that take eight bytes an entry as long as that is enough."""

from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

_EXACT_FLOAT = 1 << 53
"""Integers up to here are floats without rounding."""
_ROOM = 64


class IntColumn(Sequence[int]):
    """A list of integers that can only grow; compact while they fit 64 bits."""

    __slots__ = ("_count", "_newest", "_wide", "_words")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._words: NDArray[np.int64] = np.empty(_ROOM, dtype=np.int64)
        self._count = 0
        self._newest: int | None = None
        self._wide: list[int] | None = None
        self.extend(values)

    @classmethod
    def of_words(cls, words: NDArray[np.uint64]) -> "IntColumn":
        """A column of numbers of two words each; see `extend_words`."""
        column = cls()
        column.extend_words(words)
        return column

    def reserve(self, more: int) -> None:
        """Make room for so many more, at once."""
        wanted = self._count + more
        if self._wide is None and wanted > len(self._words):
            grown = np.empty(wanted, dtype=np.int64)
            grown[: self._count] = self._words[: self._count]
            self._words = grown

    def append(self, value: int) -> None:
        """Add one at the end."""
        if self._wide is None:
            if self._count == len(self._words):
                self.reserve(self._count)
            try:
                self._words[self._count] = value
            except OverflowError:
                self._widen().append(value)
            else:
                self._count += 1
                self._newest = int(value)
        else:
            self._wide.append(value)

    def extend(self, values: Iterable[int]) -> None:
        """Add many."""
        for value in values:
            self.append(value)

    def extend_words(self, words: NDArray[np.uint64]) -> None:
        """Add numbers of two words each, the low one first, two's complement.

        Args:
            words: shape (n, 2).
        """
        low, high = words[:, 0].view(np.int64), words[:, 1].view(np.int64)
        if self._wide is None and np.array_equal(high, low >> 63):
            self.extend_array(low)
        else:
            pairs = zip(words[:, 0].tolist(), high.tolist(), strict=True)
            self.extend(below | above << 64 for below, above in pairs)

    def extend_array(self, values: NDArray[np.int64]) -> None:
        """Add numbers of one word each."""
        if self._wide is not None:
            self._wide.extend(values.tolist())
            return
        end = self._count + len(values)
        if end > len(self._words):
            self.reserve(max(len(values), self._count))
        self._words[self._count : end] = values
        self._count, self._newest = end, None

    def over(self, unit: int) -> NDArray[np.float64]:
        """All of them divided by a unit, each rounded once, as Python divides integers."""
        if self._wide is None and unit < _EXACT_FLOAT:
            known = self.as_array()
            if not len(known) or max(int(known.max()), -int(known.min())) < _EXACT_FLOAT:
                return np.asarray(known / unit, dtype=np.float64)
        return np.array([value / unit for value in self], dtype=np.float64)

    def as_array(self) -> NDArray[np.int64]:
        """All of them as 64-bit integers, to look at.

        Raises:
            OverflowError: where one does not fit.
        """
        return self._words[: self._count] if self._wide is None else np.array(self._wide, dtype=np.int64)

    def shared_with(self, other: "IntColumn") -> "IntColumn":
        """The other one where they hold the same, so that it is kept once; else this one."""
        return other if self == other else self

    def _widen(self) -> list[int]:
        self._wide = self.as_array().tolist()
        self._words = np.empty(0, dtype=np.int64)
        return self._wide

    def __len__(self) -> int:
        return self._count if self._wide is None else len(self._wide)

    def __iter__(self) -> Iterator[int]:
        return iter(self.as_array().tolist() if self._wide is None else self._wide)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        """One of them, or a list of some."""
        if self._wide is not None:
            return self._wide[index]
        if (
            index == -1 and self._newest is not None
        ):  # asked at every block; a view of all takes as long as the rest
            return self._newest
        found: int | list[int] = self.as_array()[index].tolist()
        return found

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, IntColumn):
            return NotImplemented
        if self._wide is None and other._wide is None:
            return np.array_equal(self.as_array(), other.as_array())
        return list(self) == list(other)

    def __hash__(self) -> int:
        """None: it grows, nothing can be found by it.

        Raises:
            TypeError: always.
        """
        raise TypeError("a column that grows has no hash")
