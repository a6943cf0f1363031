"""How far a backtest and a sweep have come, as a person at a terminal sees it and as a file does."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from defai.backtest.bar_loop import Engine
from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.runner import run
from defai.cli.progress import LifeProgress, RunProgress
from tests.unit.backtest.minute_scenes import minute_file


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return iter([now])


def at(now: list[float], seconds: float) -> None:
    now[0] = 100.0 + seconds


def test_on_a_terminal_one_line_is_written_over(
    clock: Iterator[list[float]], capsys: pytest.CaptureFixture[str]
) -> None:
    now = next(clock)
    line = LifeProgress(quiet=False)
    line._line._terminal = True
    line.say("running mine")
    at(now, 1)
    line.reached(0.25)
    at(now, 1.1)
    line.reached(0.3)
    at(now, 2)
    line.reached(0.5)
    line.say("running the baseline hold")
    at(now, 3)
    line.reached(0.1)
    line.end()

    said = capsys.readouterr().err
    assert said.startswith("running mine\n\rrunning mine: 25%, 3 s left")
    assert "30%" not in said, "not more often than anybody can read"
    assert "\rrunning mine: 50%, 2 s left" in said
    assert "\rrunning the baseline hold" in said
    assert "running the baseline hold: 10%, 9 s left" in said
    assert said.endswith(" \r")


def test_elsewhere_a_line_is_written_now_and_then(
    clock: Iterator[list[float]], capsys: pytest.CaptureFixture[str]
) -> None:
    now = next(clock)
    line = LifeProgress(quiet=False)
    line.say("running mine")
    for seconds, share in ((5, 0.1), (11, 0.2), (15, 0.3), (22, 0.5)):
        at(now, seconds)
        line.reached(share)
    line.end()
    assert capsys.readouterr().err.splitlines() == [
        "running mine",
        "running mine: 20%, 44 s left",
        "running mine: 50%, 22 s left",
    ]


def test_who_asked_for_one_object_hears_nothing(
    clock: Iterator[list[float]], capsys: pytest.CaptureFixture[str]
) -> None:
    now = next(clock)
    line, runs = LifeProgress(quiet=True), RunProgress(quiet=True)
    line.say("running mine")
    runs.begin(1, 3)
    at(now, 20)
    line.reached(0.2)
    runs.step(failed=False)
    line.end()
    runs.end()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("engine", ["reference", "columns"])
async def test_a_run_says_how_much_it_has_lived_through(engine: Engine, tmp_path: Path) -> None:
    """Bar by bar, or stretch by stretch."""
    shares: list[float] = []
    request = BacktestRequest(strategies=("hold",), source=minute_file(tmp_path / "bars", 300))
    ground = open_ground(request)
    await run(ground, agents_of(request, ground), baselines=False, engine=engine, watch=shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] < 0.3
    assert shares[-1] == 1
