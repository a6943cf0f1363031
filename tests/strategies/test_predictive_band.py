"""Predictive band: leans the way the model expects, and only as far as it may."""

from dataclasses import replace

import pytest

from defai.domain.intents import Rebalance
from defai.testing.bars import walking_bars
from defai.testing.builders import START_TICK
from tests.strategies.scenes import after, band, both, decide, expected, held, live_through, reasons, taught


def opened(drift: float, *, beats: bool | None = True, **parameters: object) -> Rebalance:
    intent = decide("predictive_band", both(forecast=expected(drift, beats=beats)), **parameters)
    assert isinstance(intent, Rebalance)
    return intent


def middle(intent: Rebalance) -> float:
    return (intent.tick_lower + intent.tick_upper) / 2 - START_TICK


def test_without_a_forecast_it_waits() -> None:
    assert "waits for history" in held("predictive_band", both())


@pytest.mark.parametrize(
    ("drift", "moved"), [(0.0, 0), (20.0, 40), (-20.0, -40), (400.0, 150), (-400.0, -150)]
)
def test_the_middle_follows_the_drift_and_no_further_than_it_may(drift: float, moved: float) -> None:
    intent = opened(drift, floor_ticks=300, lean=2.0, most_lean=0.5)
    assert middle(intent) == pytest.approx(moved, abs=10)
    assert intent.tick_lower < START_TICK < intent.tick_upper


@pytest.mark.parametrize("beats", [False, None])
def test_a_model_that_is_not_known_to_beat_its_baseline_is_not_followed(beats: bool | None) -> None:
    intent = opened(200.0, beats=beats)
    assert middle(intent) == pytest.approx(0, abs=10)
    assert "no drift that could be forecast" in intent.reason


def test_the_width_follows_the_volatility_of_the_past() -> None:
    wild = after([START_TICK + 100 * (i % 2) for i in range(60)], forecast=expected(0))
    intent = decide("predictive_band", wild, sigmas=2.0, floor_ticks=300)
    assert isinstance(intent, Rebalance)
    assert intent.tick_upper - intent.tick_lower == pytest.approx(2 * 2.0 * 100 * 24**0.5, abs=20)


def test_a_band_is_kept_until_the_price_has_stayed_outside() -> None:
    ctx = both(forecast=expected(10))
    inside = replace(ctx, positions=(band(START_TICK - 10, START_TICK + 10),))
    assert held("predictive_band", inside) == "the tick is inside the band"
    outside = replace(ctx, positions=(band(START_TICK + 10, START_TICK + 20),))
    assert "for 8 of 11 blocks" in held("predictive_band", outside)
    assert isinstance(decide("predictive_band", outside, patience=7), Rebalance)


async def test_in_a_run_on_a_random_walk_there_is_no_drift_to_follow() -> None:
    model = taught("predictive_band", walking_bars(1_200, seed=3))
    assert not model.card.beats_baseline
    one = await live_through("predictive_band", walking_bars(300, seed=4), model=model)
    said = [reason for reason in reasons(one) if reason.startswith(("open", "re-centre"))]
    assert said
    assert all("no drift that could be forecast" in reason for reason in said)
    assert one.tape.mints == len(said) <= 4
