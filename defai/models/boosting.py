"""Boosted trees that correct what a linear model says, exact as `lightgbm` makes them.

Volatilities: the objective is gamma on the volatility itself, from the logarithm that strong HAR gives as the initial
score. On variances its deviance would be twice QLIKE, by which forecasts are measured; but there the few widest rows
lead every split, and out of sample that costs more than it brings (`study` scales the sum so that QLIKE is smallest).
The leaves, natural logarithms, are turned into binary ones as they are rounded. The ratio of fees to LVR: least
squares, from what `ratio_start` gives. Everything else: least squares on the outcome itself, from nothing.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from defai.errors import ConfigError
from defai.features.table import Integers
from defai.models.ensemble import Ensemble
from defai.models.lightgbm import parse, quantise_leaves, settled
from defai.models.metrics import TICK_FLOOR, Floats
from defai.models.parameters import by_their_names, refusals_told
from defai.models.start import Start
from defai.models.targets import VOLATILITIES, Target
from defai.units import Q24

_LN2: Final = log(2)
_CORRECTING: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "num_leaves": 7,
        "learning_rate": 0.03,
        "min_data_in_leaf": 200,
        "lambda_l2": 5.0,
        "feature_fraction": 0.3,
        "bagging_fraction": 0.7,
        "bagging_freq": 1,
        "max_bin": 63,
    }
)
"""What is trained with unless the caller says otherwise where there is little to learn: small steps, wide leaves."""
_SLOW: Final = frozenset({"fee_lvr", "fees", "survival"})
"""Kinds beside volatilities that are trained so: their baselines are hard to beat, and larger trees don't."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one booster is trained.

    Attributes:
        parameters: `model_training_parameters`, over the default ones.
        rounds: trees at most.
        patience: rounds without progress on the purged tail after which training would stop.
        monotone: features whose rise may only raise (1) or lower (-1) the forecast.
    """

    parameters: Mapping[str, Any] = field(default_factory=dict)
    rounds: int = 200
    patience: int = 30
    seed: int = 0
    monotone: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Boosted:
    """A booster, quantised, on top of its start.

    Attributes:
        ensemble: the whole model in integers.
        text: the trees as LightGBM writes them, without the start.
        importance: share of the total gain by feature.
    """

    ensemble: Ensemble
    text: str = field(repr=False)
    importance: Mapping[str, float]
    booster: Any = field(repr=False)
    start: Start | None
    lift_x24: int = 0

    def lifted(self, lift_x24: int) -> "Boosted":
        """The same with so much added to every sum."""
        ensemble = replace(self.ensemble, base_x24=self.ensemble.base_x24 + lift_x24)
        return replace(self, ensemble=ensemble, lift_x24=self.lift_x24 + lift_x24)

    def sums_x24(self, values: Integers) -> Integers:
        """What `ensemble.sum_x24` gives for these rows, shape (rows,), by LightGBM: the same integers, faster."""
        total = self.booster.predict(values.astype(np.float64), raw_score=True, num_threads=1) * Q24
        answer = np.asarray(total, dtype=np.float64).astype(np.int64) + self.lift_x24
        return answer if self.start is None else answer + self.start.sums_x24(values)


def chosen_parameters(recipe: Recipe, target: Target, names: Sequence[str]) -> dict[str, Any]:
    """All parameters of a training run.

    Raises:
        ConfigError: for a parameter that would make the model inexact or not repeatable.
    """
    given = by_their_names(recipe.parameters)
    if target.kind not in VOLATILITIES:
        chosen = settled({**_CORRECTING, **given} if target.kind in _SLOW else given)
    else:
        if given.pop("objective", "gamma") != "gamma":
            raise ConfigError(
                "A volatility is trained with the objective gamma.", "Its trees add to a logarithm."
            )
        chosen = {**settled({**_CORRECTING, **given}), "objective": "gamma"}
    if recipe.monotone:
        chosen["monotone_constraints"] = [recipe.monotone.get(name, 0) for name in names]
    return {**chosen, "seed": recipe.seed, "data_random_seed": recipe.seed}


def numbers_of(texts: Mapping[str, str]) -> dict[str, int | float | str]:
    """Parameters as a person writes them: a number where it is one."""
    return {name: _number(text) for name, text in texts.items()}


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def fit_boosted(
    values: Integers,
    outcome: Floats,
    weights: Floats,
    *,
    names: Sequence[str],
    target: Target,
    recipe: Recipe,
    rounds: int,
    start: Start | None,
) -> Boosted:
    """Train so many trees and quantise them.

    Args:
        values: shape (rows, features).
        outcome: in the target's unit, shape (rows,).
        weights: of the rows.
        names: of the features.
        target: what is forecast.
        recipe: how.
        rounds: number of trees.
        start: what the trees correct; given for volatilities.
    """
    import lightgbm  # noqa: PLC0415  takes a second to import and is needed for training only

    chosen = chosen_parameters(recipe, target, names)
    data = _dataset(values, outcome, weights, target=target, start=start, parameters=chosen, names=names)
    with refusals_told():
        booster = lightgbm.train(chosen, data, num_boost_round=rounds)
    quantise_leaves(booster, 1 / _LN2 if target.kind in VOLATILITIES else 1.0)
    text = booster.model_to_string()
    gains = [float(gain) for gain in booster.feature_importance("gain")]
    total = sum(gains) or 1.0
    shares = {name: round(gain / total, 6) for name, gain in zip(names, gains, strict=True)}
    return Boosted(_joined(parse(text), start, target), text, shares, booster, start)


def rounds_on_tail(
    known: tuple[Integers, Floats, Floats],
    tail: tuple[Integers, Floats, Floats],
    *,
    names: Sequence[str],
    target: Target,
    recipe: Recipe,
    start: Start | None,
) -> int:
    """As many trees as were best on a tail that nothing of the rest touches; at least one.

    Args:
        known: values, outcomes and weights of the rows trained on.
        tail: the same of the rows it is measured on.
        names: of the features.
        target: what is forecast.
        recipe: how.
        start: fitted to `known` alone.
    """
    import lightgbm  # noqa: PLC0415  training only

    chosen = chosen_parameters(recipe, target, names)
    data = _dataset(*known, target=target, start=start, parameters=chosen, names=names)
    unseen = _dataset(*tail, target=target, start=start, parameters=chosen, names=names, reference=data)
    stop = lightgbm.early_stopping(recipe.patience, verbose=False)
    metric = {"metric": "gamma_deviance"} if target.kind in VOLATILITIES else {}
    with refusals_told():
        booster = lightgbm.train(
            {**chosen, **metric}, data, num_boost_round=recipe.rounds, valid_sets=[unseen], callbacks=[stop]
        )
    return max(int(booster.best_iteration), 1)


def _dataset(
    values: Integers,
    outcome: Floats,
    weights: Floats,
    *,
    target: Target,
    start: Start | None,
    parameters: Mapping[str, Any],
    names: Sequence[str],
    reference: Any = None,  # noqa: ANN401  lightgbm has no types
) -> Any:  # noqa: ANN401  the same
    import lightgbm  # noqa: PLC0415  training only

    label = np.maximum(outcome, TICK_FLOOR) if target.kind in VOLATILITIES else outcome
    unit = _LN2 if target.kind in VOLATILITIES else 1.0
    score = None if start is None else start.sums_x24(values) / Q24 * unit
    return lightgbm.Dataset(
        values.astype(np.float64),
        label=label,
        weight=weights,
        init_score=score,
        feature_name=list(names),
        params=dict(parameters),
        reference=reference,
    )


def _joined(trees: Ensemble, start: Start | None, target: Target) -> Ensemble:
    if start is None:
        return Ensemble(trees.base_x24, trees.trees, None, "exp2" if target.kind in VOLATILITIES else "sum")
    first = start.ensemble
    return Ensemble(trees.base_x24 + first.base_x24, first.trees + trees.trees, first.linear, first.link)
