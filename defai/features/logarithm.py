"""Binary logarithms in fixed point: one integer, or a column of them, looked up in the same table."""

from array import array
from bisect import bisect_right
from functools import cache
from math import isqrt, log2
from typing import Final

from defai.features.arithmetic import RATIO_BITS, Whole

MANTISSA_BITS: Final = 30
_FRACTIONS: Final = 1 << RATIO_BITS
_WORKING_BITS: Final = 160
"""Of the powers of two that the table is made of: what is cut off never reaches the mantissa."""


def log2_x16(value: Whole) -> Whole:
    """The binary logarithm of a number's 31 leading bits, with 16 fractional bits, rounded down; below one it is 0."""
    return log2_of_one(value) if isinstance(value, int) else value.log2_x16()


@cache
def mantissas() -> "array[int]":
    """The least mantissa of every fraction: 2**(30 + k/65536), rounded up; the last one is that of the next whole."""
    root = 2 << _WORKING_BITS
    for _ in range(RATIO_BITS):
        root = isqrt(root << _WORKING_BITS)
    power, least = 1 << _WORKING_BITS, array("q")
    for _ in range(1 << RATIO_BITS):
        least.append(-(-power >> (_WORKING_BITS - MANTISSA_BITS)))
        power = power * root >> _WORKING_BITS
    least.append(2 << MANTISSA_BITS)
    return least


def log2_of_one(value: int) -> int:
    """The same of one integer. A float guesses which entry of the table it is; the table says whether that is so."""
    if value < 1:
        return 0
    least, guess = mantissas(), int(log2(value) * _FRACTIONS)
    fraction = guess % _FRACTIONS
    if least[fraction] <= (value << MANTISSA_BITS) >> (guess >> RATIO_BITS) < least[fraction + 1]:
        return guess
    whole = value.bit_length() - 1
    return (whole << RATIO_BITS) + bisect_right(least, (value << MANTISSA_BITS) >> whole) - 1
