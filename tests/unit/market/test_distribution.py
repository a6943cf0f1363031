"""Liquidity by bars and what moves the price, against the pool's own swaps."""

from itertools import pairwise
from random import Random

import pytest

from defai.amm import MAX_TICK, Pool, get_sqrt_ratio_at_tick
from defai.market.distribution import BARS, bars, paid_to_move, stretches


def pool_of(seed: int, start: int = 1_234, spacing: int = 10) -> Pool:
    draw = Random(seed)  # noqa: S311  positions, no secret
    pool = Pool(fee_pips=3_000, tick_spacing=spacing)
    pool.initialize(get_sqrt_ratio_at_tick(start))
    pool.mint("wide", -887_200 // spacing * spacing + spacing, 887_200 // spacing * spacing, 10**15)
    for _ in range(12):
        middle, width = start // spacing + draw.randrange(-40, 41), draw.randrange(1, 30)
        pool.mint(
            "someone", (middle - width) * spacing, (middle + width) * spacing, draw.randrange(1, 10**17)
        )
    return pool


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("spacing", [1, 10, 60, 200])
def test_bars_are_what_every_tick_of_them_holds(seed: int, spacing: int) -> None:
    pool = pool_of(seed, spacing=spacing)
    found = bars(pool)
    assert len(found) == BARS
    assert any(bar.lower <= pool.tick < bar.upper for bar in found)
    for before, bar in pairwise(found):
        assert before.upper == bar.lower
    for bar in found[::7]:
        sums = [
            sum(state.liquidity_net for at, state in pool.ticks.items() if at <= tick)
            for tick in range(bar.lower, bar.upper)
        ]
        assert bar.liquidity == sum(sums) // len(sums)


def test_stretches_join_at_the_liquidity_in_range() -> None:
    pool = pool_of(1)
    here = next(part for part in stretches(pool, -900, 4_000) if part.lower <= pool.tick < part.upper)
    assert here.liquidity == pool.liquidity


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("up", [True, False])
@pytest.mark.parametrize("move_bps", [10, 50, 200])
def test_what_moves_the_price_does_move_it(seed: int, move_bps: int, *, up: bool) -> None:
    pool = pool_of(seed)
    before = pool.sqrt_price_x96
    paid = paid_to_move(pool, move_bps, up=up)
    after = pool.quote(zero_for_one=not up, amount_specified=paid).sqrt_price_x96
    ratio = (after / before) ** 2 if up else (before / after) ** 2
    assert (ratio - 1) * 10_000 == pytest.approx(move_bps, rel=1e-4)


def test_where_the_ticks_end_there_are_fewer_bars() -> None:
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(MAX_TICK - 300))
    pool.mint("edge", 887_000, 887_200, 10**12)
    found = bars(pool)
    assert 0 < len(found) < BARS
    assert found[-1].upper <= MAX_TICK
