"""Folding on-chain events into a pool: exactly where they can be reproduced, by force where not."""

from collections.abc import Iterator

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_INT256
from defai.amm.state import PoolState
from defai.amm.swap import SwapResult, SwapWalk, check_swap, walk_swap
from defai.units import PIPS


def reproduce_swap(pool: PoolState, event: SwapResult) -> SwapWalk | None:
    """Find the call that gives exactly this event.

    A Swap event doesn't say what was asked for. Tried in turn: exact input of the amount that came in, exact output of
    the amount that went out, and any amount at all with the event's price as the limit.

    Args:
        pool: the pool before the swap.
        event: amounts, price, liquidity and tick; the other fields don't count.

    Returns:
        The swap, not yet done, or None where none of the three gives the event.
    """
    zero_for_one = direction(pool, event)
    expected = event[:5]
    for amount_specified, limit_x96 in _guesses(event, zero_for_one=zero_for_one):
        try:
            limit = check_swap(pool, amount_specified, limit_x96, zero_for_one=zero_for_one)
        except AmmRevert:
            continue  # a wrong guess may well be refused; the next one is tried
        walk = walk_swap(pool, amount_specified, limit, zero_for_one=zero_for_one)
        if walk.result[:5] == expected:
            return walk
    return None


def forced_swap(pool: PoolState, event: SwapResult) -> SwapWalk:
    """The move to an event's state that no call reproduces, with the fee estimated.

    Price, tick and liquidity are the event's. Known ticks between the old and the new price are crossed, so that fee
    growth inside ranges stays consistent. The fee is taken to be the pool's share of the amount that came in, and to
    have gone to the liquidity in range afterwards: an estimate, good where the liquidity changed little.
    """
    zero_for_one = direction(pool, event)
    fee = max(event.amount0 if zero_for_one else event.amount1, 0) * pool.fee_pips // PIPS
    protocol = pool.fee_protocol & 15 if zero_for_one else pool.fee_protocol >> 4
    share = fee // protocol if protocol else 0
    growth_x128 = pool.fee_growth_global0_x128 if zero_for_one else pool.fee_growth_global1_x128
    if event.liquidity:
        growth_x128 = (growth_x128 + ((fee - share) << 128) // event.liquidity) % (1 << 256)
    low, high = sorted((pool.tick, event.tick))
    crossings = [(tick, growth_x128) for tick in pool.tick_states if low < tick <= high]
    result = event._replace(ticks_crossed=len(crossings), fee_amount=fee)
    return SwapWalk(zero_for_one, result, growth_x128, share, crossings)


def direction(pool: PoolState, event: SwapResult) -> bool:
    """Whether token0 came in; where no amount moved, whether the price fell."""
    if event.amount0 > 0 or event.amount1 < 0:
        return True
    if event.amount1 > 0 or event.amount0 < 0:
        return False
    return event.sqrt_price_x96 < pool.sqrt_price_x96


def _guesses(event: SwapResult, *, zero_for_one: bool) -> Iterator[tuple[int, int | None]]:
    received, paid = (event.amount0, event.amount1) if zero_for_one else (event.amount1, event.amount0)
    if received > 0:
        yield received, None
    if paid < 0:
        yield paid, None
    yield MAX_INT256, event.sqrt_price_x96
