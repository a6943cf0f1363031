"""From histories to a model with a card that was measured by walking forward: what `defai walk-forward` does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from defai.market.window import Observation
from defai.models import verdicts
from defai.models.boosting import Boosted, Recipe, chosen_parameters
from defai.models.card import Comparison, ModelCard, TrainingRange, keccak_hex
from defai.models.panel import Panel, make_panel
from defai.models.study import Design, Walked, train_on, trainable, walk
from defai.models.targets import VOLATILITIES, Target
from defai.models.trained import TrainedModel, model_digest

_PACKAGES: Final = ("defai", "lightgbm", "numpy")


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A walk forward and what it was made on."""

    panel: Panel
    design: Design
    walked: tuple[Walked, ...]


def study(
    histories: Mapping[str, Sequence[Observation]],
    *,
    feature_names: Sequence[str],
    target: Target,
    design: Design | None = None,
    har_windows: Sequence[int] | None = None,
) -> Study:
    """Walk forward over a history.

    Args:
        histories: rows by pool, the main pool first.
        feature_names: what the model is given; for volatilities strong HAR's join them.
        target: what it forecasts.
        design: how; by default six folds over the last 60 % of the time.
        har_windows: see `default_windows`.

    Raises:
        ConfigError: for an unknown feature, a settled parameter, or too short a history.
    """
    panel = make_panel(histories, feature_names=feature_names, target=target, har_windows=har_windows)
    chosen = design or Design()
    return Study(panel, chosen, walk(panel, chosen))


def trained_model(done: Study, *, source: str = "") -> TrainedModel:
    """The model of everything there is, with the card that the walk forward earned.

    Args:
        done: the walk forward.
        source: where the rows are from, for the card.
    """
    panel, design, walked = done.panel, done.design, done.walked
    trained = trainable(panel, design)
    final, _ = train_on(panel, design, trained)
    against = verdicts.comparisons(panel, walked, design.seed)
    held = verdicts.calibration(panel, walked)
    band = verdicts.band(panel, walked, held)
    beats = against[0].low > 0
    card = ModelCard(
        model_digest=model_digest(
            panel.spec.digest, panel.target, final.ensemble, band.half_width_x24, beats
        ),
        target=panel.target,
        features=tuple(panel.spec.to_json()),
        features_digest=panel.spec.digest,
        trained_on=_range(panel, source, trained),
        **_made(panel, design, final),
        folds=verdicts.fold_results(panel, walked),
        metrics=verdicts.all_metrics(panel, walked),
        comparison=against[0],
        comparisons=against,
        intervals=verdicts.intervals(panel, walked, design.seed),
        calibration=held,
        beats_baseline=beats,
        band=band,
        limits=_limits(panel, against[0], held, beats=beats),
    )
    return TrainedModel(
        panel.spec, panel.target, final.ensemble, band.half_width_x24, beats, card, final.text
    )


def _made(panel: Panel, design: Design, final: Boosted) -> dict[str, Any]:
    recipe = Recipe(parameters=design.model_training_parameters, seed=design.seed)
    return {
        "identifier": design.identifier,
        "parameters": chosen_parameters(recipe, panel.target, panel.spec.names),
        "rounds": design.rounds,
        "trees": len(final.ensemble.trees),
        "seed": design.seed,
        "purge": panel.target.horizon_blocks,
        "embargo": design.embargo_rows(panel),
        "importance": dict(final.importance),
        "versions": {package: version(package) for package in _PACKAGES},
        "lightgbm_digest": keccak_hex(final.text.encode()),
        "design": {**design.to_json(), "har_windows": list(panel.har_windows)},
    }


def _range(panel: Panel, source: str, trained: NDArray[np.int64]) -> TrainingRange:
    """From the first row to the last that a label of a sample trained on looks at."""
    end = int(panel.positions[trained[-1]]) + panel.target.horizon_blocks
    first, last = panel.rows[0], panel.rows[end]
    return TrainingRange(
        source=source,
        pools=panel.pools,
        rows=end + 1,
        samples=len(trained),
        first_block=first.block_number,
        last_block=last.block_number,
        first_timestamp=first.timestamp,
        last_timestamp=last.timestamp,
        digest=panel.digest,
    )


def _limits(panel: Panel, best: Comparison, held: Mapping[str, float], *, beats: bool) -> tuple[str, ...]:
    """What a person should hold against the model."""
    limits = [
        "It was measured on the history it was trained on, by walking forward; no other market was looked at.",
        "Metrics are of models trained on less; the one that is served was trained on everything.",
        "Costs of acting on the forecast are not part of its metrics.",
        f"Bands of 90 % held {held['0.9']:.1%} of the outcomes that were tested.",
    ]
    if panel.target.kind in VOLATILITIES:
        limits.append("QLIKE counts volatilities below one tick as one tick.")
        limits.append(
            "The text of the trees holds what they correct; where they start is strong HAR, in the model."
        )
    if panel.target.kind == "range_volatility":
        limits.append(
            "The outcome is estimated from each row's range, which Parkinson's formula makes a variance."
        )
    if not beats:
        limits.insert(
            0,
            f"It does not beat {best.baseline}: the interval of the gain in {best.loss} reaches from {best.low:.4g}"
            f" to {best.high:.4g}.",
        )
    return tuple(limits)
