"""Static band: one band around the first price, never moved."""

from dataclasses import replace

from defai.domain.intents import OpenPosition
from defai.testing.builders import START_TICK
from tests.strategies.scenes import band, bars_along, both, decide, held, live_through, reasons


def test_it_opens_around_the_price_as_wide_as_it_is_told() -> None:
    intent = decide("static_band", both(), half_width=200)
    assert isinstance(intent, OpenPosition)
    assert (intent.tick_lower, intent.tick_upper) == (START_TICK - 200, START_TICK + 200)


def test_it_stays_when_the_price_has_left() -> None:
    ctx = replace(both(), positions=(band(START_TICK + 1_000, START_TICK + 2_000),))
    assert held("static_band", ctx) == "the band is provided"


async def test_in_a_run_it_earns_inside_and_nothing_outside() -> None:
    inside = [200_000 + 10 * (i % 2) for i in range(60)]
    left = [200_500] * 40
    one = await live_through("static_band", bars_along([*inside, *left]), half_width=100)
    assert one.tape.mints == 1
    assert reasons(one)[-1] == "the band is provided"
    position = one.agent.desk.valued().positions[0]
    assert position.owed_raw > 0
    assert position.amount0 == 0 or position.amount1 == 0, "it holds the token that fell, and no other"
    shorter = await live_through("static_band", bars_along([*inside, *left[:2]]), half_width=100)
    assert position.owed0 == shorter.agent.desk.valued().positions[0].owed0, "nothing was earned outside"
