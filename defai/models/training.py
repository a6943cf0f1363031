"""From histories to a model with its card: walk forward, measure beside the baselines, then train on everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from math import ceil
from operator import attrgetter
from typing import Any, Final

import numpy as np

from defai.errors import ConfigError
from defai.features.pipeline import build_table
from defai.features.spec import FeatureSpec
from defai.market.window import Observation
from defai.models import lightgbm as trees
from defai.models.baselines import baseline_forecasts
from defai.models.card import (
    Band,
    Comparison,
    FoldResult,
    Metrics,
    ModelCard,
    TrainingRange,
    keccak_hex,
)
from defai.models.metrics import Floats, loss_name, losses, mean_interval, measure
from defai.models.splits import Split, walk_forward
from defai.models.targets import Target, labels_x24
from defai.models.trained import TrainedModel
from defai.units import Q24

BAND_LEVEL: Final = 0.9
RESAMPLES: Final = 400
_PACKAGES: Final = ("defai", "lightgbm", "numpy")
_FIELDS: Final = tuple(Observation.__slots__)
_OBSERVED = attrgetter(*_FIELDS)


@dataclass(frozen=True, slots=True)
class Samples:
    """What is trained and tested on: rows with features, a label and every baseline's forecast, in order of time."""

    rows: tuple[tuple[int, ...], ...]
    labels_x24: tuple[int, ...]
    blocks: tuple[int, ...]
    baselines_x24: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class Settings:
    """How a model is trained and tested.

    Attributes:
        parameters: LightGBM's, over the default ones.
        rounds: number of trees.
        embargo: samples left out before a test fold beyond the purged ones; None for as many as the horizon.
    """

    seed: int = 0
    rounds: int = 60
    folds: int = 4
    embargo: int | None = None
    parameters: Mapping[str, Any] | None = None


def train(
    histories: Mapping[str, Sequence[Observation]],
    *,
    feature_names: Sequence[str],
    target: Target,
    settings: Settings | None = None,
    source: str = "",
) -> TrainedModel:
    """Train a model and measure it, out of sample, beside its baselines.

    The same histories and settings give the same model, digest included.

    Args:
        histories: rows by pool, one a block, the main pool first.
        feature_names: the features it is given, in order.
        target: what it forecasts.
        settings: how; the defaults suit some thousand rows.
        source: where the rows are from, for the card.

    Raises:
        ConfigError: for an unknown feature, a settled parameter, or too short a history.
    """
    chosen = settings or Settings()
    spec = FeatureSpec.of(feature_names)
    samples = collect_samples(list(histories.values()), spec, target)
    embargo = target.horizon_blocks if chosen.embargo is None else chosen.embargo
    splits = walk_forward(
        len(samples.rows), folds=chosen.folds, horizon=target.horizon_blocks, embargo=embargo
    )
    forecasts = [_fit(samples, split.train, spec, chosen) for split in splits]
    tested = [
        [fitted.ensemble.predict_x24(samples.rows[index]) for index in split.test]
        for fitted, split in zip(forecasts, splits, strict=True)
    ]
    final = _fit(samples, range(len(samples.rows)), spec, chosen)
    comparison, metrics = _compare(samples, splits, tested, target, chosen.seed)
    band = _band(samples, splits, tested)
    beats = comparison.low > 0
    model = TrainedModel(
        spec=spec,
        target=target,
        ensemble=final.ensemble,
        band_x24=band.half_width_x24,
        beats_baseline=beats,
        lightgbm_text=final.text,
        card=ModelCard(
            model_digest="",
            target=target,
            features=tuple(spec.to_json()),
            features_digest=spec.digest,
            trained_on=_training_range(histories, len(samples.rows), source),
            parameters=trees.settled(chosen.parameters or {}),
            rounds=chosen.rounds,
            seed=chosen.seed,
            purge=target.horizon_blocks,
            embargo=embargo,
            folds=_fold_results(samples, splits, tested, target),
            metrics=metrics,
            comparison=comparison,
            beats_baseline=beats,
            band=band,
            importance=dict(final.importance),
            limits=_limits(comparison, target, beats=beats),
            versions={package: version(package) for package in _PACKAGES},
            lightgbm_digest=keccak_hex(final.text.encode()),
        ),
    )
    return replace(model, card=replace(model.card, model_digest=model.digest))


def collect_samples(histories: Sequence[Sequence[Observation]], spec: FeatureSpec, target: Target) -> Samples:
    """The rows that can be trained and tested on: features ready, horizon over, every baseline able to answer.

    Args:
        histories: rows of each pool, the main one first.
        spec: the features.
        target: what is forecast.

    Raises:
        ConfigError: where there is no history.
    """
    if not histories:
        raise ConfigError("There is no history to train on.")
    main = histories[0]
    table = build_table(histories, spec)
    labels = labels_x24(main, target)
    baselines = baseline_forecasts(main, target)
    rows: list[tuple[int, ...]] = []
    kept_labels: list[int] = []
    blocks: list[int] = []
    kept_baselines: dict[str, list[int]] = {name: [] for name in baselines}
    for index, (row, label) in enumerate(zip(table, labels, strict=True)):
        answers = {name: forecast[index] for name, forecast in baselines.items()}
        known = {name: answer for name, answer in answers.items() if answer is not None}
        if row is None or label is None or len(known) < len(answers):
            continue
        rows.append(row.values)
        kept_labels.append(label)
        blocks.append(row.block_number)
        for name, answer in known.items():
            kept_baselines[name].append(answer)
    return Samples(
        tuple(rows),
        tuple(kept_labels),
        tuple(blocks),
        {name: tuple(forecast) for name, forecast in kept_baselines.items()},
    )


def history_digest(histories: Mapping[str, Sequence[Observation]]) -> str:
    """keccak256 over every field of every row, pool by pool, written as decimal numbers."""
    parts = []
    for pool, rows in histories.items():
        parts.append(pool)
        parts.extend(",".join(map(str, _OBSERVED(row))) for row in rows)
    return keccak_hex("\n".join(parts).encode())


def _fit(samples: Samples, chosen: range, spec: FeatureSpec, settings: Settings) -> trees.Fitted:
    return trees.fit(
        samples.rows[chosen.start : chosen.stop],
        samples.labels_x24[chosen.start : chosen.stop],
        names=spec.names,
        parameters=settings.parameters or {},
        rounds=settings.rounds,
        seed=settings.seed,
    )


def _floats(values_x24: Sequence[int]) -> Floats:
    return np.asarray(values_x24, dtype=np.float64) / Q24


def _forecasters(samples: Samples, split: Split, tested: Sequence[int]) -> dict[str, Floats]:
    """What the model and each baseline said on a test range."""
    said = {"model": _floats(tested)}
    for name, forecast in samples.baselines_x24.items():
        said[name] = _floats(forecast[split.test.start : split.test.stop])
    return said


def _outcome(samples: Samples, split: Split) -> Floats:
    return _floats(samples.labels_x24[split.test.start : split.test.stop])


def _fold_results(
    samples: Samples, splits: Sequence[Split], tested: Sequence[Sequence[int]], target: Target
) -> tuple[FoldResult, ...]:
    results = []
    for split, answers in zip(splits, tested, strict=True):
        outcome = _outcome(samples, split)
        metrics = {
            name: measure(target, forecast, outcome)
            for name, forecast in _forecasters(samples, split, answers).items()
        }
        results.append(
            FoldResult(split.train.start, split.train.stop, split.test.start, split.test.stop, metrics)
        )
    return tuple(results)


def _compare(
    samples: Samples, splits: Sequence[Split], tested: Sequence[Sequence[int]], target: Target, seed: int
) -> tuple[Comparison, dict[str, Metrics]]:
    """The model against the best baseline on all test ranges together, and everyone's metrics."""
    whole = Split(range(0), range(splits[0].test.start, splits[-1].test.stop))
    said = _forecasters(samples, whole, [answer for answers in tested for answer in answers])
    outcome = _outcome(samples, whole)
    metrics = {name: measure(target, forecast, outcome) for name, forecast in said.items()}
    suffered = {name: losses(target, forecast, outcome) for name, forecast in said.items()}
    best = min(samples.baselines_x24, key=lambda name: float(suffered[name].mean()))
    gain = suffered[best] - suffered["model"]
    length = max(2 * target.horizon_blocks, round(len(gain) ** 0.5))
    low, high = mean_interval(gain, block_length=length, resamples=RESAMPLES, seed=seed)
    before = float(suffered[best].mean())
    mean = float(gain.mean())
    share = mean / before if before else None
    return Comparison(loss_name(target), best, mean, low, high, share, length, RESAMPLES), metrics


def _band(samples: Samples, splits: Sequence[Split], tested: Sequence[Sequence[int]]) -> Band:
    """Split conformal prediction: the width from all folds, its coverage from the last with the width of the rest."""
    errors = [
        [abs(samples.labels_x24[index] - answer) for index, answer in zip(split.test, answers, strict=True)]
        for split, answers in zip(splits, tested, strict=True)
    ]
    earlier = [error for fold in errors[:-1] or errors for error in fold]
    width = _conformal_quantile(earlier)
    held = sum(error <= width for error in errors[-1]) / len(errors[-1])
    return Band(BAND_LEVEL, _conformal_quantile([error for fold in errors for error in fold]), held)


def _conformal_quantile(errors: Sequence[int]) -> int:
    """The ceil((n + 1) * level)-th smallest error (Vovk, Gammerman, Shafer 2005), the largest where n is small."""
    rank = min(ceil((len(errors) + 1) * BAND_LEVEL), len(errors))
    return sorted(errors)[rank - 1]


def _training_range(
    histories: Mapping[str, Sequence[Observation]], samples: int, source: str
) -> TrainingRange:
    main = next(iter(histories.values()))
    return TrainingRange(
        source=source,
        pools=tuple(histories),
        rows=len(main),
        samples=samples,
        first_block=main[0].block_number,
        last_block=main[-1].block_number,
        first_timestamp=main[0].timestamp,
        last_timestamp=main[-1].timestamp,
        digest=history_digest(histories),
    )


def _limits(comparison: Comparison, target: Target, *, beats: bool) -> tuple[str, ...]:
    """What a person should hold against the model."""
    limits = [
        "It was measured on the history it was trained on, by walking forward; no other market was looked at.",
        "Metrics are of models trained on less; the one that is served was trained on everything.",
        "Costs of acting on the forecast are not part of its metrics.",
        "The band has one width for calm and for wild times.",
    ]
    if target.kind == "volatility":
        limits.append("QLIKE counts volatilities below one tick as one tick.")
    if not beats:
        limits.insert(
            0,
            f"It does not beat {comparison.baseline}: the interval of the gain in {comparison.loss} reaches"
            f" from {comparison.low:.4g} to {comparison.high:.4g}.",
        )
    return tuple(limits)
