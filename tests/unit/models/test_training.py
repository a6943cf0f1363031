"""Honest learning: a model is measured beside its baselines, and its card tells what came of it."""

from dataclasses import replace
from typing import Any

import pytest

from defai.errors import ConfigError
from defai.market.window import Observation
from defai.models.card import ModelCard, summary
from defai.models.history_digest import history_digest
from defai.models.panel import windows_within
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.testing.histories import generated_history


def test_what_can_be_forecast_beats_its_baseline(return_model: TrainedModel) -> None:
    """A price that comes back, to where the features don't say by themselves."""
    compared = {one.baseline: one for one in return_model.card.comparisons}["zero"]
    assert 0 < compared.low < compared.gain < compared.high
    assert return_model.beats_baseline == return_model.card.beats_baseline
    assert return_model.beats_baseline == (return_model.card.comparison.low > 0)


def test_the_best_baseline_is_the_one_to_beat(volatility_model: TrainedModel) -> None:
    """Against persistence alone the model shines; what counts is what fits this market best."""
    metrics, compared = volatility_model.card.metrics, volatility_model.card.comparison
    loss = {name: values["qlike"] or 0.0 for name, values in metrics.items()}
    best = min((name for name in loss if name != "model"), key=loss.__getitem__)
    assert compared.baseline == best != "persistence"
    assert compared.gain == pytest.approx(loss[best] - loss["model"])
    assert loss["model"] < loss["persistence"]
    assert volatility_model.beats_baseline == (compared.low > 0)


def test_what_cannot_be_forecast_is_said_not_to_be() -> None:
    """A random walk's return: the card says so, the forecast says so, the summary says so."""
    rows = generated_history(2_500, seed=21)
    names = ("return_1", "return_6", "volatility_12", "deviation_12", "base_fee")
    model = train({"main": rows}, feature_names=names, target=Target("return", 6), design=Design(folds=3))
    assert not model.beats_baseline
    assert model.card.comparison.low <= 0
    assert model.card.limits[0].startswith("It does not beat zero: the interval of the gain in squared error")
    assert "does NOT beat zero" in summary(model.card)


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
    assert {"model", "persistence", "EWMA 0.94", "HAR-RV on levels", "log-HAR", "strong HAR"} < set(
        card.metrics
    )
    for metrics in card.metrics.values():
        assert set(metrics) == {"qlike", "mae", "r2", "rank_ic", "r2_log"}
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


def test_an_agent_waits_no_longer_for_its_forecast_than_its_author_said(
    volatility_model: TrainedModel,
) -> None:
    """Strong HAR's components join the features, within the longest window that was asked for."""
    assert {"log_parkinson_3", "log_parkinson_11", "log_parkinson_30"} < set(volatility_model.spec.names)
    assert volatility_model.spec.warm_up == 31
    assert windows_within(7) is None


def test_nothing_from_a_day_on_is_trained_on(wild: list[Observation]) -> None:
    """Other rows from there on leave the model what it is, and the card says where it ends."""
    until = wild[1_800].timestamp
    design = Design(folds=1, rounds=10, train_until=until, test_from=wild[2_000].timestamp)
    names, target = ("return_1", "return_6"), Target("return", 6)
    model = train({"main": wild}, feature_names=names, target=target, design=design)
    other = [*wild[:1_800], *generated_history(2_500, seed=99, start_tick=900)[1_800:]]
    changed = train({"main": other}, feature_names=names, target=target, design=design)
    assert changed.ensemble == model.ensemble
    assert changed.card.metrics != model.card.metrics
    assert model.card.trained_on.last_timestamp < until
    with pytest.raises(ConfigError, match="samples to train on"):
        train({"main": wild}, feature_names=names, target=target, design=replace(design, train_until=100))


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
        design=Design(rounds=10, folds=2),
    )
    assert model.card.trained_on.pools == ("main", "other")
    with pytest.raises(ConfigError, match="look at 2 pools"):
        train({"main": pools["main"]}, feature_names=("spread",), target=Target("return", 3))


def test_no_history_and_a_short_one_are_refused() -> None:
    target = Target("return", 3)
    with pytest.raises(ConfigError, match="no history"):
        train({}, feature_names=("return_3",), target=target)
    with pytest.raises(ConfigError, match="samples to train on"):
        train({"main": generated_history(200)}, feature_names=("return_3",), target=target)
