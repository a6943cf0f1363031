"""Columns of integers of any size that take eight bytes an entry as long as that is enough."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

_EXACT_FLOAT = 1 << 53
"""Integers up to here are floats without rounding."""


class IntColumn(Sequence[int]):
    """A list of integers that can only grow; compact while they fit 64 bits."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._values: array[int] | list[int] = array("q")
        self.extend(values)

    @classmethod
    def of_words(cls, words: NDArray[np.uint64]) -> "IntColumn":
        """A column of numbers of two words each; see `extend_words`."""
        column = cls()
        column.extend_words(words)
        return column

    def append(self, value: int) -> None:
        """Add one at the end."""
        try:
            self._values.append(value)
        except OverflowError:
            self._values = list(self._values)
            self._values.append(value)

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
        if isinstance(self._values, array) and np.array_equal(high, low >> 63):
            self._values.frombytes(np.ascontiguousarray(low).tobytes())
        else:
            self.extend(
                below | above << 64 for below, above in zip(words[:, 0].tolist(), high.tolist(), strict=True)
            )

    def extend_array(self, values: NDArray[np.int64]) -> None:
        """Add numbers of one word each."""
        if isinstance(self._values, array):
            self._values.frombytes(np.ascontiguousarray(values, dtype=np.int64).tobytes())
        else:
            self._values.extend(values.tolist())

    def over(self, unit: int) -> NDArray[np.float64]:
        """All of them divided by a unit, each rounded once, as Python divides integers."""
        if isinstance(self._values, array) and unit < _EXACT_FLOAT:
            known = np.frombuffer(self._values, dtype=np.int64) if self._values else np.zeros(0, np.int64)
            if not len(known) or max(int(known.max()), -int(known.min())) < _EXACT_FLOAT:
                return np.asarray(known / unit, dtype=np.float64)
        return np.array([value / unit for value in self._values], dtype=np.float64)

    def as_array(self) -> NDArray[np.int64]:
        """All of them as 64-bit integers, in memory of their own.

        Raises:
            OverflowError: where one does not fit.
        """
        return np.array(self._values, dtype=np.int64)

    def shared_with(self, other: "IntColumn") -> "IntColumn":
        """The other one where they hold the same, so that it is kept once; else this one."""
        return other if self == other else self

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[int]:
        return iter(self._values)

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[int]: ...
    def __getitem__(self, index: int | slice) -> int | Sequence[int]:
        """One of them, or a part."""
        return self._values[index]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, IntColumn):
            return self[:] == other[:]
        return NotImplemented

    def __hash__(self) -> int:
        """None: it grows, nothing can be found by it.

        Raises:
            TypeError: always.
        """
        raise TypeError("a column that grows has no hash")
