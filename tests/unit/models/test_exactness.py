"""The walk over integers, LightGBM and a second training all give the same, to the last bit."""

import os
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from defai.domain.decisions import FeatureRow
from defai.errors import ConfigError, DefaiError
from defai.features import build_table
from defai.features.pipeline import FEATURE_LIMIT
from defai.market.window import Observation
from defai.models.blob import pack
from defai.models.ensemble import Ensemble, Tree
from defai.models.lightgbm import fit, parse, predict_with_booster
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.trained import TrainedModel, model_digest
from defai.models.training import train
from defai.units import Q24

STUMP = Ensemble(10 * Q24, (Tree((0,), (-3,), (-1,), (-2,), (-Q24, Q24)), Tree((), (), (), (), (Q24 // 2,))))


def awkward_rows(model: TrainedModel, count: int) -> list[tuple[int, ...]]:
    """Values at the thresholds, next to them, at the ends of int32, around zero, and anywhere."""
    draw = Random(3)  # noqa: S311  draws test rows
    thresholds: dict[int, list[int]] = {}
    for tree in model.ensemble.trees:
        for feature, threshold in zip(tree.feature, tree.threshold, strict=True):
            thresholds.setdefault(feature, []).append(threshold)

    def value(feature: int) -> int:
        near = draw.choice(thresholds.get(feature, [0])) + draw.choice((-1, 0, 1))
        far = draw.randint(-FEATURE_LIMIT, FEATURE_LIMIT)
        ends = draw.choice((-FEATURE_LIMIT, FEATURE_LIMIT, -1, 0, 1))
        return draw.choice((near, near, near, far, ends))

    return [tuple(value(feature) for feature in range(len(model.spec.names))) for _ in range(count)]


@pytest.mark.parametrize("which", ["volatility_model", "return_model"])
def test_the_walk_equals_the_booster_bit_for_bit(which: str, request: pytest.FixtureRequest) -> None:
    model: TrainedModel = request.getfixturevalue(which)
    rows = awkward_rows(model, 5_000)
    trees = parse(model.lightgbm_text)
    ours = [trees.sum_x24(row) for row in rows]
    assert ours == predict_with_booster(model.lightgbm_text, rows)
    assert model.ensemble.trees[-len(trees.trees) :] == trees.trees
    assert len(set(ours)) > 100
    assert any(min(row) < 0 for row in rows)


def test_the_walk_equals_the_booster_on_the_history(
    volatility_model: TrainedModel, wild: list[Observation]
) -> None:
    rows = [row.values for row in build_table([wild], volatility_model.spec) if row]
    corrected = predict_with_booster(volatility_model.lightgbm_text, rows)
    start = replace(
        volatility_model.ensemble,
        base_x24=volatility_model.ensemble.base_x24 - parse(volatility_model.lightgbm_text).base_x24,
        trees=(),
    )
    sums = [volatility_model.ensemble.sum_x24(row) for row in rows]
    assert sums == [start.sum_x24(row) + trees for row, trees in zip(rows, corrected, strict=True)]


def test_the_text_gives_the_trees_back(return_model: TrainedModel) -> None:
    assert parse(return_model.lightgbm_text) == return_model.ensemble


def test_a_constant_label_gives_a_tree_without_nodes() -> None:
    rows = [(index % 7, -index) for index in range(300)]
    fitted = fit(rows, [5 * Q24] * 300, names=("a", "b"), parameters={}, rounds=3, seed=1)
    assert fitted.ensemble.predict_x24((3, -3)) == 5 * Q24
    assert predict_with_booster(fitted.text, rows[:5]) == [5 * Q24] * 5
    assert fitted.importance == {"a": 0.0, "b": 0.0}


def test_the_average_is_part_of_the_sum() -> None:
    """Labels far from zero: a walk that forgot the average would be off by a thousand."""
    rows = [(index,) for index in range(400)]
    labels = [(1_000 + index // 100) * Q24 for index in rows_of(rows)]
    fitted = fit(rows, labels, names=("a",), parameters={"min_data_in_leaf": 20}, rounds=50, seed=1)
    assert abs(fitted.ensemble.predict_x24((250,)) - 1_002 * Q24) < Q24
    assert abs(fitted.ensemble.base_x24 - 1_001 * Q24) < 2 * Q24


def rows_of(rows: list[tuple[int]]) -> list[int]:
    return [row[0] for row in rows]


def test_a_walk_by_hand() -> None:
    assert STUMP.predict_x24((-3,)) == 10 * Q24 - Q24 + Q24 // 2
    assert STUMP.predict_x24((-2,)) == 10 * Q24 + Q24 + Q24 // 2


def test_the_encoding_byte_by_byte() -> None:
    """Version, width, features, trees, base (the constant tree is part of it), no linear part; count, node, leaves."""
    assert pack(STUMP).hex() == (
        "010400010001000000000a8000000000"
        "01"
        "fffffffd008081"
        "ff00000001000000"
    )  # fmt: skip


def test_ensembles_survive_json(volatility_model: TrainedModel) -> None:
    assert Ensemble.from_json(volatility_model.ensemble.to_json()) == volatility_model.ensemble


@pytest.mark.parametrize(
    "tree",
    [
        Tree((256,), (0,), (-1,), (-2,), (0, 0)),
        Tree((0,), (2**31,), (-1,), (-2,), (0, 0)),
        Tree((0,), (0,), (-1,), (-2,), (0, 2**39)),
        Tree((0,) * 128, (0,) * 128, tuple(~leaf for leaf in range(128)), (*range(1, 128), ~128), (0,) * 129),
        Tree((0,), (0,), (-1,), (-2,), (0,)),
    ],
    ids=["feature", "threshold", "leaf", "leaves", "missing"],
)
def test_what_does_not_fit_the_encoding(tree: Tree) -> None:
    with pytest.raises(DefaiError, match="does not fit its encoding"):
        pack(Ensemble(0, (tree,)))


def test_the_digest_covers_everything_a_forecast_depends_on(return_model: TrainedModel) -> None:
    spec, trees = return_model.spec.digest, return_model.ensemble
    target, band = return_model.target, return_model.band_x24
    digest = model_digest(spec, target, trees, band, beats_baseline=True)
    others = {
        model_digest("0x" + "11" * 32, target, trees, band, beats_baseline=True),
        model_digest(spec, Target("volatility", 6), trees, band, beats_baseline=True),
        model_digest(spec, Target("return", 7), trees, band, beats_baseline=True),
        model_digest(spec, target, STUMP, band, beats_baseline=True),
        model_digest(spec, target, trees, None, beats_baseline=True),
        model_digest(spec, target, trees, band, beats_baseline=False),
    }
    assert len(others | {digest}) == 7


def test_the_digest_of_a_known_model() -> None:
    """Written down, so that a change of the encoding cannot go unnoticed."""
    digest = model_digest("0x" + "22" * 32, Target("return", 12), STUMP, 3 * Q24, beats_baseline=True)
    assert digest == "0xc5d41d56986c535a0751c5462530a0a87f6a287f4ab03f72970ef55fd843850c"


def test_the_same_training_gives_the_same_digest(
    return_model: TrainedModel, reverting: list[Observation]
) -> None:
    design = Design(seed=5, rounds=30, folds=3)
    names = return_model.spec.names
    again = train({"main": reverting}, feature_names=names, target=return_model.target, design=design)
    assert again == return_model
    assert again.card == return_model.card
    assert again.lightgbm_text == return_model.lightgbm_text
    other = Design(seed=6, rounds=30, folds=3)
    different = train({"main": reverting}, feature_names=names, target=return_model.target, design=other)
    assert different.digest != return_model.digest


def test_another_process_gives_the_same_digest(return_model: TrainedModel) -> None:
    script = f"""
from defai.models.targets import Target
from defai.models.study import Design
from defai.models.training import train
from defai.testing.histories import generated_history
rows = generated_history(2_500, seed=12, reversion=0.2)
design = Design(seed=5, rounds=30, folds=3)
names = {return_model.spec.names!r}
print(train({{"main": rows}}, feature_names=names, target=Target("return", 6), design=design).digest)
"""
    environment = {**os.environ, "PYTHONHASHSEED": "4321", "OMP_NUM_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        check=True,
        timeout=600,
    )
    assert done.stdout.strip() == return_model.digest


def test_forecasting_needs_neither_lightgbm_nor_numpy() -> None:
    script = """
import sys
import defai.models, defai.features
heavy = {"lightgbm", "numpy", "pandas", "sklearn", "pydantic"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"num_threads": 4}, "num_threads is not yours to set"),
        ({"bagging_seed": 4}, "bagging_seed is not yours to set"),
        ({"objective": "gamma"}, "objective gamma gives no forecast that is a sum of leaves"),
        ({"num_leaves": 129}, "129 leaves a tree are more than the 128 that fit"),
        ({"max_leaves": 129}, "129 leaves a tree are more than the 128 that fit"),
        ({"num_leaves": 7.5}, "num_leaves is no whole number: 7.5"),
        ({"random_state": 4}, "seed is not yours to set"),
        ({"n_estimators": 4}, "num_iterations is not yours to set"),
        ({"output_model": "x"}, "output_model is not yours to set"),
        ({"n_leaves": 4}, "LightGBM has no parameter n_leaves"),
        ({"eta": 0.1, "learning_rate": 0.2}, "learning_rate is given twice"),
        ({"lambda_l1": "much"}, "lambda_l1 is no number: much"),
        ({"learning_rate": -1.0}, "does not train with these parameters: Check failed: .learning_rate. >"),
    ],
)
def test_parameters_that_would_break_exactness_or_do_nothing(
    parameters: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ConfigError, match=sentence):
        fit([(1,)], [1], names=("a",), parameters=parameters, rounds=1, seed=1)


def test_a_parameter_has_several_names() -> None:
    rows = [(n,) for n in range(100)]
    labels = [(n * n) << 24 for n in range(100)]
    one, other, usual = (
        fit(rows, labels, names=("a",), parameters=given, rounds=2, seed=1).text
        for given in ({"eta": 0.3}, {"learning_rate": 0.3}, {})
    )
    assert one == other != usual


def test_a_booster_whose_leaves_were_not_quantised_is_refused(volatility_model: TrainedModel) -> None:
    head, tail = volatility_model.lightgbm_text.split("leaf_value=", 1)
    changed = head + "leaf_value=0.1" + tail[tail.index(" ") :]
    with pytest.raises(DefaiError, match="not multiples"):
        parse(changed)
    with pytest.raises(DefaiError, match="no trees"):
        parse("tree\nversion=v4\n")


def test_what_has_no_integer_form_is_refused(volatility_model: TrainedModel) -> None:
    text = volatility_model.lightgbm_text
    with pytest.raises(DefaiError, match="categorical or linear trees"):
        parse(text.replace("is_linear=0", "is_linear=1", 1))
    with pytest.raises(DefaiError, match="larger than 32,767 ticks"):
        parse(text.replace("leaf_value=", "leaf_value=40000 ", 1))


def test_a_changed_booster_is_noticed(volatility_model: TrainedModel) -> None:
    """Of the same length: LightGBM trusts the sizes it finds in the text."""
    head, tail = volatility_model.lightgbm_text.split("leaf_value=", 1)
    leaves, rest = tail.split("\n", 1)
    odd = " ".join("0.3".ljust(len(leaf), "0") for leaf in leaves.split())
    with pytest.raises(DefaiError, match="booster's leaves are not multiples"):
        predict_with_booster(f"{head}leaf_value={odd}\n{rest}", [(0,) * len(volatility_model.spec.names)])


def test_a_model_without_a_band_forecasts_without_one(return_model: TrainedModel) -> None:
    bare = replace(return_model, band_x24=None)
    row = FeatureRow(1, bare.spec.names, (0,) * 7, bare.spec.digest)
    forecast = bare.predict(row)
    assert (forecast.low_x24, forecast.high_x24) == (None, None)
    assert forecast.value_x24 == return_model.predict(row).value_x24
    assert forecast.model_digest != return_model.digest


def test_a_row_of_other_features_is_refused(volatility_model: TrainedModel) -> None:
    names = volatility_model.spec.names
    row = FeatureRow(1, names, (0,) * len(names), "0x" + "33" * 32)
    with pytest.raises(ValueError, match="not of the model's feature specification"):
        volatility_model.predict(row)


def test_a_forecast_says_what_it_is(volatility_model: TrainedModel, wild: list[Observation]) -> None:
    row = build_table([wild], volatility_model.spec)[-1]
    assert row is not None
    forecast = volatility_model.predict(row)
    assert forecast.name == "volatility of the next 6 blocks"
    assert forecast.unit == "ticks"
    assert forecast.model_digest == volatility_model.digest
    assert forecast.low_x24 is not None
    assert forecast.high_x24 is not None
    assert 0 <= forecast.low_x24 <= forecast.value_x24 <= forecast.high_x24
    assert volatility_model.band_x24 is not None
    assert forecast.high_x24 / forecast.value_x24 == pytest.approx(
        2 ** (volatility_model.band_x24 / Q24), rel=1e-6
    )
