"""`defai list-strategies`, and the trace that a backtest leaves for it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.backtest.past_runs import last_runs, note_runs, past_runs_file
from defai.cli.list_strategies import command
from defai.errors import ConfigError, NotFoundError
from defai.strategy.registry import FOLDER_VARIABLE, load
from tests.homes import set_home

MINE = '''
from defai.strategy.api import Annotated, Context, Field, Hold, Intent, Strategy, unit

class Mine(Strategy):
    """Mine alone."""

    ticks: Annotated[int, Field(ge=1, le=9_000, description="half the width"), unit("ticks")] = 200
    label: str

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="")
'''
FIGURES = {
    "params": {"ticks": 300},
    "source": "/somewhere/eth.csv",
    "first_time": 1_700_000_000,
    "last_time": 1_700_000_000 + 86_400 * 7,
    "initial_usd": 1_000.0,
    "final_usd": 1_010.0,
    "hodl_usd": 990.0,
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    set_home(monkeypatch, tmp_path / "home")
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "strategies"
    path.mkdir()
    (path / "mine.py").write_text(MINE, encoding="utf-8")
    (path / "broken.py").write_text("def (:\n", encoding="utf-8")
    return path


def listed(*arguments: str) -> str:
    result = CliRunner().invoke(command, arguments, catch_exceptions=False)
    return result.output


def test_the_broken_one_is_named_and_the_rest_are_there() -> None:
    lines = listed().splitlines()
    assert any(line.startswith("broken") and "SyntaxError" in line for line in lines)
    assert any(line.startswith("mine") and line.endswith("Mine alone.") for line in lines)
    assert any(line.startswith("volatility_band") for line in lines), "those of defai are there as well"
    assert any(line.strip() == "ticks=200, label" for line in lines)


def test_one_is_told_whole() -> None:
    assert [line.split(None, 1) for line in listed("mine").splitlines()] == [
        ["mine", "Mine alone."],
        ["from", "strategies/mine.py"],
        ["ticks", "200 ticks (1 to 9,000)  half the width"],
        ["label", "must be given"],
        ["last", "backtest        none yet"],
    ]
    with pytest.raises(NotFoundError, match="no strategy called 'mina'") as caught:
        listed("mina")
    assert caught.value.hint == "Did you mean mine?"


def test_the_last_backtest_is_told_with_what_became_of_it(folder: Path, tmp_path: Path) -> None:
    loaded = load("mine", {"label": "x"})
    assert note_runs([loaded], FIGURES, None) == ""
    out = tmp_path / "run"
    out.mkdir()
    assert note_runs([loaded], {**FIGURES, "final_usd": 1_020.0}, out) == ""
    text = listed("mine")
    assert f"+2.00% (hold -1.00%) over 7.0 days of eth.csv, in {out}" in text
    assert "before the file was changed" not in text
    (folder / "mine.py").write_text(MINE + "\n", encoding="utf-8")
    assert "before the file was changed" in listed()
    (one,) = json.loads(listed("--json", "mine"))["strategies"]
    assert one["last_backtest"]["final_usd"] == 1_020.0
    assert one["last_backtest"]["source_changed"] is True
    assert one["parameters"][0]["unit"] == "ticks"


def test_each_agent_of_a_shared_market_is_noted() -> None:
    each = [{**FIGURES, "final_usd": 1.0}, {**FIGURES, "final_usd": 2.0}]
    note_runs([load("hold"), load("full_range")], {**FIGURES, "agents": each}, None)
    assert sorted(run.final_usd for run in last_runs().values()) == [1.0, 2.0]


def test_lines_that_cannot_be_read_are_passed_over() -> None:
    note_runs([load("hold")], FIGURES, None)
    with past_runs_file().open("a", encoding="utf-8") as file:
        file.write('{"half": \n{"other": 1}\n[]\n')
    assert len(last_runs()) == 1


def test_where_nothing_can_be_written_that_is_said() -> None:
    past_runs_file().parent.parent.mkdir(parents=True, exist_ok=True)
    past_runs_file().parent.write_text("in the way", encoding="utf-8")
    assert "cannot be written: " in note_runs([load("hold")], FIGURES, None)
    assert last_runs() == {}


def test_a_fleets_own_folder_is_looked_into_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(FOLDER_VARIABLE, "whatever it was is put back")
    monkeypatch.delenv(FOLDER_VARIABLE)
    folder = tmp_path / "ours"
    folder.mkdir()
    (folder / "hold.py").write_text(MINE)
    fleet = tmp_path / "fleet.toml"
    fleet.write_text('strategies_dir = "ours"\n')
    listed = json.loads(CliRunner().invoke(command, ["-c", str(fleet), "--json", "hold"]).stdout)[
        "strategies"
    ]
    assert [one["origin"] for one in listed] == [str(folder / "hold.py")]
    monkeypatch.delenv(FOLDER_VARIABLE)
    fleet.write_text("anchor_every_blocks = 4\n")
    with pytest.raises(ConfigError, match="has no strategies_dir"):
        CliRunner().invoke(command, ["-c", str(fleet)], catch_exceptions=False)
