"""Whole sweeps on two workers."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from defai.backtest.figures import figures
from defai.backtest.request import perform
from defai.backtest.sweep.cluster import open_workers
from defai.backtest.sweep.grid import sweep
from defai.backtest.sweep.place import Place
from defai.backtest.sweep.results import PARTS, PLAN, RESULTS, ResultFolder, alone, read_rows
from defai.backtest.sweep.workers import RunTask, perform_run
from defai.cli.sweep import command
from defai.errors import ConfigError, DefaiError, NotRunningError
from tests.unit.backtest.sweep.scenes import Counted, bars, choosy, quiet, request, swept

PATIENCE_S = 300.0


def rows_in(folder: Path) -> list[dict[str, Any]]:
    return read_rows(folder / RESULTS)


def test_a_sweep_is_its_single_backtests(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    watch = Counted()
    found = sweep(swept(tmp_path, "half_width=100,200", slices=2), place, quiet, watch)

    assert (found["runs"], found["done"], found["failed"], found["interrupted"]) == (4, 4, 0, False)
    assert (watch.before, watch.runs, watch.steps) == (0, 4, 4)
    rows = rows_in(tmp_path / "out")
    assert [(row["run"], row["window"], row["param_half_width"]) for row in rows] == [
        (0, 0, 100), (1, 0, 200), (2, 1, 100), (3, 1, 200)
    ]  # fmt: skip
    for row in rows[1:3]:
        alike = request(
            tmp_path, parameters={"half_width": row["param_half_width"]}, timerange=row["timerange"]
        )
        table = figures(asyncio.run(perform(alike)))
        for name in (
            "decision_digest",
            "final_usd",
            "fees_usd",
            "lvr_usd",
            "steps",
            "first_time",
            "source_sha256",
        ):
            assert row[name] == table[name], name
        baselines = {name: one["final_usd"] for name, one in table["baselines"].items()}
        kept = json.loads((tmp_path / "out" / "baselines.json").read_text())[row["window"]]
        assert {name: one["final_usd"] for name, one in kept.items()} == baselines
    finals = [
        sum(row["final_usd"] for row in rows if row["param_half_width"] == width) / 2 for width in (100, 200)
    ]
    assert found["best"][0]["value"] == pytest.approx(max(finals))
    assert "2 trials" in found["warning"]


def test_a_run_that_fails_is_a_row_and_is_tried_again(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    asked = swept(tmp_path, "width=200,300", "shift=0,0.5", strategy=choosy(tmp_path), baselines=False)
    found = sweep(asked, place, quiet, Counted())

    assert (found["runs"], found["done"], found["failed"]) == (4, 3, 1)
    assert "that far" in found["failures"][0]["error"]
    rows = rows_in(tmp_path / "out")
    assert [row["error"] is None for row in rows] == [True, True, True, False]
    assert rows[3]["decision_digest"] is None
    assert len(found["best"]) == 3
    watch = Counted()
    again = sweep(replace(asked, objective="fees_usd"), place, quiet, watch)
    assert (watch.before, watch.steps, watch.failed) == (3, 1, 1)
    assert [row["seconds"] for row in rows_in(tmp_path / "out")] == [row["seconds"] for row in rows]
    assert again["objective"] == "fees_usd"


def test_another_plan_is_refused_and_so_is_company(place: Place, tmp_path: Path) -> None:
    bars(tmp_path)
    asked = swept(tmp_path, "half_width=100,200", baselines=False)
    sweep(asked, place, quiet, Counted())
    with pytest.raises(ConfigError, match="another plan: its 'axes'"):
        sweep(swept(tmp_path, "half_width=100,300", baselines=False), place, quiet, Counted())
    bars(tmp_path, 170)
    with pytest.raises(ConfigError, match="another plan: its 'source_sha256'"):
        sweep(asked, place, quiet, Counted())
    with alone(tmp_path / "out"), pytest.raises(ConfigError, match="at work"):
        sweep(asked, place, quiet, Counted())
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letter").touch()
    with pytest.raises(ConfigError, match="not empty"):
        sweep(asked, replace(place, out=tmp_path / "full"), quiet, Counted())


def test_a_worker_knows_when_its_files_are_not_those_of_the_plan(tmp_path: Path) -> None:
    bars(tmp_path)
    task = RunTask(number=0, window=0, request=request(tmp_path), source_digest="00")
    assert "not what it was" in perform_run(task)["error"]


@pytest.mark.parametrize(
    ("scheduler", "said"),
    [("tcp://127.0.0.1:1", "No scheduler answers"), ("127.0.0.1:8786", "is no scheduler's address")],
)
def test_a_scheduler_that_is_not_there(tmp_path: Path, scheduler: str, said: str) -> None:
    bars(tmp_path)
    away = Place(out=tmp_path / "out", scheduler=scheduler)
    with pytest.raises(DefaiError, match=said) as refused:
        sweep(swept(tmp_path, "half_width=100,200"), away, quiet, Counted())
    assert isinstance(refused.value, NotRunningError | ConfigError)


def test_workers_of_our_own_take_nothing_from_strangers(tmp_path: Path) -> None:
    with open_workers(1, None, tmp_path, quiet) as workers:
        assert workers.count == 1
        assert workers.address.startswith("tls://127.0.0.1:")
        plain = workers.address.replace("tls", "tcp")
        with (
            pytest.raises(NotRunningError, match="No scheduler answers"),
            open_workers(0, plain, tmp_path, quiet),
        ):
            pass
        with (
            pytest.raises(ConfigError, match="no certificate"),
            open_workers(0, workers.address, tmp_path, quiet),
        ):
            pass


def test_the_command_prints_a_table_or_one_object(scheduler: str, tmp_path: Path) -> None:
    source = bars(tmp_path)
    words = ["-s", "static_band", "--source", str(source), "--param", "half_width=100:200:100"]
    words += ["--scheduler", scheduler, "--out", str(tmp_path / "out")]
    ran = CliRunner().invoke(command, words, standalone_mode=False)
    assert ran.exception is None
    assert "2 of 2 runs done" in ran.stdout
    assert "full_range" in ran.stdout
    assert "2 trials stand behind" in ran.stdout
    assert "2 of 2 runs" in ran.stderr

    ran = CliRunner().invoke(command, [*words, "--json"], standalone_mode=False)
    assert (json.loads(ran.stdout)["done"], ran.stderr) == (2, "")


def test_parts_are_whole_or_absent(tmp_path: Path) -> None:
    plan = {"kind": "sweep"}
    kept = ResultFolder.opened(tmp_path / "out", plan)
    for number in (3, 1):
        kept.add({"run": number, "param_x": number, "error": None})
        kept.flush()
    kept.add({"run": 2, "param_x": 0.5, "error": "it broke"})
    (tmp_path / "out" / PARTS / "000009.parquet.draft").write_bytes(b"half of")

    again = ResultFolder.opened(tmp_path / "out", plan)
    assert sorted(again.rows) == [1, 3], "what was not flushed is not there"
    assert not again.has(2)
    again.add({"run": 2, "param_x": 0.5, "error": "it broke"})
    again.close()
    assert [path.name for path in sorted((tmp_path / "out").iterdir())] == [PLAN, RESULTS]
    assert [row["param_x"] for row in rows_in(tmp_path / "out")] == [1, 0.5, 3]
    assert [ResultFolder.opened(tmp_path / "out", plan).has(number) for number in range(4)] == [
        False, True, False, True
    ]  # fmt: skip


def test_a_sweep_that_is_killed_leaves_no_worker_and_goes_on(scheduler: str, tmp_path: Path) -> None:
    source, gate, out = bars(tmp_path), tmp_path / "gate", tmp_path / "out"
    words = ["-s", choosy(tmp_path), "--source", str(source), "--param", f"gate={gate}"]
    words += ["--param", "width=100,500,600", "--no-baselines", "--out", str(out)]
    started = [sys.executable, "-m", "defai", "sweep", *words, "--workers", "1", "--json"]
    process = subprocess.Popen(started, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children: set[int] = set()
    try:
        wait_for(lambda: done_in(out) == 1)
        children = family(process.pid)
        assert len(children) >= 2
        assert listening(children | {process.pid}) == {"127.0.0.1"}
    finally:
        process.kill()
        process.wait()
    wait_for(lambda: not any(map(is_alive, children)))

    before = {row["run"]: row for path in (out / PARTS).iterdir() for row in read_rows(path)}
    gate.touch()
    ran = CliRunner().invoke(command, [*words, "--scheduler", scheduler, "--json"], standalone_mode=False)
    assert json.loads(ran.stdout)["done"] == 3
    after = {row["run"]: row for row in rows_in(out)}
    assert sorted(after) == [0, 1, 2]
    assert [after[number]["seconds"] for number in sorted(before)] == [
        before[number]["seconds"] for number in sorted(before)
    ], "what was done is not done again"
    assert sorted(path.name for path in out.iterdir()) == [PLAN, RESULTS]


@pytest.mark.long
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    source, out = bars(tmp_path), tmp_path / "out"
    words = ["-s", choosy(tmp_path), "--source", str(source), "--param", f"gate={tmp_path / 'gate'}"]
    words += ["--param", "width=100,500", "--no-baselines", "--out", str(out), "--workers", "1"]
    process = subprocess.Popen(
        [sys.executable, "-m", "defai", "sweep", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    wait_for(lambda: done_in(out) == 1)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers as well
    printed, said = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 130
    assert "1 of 2 runs done" in printed
    assert "say the same again to go on" in said
    assert "Traceback" not in said
    assert done_in(out) == 1


def done_in(out: Path) -> int:
    return sum(len(read_rows(path)) for path in (out / PARTS).glob("*.parquet"))


def wait_for(true: Any) -> None:  # noqa: ANN401  a callable without arguments
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def family(pid: int) -> set[int]:
    """Children of a process, and theirs."""
    children = set()
    for task in Path(f"/proc/{pid}/task").iterdir():
        children |= {int(child) for child in (task / "children").read_text().split()}
    return children.union(*(family(child) for child in children))


def is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def listening(pids: set[int]) -> set[str]:
    """Addresses that processes listen at."""
    sockets = set()
    for pid in pids:
        for handle in Path(f"/proc/{pid}/fd").iterdir():
            try:
                sockets.add(str(handle.readlink()))
            except OSError:
                continue
    found = set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            cells = line.split()
            if cells[3] == "0A" and f"socket:[{cells[9]}]" in sockets:
                address = bytes.fromhex(cells[1].partition(":")[0])[::-1]
                found.add(".".join(str(byte) for byte in address))
    return found


def test_ctrl_c_while_workers_start_leaves_dask_nothing_to_fail_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(**_: object) -> None:
        raise KeyboardInterrupt

    from distributed.deploy.spec import close_clusters

    undone: list[object] = []
    monkeypatch.setattr("distributed.LocalCluster", interrupted)
    monkeypatch.setattr("atexit.unregister", undone.append)
    with pytest.raises(KeyboardInterrupt), open_workers(1, None, tmp_path, quiet):
        pass
    assert undone == [close_clusters]
