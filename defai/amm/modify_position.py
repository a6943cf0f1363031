"""Adding liquidity to a position and taking it away: ticks, fees, amounts (the pool's _modifyPosition)."""

from typing import TypeAlias

from defai.amm.errors import AmmRevert
from defai.amm.fee_growth import fee_growth_inside
from defai.amm.liquidity_math import add_delta
from defai.amm.position import EMPTY_POSITION, settled
from defai.amm.sqrt_price_math import get_amounts_for_liquidity_delta
from defai.amm.state import PoolState
from defai.amm.tick import EMPTY_TICK, Growth, TickState, updated
from defai.amm.tick_math import MAX_TICK, MIN_TICK, get_sqrt_ratio_at_tick

Bounds: TypeAlias = tuple[TickState, TickState]
"""A position's lower and upper tick."""


def check_ticks(tick_lower: int, tick_upper: int) -> None:
    """Refuse bounds that no position can have.

    Raises:
        AmmRevert: 'TLU' where the lower tick is not the lower one, 'TLM' or 'TUM' outside the range of ticks.
    """
    if tick_lower >= tick_upper:
        raise AmmRevert("TLU")
    if tick_lower < MIN_TICK:
        raise AmmRevert("TLM")
    if tick_upper > MAX_TICK:
        raise AmmRevert("TUM")


def range_fee_growth(pool: PoolState, tick_lower: int, tick_upper: int, bounds: Bounds) -> tuple[int, int]:
    """Fee growth inside a range, given its ticks' states."""
    return fee_growth_inside(
        (tick_lower, bounds[0]),
        (tick_upper, bounds[1]),
        pool.tick,
        (pool.fee_growth_global0_x128, pool.fee_growth_global1_x128),
    )


def modify_position(
    pool: PoolState, key: tuple[str, int, int], liquidity_delta: int, now: int
) -> tuple[int, int]:
    """Change a position's liquidity; with zero, only settle its fees.

    Args:
        pool: an initialised pool.
        key: the position's owner, lower and upper tick.
        liquidity_delta: the change.
        now: the time in seconds.

    Returns:
        Token0 and token1: positive what the pool is to receive, negative what it owes the position.

    Raises:
        AmmRevert: what the contract reverts with; the pool is unchanged then.
    """
    _, tick_lower, tick_upper = key
    check_ticks(tick_lower, tick_upper)
    bounds = updated_bounds(pool, tick_lower, tick_upper, liquidity_delta, now)
    position = settled(
        pool.position_states.get(key, EMPTY_POSITION),
        liquidity_delta,
        range_fee_growth(pool, tick_lower, tick_upper, bounds),
    )
    amounts = apply_liquidity(pool, tick_lower, tick_upper, liquidity_delta, now, bounds)
    pool.position_states[key] = position
    return amounts


def updated_bounds(
    pool: PoolState, tick_lower: int, tick_upper: int, liquidity_delta: int, now: int
) -> Bounds:
    """The two ticks as a change of liquidity would leave them; nothing is changed yet.

    Raises:
        AmmRevert: 'LS', 'LA' or 'LO' where a tick's liquidity would leave its bounds, '' off the tick spacing.
    """
    lower = pool.tick_states.get(tick_lower, EMPTY_TICK)
    upper = pool.tick_states.get(tick_upper, EMPTY_TICK)
    if not liquidity_delta:
        return lower, upper
    _, cumulative, seconds_per_liquidity, _ = pool.oracle.current(now, pool.tick, pool.liquidity)
    growth = Growth(
        pool.fee_growth_global0_x128,
        pool.fee_growth_global1_x128,
        cumulative,
        seconds_per_liquidity,
        now & 0xFFFFFFFF,
    )
    after = tuple(
        updated(
            state,
            below=tick <= pool.tick,
            liquidity_delta=liquidity_delta,
            upper=tick == tick_upper,
            growth=growth,
            max_liquidity=pool.max_liquidity_per_tick,
        )
        for tick, state in ((tick_lower, lower), (tick_upper, upper))
    )
    for tick in (tick_lower, tick_upper):
        if tick % pool.tick_spacing:
            raise AmmRevert("", f"Tick {tick} is no multiple of the tick spacing {pool.tick_spacing}.")
    return after[0], after[1]


def apply_liquidity(
    pool: PoolState, tick_lower: int, tick_upper: int, liquidity_delta: int, now: int, bounds: Bounds
) -> tuple[int, int]:
    """Put changed ticks in place, and the liquidity in range where the range holds the pool's tick.

    Args:
        pool: an initialised pool.
        tick_lower: the range's lower tick.
        tick_upper: the range's upper tick.
        liquidity_delta: the change; with zero only the time passes.
        now: the time in seconds.
        bounds: what `updated_bounds` gave for the same arguments.

    Returns:
        Token0 and token1: positive what the pool is to receive, negative what it owes.

    Raises:
        AmmRevert: 'LS' or 'LA' where the liquidity in range would leave its bounds; the pool is unchanged then.
    """
    in_range = tick_lower <= pool.tick < tick_upper
    liquidity = add_delta(pool.liquidity, liquidity_delta) if in_range else pool.liquidity
    pool.timestamp = now
    if not liquidity_delta:
        return 0, 0
    for tick, state in ((tick_lower, bounds[0]), (tick_upper, bounds[1])):
        if (tick in pool.tick_states) != (state.liquidity_gross > 0):
            pool.tick_map.flip(tick)
        if state.liquidity_gross:
            pool.tick_states[tick] = state
        else:
            del pool.tick_states[tick]
    if in_range:
        pool.oracle.write(now, pool.tick, pool.liquidity)
        pool.liquidity = liquidity
    return get_amounts_for_liquidity_delta(
        pool.sqrt_price_x96,
        pool.tick,
        (tick_lower, tick_upper),
        (get_sqrt_ratio_at_tick(tick_lower), get_sqrt_ratio_at_tick(tick_upper)),
        liquidity_delta,
    )
