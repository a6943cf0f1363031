"""LightGBM, made exact: integer features, integer thresholds, leaves in fixed point, one thread, fixed seeds.

With integer features `x <= t` and `x <= floor(t)` agree. Leaves are rounded to 2**-24 and written back into the
booster before anything is measured; sums of such numbers are exact in float64, so the booster, the walk over integers
in `ensemble` and the chain give the same forecast to the last bit.

This module is imported to train and to verify; predicting needs neither LightGBM nor numpy.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from defai.errors import ConfigError, DefaiError
from defai.models.ensemble import LEAF_LIMIT_X24, MOST_LEAVES, THRESHOLD_LIMIT, Ensemble, Tree
from defai.models.metrics import Floats
from defai.models.parameters import by_their_names, refusals_told, refuse_others
from defai.units import Q24

DEFAULT_PARAMETERS: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "objective": "regression",
        "num_leaves": 15,
        "learning_rate": 0.05,
        "min_data_in_leaf": 40,
        "lambda_l2": 1.0,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "max_bin": 63,
    }
)
"""What a model is trained with unless the caller says otherwise."""

_SETTLED: Final[Mapping[str, Any]] = MappingProxyType(
    {
        "boost_from_average": True,
        "deterministic": True,
        "force_row_wise": True,
        "linear_tree": False,
        "num_threads": 1,
        "use_missing": False,
        "verbosity": -1,
    }
)
"""What makes training repeatable and the trees exact; not for the caller to change."""

_OBJECTIVES: Final = ("regression", "regression_l1", "huber", "fair", "quantile", "mape")
"""Objectives whose raw sum of leaves is the forecast; others would need a function of it that is not exact."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """A booster, quantised.

    Attributes:
        text: the booster as LightGBM writes it, leaves quantised.
        importance: share of the total gain by feature; all 0 where nothing was split.
    """

    ensemble: Ensemble
    text: str = field(repr=False)
    importance: Mapping[str, float]


def fit(
    rows: Sequence[Sequence[int]],
    labels_x24: Sequence[int],
    *,
    names: Sequence[str],
    parameters: Mapping[str, Any],
    rounds: int,
    seed: int,
) -> Fitted:
    """Train one booster and quantise it.

    Args:
        rows: one row of integer features per sample.
        labels_x24: what each is to give, times 2**24.
        names: the features' names.
        parameters: LightGBM's, over `DEFAULT_PARAMETERS`.
        rounds: number of trees.
        seed: of every random choice.

    Raises:
        ConfigError: for a parameter that would make the model inexact or not repeatable.
        DefaiError: where a leaf is too large for the encoding.
    """
    import lightgbm  # noqa: PLC0415  takes a second to import and is needed for training only

    chosen = _seeded(parameters, seed)
    features, target = _matrix(rows, labels_x24)
    dataset = lightgbm.Dataset(features, label=target, feature_name=list(names), params=chosen)
    with refusals_told():
        booster = lightgbm.train(chosen, dataset, num_boost_round=rounds)
    quantise_leaves(booster)
    gains = [float(gain) for gain in booster.feature_importance("gain")]
    total = sum(gains)
    shares = {name: round(gain / total, 6) if total else 0.0 for name, gain in zip(names, gains, strict=True)}
    text = booster.model_to_string()
    return Fitted(parse(text), text, shares)


def settled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """All parameters of a training run except its seeds.

    Raises:
        ConfigError: for a parameter that there is not, or that would make the model inexact or not repeatable.
    """
    named = by_their_names(parameters)
    for name in named:
        if name in _SETTLED or "seed" in name:
            raise ConfigError(
                f"The model parameter {name} is not yours to set.", "It keeps models repeatable."
            )
    refuse_others(named)
    chosen = {**DEFAULT_PARAMETERS, **named}
    if chosen["objective"] not in _OBJECTIVES:
        raise ConfigError(
            f"The objective {chosen['objective']} gives no forecast that is a sum of leaves.",
            f"Use one of {', '.join(_OBJECTIVES)}.",
        )
    if not isinstance(chosen["num_leaves"], int):
        raise ConfigError(f"num_leaves is no whole number: {chosen['num_leaves']}.")
    if chosen["num_leaves"] > MOST_LEAVES:
        raise ConfigError(f"{chosen['num_leaves']} leaves a tree are more than the {MOST_LEAVES} that fit.")
    return {**chosen, **_SETTLED}


def parse(text: str) -> Ensemble:
    """The trees of a quantised booster, from the text LightGBM writes.

    The first tree's leaves hold the average; the middle between its extremes becomes the base.

    Raises:
        DefaiError: where the text is not that of a quantised regression booster.
    """
    trees = [_parse_tree(block) for block in text.split("\nTree=")[1:]]
    if not trees:
        raise DefaiError("The model text holds no trees.")
    first = trees[0]
    base = (min(first.leaf_x24) + max(first.leaf_x24)) // 2
    lowered = Tree(
        first.feature, first.threshold, first.left, first.right, tuple(leaf - base for leaf in first.leaf_x24)
    )
    return Ensemble(base, (lowered, *trees[1:]))


def predict_with_booster(text: str, rows: Sequence[Sequence[int]]) -> list[int]:
    """What LightGBM itself says on rows, times 2**24: to compare with `Ensemble.predict_x24`.

    LightGBM trusts the sizes it finds in the text: hand it only text that matches its digest.

    Raises:
        DefaiError: where an answer is not a multiple of 2**-24.
    """
    import lightgbm  # noqa: PLC0415  verification only

    booster = lightgbm.Booster(model_str=text)
    scaled = booster.predict(np.asarray(rows, dtype=np.float64), raw_score=True, num_threads=1) * Q24
    answers = [int(value) for value in scaled]
    if any(answer != value for answer, value in zip(answers, scaled, strict=True)):
        raise DefaiError("The booster's leaves are not multiples of 2**-24.", "Its text was changed.")
    return answers


def _seeded(parameters: Mapping[str, Any], seed: int) -> dict[str, Any]:
    return {**settled(parameters), "seed": seed, "data_random_seed": seed}


def _matrix(rows: Sequence[Sequence[int]], labels_x24: Sequence[int]) -> tuple[Floats, Floats]:
    """Features, shape (n, features), and labels, shape (n,): exact, since all are far below 2**53."""
    return np.asarray(rows, dtype=np.float64), np.asarray(labels_x24, dtype=np.float64) / Q24


def quantise_leaves(booster: Any, scale: float = 1.0) -> None:  # noqa: ANN401  lightgbm has no types
    """Round the leaves, times a scale, to multiples of 2**-24."""
    for tree, described in enumerate(booster.dump_model()["tree_info"]):
        for leaf in range(described["num_leaves"]):
            value_x24 = round(booster.get_leaf_output(tree, leaf) * scale * Q24)
            booster.set_leaf_output(tree, leaf, value_x24 / Q24)


def _parse_tree(block: str) -> Tree:
    fields = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
    if fields.get("num_cat", "0") != "0" or fields.get("is_linear", "0") != "0":
        raise DefaiError("The model has categorical or linear trees, which have no exact integer form.")
    scaled = [float(leaf) * Q24 for leaf in fields["leaf_value"].split()]
    leaves = tuple(int(leaf) for leaf in scaled)
    if any(leaf != whole for leaf, whole in zip(scaled, leaves, strict=True)):
        raise DefaiError("The model's leaves are not multiples of 2**-24.", "Train it with defai.")
    if max(map(abs, leaves)) > LEAF_LIMIT_X24:
        raise DefaiError("A leaf of the model is larger than 32,767 ticks.", "Look at the training data.")
    return Tree(
        tuple(map(int, fields["split_feature"].split())),
        tuple(_whole(float(threshold)) for threshold in fields["threshold"].split()),
        tuple(map(int, fields["left_child"].split())),
        tuple(map(int, fields["right_child"].split())),
        leaves,
    )


def _whole(threshold: float) -> int:
    return floor(max(-THRESHOLD_LIMIT - 1.0, min(float(THRESHOLD_LIMIT), threshold)))
