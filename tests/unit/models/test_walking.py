"""Walking forward: exact forecasts in logarithms, honest folds, and planted leaks that are caught."""

import json
import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.domain.decisions import FeatureRow
from defai.errors import ConfigError
from defai.features import FeatureSpec, Past, feature, find_lookahead
from defai.features import spec as spec_module
from defai.features.arithmetic import RATIO_BITS
from defai.features.column import Column
from defai.features.logarithm import log2_x16
from defai.market.window import Observation
from defai.models.blob import pack, unpack
from defai.models.card import ModelCard, summary
from defai.models.exponential import HIGHEST_X24, LOWEST_X24, exp2_x24
from defai.models.folds import Fold, purged_tail, windows
from defai.models.har import fit_log_har
from defai.models.labels import labels
from defai.models.leaks import LeakError, require_purged, sees_the_test
from defai.models.metrics import Floats
from defai.models.naive import naive_forecasts, strong_har
from defai.models.page import page
from defai.models.panel import Panel, make_panel
from defai.models.registry import ModelRegistry
from defai.models.study import Design, train_on, walk, walk_over
from defai.models.targets import Kind, Target
from defai.models.trained import TrainedModel
from defai.models.walking import Study, study, trained_model
from defai.models.weights import by_age, uniqueness
from defai.testing.histories import generated_history
from defai.units import Q24

NAMES = ("return_1", "return_6", "log_parkinson_6", "peak_parkinson_12")
WINDOWS = (1, 6, 24)


@pytest.fixture(scope="module")
def rows() -> list[Observation]:
    return generated_history(1_500, seed=5, clustering=0.12)


@pytest.fixture(scope="module")
def panel(rows: list[Observation]) -> Panel:
    return make_panel(
        {"main": rows}, feature_names=NAMES, target=Target("range_volatility", 6), har_windows=WINDOWS
    )


@pytest.fixture(scope="module")
def design() -> Design:
    return Design(folds=2, rounds=25, model_training_parameters={"min_data_in_leaf": 20})


@pytest.fixture(scope="module")
def done(panel: Panel, design: Design) -> Study:
    return Study(panel, design, walk(panel, design))


@pytest.fixture(scope="module")
def model(done: Study) -> TrainedModel:
    return trained_model(done, source="generated")


@given(st.integers(LOWEST_X24, HIGHEST_X24))
def test_two_to_a_power_is_that_of_the_reals(exponent_x24: int) -> None:
    exact = 2.0 ** (exponent_x24 / Q24) * Q24
    assert abs(exp2_x24(exponent_x24) - exact) <= exact * 2.0**-23 + 1


@given(st.integers(-(2**40), 2**40))
def test_powers_never_fall_and_stay_within_their_limits(exponent_x24: int) -> None:
    now, after = exp2_x24(exponent_x24), exp2_x24(exponent_x24 + 1)
    assert 1 <= now <= after < 2**39


@given(st.lists(st.integers(-5, 2**62), min_size=1, max_size=20))
def test_logarithms_of_a_column_are_those_of_its_numbers(values: list[int]) -> None:
    by_column = log2_x16(Column(np.array(values, dtype=np.int64))).values.tolist()
    assert by_column == [log2_x16(value) for value in values]
    for value, logarithm in zip(values, by_column, strict=True):
        exact = math.log2(value) * 2**RATIO_BITS if value > 0 else 0.0
        assert abs(logarithm - exact) <= 1.01


def test_strong_har_is_the_same_in_columns_and_as_a_model(panel: Panel) -> None:
    components = panel.components("log_parkinson")
    fitted = fit_log_har(
        panel.values, panel.outcome, names=panel.spec.names, components=components, seasonal=True
    )
    assert len(fitted.seasons) == 2
    assert not strong_har(panel, np.arange(len(panel.positions))).seasons
    assert fitted.sums_x24(panel.values).tolist() == [
        fitted.ensemble.sum_x24(row) for row in panel.values.tolist()
    ]
    assert unpack(pack(fitted.ensemble)) == fitted.ensemble
    assert pack(fitted.ensemble)[0] == 2


def test_what_is_measured_is_what_is_served(panel: Panel, design: Design, model: TrainedModel) -> None:
    """LightGBM's trees on their start, the integer walk and the model's own forecast: one number."""
    fitted, _ = train_on(panel, design, np.arange(len(panel.positions)))
    assert fitted.ensemble == model.ensemble
    rows = panel.values.tolist()
    assert fitted.sums_x24(panel.values).tolist() == [model.ensemble.sum_x24(row) for row in rows]
    row = FeatureRow(1, panel.spec.names, tuple(rows[7]), panel.spec.digest)
    forecast = model.predict(row)
    assert forecast.value_x24 == exp2_x24(model.ensemble.sum_x24(rows[7]))
    assert forecast.low_x24 is not None
    assert forecast.high_x24 is not None
    assert forecast.value_x24 / forecast.low_x24 == pytest.approx(
        forecast.high_x24 / forecast.value_x24, rel=1e-4
    )


def test_a_model_in_logarithms_comes_back_from_disk_and_bytes(model: TrainedModel, tmp_path: Path) -> None:
    registry = ModelRegistry(tmp_path)
    again = registry.load(registry.save(model))
    assert again == model
    assert again.card == model.card
    assert unpack(pack(model.ensemble)).link == "exp2"


def test_threads_and_repetition_change_nothing(panel: Panel, design: Design, done: Study) -> None:
    for workers in (1, 3):
        again = walk(panel, replace(design, workers=workers))
        for before, after in zip(done.walked, again, strict=True):
            assert before.sums_x24.tolist() == after.sums_x24.tolist()
            assert before.widths_x24 == after.widths_x24


@given(
    st.integers(700, 3_000),
    st.integers(1, 60),
    st.integers(0, 60),
    st.integers(1, 9),
    st.none() | st.floats(0.2, 3.0),
)
def test_no_label_touches_its_test(
    samples: int, horizon: int, embargo: int, folds: int, days: float | None
) -> None:
    timestamps = np.arange(samples, dtype=np.int64) * 60
    try:
        made = windows(
            timestamps, horizon_s=horizon * 60, embargo_s=embargo * 60, folds=folds, train_period_days=days
        )
    except ConfigError:
        return
    require_purged(made, timestamps, horizon_s=horizon * 60, embargo_s=embargo * 60)
    tested = np.concatenate([fold.test for fold in made])
    assert tested.tolist() == list(range(int(tested[0]), samples))
    for fold in made:
        assert days is None or (fold.train[-1] - fold.train[0]) * 60 <= days * 86_400
        known, tail = purged_tail(
            timestamps[fold.train], horizon_s=horizon * 60, embargo_s=embargo * 60, share=0.15
        )
        assert not len(known) or known[-1] + horizon + embargo < tail[0]


def test_a_target_that_overlaps_the_test_is_caught(panel: Panel, design: Design) -> None:
    """The purge removed: training goes right up to the test."""
    cut = len(panel.positions) * 2 // 3
    planted = Fold(np.arange(cut), np.arange(cut, len(panel.positions)))
    with pytest.raises(LeakError, match="In fold 1, 12 training labels reach into the test"):
        walk_over(panel, design, (planted,))
    honest = Fold(np.arange(cut - 12), planted.test)
    require_purged((honest,), panel.timestamps, horizon_s=panel.horizon_s, embargo_s=panel.horizon_s)


def test_a_feature_of_the_future_is_caught(rows: list[Observation], monkeypatch: pytest.MonkeyPatch) -> None:
    """It would make a splendid model: so it is found before one is trained."""
    monkeypatch.setattr(spec_module, "_DEFINITIONS", dict(spec_module._DEFINITIONS))

    @feature("peek_{n}", version=1, unit="ticks", source="planted")
    def peek(past: Past, n: int) -> int:
        """The move of the next n blocks, taken from behind the curtain."""
        behind = past._tape.rows[past._end : past._end + n + 1]
        return behind[-1].tick - behind[0].tick

    assert peek.__doc__
    assert not find_lookahead([rows[:300]], FeatureSpec.of((*NAMES, "cycle_parkinson_14")))
    found = find_lookahead([rows[:300]], FeatureSpec.of((*NAMES, "peek_3")))
    assert {one.feature for one in found} == {"peek_3"}


def _scaled_on_everything(panel: Panel, train: np.typing.NDArray[np.int64]) -> Floats:
    spread = panel.values.std(axis=0)
    return np.asarray((panel.values[train] / np.maximum(spread, 1.0)).sum(axis=0), dtype=np.float64)


def test_scaling_on_the_whole_set_is_caught(panel: Panel, design: Design, done: Study) -> None:
    fold = done.walked[0].fold
    assert sees_the_test(_scaled_on_everything, panel, fold)
    assert not sees_the_test(lambda given, train: train_on(given, design, train)[0].ensemble, panel, fold)
    assert not sees_the_test(strong_har, panel, fold)


def test_a_model_that_is_trained_anew_knows_what_came_until_then_and_no_more(
    panel: Panel, design: Design
) -> None:
    """Each month's model, and each month's baselines, with everything from its own test on replaced."""
    folds = windows(
        panel.timestamps,
        horizon_s=panel.horizon_s,
        embargo_s=panel.horizon_s,
        folds=1,
        live_retrain_hours=panel.step_s * 200 / 3_600,
    )
    assert len(folds) > 3
    require_purged(folds, panel.timestamps, horizon_s=panel.horizon_s, embargo_s=panel.horizon_s)
    for fold, after in pairwise(folds):
        assert len(fold.train) < len(after.train)
        assert after.test[0] == fold.test[-1] + 1
        assert not sees_the_test(lambda given, train: train_on(given, design, train)[0].ensemble, panel, fold)
        assert not sees_the_test(strong_har, panel, fold)
    late = Fold(np.append(folds[0].train, folds[0].test[:1]), folds[0].test)
    assert sees_the_test(lambda given, train: train_on(given, design, train)[0].ensemble, panel, late)


def test_no_baseline_sees_the_test(panel: Panel, done: Study) -> None:
    fold = done.walked[0].fold
    short = Fold(fold.train, fold.test[:40])
    cut = int(panel.positions[fold.test[39]]) + 1
    known = len(fold.train) + len(fold.test[:40]) + int(fold.test[0] - fold.train[-1]) - 1
    earlier = replace(
        panel,
        rows=panel.rows[:cut],
        values=panel.values[:known],
        outcome=panel.outcome[:known],
        guide=panel.guide[:known],
        positions=panel.positions[:known],
        timestamps=panel.timestamps[:known],
    )
    whole = naive_forecasts(panel, short)
    assert set(whole) > {"persistence", "EWMA 0.94", "HAR-RV on levels", "log-HAR", "strong HAR"}
    for name, forecast in naive_forecasts(earlier, short).items():
        assert forecast == pytest.approx(whole[name], rel=1e-9), name


def test_the_card_says_it_all(done: Study, model: TrainedModel) -> None:
    card = model.card
    assert {one.baseline for one in card.comparisons} == set(card.metrics) - {"model"}
    assert card.comparison == card.comparisons[0]
    assert card.beats_baseline == (card.comparison.low > 0)
    assert set(card.calibration) == {"0.5", "0.8", "0.9", "0.95"}
    assert list(card.calibration.values()) == sorted(card.calibration.values())
    assert ModelCard.from_json(json.loads(json.dumps(card.to_json()))) == card
    text = page(card, done)
    assert card.model_digest in text
    assert "src=" not in text.split("</style>")[1][:40]
    assert ("does NOT beat" in summary(card)) != card.beats_baseline


@pytest.mark.parametrize(
    ("kind", "parameter"),
    [("return", 0), ("net_return", 3), ("survival", 30), ("fees", 100), ("fee_lvr", 500)],
)
def test_every_kind_of_target_has_its_baselines(rows: list[Observation], kind: Kind, parameter: int) -> None:
    done = study(
        {"main": rows},
        feature_names=NAMES,
        target=Target(kind, 6, parameter),
        design=Design(folds=1, rounds=8),
    )
    card = trained_model(done).card
    assert len(card.comparisons) == 2
    assert card.target.parameter == parameter
    assert ("break_even_bps" in card.metrics["model"]) == (kind in {"return", "net_return"})


def test_labels_look_at_what_comes_after_and_at_nothing_else(rows: list[Observation]) -> None:
    few = rows[:60]
    moves = [after.tick - before.tick for before, after in pairwise(few)]
    volatility, move = labels(few, Target("volatility", 5)), labels(few, Target("return", 5))
    for index in range(55):
        ahead = moves[index : index + 5]
        assert move[index] == sum(ahead)
        assert volatility[index] == pytest.approx(math.sqrt(sum(step**2 for step in ahead)), rel=1e-9)
    assert np.isnan(volatility[55:]).all()
    assert np.isnan(move[55:]).all()


def test_a_gap_leaves_labels_out(rows: list[Observation]) -> None:
    gapped = rows[:20] + rows[21:30]
    known = np.isfinite(labels(gapped, Target("return", 3))).tolist()
    assert known == [True] * 17 + [False] * 3 + [True] * 6 + [False] * 3


def test_a_band_survives_where_no_tick_leaves_it(rows: list[Observation]) -> None:
    answer = labels(rows, Target("survival", 5, 12))
    for index in (10, 200, 700):
        ahead = rows[index + 1 : index + 6]
        inside = all(
            abs(tick - rows[index].tick) <= 12 for row in ahead for tick in (row.tick_low, row.tick_high)
        )
        assert answer[index] == inside
    assert 0 < np.nanmean(answer) < 1


def test_overlapping_labels_count_less() -> None:
    alone, crowd = [0], [100, 101, 102, 103]
    weights = uniqueness(np.array([*alone, *crowd]), 4)
    assert weights[0] > weights[1] > weights[2]
    assert weights.mean() == pytest.approx(1)
    assert by_age(np.array([0, 86_400]), 1.0).tolist() == pytest.approx([2 / 3, 4 / 3])


def test_a_parameter_that_a_target_has_no_use_for_is_refused() -> None:
    for kind, parameter in (("return", 5), ("survival", 0), ("fees", 1 << 16)):
        with pytest.raises(ValueError, match="target"):
            Target(kind, 6, parameter)  # type: ignore[arg-type]  # the loop's pairs have no types
    assert Target("survival", 6, 30).terms == 30 << 16 | 6
    assert Target("volatility", 6).terms == 6
    for target in (Target("survival", 6, 30), Target("return", 1 << 16), Target("volatility", 6)):
        assert Target.of_terms(target.kind, target.terms) == target
    with pytest.raises(ValueError, match="no target"):
        Target.of_terms("unknown (9)", 6)
