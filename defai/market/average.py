"""A pool's average tick, as its own oracle gives it, from the blocks that were seen."""

from collections.abc import Mapping, Sequence

from defai.amm import MAX_TICK, MIN_TICK, get_sqrt_ratio_at_tick
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.market.window import Observation
from defai.units import Q96


def average_tick(window: Sequence[Observation], seconds: int, at: int) -> int | None:
    """The tick averaged over the seconds before a moment, rounded down: what TwapBound.twapTick gives on chain.

    The tick a block ends with holds until the next block. Within a block time stands still, so nothing that happens in
    the block at that moment counts.

    Args:
        window: the pool's blocks, the newest last.
        seconds: the length of the average.
        at: the Unix time it ends at, no earlier than the newest block.

    Returns:
        None where the window doesn't reach back that far.
    """
    start, until, cumulative = at - seconds, at, 0
    for i in range(len(window) - 1, -1, -1):
        row = window[i]
        since = max(row.timestamp, start)
        cumulative += row.tick * (until - since)
        if row.timestamp <= start:
            return cumulative // seconds
        until = since
    return None


def bounding_pool(keys: Mapping[Address, PoolKey], pool: Address) -> Address | None:
    """The pool whose average a swap is held against: its own, or of a pair the first other one of its tokens.

    Args:
        keys: the pools a vault may trade in, in its policy's order (TradingPolicy._allowPool).
        pool: one of them.

    Returns:
        None for a pair without such a pool: a vault swaps nothing in it.
    """
    key = keys[pool]
    if not key.is_pair:
        return pool
    tokens = (key.token0, key.token1)
    others = (one for one in keys.values() if not one.is_pair and (one.token0, one.token1) == tokens)
    return next((one.address for one in others), None)


def least_output(mean_tick: int, deviation_ticks: int, amount_in: int, *, zero_for_one: bool) -> int:
    """The least a swap may accept at an average tick, less a tolerance: TwapBound.requireMinimumOut's bound."""
    worst = mean_tick - deviation_ticks if zero_for_one else mean_tick + deviation_ticks
    sqrt_price_x96 = get_sqrt_ratio_at_tick(max(MIN_TICK, min(MAX_TICK, worst)))
    numerator, denominator = (sqrt_price_x96, Q96) if zero_for_one else (Q96, sqrt_price_x96)
    return amount_in * numerator // denominator * numerator // denominator
