"""Binary logarithms in fixed point: one integer, or a column of them, by the same shifts and squarings."""

from typing import TYPE_CHECKING, Any, Final, cast

from defai.features.arithmetic import RATIO_BITS, Whole

if TYPE_CHECKING:  # numpy is for tables; who decides needs none
    from defai.features.column import Column

_MANTISSA_BITS: Final = 30
"""The mantissa is squared in 64 bits with a sign."""


def log2_x16(value: Whole) -> Whole:
    """The binary logarithm with 16 fractional bits, rounded down but for at most one unit; below one it is 0.

    Bit by bit: the mantissa is squared, and where that reaches two, the bit is one (Clay Turner, A Fast Binary
    Logarithm Algorithm, IEEE Signal Processing Magazine 2010).
    """
    if isinstance(value, int):
        return _of_one(value)
    return cast("Whole", _of_column(value))


def _of_one(value: int) -> int:
    if value < 1:
        return 0
    whole = value.bit_length() - 1
    mantissa = (value << _MANTISSA_BITS) >> whole
    fraction = 0
    for _ in range(RATIO_BITS):
        mantissa = (mantissa * mantissa) >> _MANTISSA_BITS
        carry = mantissa >> (_MANTISSA_BITS + 1)
        fraction = (fraction << 1) | carry
        mantissa >>= carry
    return (whole << RATIO_BITS) | fraction


def _of_column(column: Any) -> "Column":  # noqa: ANN401  a Column; its class is not imported to decide
    import numpy as np  # noqa: PLC0415  numpy is for tables

    from defai.features.column import Column  # noqa: PLC0415  the same

    values = column.values
    if values.dtype == object:
        return Column(np.array([_of_one(int(one)) for one in values], dtype=np.int64))
    whole = np.zeros(len(values), dtype=np.int64)
    rest = np.maximum(values, 1)
    for step in (32, 16, 8, 4, 2, 1):
        large = rest >= np.int64(1) << step
        whole += np.where(large, step, 0)
        rest = np.where(large, rest >> step, rest)
    positive = np.maximum(values, 1)
    up, down = np.maximum(_MANTISSA_BITS - whole, 0), np.maximum(whole - _MANTISSA_BITS, 0)
    mantissa = (positive << up) >> down
    fraction = np.zeros(len(values), dtype=np.int64)
    for _ in range(RATIO_BITS):
        mantissa = (mantissa * mantissa) >> _MANTISSA_BITS
        carry = mantissa >> (_MANTISSA_BITS + 1)
        fraction = (fraction << 1) | carry
        mantissa >>= carry
    return Column(np.where(values < 1, 0, (whole << RATIO_BITS) | fraction))
