"""From histories to a model with its card: walk forward, measure beside the baselines, then train on everything."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from math import ceil
from operator import attrgetter
from typing import Any, Final

import numpy as np

from defai.errors import ConfigError
from defai.features.pipeline import build_table
from defai.features.spec import FeatureSpec
from defai.market.window import NotKnownError, Observation
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
from defai.models.trained import TrainedModel, model_digest
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
        rounds: number of trees at most; training stops early where more do not help on unseen rows.
        embargo: samples left out before a test fold beyond the purged ones; None for as many as the horizon.
        row_weights: by block number, where a sample is not to count once: ratings of decisions.
    """

    seed: int = 0
    rounds: int = 60
    folds: int = 4
    embargo: int | None = None
    parameters: Mapping[str, Any] | None = None
    row_weights: Mapping[int, float] | None = None

    def embargo_of(self, target: Target) -> int:
        """The embargo for a target."""
        return target.horizon_blocks if self.embargo is None else self.embargo


@dataclass(frozen=True, slots=True)
class OutOfSample:
    """What models that had not seen them said on the test ranges, which follow each other."""

    splits: tuple[Split, ...]
    answers_x24: tuple[tuple[int, ...], ...]

    @property
    def whole(self) -> range:
        """All test ranges together."""
        return range(self.splits[0].test.start, self.splits[-1].test.stop)


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
    if not histories:
        raise ConfigError("There is no history to train on.")
    chosen = settings or Settings()
    spec = FeatureSpec.of(feature_names)
    samples = collect_samples(list(histories.values()), spec, target)
    test = _walk_forward(samples, spec, target, chosen)
    final = _fit(samples, range(len(samples.rows)), spec, target, chosen)
    comparison, metrics = _compare(samples, test, target, chosen.seed)
    band = _band(samples, test)
    beats = comparison.low > 0
    digest = model_digest(spec.digest, target, final.ensemble, band.half_width_x24, beats)
    card = ModelCard(
        model_digest=digest,
        target=target,
        features=tuple(spec.to_json()),
        features_digest=spec.digest,
        trained_on=_training_range(histories, len(samples.rows), source),
        **_recipe(chosen, target, final),
        folds=_fold_results(samples, test, target),
        metrics=metrics,
        comparison=comparison,
        beats_baseline=beats,
        band=band,
        limits=_limits(comparison, target, beats=beats),
    )
    return TrainedModel(spec, target, final.ensemble, band.half_width_x24, beats, card, final.text)


def _recipe(settings: Settings, target: Target, final: trees.Fitted) -> dict[str, Any]:
    """The part of the card that says how the model came about."""
    return {
        "parameters": trees.settled(settings.parameters or {}),
        "rounds": settings.rounds,
        "trees": len(final.ensemble.trees),
        "seed": settings.seed,
        "purge": target.horizon_blocks,
        "embargo": settings.embargo_of(target),
        "importance": dict(final.importance),
        "versions": {package: version(package) for package in _PACKAGES},
        "lightgbm_digest": keccak_hex(final.text.encode()),
    }


def collect_samples(histories: Sequence[Sequence[Observation]], spec: FeatureSpec, target: Target) -> Samples:
    """The rows that can be trained and tested on: features ready, horizon over, every baseline able to answer.

    Args:
        histories: rows of each pool, the main one first.
        spec: the features.
        target: what is forecast.

    Raises:
        ConfigError: where a pool is missing or the histories are not of the same blocks.
    """
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
        parts.extend(map(_written, rows))
    return keccak_hex("\n".join(parts).encode())


def _written(row: Observation) -> str:
    """A row's fields as decimal numbers; one that its source does not tell is empty."""
    try:
        return ",".join(map(str, _OBSERVED(row)))
    except NotKnownError:
        return ",".join(str(getattr(row, name)) if _is_known(row, name) else "" for name in _FIELDS)


def _is_known(row: Observation, name: str) -> bool:
    try:
        getattr(row, name)
    except NotKnownError:
        return False
    return True


def _walk_forward(samples: Samples, spec: FeatureSpec, target: Target, settings: Settings) -> OutOfSample:
    splits = walk_forward(
        len(samples.rows),
        folds=settings.folds,
        horizon=target.horizon_blocks,
        embargo=settings.embargo_of(target),
    )
    answers = []
    for split in splits:
        ensemble = _fit(samples, split.train, spec, target, settings).ensemble
        answers.append(tuple(ensemble.predict_x24(samples.rows[index]) for index in split.test))
    return OutOfSample(splits, tuple(answers))


def _fit(
    samples: Samples, chosen: range, spec: FeatureSpec, target: Target, settings: Settings
) -> trees.Fitted:
    rows = samples.rows[chosen.start : chosen.stop]
    labels = samples.labels_x24[chosen.start : chosen.stop]
    parameters = settings.parameters or {}
    rounds = trees.best_rounds(
        rows,
        labels,
        horizon=target.horizon_blocks,
        parameters=parameters,
        most=settings.rounds,
        seed=settings.seed,
    )
    return trees.fit(
        rows,
        labels,
        names=spec.names,
        parameters=parameters,
        rounds=rounds,
        seed=settings.seed,
        match_variance=target.kind == "volatility",
        weights=_weights(samples.blocks[chosen.start : chosen.stop], settings.row_weights),
    )


def _weights(blocks: Sequence[int], by_block: Mapping[int, float] | None) -> list[float] | None:
    return [by_block.get(block, 1.0) for block in blocks] if by_block else None


def _floats(values_x24: Sequence[int]) -> Floats:
    return np.asarray(values_x24, dtype=np.float64) / Q24


def _forecasters(samples: Samples, tested: range, answers_x24: Sequence[int]) -> dict[str, Floats]:
    """What the model and each baseline said on a test range."""
    said = {"model": _floats(answers_x24)}
    for name, forecast in samples.baselines_x24.items():
        said[name] = _floats(forecast[tested.start : tested.stop])
    return said


def _outcome(samples: Samples, tested: range) -> Floats:
    return _floats(samples.labels_x24[tested.start : tested.stop])


def _fold_results(samples: Samples, test: OutOfSample, target: Target) -> tuple[FoldResult, ...]:
    results = []
    for split, answers in zip(test.splits, test.answers_x24, strict=True):
        outcome = _outcome(samples, split.test)
        metrics = {
            name: measure(target, forecast, outcome)
            for name, forecast in _forecasters(samples, split.test, answers).items()
        }
        results.append(
            FoldResult(split.train.start, split.train.stop, split.test.start, split.test.stop, metrics)
        )
    return tuple(results)


def _compare(
    samples: Samples, test: OutOfSample, target: Target, seed: int
) -> tuple[Comparison, dict[str, Metrics]]:
    """The model against the best baseline on all test ranges together, and everyone's metrics."""
    said = _forecasters(samples, test.whole, [answer for fold in test.answers_x24 for answer in fold])
    outcome = _outcome(samples, test.whole)
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


def _band(samples: Samples, test: OutOfSample) -> Band:
    """Split conformal: the width from all folds; its coverage on the last, with the width of those before."""
    errors = [
        [abs(samples.labels_x24[index] - answer) for index, answer in zip(split.test, answers, strict=True)]
        for split, answers in zip(test.splits, test.answers_x24, strict=True)
    ]
    width = conformal_width_x24([error for fold in errors[:-1] for error in fold])
    held = sum(error <= width for error in errors[-1]) / len(errors[-1])
    return Band(BAND_LEVEL, conformal_width_x24([error for fold in errors for error in fold]), held)


def conformal_width_x24(errors_x24: Sequence[int], level: float = BAND_LEVEL) -> int:
    """Half the width of a band that holds the next outcome with this probability, if errors are exchangeable.

    It is the ceil((n + 1) * level)-th smallest error, the largest where n is too small for that (Papadopoulos,
    Proedrou, Vovk, Gammerman 2002).

    Args:
        errors_x24: absolute errors on rows the model had not seen; at least one.
        level: the probability.
    """
    rank = min(ceil((len(errors_x24) + 1) * level), len(errors_x24))
    return sorted(errors_x24)[rank - 1]


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
        limits.append("It is fitted to the variance: on average it lies above the volatility itself.")
        limits.append("QLIKE counts volatilities below one tick as one tick.")
    if not beats:
        limits.insert(
            0,
            f"It does not beat {comparison.baseline}: the interval of the gain in {comparison.loss} reaches"
            f" from {comparison.low:.4g} to {comparison.high:.4g}.",
        )
    return tuple(limits)
