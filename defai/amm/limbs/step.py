"""One step of a swap (see `defai.amm.swap_math`)."""

from typing import Final

import numpy as np

from defai.amm.limbs.division import divide_by_word
from defai.amm.limbs.prices import price_after_amount0, price_after_amount1, quotient, quotient_for_amount0
from defai.amm.limbs.wide import (
    equal3,
    exceeds9,
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
from defai.amm.limbs.word import ONE, U128, U192, U256, ZERO, Word

_PIPS: Final = np.uint64(1_000_000)


def less_fee(amount: U256, fee_pips: Word) -> U256:
    """What is left of an input once the fee is taken off, rounded down; the amount takes at most 255 bits."""
    product = row4(amount, _PIPS - fee_pips, (ZERO, ZERO, ZERO, ZERO))
    q, _ = divide_by_word(product, _PIPS)
    return q[0], q[1], q[2], q[3]


def fee_on_top(amount: U256, fee_pips: Word) -> U256:
    """The fee that comes on top of an amount, rounded up; the amount takes at most 255 bits."""
    product = row4(amount, fee_pips, (ZERO, ZERO, ZERO, ZERO))
    q, inexact = divide_by_word(product, _PIPS - fee_pips)
    return rounded_up((q[0], q[1], q[2], q[3]), inexact)


def swap_step(
    price_x96: U192, target_x96: U192, liquidity: U128, amount: U256, exact_in: bool, fee_pips: Word
) -> tuple[U192, U256, U256, U256]:
    """The price reached, the amount in, the amount out, the fee; see `defai.amm.swap_math.compute_swap_step`.

    The amount is what is still to come in or to go out, without a sign.
    """
    if less3(price_x96, target_x96):
        after, amount_in, amount_out = _sell_token1(
            price_x96, target_x96, liquidity, amount, exact_in, fee_pips
        )
    else:
        after, amount_in, amount_out = _sell_token0(
            price_x96, target_x96, liquidity, amount, exact_in, fee_pips
        )
    if exact_in:
        if not equal3(after, target_x96):
            return after, amount_in, amount_out, sub4(amount, amount_in)[0]
    elif less4(amount, amount_out):
        amount_out = amount
    return after, amount_in, amount_out, fee_on_top(amount_in, fee_pips)


def _sell_token0(
    price_x96: U192, target_x96: U192, liquidity: U128, amount: U256, exact_in: bool, fee_pips: Word
) -> tuple[U192, U256, U256]:
    after = target_x96
    numerator, denominator = quotient_for_amount0(target_x96, price_x96, liquidity)
    if exact_in:
        offered = less_fee(amount, fee_pips)
        if less9(mul_4x5(offered, denominator), numerator):
            _, after = price_after_amount0(price_x96, liquidity, offered, True)
            numerator, denominator = quotient_for_amount0(after, price_x96, liquidity)
        width = sub3(price_x96, after)
        amount_out, _ = over_2_to_96(mul_2x3(liquidity, width))
    else:
        amount_out, _ = over_2_to_96(mul_2x3(liquidity, sub3(price_x96, target_x96)))
        if less4(amount, amount_out):
            _, after = price_after_amount1(price_x96, liquidity, amount, False)
            numerator, denominator = quotient_for_amount0(after, price_x96, liquidity)
            amount_out, _ = over_2_to_96(mul_2x3(liquidity, sub3(price_x96, after)))
    return after, quotient(numerator, denominator, True), amount_out


def _sell_token1(
    price_x96: U192, target_x96: U192, liquidity: U128, amount: U256, exact_in: bool, fee_pips: Word
) -> tuple[U192, U256, U256]:
    after = target_x96
    if exact_in:
        offered = less_fee(amount, fee_pips)
        needed = mul_2x3(liquidity, sub3(target_x96, price_x96))
        if less6(shifted_by_96((offered[0], offered[1], offered[2], offered[3], ZERO)), needed):
            _, after = price_after_amount1(price_x96, liquidity, offered, True)
        numerator, denominator = quotient_for_amount0(price_x96, after, liquidity)
    else:
        numerator, denominator = quotient_for_amount0(price_x96, target_x96, liquidity)
        more, _ = increment4(amount, ONE)
        if not exceeds9(mul_4x5(more, denominator), numerator):
            _, after = price_after_amount0(price_x96, liquidity, amount, False)
            numerator, denominator = quotient_for_amount0(price_x96, after, liquidity)
    amount_in, inexact = over_2_to_96(mul_2x3(liquidity, sub3(after, price_x96)))
    return after, rounded_up(amount_in, inexact), quotient(numerator, denominator, False)
