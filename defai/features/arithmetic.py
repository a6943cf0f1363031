"""Exact integer arithmetic for features: one number, or a column of them, by the same functions.

No feature is computed with floats. A ratio or a root carries `RATIO_BITS` fractional bits and is rounded by integer
division and `math.isqrt`, so it is the same to the last bit on every machine, in a table and in a decision.
"""

from math import isqrt
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from defai.market.window import NotKnownError

if TYPE_CHECKING:  # numpy is for tables; who decides needs none
    from defai.features.column import Column

Whole = TypeVar("Whole", int, "Column")
"""One integer or a column of them; a feature is written as if it were always one."""

RATIO_BITS: Final = 16
"""Fractional bits of ratios and roots."""


def ratio(numerator: Whole, denominator: Whole, bits: int) -> Whole:
    """A ratio with fractional bits, rounded towards zero so that it changes sign with its numerator.

    Nothing over nothing is nothing: a zero denominator gives 0.
    """
    if not isinstance(numerator, int):
        return numerator.ratio(denominator, bits)
    if not isinstance(denominator, int):
        return (denominator * 0 + numerator).ratio(denominator, bits)
    if not denominator:
        return 0
    size = (abs(numerator) << bits) // abs(denominator)
    return size if (numerator < 0) == (denominator < 0) else -size


def ratio_x16(numerator: Whole, denominator: Whole) -> Whole:
    """A ratio with 16 fractional bits, as `ratio`."""
    return ratio(numerator, denominator, RATIO_BITS)


def root(square: Whole) -> Whole:
    """A square root, rounded down."""
    return isqrt(square) if isinstance(square, int) else square.root(0)


def root_x16(square: Whole) -> Whole:
    """A square root with 16 fractional bits, rounded down."""
    return isqrt(square << 2 * RATIO_BITS) if isinstance(square, int) else square.root(RATIO_BITS)


def choose(condition: "bool | Column", yes: Whole, no: Whole) -> Whole:
    """`yes` where the condition holds, else `no`: an `if` that a column understands; both are computed."""
    if isinstance(condition, int):
        return yes if condition else no
    chosen: Whole = cast("Any", condition.chosen(yes, no))
    return chosen


def larger(one: Whole, other: Whole) -> Whole:
    """The larger of two: `max` that a column understands."""
    return choose(one > other, one, other)


def smaller(one: Whole, other: Whole) -> Whole:
    """The smaller of two: `min` that a column understands."""
    return choose(one < other, one, other)


def known(value: int | None) -> int:
    """A field of a row that not every source tells.

    Raises:
        NotKnownError: where it is not told: the feature is not ready.
    """
    if value is None:
        raise NotKnownError("the rows don't tell it")
    return value
