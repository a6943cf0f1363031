"""Volatility band: as wide as the volatility expected, moved once the price has stayed outside."""

from dataclasses import replace

from defai.domain.intents import Hold, Rebalance
from defai.testing.bars import walking_bars
from defai.testing.builders import START_TICK
from tests.strategies.scenes import band, both, decide, expected, held, live_through, reasons, taught


def test_without_a_forecast_it_waits() -> None:
    assert "waits for history" in held("volatility_band", both())


def test_a_band_is_as_wide_as_the_volatility_and_never_narrower_than_the_floor() -> None:
    narrow = decide("volatility_band", both(forecast=expected(1)), sigmas=4, floor_ticks=120)
    wide = decide("volatility_band", both(forecast=expected(100)), sigmas=4, floor_ticks=120)
    assert isinstance(narrow, Rebalance)
    assert isinstance(wide, Rebalance)
    assert narrow.tick_upper - narrow.tick_lower == 240
    assert wide.tick_upper - wide.tick_lower == 800
    for each in (narrow, wide):
        assert each.tick_lower < START_TICK < each.tick_upper
        assert each.tick_lower % 10 == each.tick_upper % 10 == 0


def test_a_band_stays_while_the_price_is_inside_or_has_left_it_only_just() -> None:
    inside = replace(both(forecast=expected(10)), positions=(band(START_TICK - 110, START_TICK + 90),))
    assert decide("volatility_band", inside).reason == "the tick is inside the band"
    outside = replace(inside, positions=(band(START_TICK + 90, START_TICK + 190),))
    patient = decide("volatility_band", outside, patience=8)
    assert isinstance(patient, Hold)
    assert "out of the band for 8 of 9 blocks" in patient.reason
    impatient = decide("volatility_band", outside, patience=3)
    assert isinstance(impatient, Rebalance)
    assert impatient.reason.startswith("re-centre")


async def test_in_a_run_it_opens_a_band_when_it_can_forecast_and_moves_it_seldom() -> None:
    model = taught("volatility_band", walking_bars(1_200, seed=3))
    one = await live_through("volatility_band", walking_bars(400, seed=4), model=model)
    said = reasons(one)
    assert said[0] == "waits for history enough to forecast volatility"
    assert any(reason.startswith("open a band") for reason in said)
    assert 1 <= one.tape.mints <= 5
    assert one.curve.fees_raw[-1] > 0
