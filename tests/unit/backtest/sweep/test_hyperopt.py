"""Searches on two workers, and what they must not see."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from defai.backtest.request import open_ground
from defai.backtest.sweep.place import Place
from defai.backtest.sweep.results import PARTS, RESULTS, read_rows
from defai.backtest.sweep.search import JOURNAL, STUDY_NAME, TEST, Search, SearchRequest, search
from defai.backtest.sweep.space import parse_axes
from defai.backtest.sweep.workers import perform_run
from defai.backtest.timeranges import parse_timerange
from defai.cli.hyperopt import command
from defai.cli.standings import _all_digits, standings
from defai.errors import ConfigError, DefaiError
from tests.unit.backtest.minute_scenes import NAME
from tests.unit.backtest.sweep.scenes import Counted, bars, choosy, quiet, request


def sought(folder: Path, *axes: str, strategy: str = "static_band", **more: Any) -> SearchRequest:  # noqa: ANN401  its fields
    given = {"objective": "hedged_pnl_usd", "trials": 8, "batch": 4, "baselines": False}
    said = axes or ("half_width=50:800:log",)
    return SearchRequest(request=request(folder, strategy), axes=parse_axes(said), **(given | more))  # type: ignore[arg-type]  # fields by name


def trials_in(folder: Path) -> list[tuple[Any, ...]]:
    rows: Sequence[dict[str, Any]] = read_rows(folder / RESULTS)
    return [(row["run"], row["asked"], row["decision_digest"], row["hedged_pnl_usd"]) for row in rows]


def test_what_is_tried_depends_on_the_seed_and_not_on_the_clock(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    found = search(sought(tmp_path), place, quiet, Counted())
    trials = trials_in(tmp_path / "out")

    assert (found["runs"], found["done"], len(trials)) == (8, 8, 8)
    best = max(trials, key=lambda trial: float(trial[3]))
    assert json.loads(best[1])["half_width"] == found["best"][0]["params"]["half_width"]
    assert found["test"]["params"] == found["best"][0]["params"]

    some = replace(place, out=tmp_path / "some")
    search(sought(tmp_path, trials=6), some, quiet, Counted())
    watch = Counted()
    more = search(sought(tmp_path), some, quiet, watch)
    assert (watch.before, watch.steps) == (6, 2), "what was tried is not tried again"
    assert trials_in(tmp_path / "some") == trials
    assert more["best"] == found["best"]

    other = sought(tmp_path)
    search(
        replace(other, request=replace(other.request, seed=2)),
        replace(place, out=tmp_path / "other"),
        quiet,
        Counted(),
    )
    assert [trial[1] for trial in trials_in(tmp_path / "other")] != [trial[1] for trial in trials]


def test_no_trial_can_know_what_comes_in_the_test(place: Place, tmp_path: Path) -> None:
    source = bars(tmp_path)
    asked = sought(tmp_path, test_share=0.4)
    before = search(asked, place, quiet, Counted())
    _, cut = parse_timerange(before["train_window"])
    assert cut is not None
    assert parse_timerange(before["test_window"])[0] == cut
    task = Search.of(asked, quiet).task(0, {"half_width": 100})
    ground = open_ground(task.request)
    assert ground.last_time is not None
    assert cut - 60 == ground.last_time, "the last bar that a trial is given ends where the test begins"

    change_after(source / NAME, cut)
    after = search(asked, replace(place, out=tmp_path / "changed"), quiet, Counted())
    assert known(tmp_path / "changed") == known(tmp_path / "out")
    assert after["best"] == before["best"]
    assert after["test"]["params"] == before["test"]["params"]
    assert after["test"]["final_usd"] != before["test"]["final_usd"]


def known(folder: Path) -> list[dict[str, Any]]:
    """All that is known of trials but how long they took, and the digests: those name the files that were read."""
    unlike = {"seconds", "decision_digest", "source_sha256"}
    return [
        {name: value for name, value in row.items() if name not in unlike}
        for row in read_rows(folder / RESULTS)
    ]


def change_after(path: Path, cut: int) -> None:
    """Triple the volume of every minute from a moment on."""
    head, *lines = path.read_text().splitlines()
    first = len(lines) - (180 - (cut - 1_658_188_800) // 60)
    kept, changed = lines[:first], [line.split(",") for line in lines[first:]]
    tripled = [
        ",".join([*cells[:7], str(3 * int(cells[7])), str(3 * int(cells[8])), *cells[9:]])
        for cells in changed
    ]
    assert tripled
    path.write_text("\n".join([head, *kept, *tripled]) + "\n")


def test_the_test_is_the_best_ones_backtest_beside_its_baselines(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    asked = sought(tmp_path, "half_width=100,200,400", trials=3, batch=3, baselines=True)
    found = search(asked, place, quiet, Counted())

    task = Search.of(asked, quiet).test_task(found["best"][0]["params"])
    row = perform_run(task)
    assert row["decision_digest"] == found["test"]["decision_digest"]
    assert row["final_usd"] == found["test"]["final_usd"]
    assert list(found["baselines"]) == ["hold", "full_range", "static_band"]
    assert found["test"]["looks"] == 1
    assert "trials stand behind" in found["warning"]
    journal = (tmp_path / "out" / JOURNAL).read_text().splitlines()
    assert any(json.loads(line).get("study_name") == STUDY_NAME for line in journal)
    assert len(json.loads((tmp_path / "out" / TEST).read_text())) == 1


def test_a_trial_that_fails_is_no_end(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    axes = ("width=200,300", "shift=0,0.5", "gate=", "label=a")[:2]
    asked = sought(tmp_path, *axes, "gate=none", "label=a", strategy=choosy(tmp_path), trials=12, batch=12)
    found = search(asked, place, quiet, Counted())

    assert found["failed"] > 0
    assert found["done"] + found["failed"] == 12
    assert "that far" in found["failures"][0]["error"]
    assert found["best"][0]["params"]["label"] == "a"
    assert not (tmp_path / "out" / PARTS).exists()


@pytest.mark.parametrize(
    ("axes", "more", "said"),
    [
        (["half_widht=1:5"], {}, "Did you mean half_width"),
        (["half_width=0:5"], {}, "greater than or equal to 1, not '0'"),
        (["half_width=1.2:1.8"], {}, "is a whole number"),
        (["half_width=7"], {}, "nothing to search"),
        (["half_width=1:5"], {"objective": "final_us"}, "Did you mean final_usd"),
        (["half_width=1:5"], {"test_share": 0.9999}, "leaves nothing"),
    ],
)
def test_a_search_that_can_not_be_is_refused(
    tmp_path: Path, axes: list[str], more: dict[str, Any], said: str
) -> None:
    bars(tmp_path)
    with pytest.raises(ConfigError) as refused:
        search(sought(tmp_path, *axes, **more), Place(), quiet, Counted())
    assert said in str(refused.value)


def test_where_nothing_is_measured_nothing_is_best(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    asked = sought(tmp_path, objective="gas_usd", trials=2)
    with pytest.raises(DefaiError, match="No trial has a gas_usd"):
        search(asked, place, quiet, Counted())


def test_the_command_prints_trials_and_test(scheduler: str, tmp_path: Path) -> None:
    words = ["-s", "static_band", "--source", str(bars(tmp_path)), "--param", "half_width=100:900"]
    words += ["--trials", "2", "--scheduler", scheduler, "--objective", "fees_usd"]
    ran = CliRunner().invoke(command, words, standalone_mode=False)
    assert ran.exception is None
    assert "2 of 2 trials done" in ran.stdout
    assert "which no trial has seen" in ran.stdout
    assert "full_range" in ran.stdout
    assert "searching half_width: 100 to 900" in ran.stderr


def test_the_table_shortens_parameters_and_says_them_once_more() -> None:
    found: dict[str, Any] = {"value": 1.0, "params": {"sigmas": 3.2795428230327732, "patience": 14331}}
    table = standings([found], {}, "fees_usd")
    assert table[-1].split()[:2] == ["3.28", "14331"]
    assert _all_digits(found["params"])[-1].endswith("sigmas=3.2795428230327732  patience=14331")
    assert _all_digits({"patience": 14331}) == []
