"""One step of a swap (see `defai.amm.swap_math`)."""

from typing import Final

import numpy as np

from defai.amm.limbs.division import divide_by_normal_word, divide_by_word
from defai.amm.limbs.prices import (
    price_after_amount0,
    price_after_amount1,
    quotient,
    quotient_for_amount0,
    quotient_likely,
)
from defai.amm.limbs.wide import (
    equal3,
    exceeds9,
    float3,
    float4,
    increment4,
    less3,
    less4,
    less6,
    less9,
    mul_2x3,
    mul_4x5,
    over_2_to_96,
    rounded_up,
    row4,
    shifted_by_96,
    sub3,
    sub4,
)
from defai.amm.limbs.word import ONE, U128, U192, U256, U320, ZERO, Word

_PIPS: Final = np.uint64(1_000_000)
_PIPS_SHIFT: Final = np.uint64(64 - 20)
_PIPS_NORMAL: Final = np.uint64(1_000_000 << 44)
_PIPS_RECIPROCAL: Final = np.uint64(((1 << 128) - 1) // (1_000_000 << 44) - (1 << 64))
_TWO_TO_96: Final = 2.0**96
_SURELY: Final = 1 - 1e-12
"""Closer than this to equal, products of rounded floats don't tell which is larger: each is off by 2**-50 at most."""


def less_fee(amount: U256, fee_pips: Word) -> U256:
    """What is left of an input once the fee is taken off, rounded down; the amount takes at most 255 bits."""
    product = row4(amount, _PIPS - fee_pips, (ZERO, ZERO, ZERO, ZERO))
    if product[1] | product[2] | product[3] | product[4] == ZERO:
        return product[0] // _PIPS, ZERO, ZERO, ZERO
    q, _ = divide_by_normal_word(product, _PIPS_SHIFT, _PIPS_NORMAL, _PIPS_RECIPROCAL)
    return q[0], q[1], q[2], q[3]


def fee_on_top(amount: U256, fee_pips: Word) -> U256:
    """The fee that comes on top of an amount, rounded up; the amount takes at most 255 bits."""
    product = row4(amount, fee_pips, (ZERO, ZERO, ZERO, ZERO))
    q, inexact = divide_by_word(product, _PIPS - fee_pips)
    return rounded_up((q[0], q[1], q[2], q[3]), inexact)


def swap_step(
    price_x96: U192,
    target_x96: U192,
    liquidity: U128,
    normal: U320,
    amount: U256,
    exact_in: bool,
    fee_pips: Word,
) -> tuple[U192, U256, U256, U256]:
    """The price reached, the amount in, the amount out, the fee; see `defai.amm.swap_math.compute_swap_step`.

    The amount is what is still to come in or to go out, without a sign. The liquidity is given twice: as it is, and as
    `normal_two` makes it ready to be divided by.
    """
    if less3(price_x96, target_x96):
        after, amount_in, amount_out = _sell_token1(
            price_x96, target_x96, liquidity, normal, amount, exact_in, fee_pips
        )
    else:
        after, amount_in, amount_out = _sell_token0(
            price_x96, target_x96, liquidity, normal, amount, exact_in, fee_pips
        )
    if exact_in:
        if not equal3(after, target_x96):
            return after, amount_in, amount_out, sub4(amount, amount_in)[0]
    elif less4(amount, amount_out):
        amount_out = amount
    return after, amount_in, amount_out, fee_on_top(amount_in, fee_pips)


def token0_falls_short(low_x96: U192, high_x96: U192, liquidity: U128, amount: U256) -> bool:
    """Whether an amount is less than the token0 between two prices: `amount * low * high < liquidity * width << 96`."""
    width = sub3(high_x96, low_x96)
    have = float4(amount) * float3(low_x96) * float3(high_x96)
    want = float3((liquidity[0], liquidity[1], ZERO)) * float3(width) * _TWO_TO_96
    if have < want * _SURELY:
        return True
    if have * _SURELY > want:
        return False
    numerator, denominator = quotient_for_amount0(low_x96, high_x96, liquidity)
    return less9(mul_4x5(amount, denominator), numerator)


def token0_suffices(low_x96: U192, high_x96: U192, liquidity: U128, amount: U256) -> bool:
    """Whether the token0 between two prices, in whole units, is more than an amount."""
    more, _ = increment4(amount, ONE)
    have = float4(more) * float3(low_x96) * float3(high_x96)
    want = float3((liquidity[0], liquidity[1], ZERO)) * float3(sub3(high_x96, low_x96)) * _TWO_TO_96
    if have < want * _SURELY:
        return True
    if have * _SURELY > want:
        return False
    numerator, denominator = quotient_for_amount0(low_x96, high_x96, liquidity)
    return not exceeds9(mul_4x5(more, denominator), numerator)


def _sell_token0(
    price_x96: U192,
    target_x96: U192,
    liquidity: U128,
    normal: U320,
    amount: U256,
    exact_in: bool,
    fee_pips: Word,
) -> tuple[U192, U256, U256]:
    after = target_x96
    if exact_in:
        offered = less_fee(amount, fee_pips)
        short = token0_falls_short(target_x96, price_x96, liquidity, offered)
        if short:
            _, after = price_after_amount0(price_x96, liquidity, offered, True)
        amount_out, _ = over_2_to_96(mul_2x3(liquidity, sub3(price_x96, after)))
        numerator, denominator = quotient_for_amount0(after, price_x96, liquidity)
        if short:
            return after, quotient_likely(numerator, denominator, offered, True), amount_out
    else:
        amount_out, _ = over_2_to_96(mul_2x3(liquidity, sub3(price_x96, target_x96)))
        if less4(amount, amount_out):
            _, after = price_after_amount1(price_x96, normal, amount, False)
            amount_out, _ = over_2_to_96(mul_2x3(liquidity, sub3(price_x96, after)))
        numerator, denominator = quotient_for_amount0(after, price_x96, liquidity)
    return after, quotient(numerator, denominator, True), amount_out


def _sell_token1(
    price_x96: U192,
    target_x96: U192,
    liquidity: U128,
    normal: U320,
    amount: U256,
    exact_in: bool,
    fee_pips: Word,
) -> tuple[U192, U256, U256]:
    after, reached = target_x96, True
    if exact_in:
        offered = less_fee(amount, fee_pips)
        needed = mul_2x3(liquidity, sub3(target_x96, price_x96))
        if less6(shifted_by_96((offered[0], offered[1], offered[2], offered[3], ZERO)), needed):
            _, after = price_after_amount1(price_x96, normal, offered, True)
    elif token0_suffices(price_x96, target_x96, liquidity, amount):
        reached = False
        _, after = price_after_amount0(price_x96, liquidity, amount, False)
    numerator, denominator = quotient_for_amount0(price_x96, after, liquidity)
    amount_in, inexact = over_2_to_96(mul_2x3(liquidity, sub3(after, price_x96)))
    if reached:
        amount_out = quotient(numerator, denominator, False)
    else:
        amount_out = quotient_likely(numerator, denominator, amount, False)
    return after, rounded_up(amount_in, inexact), amount_out
