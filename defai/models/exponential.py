"""Two to the power of a fixed-point number, in integers: how a forecast in logarithms becomes one in ticks.

A model of variance sums up the binary logarithm of a volatility (its base, linear part and leaves), times 2**24; the
volatility itself is two to that power. Any machine that can multiply 256-bit integers computes the same:

    whole, fraction = x >> 24, x & (2**24 - 1)
    power = 2**64
    for bit 1..24 of the fraction, the highest first:    power = power * FACTORS[bit] >> 64   where the bit is set
    2**(x / 2**24), times 2**24  =  power >> (40 - whole)

`whole` is limited to -24..14, so that a forecast stays within 0 and 32,768 ticks. Exp2.sol does the same on the chain.
"""

from typing import Final

from defai.units import Q24

_BITS: Final = 24
_SCALE: Final = 64
LOWEST_X24: Final = -24 * Q24
HIGHEST_X24: Final = 15 * Q24 - 1


def _roots() -> tuple[int, ...]:
    """2**(2**-k), times 2**64 and rounded down, for k = 1..24: repeated integer square roots, so without floats."""
    from math import isqrt  # noqa: PLC0415  once

    wide = 2 << 512
    factors = []
    for _ in range(_BITS):
        wide = isqrt(wide << 512)
        factors.append(wide >> (512 - _SCALE))
    return tuple(factors)


FACTORS_X64: Final = _roots()
"""2**(1/2), 2**(1/4), ... 2**(2**-24), each times 2**64, rounded down."""


def exp2_x24(exponent_x24: int) -> int:
    """Two to the power of a number times 2**24, itself times 2**24; its relative error is below 2**-24 or one unit."""
    limited = max(LOWEST_X24, min(HIGHEST_X24, exponent_x24))
    whole, fraction = limited >> _BITS, limited & (Q24 - 1)
    power = 1 << _SCALE
    for bit, factor in enumerate(FACTORS_X64, start=1):
        if fraction >> (_BITS - bit) & 1:
            power = power * factor >> _SCALE
    return power >> (_SCALE - _BITS - whole)
