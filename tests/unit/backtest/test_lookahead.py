"""Cheats are found and named, honest strategies are let pass."""

import gzip
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from defai.backtest.lookahead import LookaheadReport, LookaheadRequest, analyse, analyse_all, text
from defai.backtest.lookahead.cutting import Later, read_cuttable
from defai.backtest.lookahead.examination import choose_cuts
from defai.backtest.lookahead.stage import enter_mirror
from defai.backtest.lookahead.traces import Step
from defai.backtest.request import BacktestRequest
from defai.cli.lookahead_analysis import command
from defai.errors import ConfigError, NotFoundError
from defai.models.registry import ModelRegistry
from defai.models.study import Design
from defai.models.targets import Target
from defai.models.training import train
from defai.session.history import HistoryRecipe
from defai.session.training import model_key
from defai.strategy.registry import load
from defai.testing.histories import generated_history
from tests.homes import QUICK, set_home
from tests.unit.backtest.minute_scenes import NAME, minute_file

RUN = Path(__file__).parents[3] / "fixtures" / "standin_run"
FIRST = 1_658_188_800
"""The first bar's minute."""
COUNT = 60
CHEATS = {
    "CentredFeature": ("feature", "centred_mean"),
    "NextRow": ("feature", "next_row"),
    "LastClose": ("decision", "intent"),
    "Clipped": ("decision", "intent"),
    "ByNativeCode": ("decision", "intent"),
    "Remembering": ("decision", "intent"),
    "Drawing": ("decision", "intent"),
    "Failing": ("feature", "needs_the_end"),
}


@pytest.fixture
def bars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a history of bars and the cheats beside it, in which we are."""
    set_home(monkeypatch, tmp_path / "home")
    minute_file(tmp_path / "bars", COUNT)
    shutil.copyfile(Path(__file__).with_name("cheats.py"), tmp_path / "cheats.py")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "bars"


def request(strategy: str, source: Path, points: int = 3, models: Path | None = None) -> LookaheadRequest:
    backtest = BacktestRequest(strategies=(strategy,), source=source)
    return LookaheadRequest(backtest=backtest, points=points, models=models)


def analysed(strategies: Sequence[str], source: Path, **more: Any) -> dict[str, LookaheadReport]:  # noqa: ANN401  fields of a request
    reports = analyse_all([request(strategy, source, **more) for strategy in strategies])
    return dict(zip(strategies, reports, strict=True))


def test_cheats_are_named_with_their_time_and_both_values(bars: Path, subtests: pytest.Subtests) -> None:
    before = (bars / NAME).read_bytes()

    reports = analysed([f"cheats.py:{cheat}" for cheat in CHEATS], Path("bars"))

    for (cheat, named), report in zip(CHEATS.items(), reports.values(), strict=True):
        with subtests.test(cheat):
            first = report.findings[0]
            assert (first.kind, first.name) == named
            assert first.whole != first.other
            assert {finding.kind for finding in report.findings} <= {named[0], "decision", "failure"}
            assert ("feature", "return_1") not in {(one.kind, one.name) for one in report.findings}
            assert first.timestamp == FIRST + 60 * (first.block_number or 0)
            if cheat in {"NextRow", "Remembering", "Drawing"}:
                assert first.cut_time is None
            else:
                assert first.cut_time is not None
                assert (first.timestamp or 0) <= first.cut_time
    found = reports["cheats.py:CentredFeature"].findings[0]
    assert found.cut_time is not None
    assert found.timestamp is not None
    assert found.cut_time - 180 <= found.timestamp
    assert reports["cheats.py:NextRow"].findings[0].other == "0"
    assert "remembers" in reports["cheats.py:Remembering"].findings[0].how
    assert ["another process" in one.how for one in reports["cheats.py:Drawing"].findings] == [True]
    assert (
        reports["cheats.py:Failing"]
        .findings[-1]
        .other.startswith("a feature of its author's (needs_the_end)")
    )
    assert "raised KeyError: " in reports["cheats.py:Failing"].findings[-1].other
    said = text(reports["cheats.py:CentredFeature"])
    assert "centred_feature decides upon what it cannot know: the feature centred_mean" in said
    assert f"the feature centred_mean at block {found.block_number}, 2022-07-19 00:" in said
    assert "It opens the history's files itself: cheats.py, line " in said
    assert (bars / NAME).read_bytes() == before


def test_what_only_looks_like_a_cheat_passes(bars: Path) -> None:
    reports = analysed(["cheats.py:ReadingThePast", "cheats.py:WithItsOwnDraw"], bars)

    reading, drawing = reports.values()
    assert [*reading.findings, *drawing.findings] == []
    assert [reading.decisions, len(reading.cuts), reading.runs] == [COUNT, 3, 2 + 1 + 3 + 2]
    assert [drawing.decisions, len(drawing.cuts), drawing.runs] == [COUNT, 3, 2 + 1 + 3 + 1]
    assert reading.opened
    assert drawing.opened == []
    assert min(reading.acted, drawing.acted) >= 1
    assert "no look-ahead found" in text(drawing)


def test_a_model_trained_on_the_window_is_named(bars: Path) -> None:
    loaded = load("cheats.py:Forecasting")
    key = model_key(loaded, HistoryRecipe())
    registry = ModelRegistry(bars.parent / "models")
    model = train(
        {"USDC/WETH 0.05 %": generated_history(600)},
        feature_names=loaded.strategy.features(),
        target=Target("volatility", 4),
        design=Design(folds=1, rounds=4),
        source="a day of events",
    )
    registry.save(model, key=key)

    report = analyse(request("cheats.py:Forecasting", bars, 1, registry.folder))

    [found] = report.findings
    assert (found.kind, found.name, report.model) == ("model", model.digest, model.digest)
    assert "(a day of events)" in found.whole
    assert (found.block_number, found.timestamp) == (1, FIRST + 60)


def test_the_strategies_that_come_along_are_honest(trained_home: Path, subtests: pytest.Subtests) -> None:
    names = ["volatility_band", "mean_reversion", "fee_tier_arbitrage", "hold", "static_band", "full_range"]
    names += ["just_recentre", "momentum", "volatility_exit", "delta_hedged_lp"]
    registry = ModelRegistry(trained_home / "data" / "defai" / "models")
    for loaded in map(load, names):
        key, quick = model_key(loaded, HistoryRecipe()), model_key(loaded, QUICK)
        model = registry.find(quick) if quick else None
        if key and model:
            registry.link(key, model.digest)

    reports = analysed(names, RUN, points=2)

    for name, report in reports.items():
        with subtests.test(name):
            assert report.findings == ()
            assert (report.strategy, report.decisions, report.stopped) == (name, 120, "")
            assert (report.model is None) == (name not in {"volatility_band", "mean_reversion"})


def test_the_command_exits_with_one_where_a_cheat_is_found_and_else_with_none(bars: Path) -> None:
    options = ["--source", str(bars), "--points", "2", "--json"]

    cheating = CliRunner().invoke(command, ["-s", "cheats.py:LastClose", *options], standalone_mode=False)

    assert cheating.return_value == 1
    found = json.loads(cheating.stdout)
    assert (found["strategy"], found["looks_ahead"], found["points"]) == ("last_close", True, 2)
    assert found["findings"][0]["kind"] == "decision"
    assert len(found["not_checked"]) == 3
    honest = CliRunner().invoke(command, ["-s", "hold", *options[:-1]], standalone_mode=False)
    assert honest.return_value == 0
    assert honest.stdout.startswith("hold: no look-ahead found.")


def test_what_cannot_be_analysed_is_said(bars: Path) -> None:
    with pytest.raises(NotFoundError, match="no strategy called 'holt'"):
        analyse(request("holt", bars))
    two = LookaheadRequest(backtest=BacktestRequest(strategies=("hold", "hold"), source=bars))
    with pytest.raises(ConfigError, match="one strategy"):
        analyse(two)


def step(minute: int, *, acted: bool) -> Step:
    return Step(minute, 60 * minute, acted, 0, "0x00", b"{}")


def test_half_of_the_cuts_lie_right_after_what_acted_and_none_at_the_end() -> None:
    trace = [step(minute, acted=minute % 10 == 0) for minute in range(1, 101)]

    cuts, acted = choose_cuts(trace, 8, seed=3)

    assert len(cuts) == 8
    assert acted >= 4
    assert sum(cut % 600 == 0 for cut in cuts) == acted
    assert cuts == sorted(set(cuts))
    assert choose_cuts(trace, 8, seed=3) == (cuts, acted)
    assert choose_cuts(trace, 8, seed=4) != (cuts, acted)
    assert choose_cuts(trace, 500, seed=3)[0] == [60 * minute for minute in range(1, 100)]
    assert choose_cuts([], 8, seed=3) == ([], 0)


ROWS = [{"block_number": n, "timestamp": 100 + n, "amount": n * n, "kind": f"k{n}"} for n in range(6)]


def csv_text() -> str:
    rows = ["block_number,timestamp,amount,kind", *(",".join(map(str, row.values())) for row in ROWS)]
    return "\n".join(rows) + "\n"


def written(path: Path) -> None:
    """The rows in the format that the name tells."""
    if path.name.endswith(".csv.gz"):
        path.write_bytes(gzip.compress(csv_text().encode()))
    elif path.suffix == ".csv":
        path.write_text(csv_text())
    elif path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(ROWS), path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    else:
        path.write_text(json.dumps({"pool": "0x1", "events": ROWS}))


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        found: list[dict[str, Any]] = pq.read_table(path).to_pylist()
        return found
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text().splitlines()]
    if path.suffix == ".json":
        events: list[dict[str, Any]] = json.loads(path.read_text())["events"]
        return events
    content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    head, *lines = content.decode().splitlines()
    rows = [dict(zip(head.split(","), line.split(","), strict=True)) for line in lines]
    return [{name: value if name == "kind" else int(value) for name, value in row.items()} for row in rows]


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.parquet", "a.jsonl", "a.json"])
def test_later_rows_are_taken_away_or_changed_and_keep_their_place(tmp_path: Path, name: str) -> None:
    written(tmp_path / name)
    source = read_cuttable(tmp_path / name, "events")

    source.write(tmp_path / "taken" / name, 102, Later.TAKEN, seed=1)
    source.write(tmp_path / "changed" / name, 102, Later.CHANGED, seed=1)

    assert rows_of(tmp_path / "taken" / name) == ROWS[:3]
    changed = rows_of(tmp_path / "changed" / name)
    assert changed[:3] == ROWS[:3]
    assert changed[3:] != ROWS[3:]
    assert [(row["block_number"], row["timestamp"]) for row in changed] == [(n, 100 + n) for n in range(6)]
    assert all(row["kind"] == f"k{int(row['amount'] ** 0.5)}" for row in changed)


def test_a_bar_is_known_when_it_has_ended_and_nothing_is_written_over(tmp_path: Path) -> None:
    path = minute_file(tmp_path / "bars", 5)
    (tmp_path / "bars" / "notes.txt").write_text("kept as it is")
    source = read_cuttable(tmp_path / "bars", "bars")

    source.write(tmp_path / "cut", FIRST + 180, Later.TAKEN, seed=1)

    assert (tmp_path / "cut" / NAME).read_text().splitlines() == path.read_text().splitlines()[:4]
    assert (tmp_path / "cut" / "notes.txt").read_text() == "kept as it is"
    with pytest.raises(FileExistsError):
        source.write(tmp_path / "bars", FIRST, Later.TAKEN, seed=1)
    with pytest.raises(ConfigError, match="no rows in time"):
        read_cuttable(tmp_path / "bars" / "notes.txt", "events")


def test_the_mirror_has_everything_but_the_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    top = tmp_path / "top"
    (top / "work" / "inner").mkdir(parents=True)
    (top / "data").mkdir()
    (top / "work" / "settings.txt").write_text("mine")
    for name in ("a.csv", "b.csv"):
        written(top / "data" / name)
    monkeypatch.chdir(top / "work")
    folder = (tmp_path / "mirror").resolve()
    folder.mkdir()

    copy = enter_mirror(folder, (top / "data" / "a.csv").resolve())

    assert Path.cwd() != top / "work"
    assert Path("settings.txt").read_text() == "mine"
    assert Path("inner").is_dir()
    assert Path("../data/b.csv").read_text() == csv_text()
    assert not Path("../data/a.csv").exists()
    assert copy == Path("../data").resolve() / "a.csv"
    monkeypatch.chdir(top / "data")
    assert enter_mirror(folder, (top / "data").resolve()) == folder / "data"
    assert Path.cwd() == top / "data"


def test_a_history_that_cannot_be_cut_is_not_let_pass(tmp_path: Path, bars: Path) -> None:
    assert bars.is_dir()
    minute_file(tmp_path / "short", 1)
    with pytest.raises(ConfigError, match=r"nothing to compare: .*short ends with the first decision"):
        analyse(request("hold", tmp_path / "short"))
