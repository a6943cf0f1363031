"""Depth, against counting tick by tick."""

from random import Random

import pytest

from defai.amm import MAX_TICK, MIN_TICK, Pool, get_sqrt_ratio_at_tick
from defai.market.depth import depth_around


def counted(pool: Pool, ticks: int) -> tuple[int, int]:
    def in_range(tick: int) -> int:
        return sum(state.liquidity_net for at, state in pool.ticks.items() if at <= tick)

    first, last = max(pool.tick - ticks + 1, MIN_TICK), min(pool.tick + ticks, MAX_TICK - 1)
    below = sum(in_range(tick) for tick in range(first, pool.tick + 1))
    return below, sum(in_range(tick) for tick in range(pool.tick + 1, last + 1))


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("start", [0, -35, 887_200, -887_250])
def test_depth_is_liquidity_tick_by_tick(seed: int, start: int) -> None:
    draw = Random(seed)  # noqa: S311  positions, no secret
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(start))
    for _ in range(12):
        middle, width = start // 10 + draw.randrange(-12, 13), draw.randrange(1, 8)
        lower = min(max((middle - width) * 10, -887_270), 887_260)
        upper = max(min((middle + width) * 10, 887_270), lower + 10)
        pool.mint("someone", lower, upper, draw.randrange(1, 10**15))
    for ticks in (1, 7, 100):
        assert depth_around(pool, ticks) == counted(pool, ticks)
