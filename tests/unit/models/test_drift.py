"""Drift is noticed where there is some, and not where there is none; a challenger has to be better on unseen rows."""

from math import log
from pathlib import Path
from random import Random

import pytest

from defai.errors import ConfigError
from defai.models.challenge import Challenge, challenge, profile_of
from defai.models.drift import (
    FALSE_ALARM_EVERY,
    LEAST_ROWS,
    DriftWatch,
    FeatureProfile,
    MissWatch,
    Profile,
    stability_index,
)
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.training import train
from defai.testing.histories import generated_history

FEATURES = ("return_1", "volatility_6", "volatility_30")
QUICK = Design(seed=5, rounds=20, folds=2)
TARGET = Target("volatility", 6)


def drawn(count: int, seed: int, middle: float = 0.0) -> list[int]:
    draw = Random(seed)  # noqa: S311  draws test values
    return [round(draw.gauss(middle, 1_000)) for _ in range(count)]


def test_the_same_values_have_an_index_of_zero() -> None:
    values = drawn(2_000, 1)
    assert stability_index(FeatureProfile.of(values), values) == 0


def test_the_index_grows_with_the_shift() -> None:
    profile = FeatureProfile.of(drawn(5_000, 1))
    found = [stability_index(profile, drawn(2_000, 2, middle)) for middle in (0, 300, 1_000, 3_000)]
    assert found == sorted(found)
    assert found[0] < 0.02
    assert found[1] < 0.25 < found[2]


def test_the_index_by_hand() -> None:
    """Two bins, half and half before; a quarter and three quarters now."""
    profile = FeatureProfile((0,), (0.5, 0.5))
    assert stability_index(profile, [0, 1, 1, 1]) == pytest.approx(0.25 * log(2) + 0.25 * log(1.5))


def test_a_constant_has_one_bin() -> None:
    profile = FeatureProfile.of([7] * 50)
    assert (profile.edges, profile.shares) == ((), (1.0,))
    with pytest.raises(ValueError, match="no values"):
        FeatureProfile.of([])


def test_misses_as_often_as_promised_raise_no_alarm_for_long() -> None:
    draw = Random(3)  # noqa: S311  draws test outcomes
    alarms = 0
    watch = MissWatch(0.1)
    for _ in range(30_000):
        if watch.add(missed=draw.random() < 0.1):
            alarms += 1
            watch = MissWatch(0.1)
    assert alarms <= 30_000 // FALSE_ALARM_EVERY


def test_misses_three_times_as_often_are_noticed_soon() -> None:
    draw = Random(4)  # noqa: S311  draws test outcomes
    watch = MissWatch(0.1)
    count = next(n for n in range(1, 1_000) if watch.add(missed=draw.random() < 0.3))
    assert 10 < count < 150


def test_a_watch_says_why_and_calms_down() -> None:
    values = drawn(4_000, 1)
    watch = DriftWatch(Profile.of(("a",), [(value,) for value in values]), MissWatch(0.1))
    for value in drawn(LEAST_ROWS, 2):
        watch.see_row((value,))
    assert watch.reason == ""
    for value in drawn(LEAST_ROWS, 3, middle=4_000):
        watch.see_row((value,))
    assert "a has a stability index of" in watch.reason
    for value in drawn(LEAST_ROWS, 4):
        watch.see_row((value,))
    assert watch.reason == ""
    for _ in range(40):
        watch.see_outcome(missed=True)
    assert "left their band" in watch.reason


def challenged(folder: Path, *, trained_on_wild: bool) -> Challenge:
    """A holder from a calm market, or from the one it is judged in."""
    wild = tuple(generated_history(2_500, seed=11, clustering=0.12, start_tick=-50))
    calm = generated_history(1_500, seed=3, clustering=0.0)
    rows = wild[:1_875] if trained_on_wild else calm
    holder = train({"main": rows}, feature_names=FEATURES, target=TARGET, design=QUICK)
    ModelRegistry(folder).save(holder)
    return Challenge({"main": wild}, FEATURES, holder.digest, folder, trained_on_wild, QUICK)


def test_a_better_model_takes_over(tmp_path: Path) -> None:
    task = challenged(tmp_path, trained_on_wild=False)
    outcome = challenge(task)
    assert outcome.takes_over
    assert 0 < outcome.low < outcome.gain < outcome.high
    assert "it beats its predecessor" in outcome.reason
    card = ModelRegistry(tmp_path).load(outcome.challenger).card
    main = task.histories["main"]
    assert card.trained_on.last_block < main[-outcome.judged].block_number
    assert outcome == challenge(task)
    assert outcome.profile == profile_of([main[:1_875]], ModelRegistry(tmp_path).load(outcome.challenger))


def test_the_same_model_does_not_take_over_from_itself(tmp_path: Path) -> None:
    outcome = challenge(challenged(tmp_path, trained_on_wild=True))
    assert outcome.challenger == outcome.holder
    assert not outcome.takes_over
    assert outcome.gain == 0


def test_rows_that_the_holder_has_seen_are_not_judged_on(tmp_path: Path) -> None:
    wild = tuple(generated_history(2_500, seed=11, clustering=0.12, start_tick=-50))
    holder = train({"main": wild}, feature_names=FEATURES, target=TARGET, design=QUICK)
    ModelRegistry(tmp_path).save(holder)
    with pytest.raises(ConfigError, match="Only 0 rows are left"):
        challenge(Challenge({"main": wild}, FEATURES, holder.digest, tmp_path, True, QUICK))
