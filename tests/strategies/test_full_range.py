"""Full range: everything over all prices, once."""

from dataclasses import replace

from defai.amm import max_usable_tick, min_usable_tick
from defai.domain.intents import OpenPosition
from defai.testing.bars import walking_bars
from tests.strategies.scenes import HALF, LOW, band, both, decide, held, live_through, newborn


def test_it_offers_everything_over_the_whole_range() -> None:
    for ctx in (both(), newborn(both())):
        intent = decide("full_range", ctx)
        assert isinstance(intent, OpenPosition)
        assert (intent.tick_lower, intent.tick_upper) == (min_usable_tick(10), max_usable_tick(10))
        assert (intent.amount0_raw, intent.amount1_raw) == tuple(HALF.values())


def test_it_leaves_a_position_alone() -> None:
    ctx = replace(both(), positions=(band(min_usable_tick(10), max_usable_tick(10)),))
    assert held("full_range", ctx) == "the whole range is provided"


async def test_in_a_run_it_mints_once_and_is_never_out_of_range() -> None:
    one = await live_through("full_range", walking_bars(200, seed=2, step_ticks=40.0))
    assert (one.tape.mints, one.tape.swaps) == (1, 0)
    assert one.curve.fees_raw[-1] > 0
    (position,) = one.agent.desk.portfolio.positions
    assert position.pool == LOW.address
