"""A whole swap: from stop to stop until the amount is used up or the price limit is reached."""

from typing import NamedTuple

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_INT256, MAX_UINT128, MAX_UINT256, MIN_INT256
from defai.amm.liquidity_math import add_delta
from defai.amm.state import PoolState
from defai.amm.swap_math import compute_swap_step
from defai.amm.tick import Growth, crossed
from defai.amm.tick_map import TickMap
from defai.amm.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
)


class SwapResult(NamedTuple):
    """What a swap did. A tuple because it is made a million times, and a frozen dataclass takes four times as long.

    Attributes:
        amount0: the pool's change in token0: positive what it received, negative what it paid out, as in the event.
        amount1: the same for token1.
        sqrt_price_x96: the price afterwards.
        liquidity: the liquidity in range afterwards.
        tick: the tick afterwards.
        ticks_crossed: how many initialised ticks the price crossed.
        fee_amount: the fee in the token that came in, the protocol's share included.
    """

    amount0: int
    amount1: int
    sqrt_price_x96: int
    liquidity: int
    tick: int
    ticks_crossed: int
    fee_amount: int


class SwapWalk(NamedTuple):
    """A swap worked out but not yet done: the result, and what it changes in the pool besides.

    Attributes:
        zero_for_one: whether token0 comes in.
        result: what callers see.
        fee_growth_x128: the fee growth, afterwards, of the token that came in.
        protocol_fee: the protocol's share of the fee.
        crossings: the initialised ticks crossed, each with that fee growth as it was at the crossing.
    """

    zero_for_one: bool
    result: SwapResult
    fee_growth_x128: int
    protocol_fee: int
    crossings: list[tuple[int, int]]


def check_swap(
    pool: PoolState, amount_specified: int, sqrt_price_limit_x96: int | None, *, zero_for_one: bool
) -> int:
    """Refuse a swap as the contract would, in its order.

    Returns:
        The price limit; where none was given, the one next to the end of all prices.

    Raises:
        AmmRevert: 'AS' for a zero amount, 'LOK' before `initialize`, 'SPL' for a limit on the wrong side.
    """
    if not MIN_INT256 <= amount_specified <= MAX_INT256:
        raise AmmRevert("", f"{amount_specified} doesn't fit a signed 256-bit word.")
    if amount_specified == 0:
        raise AmmRevert("AS")
    pool.require_unlocked()
    if zero_for_one:
        limit = MIN_SQRT_RATIO + 1 if sqrt_price_limit_x96 is None else sqrt_price_limit_x96
        if not MIN_SQRT_RATIO < limit < pool.sqrt_price_x96:
            raise AmmRevert("SPL")
    else:
        limit = MAX_SQRT_RATIO - 1 if sqrt_price_limit_x96 is None else sqrt_price_limit_x96
        if not pool.sqrt_price_x96 < limit < MAX_SQRT_RATIO:
            raise AmmRevert("SPL")
    return limit


def walk_swap(pool: PoolState, amount_specified: int, limit_x96: int, *, zero_for_one: bool) -> SwapWalk:
    """Work a swap out, changing nothing.

    Args:
        pool: an initialised pool.
        amount_specified: positive, what comes in at most; negative, what goes out at most. Not zero.
        limit_x96: the price not to be passed, on the right side of the pool's.
        zero_for_one: whether token0 comes in.
    """
    fee_pips, tick_states = pool.fee_pips, pool.tick_states
    next_tick = pool.tick_map.next_initialized_tick_within_one_word
    price_x96, tick, liquidity = pool.sqrt_price_x96, pool.tick, pool.liquidity
    growth_x128 = pool.fee_growth_global0_x128 if zero_for_one else pool.fee_growth_global1_x128
    protocol = pool.fee_protocol & 15 if zero_for_one else pool.fee_protocol >> 4
    remaining, calculated, fees, protocol_fee = amount_specified, 0, 0, 0
    crossings: list[tuple[int, int]] = []
    while remaining and price_x96 != limit_x96:
        stop, initialized = next_tick(tick, lte=zero_for_one)
        if not (liquidity or initialized):
            stop, initialized = _pass_emptiness(pool.tick_map, stop, limit_x96, zero_for_one=zero_for_one)
        stop = MIN_TICK if stop < MIN_TICK else min(stop, MAX_TICK)
        stop_x96 = get_sqrt_ratio_at_tick(stop)
        target_x96 = limit_x96 if (stop_x96 < limit_x96) == zero_for_one else stop_x96
        start_x96, step = price_x96, compute_swap_step(price_x96, target_x96, liquidity, remaining, fee_pips)
        price_x96, amount_in, amount_out, fee = step
        if amount_specified > 0:
            remaining -= amount_in + fee
            calculated -= amount_out
        else:
            remaining += amount_out
            calculated += amount_in + fee
        fees += fee
        if protocol:
            protocol_fee += fee // protocol
            fee -= fee // protocol
        if liquidity:
            growth_x128 = (growth_x128 + (fee << 128) // liquidity) & MAX_UINT256
        if price_x96 == stop_x96:
            if initialized:
                net = tick_states[stop].liquidity_net
                liquidity = add_delta(liquidity, -net if zero_for_one else net)
                crossings.append((stop, growth_x128))
            tick = stop - 1 if zero_for_one else stop
        elif price_x96 != start_x96:
            tick = get_tick_at_sqrt_ratio(price_x96)
    specified = amount_specified - remaining
    amounts = (specified, calculated) if zero_for_one == (amount_specified > 0) else (calculated, specified)
    result = SwapResult(amounts[0], amounts[1], price_x96, liquidity, tick, len(crossings), fees)
    return SwapWalk(zero_for_one, result, growth_x128, protocol_fee, crossings)


def _pass_emptiness(tick_map: TickMap, stop: int, limit_x96: int, *, zero_for_one: bool) -> tuple[int, bool]:
    """The next stop that matters where no liquidity is in use: an initialised tick, or one near the limit.

    The contract stops at every word's end. Without liquidity nothing is swapped and nothing rounded there, so those
    stops can be left out, but for one right at the limit: the tick that a swap ends in there is the one below.
    """
    limit_tick, initialized = get_tick_at_sqrt_ratio(limit_x96), False
    while not initialized and (stop > limit_tick if zero_for_one else stop < limit_tick):
        stop, initialized = tick_map.next_initialized_tick_within_one_word(
            stop - 1 if zero_for_one else stop, lte=zero_for_one
        )
    return stop, initialized


def commit_swap(pool: PoolState, walk: SwapWalk, now: int) -> None:
    """Do what was worked out: ticks crossed, observation, price, liquidity, fees.

    Args:
        pool: the pool, unchanged since the walk.
        walk: what `walk_swap` gave.
        now: the time in seconds.
    """
    if walk.crossings:
        _, cumulative, seconds_per_liquidity, _ = pool.oracle.current(now, pool.tick, pool.liquidity)
        for tick, growth_x128 in walk.crossings:
            growth = Growth(
                growth_x128 if walk.zero_for_one else pool.fee_growth_global0_x128,
                pool.fee_growth_global1_x128 if walk.zero_for_one else growth_x128,
                cumulative,
                seconds_per_liquidity,
                now & 0xFFFFFFFF,
            )
            pool.tick_states[tick] = crossed(pool.tick_states[tick], growth)
    result = walk.result
    if result.tick != pool.tick:
        pool.oracle.write(now, pool.tick, pool.liquidity)
    pool.timestamp = now
    pool.sqrt_price_x96 = result.sqrt_price_x96
    pool.tick = result.tick
    pool.liquidity = result.liquidity
    if walk.zero_for_one:
        pool.fee_growth_global0_x128 = walk.fee_growth_x128
        pool.protocol_fees0 = (pool.protocol_fees0 + walk.protocol_fee) & MAX_UINT128
    else:
        pool.fee_growth_global1_x128 = walk.fee_growth_x128
        pool.protocol_fees1 = (pool.protocol_fees1 + walk.protocol_fee) & MAX_UINT128
