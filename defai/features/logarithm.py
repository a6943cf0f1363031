"""Binary logarithms in fixed point: one integer, or a column of them, looked up in the same table."""

from array import array
from bisect import bisect_right
from functools import cache
from math import isqrt
from typing import TYPE_CHECKING, Any, Final, cast

from defai.features.arithmetic import RATIO_BITS, Whole

if TYPE_CHECKING:  # numpy is for tables; who decides needs none
    from defai.features.column import Column

_MANTISSA_BITS: Final = 30
_WORKING_BITS: Final = 160
"""Of the powers of two that the table is made of: what is cut off never reaches the mantissa."""


def log2_x16(value: Whole) -> Whole:
    """The binary logarithm of a number's 31 leading bits, with 16 fractional bits, rounded down; below one it is 0."""
    if isinstance(value, int):
        return _of_one(value)
    logarithms: Whole = cast("Any", _of_column(value))
    return logarithms


@cache
def _steps() -> "array[int]":
    """The least mantissa of every fraction: 2**(30 + k/65536), rounded up."""
    root = 2 << _WORKING_BITS
    for _ in range(RATIO_BITS):
        root = isqrt(root << _WORKING_BITS)
    power, steps = 1 << _WORKING_BITS, array("q")
    for _ in range(1 << RATIO_BITS):
        steps.append(-(-power >> (_WORKING_BITS - _MANTISSA_BITS)))
        power = power * root >> _WORKING_BITS
    return steps


def _of_one(value: int) -> int:
    if value < 1:
        return 0
    whole = value.bit_length() - 1
    mantissa = (value << _MANTISSA_BITS) >> whole
    return (whole << RATIO_BITS) + bisect_right(_steps(), mantissa) - 1


def _of_column(column: Any) -> "Column":  # noqa: ANN401  a Column; its class is not imported to decide
    import numpy as np  # noqa: PLC0415  numpy is for tables

    from defai.features.column import Column  # noqa: PLC0415  the same

    values = column.values
    if values.dtype == object:
        return Column(np.array([_of_one(int(one)) for one in values], dtype=np.int64))
    whole = np.zeros(len(values), dtype=np.int64)
    rest = positive = np.maximum(values, 1)
    for step in (32, 16, 8, 4, 2, 1):
        large = rest >= np.int64(1) << step
        whole += np.where(large, step, 0)
        rest = np.where(large, rest >> step, rest)
    up, down = np.maximum(_MANTISSA_BITS - whole, 0), np.maximum(whole - _MANTISSA_BITS, 0)
    fraction = np.searchsorted(
        np.frombuffer(_steps(), dtype=np.int64), (positive << up) >> down, side="right"
    )
    return Column(np.where(values < 1, 0, (whole << RATIO_BITS) + fraction - 1))
