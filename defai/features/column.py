"""Whole columns of integers that behave like one: a feature is written for one row, and computes them all at once.

What does not fit into 64 bits is computed with Python's own integers, so every answer is exact. A column can't be
looked into, counted or branched on: whoever does is told so by a `ColumnError`, and goes row by row.
"""

from collections.abc import Callable
from math import isqrt
from typing import Any, Final, NoReturn, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.features.arithmetic import RATIO_BITS
from defai.features.logarithm import MANTISSA_BITS, log2_of_one, mantissas

Array: TypeAlias = NDArray[Any]
"""Of int64, of Python's integers, or of truth values."""

_FIT: Final = 1 << 63


class ColumnError(TypeError):
    """A column was used as if it were one number."""


def size_of(values: Array | int) -> int:
    """The largest absolute value; 0 of nothing."""
    if isinstance(values, int):
        return abs(values)
    if not values.size:
        return 0
    if values.dtype == np.bool_:
        return 1
    return max(-int(values.min()), int(values.max()))


def narrow(values: Array) -> Array:
    """The same integers as int64 where they fit."""
    if values.dtype == object and size_of(values) < _FIT:
        return values.astype(np.int64)
    return values


def running_sums(values: Array, longest: int) -> Array:
    """Sums of the first 0, 1, 2... values, whose differences are exact up to `longest` apart.

    Where 64 bits hold every difference, it does no harm that the sums themselves may wrap around.
    """
    exact = values if size_of(values) * longest < _FIT else values.astype(object)
    sums = np.zeros(len(values) + 1, dtype=exact.dtype)
    np.cumsum(exact, out=sums[1:])
    return sums


def highest_of_last(values: Array, count: int) -> Array:
    """The maximum of each value and the `count - 1` before it; shorter by as many."""
    width, best = 1, values
    while width < count:
        step = min(width, count - width)
        best = np.maximum(best[step:], best[:-step])
        width += step
    return best


class Column:
    """One integer a row. Operators work row by row, exactly; `//`, `%` and `>>` round down as Python's do."""

    __slots__ = ("values",)

    def __init__(self, values: Array) -> None:
        self.values = values

    def __add__(self, other: "Column | int") -> "Column":
        return self._exact(np.add, other, size_of(self.values) + size_of(_values(other)))

    def __sub__(self, other: "Column | int") -> "Column":
        return self._exact(np.subtract, other, size_of(self.values) + size_of(_values(other)))

    def __mul__(self, other: "Column | int") -> "Column":
        return self._exact(np.multiply, other, size_of(self.values) * size_of(_values(other)))

    def __rsub__(self, other: int) -> "Column":
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> "Column":
        return Column(-_whole(self.values))

    def __abs__(self) -> "Column":
        return Column(np.abs(self.values))

    def __pow__(self, exponent: int) -> "Column":
        return self._exact(np.power, _one(exponent), size_of(self.values) ** exponent)

    def __lshift__(self, bits: int) -> "Column":
        return self._exact(np.left_shift, _one(bits), size_of(self.values) << bits)

    def __rshift__(self, bits: int) -> "Column":
        return Column(narrow(np.right_shift(_whole(self.values), _one(bits))))

    def __floordiv__(self, other: "Column | int") -> "Column":
        return self._divided(np.floor_divide, other)

    def __mod__(self, other: "Column | int") -> "Column":
        return self._divided(np.mod, other)

    def __and__(self, other: "Column | bool") -> "Column":
        return Column(self.values & _flags(other))

    def __or__(self, other: "Column | bool") -> "Column":
        return Column(self.values | _flags(other))

    __rand__ = __and__
    __ror__ = __or__

    def __eq__(self, other: object) -> "Column":  # type: ignore[override]  # row by row, as arrays compare
        return self._compared(np.equal, other)

    def __ne__(self, other: object) -> "Column":  # type: ignore[override]  # the same
        return self._compared(np.not_equal, other)

    def __lt__(self, other: object) -> "Column":
        return self._compared(np.less, other)

    def __le__(self, other: object) -> "Column":
        return self._compared(np.less_equal, other)

    def __gt__(self, other: object) -> "Column":
        return self._compared(np.greater, other)

    def __ge__(self, other: object) -> "Column":
        return self._compared(np.greater_equal, other)

    def ratio(self, denominator: "Column | int", bits: int) -> "Column":
        """Self over the denominator with fractional bits, rounded towards zero; over zero it is zero."""
        below = _like(self, denominator)
        nothing = below == 0
        size = (abs(self) << bits) // Column(np.where(nothing, 1, np.abs(below)))
        negative = (self.values < 0) != (below < 0)
        return Column(np.where(nothing, 0, np.where(negative, -size.values, size.values)))

    def root(self, bits: int) -> "Column":
        """Square roots with fractional bits, at most 16, rounded down. No value may be negative.

        The float's root is correctly rounded and so at most one off; what is left of the square says which way, even
        where both have wrapped around 64 bits.
        """
        if self.values.dtype == object:
            return Column(narrow(_integer_root(self.values << 2 * bits)))
        root = (np.sqrt(self.values.astype(np.float64)) * (1 << bits)).astype(np.int64)
        shifted = self.values << 2 * bits
        root -= shifted - root * root < 0
        root += shifted - root * root > 2 * root
        return Column(root)

    def log2_x16(self) -> "Column":
        """Binary logarithms with 16 fractional bits, as `logarithm.log2_x16`."""
        values = self.values
        if values.dtype == object:
            return Column(np.array([log2_of_one(int(one)) for one in values], dtype=np.int64))
        whole = np.zeros(len(values), dtype=np.int64)
        rest = positive = np.maximum(values, 1)
        for step in (32, 16, 8, 4, 2, 1):
            large = rest >= np.int64(1) << step
            whole += np.where(large, step, 0)
            rest = np.where(large, rest >> step, rest)
        up, down = np.maximum(MANTISSA_BITS - whole, 0), np.maximum(whole - MANTISSA_BITS, 0)
        table = np.frombuffer(mantissas(), dtype=np.int64)
        fraction = np.searchsorted(table, (positive << up) >> down, side="right")
        return Column(np.where(values < 1, 0, (whole << RATIO_BITS) + fraction - 1))

    def chosen(self, yes: "Column | int", no: "Column | int") -> "Column":
        """`yes` where this column is true, else `no`."""
        if self.values.dtype != np.bool_:
            raise ColumnError("only a comparison can choose")
        return Column(np.where(self.values, _like(self, yes), _like(self, no)))

    def _exact(self, operation: Callable[..., Array], other: "Column | int", size: int) -> "Column":
        mine = _whole(self.values)
        if size >= _FIT:
            mine = mine.astype(object)
        return Column(operation(mine, _values(other)))

    def _divided(self, operation: Callable[..., Array], other: "Column | int") -> "Column":
        divisor = _values(other)
        if not np.all(divisor != 0):
            raise ColumnError("a divisor is zero in some row")
        mine = _whole(self.values)
        if size_of(divisor) >= _FIT:
            mine = mine.astype(object)
        return Column(narrow(operation(mine, divisor)))

    def _compared(self, operation: Callable[..., Array], other: object) -> "Column":
        if not isinstance(other, Column | int):
            raise ColumnError(f"a column is not compared with a {type(other).__name__}")
        return Column(operation(self.values, _like(self, other)).astype(np.bool_))

    def _one_number(self, *_: object) -> NoReturn:
        raise ColumnError("a column is many numbers, not one")

    __bool__ = __index__ = __int__ = __float__ = __len__ = __iter__ = __getitem__ = __round__ = _one_number
    __truediv__ = __rtruediv__ = __rfloordiv__ = __rmod__ = __rpow__ = __rlshift__ = __divmod__ = _one_number
    __contains__ = __getattr__ = __format__ = __str__ = __rrshift__ = __trunc__ = __complex__ = _one_number

    def __hash__(self) -> int:
        """Not for columns: `in` and dictionaries would take one for a number."""
        return self._one_number()


_integer_root: Final = np.frompyfunc(isqrt, 1, 1)


def _one(number: int) -> int:
    if type(number) is not int:
        raise ColumnError(f"{type(number).__name__} is not one integer for all rows")
    return number


def _whole(values: Array) -> Array:
    """Truth values as the integers that Python takes them for."""
    return values.astype(np.int64) if values.dtype == np.bool_ else values


def _values(one: "Column | int") -> Array | int:
    if isinstance(one, Column):
        return _whole(one.values)
    if isinstance(one, int):
        return int(one)
    raise ColumnError(f"a column meets a {type(one).__name__}")


def _flags(one: "Column | bool") -> Array | bool:
    if isinstance(one, bool):
        return one
    if isinstance(one, Column) and one.values.dtype == np.bool_:
        return one.values
    raise ColumnError("only comparisons are combined")


def _like(column: Column, one: "Column | int") -> Array:
    """An operand as an array as long as a column."""
    if isinstance(one, Column):
        return _whole(one.values)
    return np.full(len(column.values), one, dtype=np.int64 if abs(one) < _FIT else object)
