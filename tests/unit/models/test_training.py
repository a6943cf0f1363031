"""Honest learning: folds that cannot leak, baselines beside every model, cards that tell."""

import math
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from defai.errors import ConfigError
from defai.features import FeatureSpec
from defai.market.window import Observation
from defai.models.baselines import baseline_forecasts, persistent_volatility, zero_return
from defai.models.card import ModelCard, summary
from defai.models.splits import FEWEST_TRAINING_SAMPLES, purged, walk_forward
from defai.models.targets import Target, labels_x24
from defai.models.trained import TrainedModel
from defai.models.training import Settings, collect_samples, conformal_width_x24, history_digest, train
from defai.testing.histories import generated_history
from defai.units import Q24


@given(
    st.integers(100, 20_000),
    st.integers(2, 12),
    st.integers(1, 300),
    st.integers(0, 300),
)
def test_no_training_label_touches_its_test_fold(
    samples: int, folds: int, horizon: int, embargo: int
) -> None:
    try:
        splits = walk_forward(samples, folds=folds, horizon=horizon, embargo=embargo)
    except ConfigError:
        reject()
    assert splits[-1].test.stop == samples
    for split in splits:
        last_label_seen = split.train[-1] + horizon
        assert last_label_seen + embargo < split.test.start
        assert len(split.train) >= FEWEST_TRAINING_SAMPLES
        assert len(split.test) > 0
    for before, after in pairwise(splits):
        assert before.test.stop == after.test.start


@given(st.integers(0, 80), st.integers(1, 20), st.integers(1, 10), st.integers(0, 10))
def test_purging_removes_overlaps_and_nothing_else(start: int, size: int, horizon: int, embargo: int) -> None:
    test = range(start, start + size)
    outcome = set(range(test.start, test.stop + horizon + embargo))
    kept = purged(range(100), test, horizon=horizon, embargo=embargo)
    for index in range(100):
        label = set(range(index, index + horizon + 1))
        before, after = index < test.start, index >= test.stop + horizon + embargo
        overlaps = bool(label & set(test)) if before else not after
        assert (index in kept) == (not overlaps)
        assert (index in kept) <= (index not in outcome)


def test_too_few_samples_is_said() -> None:
    with pytest.raises(ConfigError, match=r"300 samples are too few .* it takes about 561"):
        walk_forward(300, folds=4, horizon=12, embargo=12)
    with pytest.raises(ConfigError, match="at least two folds"):
        walk_forward(3_000, folds=1, horizon=12, embargo=12)
    assert walk_forward(561, folds=4, horizon=12, embargo=12)


def test_labels_look_at_what_comes_after_and_at_nothing_else() -> None:
    rows = generated_history(60, seed=4)
    moves = [after.tick - before.tick for before, after in pairwise(rows)]
    volatility, move = labels_x24(rows, Target("volatility", 5)), labels_x24(rows, Target("return", 5))
    for index in range(55):
        ahead = moves[index : index + 5]
        assert move[index] == sum(ahead) * Q24
        expected = math.sqrt(sum(step**2 for step in ahead)) * Q24
        assert volatility[index] == pytest.approx(expected, abs=1, rel=1e-14)
    assert volatility[55:] == move[55:] == [None] * 5


def test_a_gap_leaves_labels_out() -> None:
    rows = generated_history(30)
    del rows[20]
    known = [label is not None for label in labels_x24(rows, Target("return", 3))]
    assert known == [True] * 17 + [False] * 3 + [True] * 6 + [False] * 3


@given(st.integers(0, 1000), st.integers(40, 99))
def test_baselines_see_no_future(seed: int, length: int) -> None:
    rows = generated_history(100, seed=seed)
    for kind in ("volatility", "return"):
        target = Target(kind, 12)
        whole = baseline_forecasts(rows, target)
        for name, forecast in baseline_forecasts(rows[:length], target).items():
            assert forecast == whole[name][:length]
            assert len(whole[name]) == 100


def test_baselines_by_hand() -> None:
    rows = [replace(row, tick=tick) for row, tick in zip(generated_history(4), (0, 3, -1, -1), strict=True)]
    assert persistent_volatility(rows, 2) == [None, None, 5 * Q24, 4 * Q24]
    assert zero_return(rows, 2) == [0] * 4
    assert baseline_forecasts(rows, Target("return", 2))["persistence"] == [None, None, -Q24, -4 * Q24]
    steady = [replace(row, tick=7 * index) for index, row in enumerate(generated_history(9))]
    ewma = baseline_forecasts(steady, Target("volatility", 4))["EWMA 0.94"]
    assert ewma[4:] == [pytest.approx(14 * Q24, rel=1e-7)] * 5


def test_what_can_be_forecast_beats_its_baseline(return_model: TrainedModel) -> None:
    """A price that comes back."""
    compared = return_model.card.comparison
    assert compared.baseline == "zero"
    assert 0 < compared.low < compared.gain < compared.high
    assert return_model.beats_baseline
    assert return_model.card.beats_baseline
    assert summary(return_model.card).startswith("return of the next 6 blocks, in ticks: beats zero\n")


def test_the_best_baseline_is_the_one_to_beat(volatility_model: TrainedModel) -> None:
    """Against persistence alone the model would shine; what counts is the average that fits this market."""
    metrics, compared = volatility_model.card.metrics, volatility_model.card.comparison
    loss = {name: values["qlike"] or 0.0 for name, values in metrics.items()}
    assert loss["EWMA 0.94"] < loss["model"] < loss["persistence"]
    assert compared.baseline == "EWMA 0.94"
    assert compared.gain == pytest.approx(loss["EWMA 0.94"] - loss["model"])
    assert volatility_model.beats_baseline == (compared.low > 0)


def test_what_cannot_be_forecast_is_said_not_to_be() -> None:
    """A random walk's return: the card says so, the forecast says so, the summary says so."""
    rows = generated_history(2_500, seed=21)
    names = ("return_1", "return_6", "volatility_12", "deviation_12", "base_fee")
    model = train({"main": rows}, feature_names=names, target=Target("return", 6), settings=Settings(folds=3))
    assert not model.beats_baseline
    assert model.card.comparison.low <= 0
    assert model.card.limits[0].startswith("It does not beat zero: the interval of the gain in squared error")
    assert "does NOT beat zero" in summary(model.card)


def test_samples_pair_each_row_with_what_came_after_it(reverting: list[Observation]) -> None:
    """A row's label is the return that the feature reports a horizon later."""
    samples = collect_samples([reverting], FeatureSpec.of(("return_6",)), Target("return", 6))
    known = {block: row[0] for block, row in zip(samples.blocks, samples.rows, strict=True)}
    later = [
        (label, known[block + 6] * Q24)
        for block, label in zip(samples.blocks, samples.labels_x24, strict=True)
        if block + 6 in known
    ]
    assert len(later) > 2_000
    assert all(label == seen for label, seen in later)


def test_the_card_tells_all(volatility_model: TrainedModel, wild: list[Observation]) -> None:
    card = volatility_model.card
    assert card.model_digest == volatility_model.digest
    assert card.features_digest == volatility_model.spec.digest
    assert [entry["name"] for entry in card.features] == list(volatility_model.spec.names)
    assert card.trained_on.pools == ("main",)
    assert card.trained_on.rows == 2_500
    assert card.trained_on.samples == 2_500 - 30 - 6
    assert (card.trained_on.first_block, card.trained_on.last_block) == (1_000, 3_499)
    assert card.trained_on.digest == history_digest({"main": wild})
    assert card.parameters["deterministic"] is True
    assert card.purge == card.embargo == 6
    assert len(card.folds) == 3
    assert set(card.metrics) == {"model", "persistence", "EWMA 0.94"}
    for metrics in card.metrics.values():
        assert set(metrics) == {"qlike", "mae", "r2", "rank_ic"}
    assert card.trees == len(volatility_model.ensemble.trees)
    assert sum(card.importance.values()) == pytest.approx(1, abs=1e-4)
    assert {"defai", "lightgbm", "numpy"} == set(card.versions)
    assert card.limits
    assert ModelCard.from_json(card.to_json()) == card


def test_the_band_holds_about_what_it_promises(
    volatility_model: TrainedModel, return_model: TrainedModel
) -> None:
    for model in (volatility_model, return_model):
        band = model.card.band
        assert band is not None
        assert band.level == 0.9
        assert 0.8 < band.coverage < 0.99
        assert band.half_width_x24 == model.band_x24


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200))
def test_the_conformal_width_holds_enough_of_the_errors(errors: list[int]) -> None:
    width = conformal_width_x24(errors)
    assert width in errors
    assert sum(error <= width for error in errors) >= min(len(errors), math.ceil((len(errors) + 1) * 0.9))


def test_the_data_digest_knows_every_field(wild: list[Observation]) -> None:
    digest = history_digest({"main": wild})
    assert digest != history_digest({"other": wild})
    for name in Observation.__slots__:
        value = getattr(wild[-1], name)
        other = (*value, 1) if isinstance(value, tuple) else value + 1
        field: dict[str, Any] = {name: other}
        changed = [*wild[:-1], replace(wild[-1], **field)]
        assert digest != history_digest({"main": changed})


def test_a_second_pool_is_part_of_training() -> None:
    pools = {"main": generated_history(1_200, seed=1), "other": generated_history(1_200, seed=2)}
    model = train(
        pools,
        feature_names=("return_3", "spread", "spread_deviation_12"),
        target=Target("return", 3),
        settings=Settings(rounds=10, folds=2),
    )
    assert model.card.trained_on.pools == ("main", "other")
    with pytest.raises(ConfigError, match="look at 2 pools"):
        train({"main": pools["main"]}, feature_names=("spread",), target=Target("return", 3))


def test_no_history_and_a_short_one_are_refused() -> None:
    target = Target("return", 3)
    with pytest.raises(ConfigError, match="no history"):
        train({}, feature_names=("return_3",), target=target)
    with pytest.raises(ConfigError, match="too few to train on"):
        train({"main": generated_history(200)}, feature_names=("return_3",), target=target)
