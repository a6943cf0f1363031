"""How amounts move the square-root price, and which amounts a move takes (see `defai.amm.sqrt_price_math`)."""

from typing import Final

import numpy as np

from defai.amm.limbs.division import divide, divide_by_normal_two, divide_by_three
from defai.amm.limbs.wide import (
    add3,
    add4,
    add6,
    float5,
    float6,
    increment4,
    less3,
    less4,
    less6,
    mul_2x3,
    mul_3x3,
    mul_4x3,
    over_2_to_96,
    rounded_up,
    row5,
    shifted_by_96,
    sub3,
    sub4,
    sub6,
    widened,
    zero4,
)
from defai.amm.limbs.word import ONE, U128, U192, U256, U320, U384, ZERO

_PRICE_TOP: Final = np.uint64(1 << 32)
"""The upper word of a price stays below this: prices have 160 bits."""

_SHORT: Final = 2.0**47
"""Floats tell a quotient below this but for one: they are off by 2**-49 of it at most, by less than a unit."""


def quotient_for_amount0(low_x96: U192, high_x96: U192, liquidity: U128) -> tuple[U384, U320]:
    """Token0 between two prices as a fraction, in whole words: numerator and denominator."""
    numerator = shifted_by_96(mul_2x3(liquidity, sub3(high_x96, low_x96)))
    return numerator, mul_3x3(low_x96, high_x96)


def quotient(numerator: U384, denominator: U320, round_up: bool) -> U256:
    """The quotient, which has to fit four words."""
    estimate = float6(numerator) / float5(denominator)
    if estimate < _SHORT:
        return _short_quotient(numerator, denominator, estimate, round_up)
    n = numerator
    _, result, inexact = divide((n[0], n[1], n[2], n[3], n[4], n[5], ZERO, ZERO), denominator)
    return rounded_up(result, round_up and inexact)


def _short_quotient(numerator: U384, denominator: U320, estimate: float, round_up: bool) -> U256:
    """A quotient that floats tell but for one: what they tell is multiplied out and set right."""
    q = np.uint64(estimate)
    rest, borrow = sub6(numerator, row5(denominator, q, (ZERO, ZERO, ZERO, ZERO, ZERO)))
    if borrow != ZERO:
        q -= ONE
        rest, _ = add6(rest, denominator)
    elif not less6(rest, denominator):
        q += ONE
        rest, _ = sub6(rest, widened(denominator))
    if round_up and rest[0] | rest[1] | rest[2] | rest[3] | rest[4] | rest[5] != ZERO:
        q += ONE
    return q, ZERO, ZERO, ZERO


def quotient_likely(numerator: U384, denominator: U320, guess: U256, round_up: bool) -> U256:
    """The same, where it is most likely a number that is known: that one is multiplied out first."""
    if guess[1] | guess[2] | guess[3] != ZERO:
        return quotient(numerator, denominator, round_up)
    product = row5(denominator, guess[0], (ZERO, ZERO, ZERO, ZERO, ZERO))
    larger, smaller = (product, numerator) if round_up else (numerator, product)
    rest, borrow = sub6(larger, smaller)
    if borrow != ZERO or not less6(rest, denominator):
        return quotient(numerator, denominator, round_up)
    return guess


def amount0_between(a_x96: U192, b_x96: U192, liquidity: U128, round_up: bool) -> tuple[bool, U256]:
    """Whether the lower price is above zero, and the token0 between two prices."""
    low, high = (b_x96, a_x96) if less3(b_x96, a_x96) else (a_x96, b_x96)
    if low[0] | low[1] | low[2] == ZERO:
        return False, (ZERO, ZERO, ZERO, ZERO)
    numerator, denominator = quotient_for_amount0(low, high, liquidity)
    return True, quotient(numerator, denominator, round_up)


def amount1_between(a_x96: U192, b_x96: U192, liquidity: U128, round_up: bool) -> U256:
    """The token1 between two prices."""
    low, high = (b_x96, a_x96) if less3(b_x96, a_x96) else (a_x96, b_x96)
    result, inexact = over_2_to_96(mul_2x3(liquidity, sub3(high, low)))
    return rounded_up(result, round_up and inexact)


def _checked_price(fits: bool, number: U256) -> tuple[bool, U192]:
    fits = fits and bool(number[3] == ZERO and number[2] < _PRICE_TOP)
    return fits, (number[0], number[1], number[2])


def price_after_amount0(price_x96: U192, liquidity: U128, amount: U256, add: bool) -> tuple[bool, U192]:
    """Whether the pool allows it, and the price after token0 came in (`add`) or went out."""
    if zero4(amount):
        return True, price_x96
    n = shifted_by_96((liquidity[0], liquidity[1], ZERO, ZERO, ZERO))
    numerator = (n[0], n[1], n[2], n[3])
    product = mul_4x3(amount, price_x96)
    long = product[4] | product[5] | product[6] != ZERO
    low = (product[0], product[1], product[2], product[3])
    if add:
        denominator, carry = add4(numerator, low)
        if long or carry != ZERO:
            return _price_after_much_amount0(price_x96, numerator, amount)
    else:
        if long or not less4(low, numerator):
            return False, price_x96
        denominator, _ = sub4(numerator, low)
    d = denominator
    m = shifted_by_96(mul_2x3(liquidity, price_x96))
    if d[3] == ZERO and d[2] != ZERO and less3((m[3], m[4], m[5]), (d[0], d[1], d[2])):
        short, inexact = divide_by_three(m, (d[0], d[1], d[2]))
        result, _ = increment4((short[0], short[1], short[2], ZERO), ONE if inexact else ZERO)
        return _checked_price(True, result)
    fits, result, inexact = divide(
        (m[0], m[1], m[2], m[3], m[4], m[5], ZERO, ZERO), (d[0], d[1], d[2], d[3], ZERO)
    )
    if inexact:
        result, carry = increment4(result, ONE)
        fits = fits and carry == ZERO
    return _checked_price(fits, result)


def _price_after_much_amount0(price_x96: U192, numerator: U256, amount: U256) -> tuple[bool, U192]:
    """Where the exact denominator needs more than 256 bits: `numerator / (numerator / price + amount)`."""
    n = numerator
    wide = (n[0], n[1], n[2], n[3], ZERO, ZERO, ZERO, ZERO)
    _, liquidity_over_price, _ = divide(wide, (price_x96[0], price_x96[1], price_x96[2], ZERO, ZERO))
    d, carry = add4(liquidity_over_price, amount)
    if carry != ZERO:
        return False, price_x96
    _, result, inexact = divide(wide, (d[0], d[1], d[2], d[3], ZERO))
    result = rounded_up(result, inexact)
    return True, (result[0], result[1], result[2])


def price_after_amount1(price_x96: U192, normal: U320, amount: U256, add: bool) -> tuple[bool, U192]:
    """Whether the pool allows it, and the price after token1 came in (`add`) or went out.

    The liquidity is given as `normal_two` makes it ready, and is not zero.
    """
    shifted = shifted_by_96((amount[0], amount[1], amount[2], amount[3], ZERO))
    q, inexact = divide_by_normal_two(shifted, normal)
    if q[3] | q[4] | q[5] != ZERO or q[2] >= _PRICE_TOP:
        return False, price_x96
    if add:
        after = add3(price_x96, (q[0], q[1], q[2]))
        return bool(after[2] < _PRICE_TOP), after
    up = rounded_up((q[0], q[1], q[2], ZERO), inexact)
    move = (up[0], up[1], up[2])
    return less3(move, price_x96), sub3(price_x96, move)
