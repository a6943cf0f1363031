"""A whole swap: from stop to stop (see `defai.amm.swap`)."""

from typing import Final, NamedTuple

import numpy as np

from defai.amm.limbs.arrays import (
    BELOW,
    DONE,
    FEE_PIPS,
    FEE_PROTOCOL,
    GROWTH0,
    GROWTH1,
    LIQUIDITY,
    NORMAL,
    PRICE,
    PROTOCOL_FEES0,
    PROTOCOL_FEES1,
    TICK,
    TICK_SPACING,
    TIME,
    TOO_LITTLE_LIQUIDITY,
    TOO_MUCH_LIQUIDITY,
    PoolArrays,
    read2,
    read3,
    read4,
    read5,
    write2,
    write3,
    write4,
    write5,
)
from defai.amm.limbs.division import divide_by_normal_two, divide_by_two, normal_two
from defai.amm.limbs.observe import int56, observation_now, sub160, write_observation
from defai.amm.limbs.step import swap_step
from defai.amm.limbs.ticks import cached_ratio, searched_tick_at_ratio, tick_near
from defai.amm.limbs.wide import add4, equal3, less3, sub4, zero4
from defai.amm.limbs.word import FULL, U128, U192, U256, U320, ZERO, Word, add_carry, sub_borrow
from defai.amm.tick_math import MAX_TICK, MIN_TICK

_NOTHING: Final = (ZERO, ZERO, ZERO, ZERO)
_TOP_BIT: Final = np.uint64(63)
_SECONDS: Final = (1 << 32) - 1
_NO_PROTOCOL: Final = np.uint64(0)


class Walk(NamedTuple):
    """A swap worked out but not yet done; amounts without signs.

    Attributes:
        status: whether it can be done.
        price_x96: the price afterwards.
        liquidity: the liquidity in range afterwards.
        normal: the same, made ready to be divided by.
        tick: the tick afterwards.
        below: how many initialised ticks then lie at or below it.
        remaining: what is left of the amount asked for.
        calculated: the amount of the other token.
        fees: all fees, the protocol's share included.
        protocol_fee: that share.
        growth_x128: the fee growth of the token that came in.
        crossings: how many initialised ticks were crossed.
    """

    status: int
    price_x96: U192
    liquidity: U128
    normal: U320
    tick: int
    below: int
    remaining: U256
    calculated: U256
    fees: U256
    protocol_fee: U256
    growth_x128: U256
    crossings: int


def next_stop(pool: PoolArrays, tick: int, below: int, zero_for_one: bool) -> tuple[int, bool]:
    """The nearest initialised tick, or the end of the bitmap's word, and whether it is initialised."""
    spacing = pool.integers[TICK_SPACING]
    compressed = tick // spacing
    if zero_for_one:
        stop = (compressed & -256) * spacing
        if below > 0 and pool.ticks[below - 1] >= stop:
            return pool.ticks[below - 1], True
    else:
        stop = ((compressed + 1) | 255) * spacing
        if below < pool.ticks.shape[0] and pool.ticks[below] <= stop:
            return pool.ticks[below], True
    return stop, False


def stop_past_emptiness(
    pool: PoolArrays, stop: int, below: int, limit_tick: int, zero_for_one: bool
) -> tuple[int, bool]:
    """Going on from a word's end: the next initialised tick, or the first word's end at or past the limit."""
    spacing = pool.integers[TICK_SPACING]
    if zero_for_one:
        if stop > limit_tick:
            stop = (limit_tick // spacing & -256) * spacing
            if below > 0 and pool.ticks[below - 1] >= stop:
                return pool.ticks[below - 1], True
    elif stop < limit_tick:
        stop = (-(-limit_tick // spacing) | 255) * spacing
        if below < pool.ticks.shape[0] and pool.ticks[below] <= stop:
            return pool.ticks[below], True
    return stop, False


def stop_that_matters(
    pool: PoolArrays, tick: int, below: int, liquidity: U128, limit_x96: U192, zero_for_one: bool
) -> tuple[int, bool]:
    """The next stop; where no liquidity is in use, the next initialised one or one near the limit."""
    stop, initialized = next_stop(pool, tick, below, zero_for_one)
    if not initialized and liquidity[0] | liquidity[1] == ZERO:
        limit_tick = searched_tick_at_ratio(limit_x96)
        stop, initialized = stop_past_emptiness(pool, stop, below, limit_tick, zero_for_one)
    if stop < MIN_TICK:
        return MIN_TICK, initialized
    if stop > MAX_TICK:
        return MAX_TICK, initialized
    return stop, initialized


def moved_liquidity(liquidity: U128, net: U128, add: bool) -> tuple[int, U128]:
    """Liquidity after a signed change, and whether it stays within its bounds."""
    sign = ZERO - (net[1] >> _TOP_BIT)
    if add:
        r0, carry = add_carry(liquidity[0], net[0], ZERO)
        r1, carry = add_carry(liquidity[1], net[1], carry)
        r2 = sign + carry
    else:
        r0, carry = sub_borrow(liquidity[0], net[0], ZERO)
        r1, carry = sub_borrow(liquidity[1], net[1], carry)
        r2 = ZERO - sign - carry
    if r2 == ZERO:
        return DONE, (r0, r1)
    return TOO_LITTLE_LIQUIDITY if r2 == FULL else TOO_MUCH_LIQUIDITY, liquidity


def grown(growth_x128: U256, fee: U256, liquidity: U128, normal: U320) -> U256:
    """Fee growth after a fee went to the liquidity in range (also as `normal_two` makes it ready), if there is any."""
    if liquidity[0] | liquidity[1] == ZERO:
        return growth_x128
    q, _ = divide_by_normal_two((ZERO, ZERO, fee[0], fee[1], fee[2], fee[3]), normal)
    return add4(growth_x128, (q[0], q[1], q[2], q[3]))[0]


def protocol_share(fee: U256, protocol: Word) -> U256:
    """The protocol's n-th of a fee; nothing for n = 0."""
    if protocol == _NO_PROTOCOL:
        return _NOTHING
    q, _ = divide_by_two((fee[0], fee[1], fee[2], fee[3], ZERO, ZERO), (protocol, ZERO))
    return q[0], q[1], q[2], q[3]


def protocol_part(pool: PoolArrays, zero_for_one: bool) -> Word:
    """The n of the n-th of a fee that is the protocol's."""
    parts = pool.integers[FEE_PROTOCOL]
    return np.uint64(parts & 15 if zero_for_one else parts >> 4)


def settled_below(pool: PoolArrays, tick: int, below: int) -> int:
    """How many initialised ticks lie at or below a tick, counting from a guess."""
    while below < pool.ticks.shape[0] and pool.ticks[below] <= tick:
        below += 1
    while below > 0 and pool.ticks[below - 1] > tick:
        below -= 1
    return below


def walk(pool: PoolArrays, zero_for_one: bool, exact_in: bool, amount: U256, limit_x96: U192) -> Walk:
    """Work a swap out, changing nothing but the room for crossings."""
    price_x96, liquidity = read3(pool.words, 0, PRICE), read2(pool.words, 0, LIQUIDITY)
    tick, below = pool.integers[TICK], pool.integers[BELOW]
    fee_pips, protocol = np.uint64(pool.integers[FEE_PIPS]), protocol_part(pool, zero_for_one)
    growth = read4(pool.words, 0, GROWTH0 if zero_for_one else GROWTH1)
    remaining, calculated, fees, protocol_fee = amount, _NOTHING, _NOTHING, _NOTHING
    status, crossings, normal = DONE, 0, read5(pool.words, 0, NORMAL)
    while status == DONE and not zero4(remaining) and not equal3(price_x96, limit_x96):
        stop, initialized = stop_that_matters(pool, tick, below, liquidity, limit_x96, zero_for_one)
        stop_x96 = cached_ratio(stop, pool.known_ticks, pool.known_ratios)
        target_x96 = limit_x96 if less3(stop_x96, limit_x96) == zero_for_one else stop_x96
        start_x96 = price_x96
        price_x96, amount_in, amount_out, fee = swap_step(
            price_x96, target_x96, liquidity, normal, remaining, exact_in, fee_pips
        )
        paid, _ = add4(amount_in, fee)
        remaining, _ = sub4(remaining, paid if exact_in else amount_out)
        calculated, _ = add4(calculated, amount_out if exact_in else paid)
        fees, _ = add4(fees, fee)
        share = protocol_share(fee, protocol)
        protocol_fee, _ = add4(protocol_fee, share)
        growth = grown(growth, sub4(fee, share)[0], liquidity, normal)
        if equal3(price_x96, stop_x96):
            if initialized:
                row = below - 1 if zero_for_one else below
                status, liquidity = moved_liquidity(liquidity, read2(pool.nets, row, 0), not zero_for_one)
                normal = normal_two(liquidity)
                pool.crossed[crossings] = row
                write4(pool.growth_at_crossing, crossings, 0, growth)
                crossings += 1
            tick = stop - 1 if zero_for_one else stop
            below = settled_below(pool, tick, below)
        elif not equal3(price_x96, start_x96):
            tick = tick_near(price_x96, stop, stop_x96)
            below = settled_below(pool, tick, below)
    sums = remaining, calculated, fees, protocol_fee
    return Walk(status, price_x96, liquidity, normal, tick, below, *sums, growth, crossings)


def cross(pool: PoolArrays, zero_for_one: bool, crossings: int, time: int) -> None:
    """Turn over what counts as outside of the ticks that a swap crossed."""
    _, cumulative, per_liquidity = observation_now(pool, time)
    other = read4(pool.words, 0, GROWTH1 if zero_for_one else GROWTH0)
    for i in range(crossings):
        row = pool.crossed[i]
        came = read4(pool.growth_at_crossing, i, 0)
        outside0, outside1 = read4(pool.growth_outside, row, 0), read4(pool.growth_outside, row, 4)
        write4(pool.growth_outside, row, 0, sub4(came if zero_for_one else other, outside0)[0])
        write4(pool.growth_outside, row, 4, sub4(other if zero_for_one else came, outside1)[0])
        pool.seconds_outside[row, 0] = int56(cumulative - pool.seconds_outside[row, 0])
        pool.seconds_outside[row, 1] = ((time & _SECONDS) - pool.seconds_outside[row, 1]) & _SECONDS
        before = read3(pool.seconds_per_liquidity_outside, row, 0)
        write3(pool.seconds_per_liquidity_outside, row, 0, sub160(per_liquidity, before))


def commit(pool: PoolArrays, done: Walk, zero_for_one: bool, time: int) -> None:
    """Do what was worked out: ticks crossed, observation, price, liquidity, fees."""
    if done.crossings > 0:
        cross(pool, zero_for_one, done.crossings, time)
    if done.tick != pool.integers[TICK]:
        write_observation(pool, time)
    pool.integers[TIME] = time
    pool.integers[TICK] = done.tick
    pool.integers[BELOW] = done.below
    write3(pool.words, 0, PRICE, done.price_x96)
    write2(pool.words, 0, LIQUIDITY, done.liquidity)
    write5(pool.words, 0, NORMAL, done.normal)
    write4(pool.words, 0, GROWTH0 if zero_for_one else GROWTH1, done.growth_x128)
    at = PROTOCOL_FEES0 if zero_for_one else PROTOCOL_FEES1
    before = read2(pool.words, 0, at)
    r0, carry = add_carry(before[0], done.protocol_fee[0], ZERO)
    r1, _ = add_carry(before[1], done.protocol_fee[1], carry)
    write2(pool.words, 0, at, (r0, r1))
