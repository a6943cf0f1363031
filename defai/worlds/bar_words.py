"""Bars and what a portfolio is worth after each, on 64-bit words: compiled by `defai.amm.limbs.compiler`.

`follow` is `defai.worlds.bar_pool.BarPool.follow`, `value` is `defai.portfolio.pnl.value` with the amounts that a
portfolio of two tokens has; both are equal to these to the unit.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.arrays import (
    BELOW,
    FEE_PIPS,
    GROWTH0,
    GROWTH1,
    LIQUIDITY,
    NORMAL,
    OBSERVATION,
    PRICE,
    TICK,
    TIME,
    Integers,
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
from defai.amm.limbs.division import divide_by_normal_two, divide_by_normal_word, divide_by_two, normal_two
from defai.amm.limbs.observe import int56, sub160, write_observation
from defai.amm.limbs.prices import amount0_between, amount1_between, quotient
from defai.amm.limbs.ticks import cached_ratio
from defai.amm.limbs.walk import settled_below
from defai.amm.limbs.wide import add4, less3, mul_3x3, row5, sub4
from defai.amm.limbs.word import U128, U192, U256, U320, ZERO, Word, add_carry, mul_add, sub_borrow
from defai.units import PIPS

# Where numbers stand in `Books.amounts`, two words each.
IDLE0: Final = 0
IDLE1: Final = 1
INITIAL0: Final = 2
INITIAL1: Final = 3
COLLECTED0: Final = 4
COLLECTED1: Final = 5
ONE_BASE: Final = 6
GAS_PAID: Final = 7
BOOK_AMOUNTS: Final = 8

# And in a row of `Books.positions`.
HELD: Final = 0
INSIDE0: Final = 2
INSIDE1: Final = 6
OWED0: Final = 10
OWED1: Final = 12
LOWER_PRICE: Final = 14
UPPER_PRICE: Final = 17
POSITION_WORDS: Final = 20

# Columns of `values`, two words each, two's complement.
EQUITY: Final = 0
HODL: Final = 1
IN_BASE: Final = 2
FEES: Final = 3
BASE_UNIT: Final = 4
GAS: Final = 5
VALUES: Final = 6

_PIPS_SHIFT: Final = np.uint64(64 - PIPS.bit_length())
_PIPS_NORMAL: Final = np.uint64(PIPS << 64 - PIPS.bit_length())
_PIPS_RECIPROCAL: Final = np.uint64(((1 << 128) - 1) // (PIPS << 64 - PIPS.bit_length()) - (1 << 64))
_PIPS: Final = np.uint64(PIPS)
_LARGEST_TOP: Final = np.uint64(1 << 56)
"""The upper word of what is summed stays below this, so that no sum needs more than two words."""
_SECONDS: Final = (1 << 32) - 1
_MINUTE_S: Final = 60


class BarColumns(NamedTuple):
    """What pools follow; see `defai.market.bars.MinuteBars`."""

    timestamps: NDArray[np.int64]
    close_tick: NDArray[np.int32]
    amount0_in: Words
    amount1_in: Words
    liquidity: Words


class Books(NamedTuple):
    """What a portfolio holds, and when its gas is paid.

    Attributes:
        amounts: idle, initial and collected amounts of token0 and token1; a whole base token; gas paid so far, in
            the numeraire.
        positions: a row for each: liquidity, fee growth inside when last settled, owed amounts, prices at its bounds.
        bounds: the rows of its ticks in the pool's, where it has liquidity.
        base_is_zero: in its only entry, whether token0 is what has to be valued.
        payments: the bars after which gas is paid, counted from the first one, ascending.
        paid: so much of the base token, or of the numeraire, is paid then, two words each.
        paid_in_base: in its only entry, which of them.
        sums: room for what is summed: five rows, and two for each position.
    """

    amounts: Words
    positions: Words
    bounds: Integers
    base_is_zero: Integers
    payments: Integers
    paid: Words
    paid_in_base: Integers
    sums: Words


def add2(a: U128, b: U128) -> U128:
    """The sum, wrapping."""
    r0, carry = add_carry(a[0], b[0], ZERO)
    r1, _ = add_carry(a[1], b[1], carry)
    return r0, r1


def sub2(a: U128, b: U128) -> U128:
    """The difference, wrapping."""
    r0, borrow = sub_borrow(a[0], b[0], ZERO)
    r1, _ = sub_borrow(a[1], b[1], borrow)
    return r0, r1


def mul_2x1(a: U128, b: Word) -> U192:
    """The product."""
    r0, high = mul_add(a[0], b, ZERO, ZERO)
    r1, high = mul_add(a[1], b, high, ZERO)
    return r0, r1, high


def share_out(pool: PoolArrays, amount0: U128, amount1: U128, normal: U320) -> None:
    """Let a whole bar's volume pay the liquidity in range, which is not zero."""
    fee_pips = np.uint64(pool.integers[FEE_PIPS])
    for token in range(2):
        fee = mul_2x1(amount1 if token else amount0, fee_pips)
        at = GROWTH1 if token else GROWTH0
        n, _ = divide_by_normal_word(
            (ZERO, ZERO, fee[0], fee[1], fee[2]), _PIPS_SHIFT, _PIPS_NORMAL, _PIPS_RECIPROCAL
        )
        q, _ = divide_by_normal_two((n[0], n[1], n[2], n[3], n[4], ZERO), normal)
        write4(pool.words, 0, at, add4(read4(pool.words, 0, at), (q[0], q[1], q[2], q[3]))[0])


def share_part_out(pool: PoolArrays, amount0: U128, amount1: U128, part: int, whole: int) -> None:
    """Let a part of a bar's path pay the liquidity in range there, if there is any."""
    liquidity = read2(pool.words, 0, LIQUIDITY)
    if part == 0 or liquidity[0] | liquidity[1] == ZERO:
        return
    share, divisor = np.uint64(pool.integers[FEE_PIPS]) * np.uint64(part), _PIPS * np.uint64(whole)
    for token in range(2):
        fee = mul_2x1(amount1 if token else amount0, share)
        at = GROWTH1 if token else GROWTH0
        q = (ZERO, ZERO, fee[0], fee[1], fee[2], ZERO)
        for turn in range(2):
            q, _ = divide_by_two(q, liquidity if turn else (divisor, ZERO))
        write4(pool.words, 0, at, add4(read4(pool.words, 0, at), (q[0], q[1], q[2], q[3]))[0])


def cross_one(pool: PoolArrays, row: int, up: bool, time: int) -> None:
    """Cross one of our ticks: turn over what counts as outside of it, and change the liquidity in range.

    The oracle's observation as of now has been written.
    """
    outside0, outside1 = read4(pool.growth_outside, row, 0), read4(pool.growth_outside, row, 4)
    write4(pool.growth_outside, row, 0, sub4(read4(pool.words, 0, GROWTH0), outside0)[0])
    write4(pool.growth_outside, row, 4, sub4(read4(pool.words, 0, GROWTH1), outside1)[0])
    index = pool.integers[OBSERVATION]
    pool.seconds_outside[row, 0] = int56(pool.observations[index, 1] - pool.seconds_outside[row, 0])
    pool.seconds_outside[row, 1] = ((time & _SECONDS) - pool.seconds_outside[row, 1]) & _SECONDS
    now = read3(pool.observed_seconds_per_liquidity, index, 0)
    before = read3(pool.seconds_per_liquidity_outside, row, 0)
    write3(pool.seconds_per_liquidity_outside, row, 0, sub160(now, before))
    liquidity, net = read2(pool.words, 0, LIQUIDITY), read2(pool.nets, row, 0)
    write2(pool.words, 0, LIQUIDITY, add2(liquidity, net) if up else sub2(liquidity, net))


def walk_past(pool: PoolArrays, tick: int, below_after: int, amount0: U128, amount1: U128, time: int) -> None:
    """Go along a path across ticks of ours, and share the fees out stretch by stretch."""
    here, below = pool.integers[TICK], pool.integers[BELOW]
    whole, up = abs(tick - here), tick > here
    arrived = False
    while not arrived:
        arrived = below == below_after
        row = below if up else below - 1
        stop = tick if arrived else pool.ticks[row]
        share_part_out(pool, amount0, amount1, abs(stop - here), whole)
        if not arrived:
            cross_one(pool, row, up, time)
            here = stop
            below += 1 if up else -1


def follow(pool: PoolArrays, bars: BarColumns, row: int) -> None:
    """Let a bar happen."""
    tick, time = int(bars.close_tick[row]), int(bars.timestamps[row]) + _MINUTE_S
    amount0, amount1 = read2(bars.amount0_in, row, 0), read2(bars.amount1_in, row, 0)
    before = read2(bars.liquidity, max(row - 1, 0), 0)
    liquidity = add2(sub2(read2(pool.words, 0, LIQUIDITY), before), read2(bars.liquidity, row, 0))
    normal = normal_two(liquidity)
    write2(pool.words, 0, LIQUIDITY, liquidity)
    write5(pool.words, 0, NORMAL, normal)
    if tick != pool.integers[TICK]:
        write_observation(pool, time)
    below_after = settled_below(pool, tick, pool.integers[BELOW])
    if below_after != pool.integers[BELOW]:
        walk_past(pool, tick, below_after, amount0, amount1, time)
    elif liquidity[0] | liquidity[1] != ZERO:
        share_out(pool, amount0, amount1, normal)
    if tick != pool.integers[TICK]:
        write3(pool.words, 0, PRICE, cached_ratio(tick, pool.known_ticks, pool.known_ratios))
    pool.integers[TICK] = tick
    pool.integers[BELOW] = below_after
    pool.integers[TIME] = time


def worth(amount: U128, square: U320, base_is_zero: bool) -> tuple[bool, U128]:
    """Whether it is small enough to be summed, and the worth of an amount of the base token."""
    if amount[0] | amount[1] == ZERO:
        return True, amount
    if base_is_zero:
        r = row5(square, amount[0], (ZERO, ZERO, ZERO, ZERO, ZERO))
        s = row5(square, amount[1], (r[1], r[2], r[3], r[4], r[5]))
        return bool(s[4] | s[5] == ZERO and s[3] < _LARGEST_TOP), (s[2], s[3])
    q = quotient((ZERO, ZERO, ZERO, amount[0], amount[1], ZERO), square, False)
    return bool(q[2] | q[3] == ZERO and q[1] < _LARGEST_TOP), (q[0], q[1])


def grown_inside(pool: PoolArrays, lower: int, upper: int, at: int, column: int) -> U256:
    """Fee growth of a token between two of the pool's ticks, given by their rows."""
    total, tick = read4(pool.words, 0, at), pool.integers[TICK]
    below, above = read4(pool.growth_outside, lower, column), read4(pool.growth_outside, upper, column)
    if tick < pool.ticks[lower]:
        below, _ = sub4(total, below)
    if tick >= pool.ticks[upper]:
        above, _ = sub4(total, above)
    return sub4(sub4(total, below)[0], above)[0]


def earned(grown: U256, liquidity: U128) -> tuple[bool, U128]:
    """Whether it is small enough to be summed, and `grown * liquidity >> 128`."""
    r = row5((grown[0], grown[1], grown[2], grown[3], ZERO), liquidity[0], (ZERO, ZERO, ZERO, ZERO, ZERO))
    s = row5((grown[0], grown[1], grown[2], grown[3], ZERO), liquidity[1], (r[1], r[2], r[3], r[4], r[5]))
    return bool(s[3] | s[4] | s[5] == ZERO and s[2] < _LARGEST_TOP), (s[1], s[2])


def owed(pool: PoolArrays, books: Books, i: int, token: int) -> tuple[bool, U128]:
    """Whether it is small enough to be summed, and what a position could collect of a token."""
    liquidity = read2(books.positions, i, HELD)
    due = read2(books.positions, i, OWED1 if token else OWED0)
    if liquidity[0] | liquidity[1] == ZERO:
        return bool(due[1] < _LARGEST_TOP), due
    lower, upper = books.bounds[i, 0], books.bounds[i, 1]
    now = grown_inside(pool, lower, upper, GROWTH1 if token else GROWTH0, 4 * token)
    since, _ = sub4(now, read4(books.positions, i, INSIDE1 if token else INSIDE0))
    fits, more = earned(since, liquidity)
    return fits and bool(due[1] < _LARGEST_TOP), add2(due, more)


def contents(books: Books, i: int, price_x96: U192) -> tuple[bool, U128, U128]:
    """Whether they are small enough to be summed, and the tokens a position's liquidity holds."""
    lower, upper = read3(books.positions, i, LOWER_PRICE), read3(books.positions, i, UPPER_PRICE)
    middle = lower if less3(price_x96, lower) else upper if less3(upper, price_x96) else price_x96
    liquidity = read2(books.positions, i, HELD)
    _, a = amount0_between(middle, upper, liquidity, False)
    b = amount1_between(lower, middle, liquidity, False)
    fits = a[2] | a[3] | b[2] | b[3] == ZERO and a[1] < _LARGEST_TOP and b[1] < _LARGEST_TOP
    return bool(fits), (a[0], a[1]), (b[0], b[1])


def in_base(pool: PoolArrays, books: Books, payment: U128, b: int) -> bool:
    """Write down all amounts of the base token there are to value; whether they all are small enough to be summed.

    In `Books.sums`: idle, initial, collected, one, the payment; then a position's contents and what it is owed, and
    beside them, in the second half of the columns, the same in the numeraire.
    """
    write2(books.sums, 0, 0, read2(books.amounts, IDLE0 + b, 0))
    write2(books.sums, 1, 0, read2(books.amounts, INITIAL0 + b, 0))
    write2(books.sums, 2, 0, read2(books.amounts, COLLECTED0 + b, 0))
    write2(books.sums, 3, 0, read2(books.amounts, ONE_BASE, 0))
    write2(books.sums, 4, 0, payment)
    fits, price_x96 = True, read3(pool.words, 0, PRICE)
    for i in range(books.positions.shape[0]):
        row = 5 + 2 * i
        ok, amount0, amount1 = contents(books, i, price_x96)
        write2(books.sums, row, 0, amount1 if b else amount0)
        write2(books.sums, row, 2, amount0 if b else amount1)
        fits = fits and ok
        for token in range(2):
            ok, due = owed(pool, books, i, token)
            write2(books.sums, row + 1, 0 if token == b else 2, due)
            fits = fits and ok
    return fits


def value(pool: PoolArrays, books: Books, payment: U128, gas: U128, values: Words, row: int) -> bool:
    """Write down what everything is worth now; whether it all was small enough to be summed.

    Args:
        pool: as it stands.
        books: what there is.
        payment: gas paid now: so much of the base token.
        gas: gas paid so far and now, that payment not included, in the numeraire.
        values: written.
        row: of `values`.
    """
    base_is_zero = books.base_is_zero[0] != 0
    b, n = (0, 1) if base_is_zero else (1, 0)
    fits = in_base(pool, books, payment, b)
    price_x96 = read3(pool.words, 0, PRICE)
    square = mul_3x3(price_x96, price_x96)
    for i in range(books.sums.shape[0]):
        ok, amount = worth(read2(books.sums, i, 0), square, base_is_zero)
        write2(books.sums, i, 0, amount)
        fits = fits and ok
    held, cash = read2(books.sums, 0, 0), read2(books.amounts, IDLE0 + n, 0)
    fees = add2(read2(books.sums, 2, 0), read2(books.amounts, COLLECTED0 + n, 0))
    for i in range(5, books.sums.shape[0]):
        money = read2(books.sums, i, 2)
        cash = add2(cash, money)
        held = add2(held, read2(books.sums, i, 0))
        if i % 2 == 0:
            fees = add2(fees, add2(read2(books.sums, i, 0), money))
    paid = add2(gas, read2(books.sums, 4, 0))
    write2(values, row, 2 * EQUITY, sub2(add2(held, cash), paid))
    write2(values, row, 2 * HODL, add2(read2(books.sums, 1, 0), read2(books.amounts, INITIAL0 + n, 0)))
    write2(values, row, 2 * IN_BASE, held)
    write2(values, row, 2 * FEES, fees)
    write2(values, row, 2 * BASE_UNIT, read2(books.sums, 3, 0))
    write2(values, row, 2 * GAS, paid)
    return fits


def follow_and_value(
    pool: PoolArrays, bars: BarColumns, books: Books, first: int, values: Words, done: Integers
) -> None:
    """Let bars happen, as many as `values` has rows, and write down what the portfolio is worth after each.

    Args:
        pool: changed.
        bars: all of them.
        books: what there is to value.
        first: the first bar that happens.
        values: written.
        done: in its only entry, how many rows could be written; fewer than all where an amount was too large to sum.
    """
    gas, next_payment = read2(books.amounts, GAS_PAID, 0), 0
    write5(pool.words, 0, NORMAL, normal_two(read2(pool.words, 0, LIQUIDITY)))
    for row in range(values.shape[0]):
        follow(pool, bars, first + row)
        payment = (ZERO, ZERO)
        if next_payment < books.payments.shape[0] and books.payments[next_payment] == row:
            payment = read2(books.paid, next_payment, 0)
            if books.paid_in_base[0] == 0:
                gas = add2(gas, payment)
                payment = (ZERO, ZERO)
            next_payment += 1
        if not value(pool, books, payment, gas, values, row):
            done[0] = row
            return
        gas = read2(values, row, 2 * GAS)
    done[0] = values.shape[0]
