"""Many swaps at once, and each primitive over whole columns: the functions that Python calls."""

from typing import Final

import numpy as np

from defai.amm.limbs.arrays import (
    AMOUNT0,
    AMOUNT1,
    AMOUNT_TOO_WIDE,
    BAD_LIMIT,
    CROSSED,
    DOES_NOT_FIT,
    DONE,
    FEE,
    LIQUIDITY,
    LIQUIDITY_AFTER,
    LOCKED,
    NO_AMOUNT,
    NORMAL,
    PRICE,
    PRICE_AFTER,
    SELL_TOKEN0,
    STATUS,
    TICK_AFTER,
    Answers,
    Integers,
    Orders,
    PoolArrays,
    Words,
    read2,
    read3,
    read4,
    write2,
    write3,
    write4,
    write5,
)
from defai.amm.limbs.division import divide, normal_two
from defai.amm.limbs.prices import amount0_between, amount1_between, price_after_amount0, price_after_amount1
from defai.amm.limbs.step import swap_step
from defai.amm.limbs.ticks import ratio_at_tick, tick_at_ratio
from defai.amm.limbs.walk import Walk, commit, walk
from defai.amm.limbs.wide import equal3, increment4, less3, mul_4x4, negative4, sub4, zero4
from defai.amm.limbs.word import FULL, ONE, U192, U256, ZERO
from defai.amm.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO

_M: Final = (1 << 64) - 1
_LOWEST: Final = (np.uint64(MIN_SQRT_RATIO), ZERO, ZERO)
_HIGHEST: Final = (
    np.uint64(MAX_SQRT_RATIO & _M),
    np.uint64(MAX_SQRT_RATIO >> 64 & _M),
    np.uint64(MAX_SQRT_RATIO >> 128),
)
_TOP_BIT: Final = np.uint64(63)
_NO_LIMIT: Final = (FULL, FULL, FULL)


def checked_limit(price_x96: U192, limit_x96: U192, zero_for_one: bool) -> tuple[bool, U192]:
    """Whether a limit lies on the right side of the price, and the limit; without one, the end of all prices."""
    if zero_for_one:
        limit = limit_x96
        if equal3(limit, _NO_LIMIT):
            limit = (_LOWEST[0] + ONE, ZERO, ZERO)
        return less3(_LOWEST, limit) and less3(limit, price_x96), limit
    limit = limit_x96
    if equal3(limit, _NO_LIMIT):
        limit = (_HIGHEST[0] - ONE, _HIGHEST[1], _HIGHEST[2])
    return less3(price_x96, limit) and less3(limit, _HIGHEST), limit


def answer(answers: Answers, i: int, done: Walk, zero_for_one: bool, amount: U256) -> None:
    """Write down what a swap did."""
    exact_in = amount[3] >> _TOP_BIT == ZERO
    size = amount if exact_in else negative4(amount)
    specified, _ = sub4(size, done.remaining)
    paid_in = specified if exact_in else done.calculated
    paid_out = negative4(done.calculated if exact_in else specified)
    write4(answers.words, i, AMOUNT0, paid_in if zero_for_one else paid_out)
    write4(answers.words, i, AMOUNT1, paid_out if zero_for_one else paid_in)
    write3(answers.words, i, PRICE_AFTER, done.price_x96)
    write2(answers.words, i, LIQUIDITY_AFTER, done.liquidity)
    write4(answers.words, i, FEE, done.fees)
    answers.integers[i, TICK_AFTER] = done.tick
    answers.integers[i, CROSSED] = done.crossings


def run_order(pool: PoolArrays, orders: Orders, i: int, answers: Answers, keep: bool) -> int:
    """One order, done if `keep`, else only worked out; the status."""
    if orders.directions[i] == AMOUNT_TOO_WIDE:
        return DOES_NOT_FIT
    zero_for_one = bool(orders.directions[i] == SELL_TOKEN0)
    amount = read4(orders.amounts, i, 0)
    if zero4(amount):
        return NO_AMOUNT
    price_x96 = read3(pool.words, 0, PRICE)
    if price_x96[0] | price_x96[1] | price_x96[2] == ZERO:
        return LOCKED
    right, limit_x96 = checked_limit(price_x96, read3(orders.limits, i, 0), zero_for_one)
    if not right:
        return BAD_LIMIT
    exact_in = bool(amount[3] >> _TOP_BIT == ZERO)
    done = walk(pool, zero_for_one, exact_in, amount if exact_in else negative4(amount), limit_x96)
    if done.status == DONE:
        answer(answers, i, done, zero_for_one, amount)
        if keep:
            commit(pool, done, zero_for_one, orders.times[i])
    return done.status


def run_orders(pool: PoolArrays, orders: Orders, answers: Answers, keep: bool) -> None:
    """Orders in turn; if not `keep`, each is worked out for the pool as it stands."""
    write5(pool.words, 0, NORMAL, normal_two(read2(pool.words, 0, LIQUIDITY)))
    for i in range(orders.directions.shape[0]):
        status = run_order(pool, orders, i, answers, keep)
        if status != DONE:
            answers.words[i] = ZERO
            answers.integers[i] = 0
        answers.integers[i, STATUS] = status


def steps(numbers: Words, fee_pips: Words, exact_in: Integers, results: Words) -> None:
    """Steps: price, target, liquidity, amount in 12 words a row; price, in, out, fee in 15."""
    for i in range(numbers.shape[0]):
        after, amount_in, amount_out, fee = swap_step(
            read3(numbers, i, 0),
            read3(numbers, i, 3),
            read2(numbers, i, 6),
            normal_two(read2(numbers, i, 6)),
            read4(numbers, i, 8),
            bool(exact_in[i] != 0),
            fee_pips[i],
        )
        write3(results, i, 0, after)
        write4(results, i, 3, amount_in)
        write4(results, i, 7, amount_out)
        write4(results, i, 11, fee)


def mul_divs(numbers: Words, round_up: bool, results: Words, fits: Integers) -> None:
    """`a * b / c`: 12 words a row, four in the result."""
    for i in range(numbers.shape[0]):
        c = read4(numbers, i, 8)
        product = mul_4x4(read4(numbers, i, 0), read4(numbers, i, 4))
        fit, quotient, inexact = divide(product, (c[0], c[1], c[2], c[3], ZERO))
        if fit and round_up and inexact:
            quotient, carry = increment4(quotient, ONE)
            fit = carry == ZERO
        write4(results, i, 0, quotient)
        fits[i] = 1 if fit else 0


def quotients(numbers: Words, results: Words, fits: Integers, inexact: Integers) -> None:
    """Numerator (eight words) over denominator (five) in each row, four words in the result."""
    for i in range(numbers.shape[0]):
        n, m = read4(numbers, i, 0), read4(numbers, i, 4)
        d, top = read4(numbers, i, 8), numbers[i, 12]
        fit, quotient, rest = divide(
            (n[0], n[1], n[2], n[3], m[0], m[1], m[2], m[3]), (d[0], d[1], d[2], d[3], top)
        )
        write4(results, i, 0, quotient)
        fits[i] = 1 if fit else 0
        inexact[i] = 1 if rest else 0


def moved_prices(numbers: Words, token0: bool, add: bool, results: Words, fits: Integers) -> None:
    """Prices after an amount: price, liquidity, amount in nine words a row, three in the result."""
    for i in range(numbers.shape[0]):
        price_x96, liquidity, amount = read3(numbers, i, 0), read2(numbers, i, 3), read4(numbers, i, 5)
        if token0:
            fit, after = price_after_amount0(price_x96, liquidity, amount, add)
        else:
            fit, after = price_after_amount1(price_x96, normal_two(liquidity), amount, add)
        write3(results, i, 0, after)
        fits[i] = 1 if fit else 0


def amounts_between(numbers: Words, token0: bool, round_up: bool, results: Words, fits: Integers) -> None:
    """Amounts between two prices: price, price, liquidity in eight words a row, four in the result."""
    for i in range(numbers.shape[0]):
        a_x96, b_x96, liquidity = read3(numbers, i, 0), read3(numbers, i, 3), read2(numbers, i, 6)
        fit = True
        if token0:
            fit, amount = amount0_between(a_x96, b_x96, liquidity, round_up)
        else:
            amount = amount1_between(a_x96, b_x96, liquidity, round_up)
        write4(results, i, 0, amount)
        fits[i] = 1 if fit else 0


def ratios_at_ticks(ticks: Integers, results: Words) -> None:
    """Square-root prices at ticks, three words a row."""
    for i in range(ticks.shape[0]):
        write3(results, i, 0, ratio_at_tick(ticks[i]))


def ticks_at_ratios(ratios: Words, results: Integers) -> None:
    """Ticks at square-root prices, three words a row."""
    for i in range(ratios.shape[0]):
        results[i] = tick_at_ratio(read3(ratios, i, 0))
