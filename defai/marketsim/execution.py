"""Carrying an action out on an in-memory pool, to the same amounts as the routers' transaction on the chain."""

from defai.amm import AmmRevert, PairPool, Pool, get_sqrt_ratio_at_tick, liquidity_for_amounts
from defai.amm.pair_pool import pair_of, worst_average_out
from defai.marketsim.actions import (
    MarketAction,
    MarketBurn,
    MarketInitialize,
    MarketMint,
    MarketProvide,
    MarketSwap,
)
from defai.units import Q128


def perform(
    action: MarketAction, pool: Pool, *, owner: str = "", timestamp: int | None = None
) -> tuple[int, int] | None:
    """Carry an action out.

    Args:
        action: what to do; it is meant for this pool.
        pool: is changed.
        owner: whose position a mint or burn is about; the actor's name by default.
        timestamp: the block's time in seconds.

    Returns:
        Token0 and token1 that change hands, positive where the pool receives; None where nothing happens, since the
        price has passed a swap's limit, amounts buy no liquidity, or there is no position to burn.

    Raises:
        AmmRevert: where the contract would revert for any other reason.
    """
    holder = owner or action.actor
    if isinstance(action, MarketSwap):
        return _swap(action, pool, timestamp)
    if isinstance(action, MarketMint):
        return _mint(action, pool, holder, timestamp)
    if isinstance(action, MarketBurn):
        return _burn(action, pool, holder, timestamp)
    if isinstance(action, MarketProvide):
        return pair_of(pool).provide(action.amount0, action.amount1, timestamp)
    return _initialize(action, pool, timestamp)


def _initialize(action: MarketInitialize, pool: Pool, timestamp: int | None) -> tuple[int, int]:
    pool.initialize(action.sqrt_price_x96, timestamp or 0)
    return 0, 0


def least_out(action: MarketSwap) -> int:
    """What a swap in a pair must give at least: its limit as an average price, the fee taken off."""
    limit_x96 = action.sqrt_price_limit_x96
    return worst_average_out(action.amount_in, limit_x96, zero_for_one=action.zero_for_one)


def _swap_in_pair(action: MarketSwap, pair: PairPool, timestamp: int | None) -> tuple[int, int] | None:
    zero_for_one, amount_in = action.zero_for_one, action.amount_in
    would = pair.quote(zero_for_one=zero_for_one, amount_specified=amount_in)
    if -min(would.amount0, would.amount1) < max(least_out(action), 1):
        return None
    result = pair.swap(zero_for_one=zero_for_one, amount_specified=amount_in, timestamp=timestamp)
    return result.amount0, result.amount1


def _swap(action: MarketSwap, pool: Pool, timestamp: int | None) -> tuple[int, int] | None:
    if isinstance(pool, PairPool):
        return _swap_in_pair(action, pool, timestamp)
    try:
        result = pool.swap(
            zero_for_one=action.zero_for_one,
            amount_specified=action.amount_in,
            sqrt_price_limit_x96=action.sqrt_price_limit_x96,
            timestamp=timestamp,
        )
    except AmmRevert as refusal:
        if refusal.reason == "SPL":
            return None
        raise
    return result.amount0, result.amount1


def _mint(action: MarketMint, pool: Pool, holder: str, timestamp: int | None) -> tuple[int, int] | None:
    bounds_x96 = get_sqrt_ratio_at_tick(action.tick_lower), get_sqrt_ratio_at_tick(action.tick_upper)
    liquidity = liquidity_for_amounts(pool.sqrt_price_x96, *bounds_x96, action.amount0, action.amount1)
    if not liquidity:
        return None
    return pool.mint(holder, action.tick_lower, action.tick_upper, liquidity, timestamp)


def _burn(action: MarketBurn, pool: Pool, holder: str, timestamp: int | None) -> tuple[int, int] | None:
    place = (holder, action.tick_lower, action.tick_upper)
    position = pool.positions.get(place)
    if position is None or not position.liquidity:
        return None
    pool.burn(*place, position.liquidity, timestamp)
    paid0, paid1 = pool.collect(*place, Q128 - 1, Q128 - 1)
    return -paid0, -paid1
