"""A pool that follows minute bars: what others do is estimated from a bar, what we do is exact.

All liquidity but ours is one amount, the same at every price, as the bar says it; our positions stand on it with
their own ticks. A bar's volume is spread evenly over the ticks of its path, and each stretch of the path pays the
liquidity in range there. That is the rule of `defai.market.bars`, kept in the pool's own books: fee growth, ticks and
positions are those of `defai.amm.Pool`, so whoever reads or settles them need not know about bars.
"""

from bisect import bisect_right
from functools import lru_cache

from defai.amm import Pool, get_sqrt_ratio_at_tick
from defai.amm.tick import Growth, crossed
from defai.domain.pool import PoolKey
from defai.market.bars import fee_growth_x128
from defai.units import PIPS

_MASK_256 = (1 << 256) - 1
sqrt_ratio_at = lru_cache(maxsize=1 << 14)(get_sqrt_ratio_at_tick)
"""A year of bars comes back to a few thousand ticks."""


class BarPool:
    """A pool that moves from bar to bar.

    Args:
        key: the pool.
        tick: where the price stands.
        others: the liquidity of everyone else.
        timestamp: the time, in seconds.

    Attributes:
        pool: the pool, with our liquidity in it.
        others: everyone else's part of its liquidity.
    """

    def __init__(self, key: PoolKey, tick: int, others: int, timestamp: int) -> None:
        self.pool = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
        self.pool.initialize(get_sqrt_ratio_at_tick(tick), timestamp)
        self.pool.liquidity = self.others = others
        self._ticks: list[int] = []

    def touched(self, tick: int) -> None:
        """After something of ours: take the price back to where the record has it, at nobody's gain.

        Whoever trades a price back would pay our positions a fee for it; the record doesn't have that trade, so they
        are not given it.
        """
        self._ticks = sorted(self.pool.ticks)
        pool = self.pool
        if (pool.tick, pool.sqrt_price_x96) != (tick, sqrt_ratio_at(tick)):
            self._walk(pool.tick, tick, (0, 0), pool.timestamp)
            pool.tick, pool.sqrt_price_x96 = tick, sqrt_ratio_at(tick)

    def follow(self, tick: int, amount0_in: int, amount1_in: int, others: int, timestamp: int) -> None:
        """Let a bar happen.

        Args:
            tick: where its path ends; it begins where the pool stands.
            amount0_in: token0 that came in on the way, fee included.
            amount1_in: token1.
            others: everyone else's liquidity on the way.
            timestamp: the end of the bar, in seconds.
        """
        pool, start = self.pool, self.pool.tick
        pool.liquidity = liquidity = pool.liquidity - self.others + others
        self.others = others
        ticks = self._ticks
        if ticks and bisect_right(ticks, start) != bisect_right(ticks, tick):
            self._walk(start, tick, (amount0_in, amount1_in), timestamp)
        elif liquidity:
            whole, fee = PIPS * liquidity, pool.fee_pips
            if amount0_in:
                growth = pool.fee_growth_global0_x128 + (amount0_in * fee << 128) // whole
                pool.fee_growth_global0_x128 = growth & _MASK_256
            if amount1_in:
                growth = pool.fee_growth_global1_x128 + (amount1_in * fee << 128) // whole
                pool.fee_growth_global1_x128 = growth & _MASK_256
        if tick != start:
            pool.oracle.write(timestamp, start, liquidity)
            pool.tick = tick
            pool.sqrt_price_x96 = sqrt_ratio_at(tick)
        pool.timestamp = timestamp

    def _walk(self, start: int, end: int, amounts_in: tuple[int, int], now: int) -> None:
        """Go along a path, cross our ticks on it, and share the fees out stretch by stretch."""
        pool = self.pool
        _, cumulative, seconds_per_liquidity, _ = pool.oracle.current(now, pool.tick, pool.liquidity)
        up = end > start
        first, last = (start, end) if up else (end, start)
        stops = self._ticks[bisect_right(self._ticks, first) : bisect_right(self._ticks, last)]
        whole, here = abs(end - start), start
        for stop in stops if up else reversed(stops):
            self._grow(amounts_in, abs(stop - here), whole)
            state = pool.tick_states[stop]
            growth = pool.fee_growth_global0_x128, pool.fee_growth_global1_x128
            pool.tick_states[stop] = crossed(
                state, Growth(*growth, cumulative, seconds_per_liquidity, now & 0xFFFFFFFF)
            )
            pool.liquidity += state.liquidity_net if up else -state.liquidity_net
            here = stop
        self._grow(amounts_in, abs(end - here), whole)

    def _grow(self, amounts_in: tuple[int, int], part: int, whole: int) -> None:
        pool = self.pool
        if part and amounts_in != (0, 0):
            grown0, grown1 = (
                fee_growth_x128(amount, pool.fee_pips, pool.liquidity, part, whole) for amount in amounts_in
            )
            pool.fee_growth_global0_x128 = (pool.fee_growth_global0_x128 + grown0) & _MASK_256
            pool.fee_growth_global1_x128 = (pool.fee_growth_global1_x128 + grown1) & _MASK_256
