"""Searches within a walk forward: no test is seen by the search ahead of it; models are searched too."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.backtest.forecasters import ModelChoice
from defai.backtest.sweep.model_axes import knowing_all_before, model_distributions, with_chosen
from defai.backtest.sweep.nested import search_nested, steps
from defai.backtest.sweep.place import Place
from defai.backtest.sweep.results import RESULTS, read_rows
from defai.backtest.sweep.search import Search, SearchRequest
from defai.backtest.sweep.space import parse_axes
from defai.backtest.timeranges import parse_timerange
from defai.cli.hyperopt import command
from defai.errors import ConfigError
from defai.strategy.registry import load
from tests.unit.backtest.sweep.scenes import Counted, bars, quiet, request

TRAINED = ModelChoice(trained_on="20220101-20220102", parameters={"folds": "3"})


def test_each_test_comes_after_its_search_and_none_overlaps(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    asked = SearchRequest(
        request=request(tmp_path),
        axes=parse_axes(["half_width=50:800:log"]),
        objective="hedged_pnl_usd",
        trials=3,
        batch=3,
        test_share=0.5,
    )
    found = search_nested(asked, 2, place, quiet, Counted())
    ends = []
    for one in found["folds"]:
        (first, seen), (begins, end) = (
            parse_timerange(one["train_window"]),
            parse_timerange(one["test_window"]),
        )
        assert first is not None
        assert first < (seen or 0) == begins
        assert one["test"]["params"] == one["best"][0]["params"]
        assert one["test"]["looks"] == 1
        ends.append((begins or 0, end or 0))
    assert 0 <= ends[1][0] - ends[0][1] < 60, "the last bar of one test is the one before the next"
    assert (found["trials"], found["runs"], found["done"]) == (6, 6, 6)
    assert found["mean_tested"] == pytest.approx(sum(one["test"]["value"] for one in found["folds"]) / 2)
    for number in (1, 2):
        rows = read_rows(tmp_path / "out" / f"step-{number}" / RESULTS)
        assert {row["timerange"] for row in rows} == {found["folds"][number - 1]["train_window"]}


def test_tests_are_cut_at_whole_minutes_and_end_with_the_history() -> None:
    found = steps(0, 60 * 1_000 - 60, 0.5, 3)
    assert found[0][0] == pytest.approx(60 * 500, abs=60)
    assert all(start % 60 == 0 for start, _ in found)
    assert [end for _, end in found[:-1]] == [start for start, _ in found[1:]]
    assert found[-1][1] == 60 * 1_000 - 60 + 1
    with pytest.raises(ConfigError, match="too few for 9 tests"):
        steps(0, 600, 0.3, 9)


def test_a_trial_has_parameters_of_its_model_and_the_test_a_model_that_knows_all_before(
    tmp_path: Path,
) -> None:
    bars(tmp_path)
    asked = SearchRequest(
        request=request(tmp_path, "volatility_band", model=TRAINED),
        axes=parse_axes(["sigmas=2:4", "floor_ticks=120", "patience=3"]),
        model_axes=parse_axes(["num_leaves=7:31", "learning_rate=0.02:0.2:log", "rounds=20,40"]),
    )
    plan = Search.of(asked, quiet)
    assert set(plan.distributions) == {"sigmas", "model.num_leaves", "model.learning_rate", "model.rounds"}
    chosen = {"sigmas": 3.0, "model.num_leaves": 15, "model.learning_rate": 0.1, "model.rounds": "20"}
    trial = plan.task(0, chosen).request
    assert trial.model.parameters == {
        "folds": "3",
        "num_leaves": "15",
        "learning_rate": "0.1",
        "rounds": "20",
    }
    assert trial.model.trained_on == TRAINED.trained_on
    assert trial.parameters == {"sigmas": 3.0, "floor_ticks": "120", "patience": "3"}
    test = plan.test_task(chosen).request
    assert test.model.parameters == trial.model.parameters
    assert test.model.trained_on is not None
    assert parse_timerange(test.model.trained_on)[1] == parse_timerange(plan.test)[0]
    assert json.loads(json.dumps(plan.plan))["axes"]["model.num_leaves"] == "7 to 31"


def test_only_a_model_that_is_trained_has_parameters_to_search(tmp_path: Path) -> None:
    asked, axes = request(tmp_path, "volatility_band"), parse_axes(["num_leaves=7:31"])
    with pytest.raises(ConfigError, match="Say --train-on"):
        model_distributions(axes, asked, load("volatility_band"))
    trained = replace(asked, model=TRAINED)
    with pytest.raises(ConfigError, match="'hold' forecasts nothing"):
        model_distributions(axes, trained, load("hold"))
    with pytest.raises(ConfigError, match="rounds is no number"):
        model_distributions(parse_axes(["rounds=many,few"]), trained, load("volatility_band"))
    assert with_chosen(asked, {"sigmas": 2}).model.parameters == {}
    assert knowing_all_before(asked, 5) is asked


def test_the_command_tells_of_each_step(scheduler: str, tmp_path: Path) -> None:
    bars(tmp_path)
    money = ("--balance", "10000USDC", "--balance", "5WETH")
    asked = ("-s", "static_band", "--source", str(tmp_path / "bars"), "--param", "half_width=50:800")
    more = ("--trials", "2", "--folds", "2", "--test-share", "0.4", "--scheduler", scheduler)
    done = CliRunner().invoke(command, [*asked, *money, *more, "--objective", "hedged_pnl_usd"])
    assert done.exit_code == 0, done.output
    assert "4 of 4 trials done" in done.output
    assert "4 trials stand behind these choices. DSR, the deflated Sharpe ratio" in done.output
    assert "better than holding in" in done.output
