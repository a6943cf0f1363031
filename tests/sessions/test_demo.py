"""The headless demo as a process: repeatable, and gone without a trace however it ends."""

import csv
import json
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from defai.config import Settings
from defai.session.kept_rungs import verify_kept
from tests.homes import set_home, teach
from tests.sessions.processes import Running, started, wait_until_gone

KEYS = {
    "network",
    "chain_id",
    "audit_contract",
    "blocks",
    "seed",
    "agents",
    "records_on_chain",
    "decision_digest",
    "seconds",
}
AGENT_KEYS = {
    "name", "strategy", "decisions", "trades", "holds", "denied", "records", "equity_usd", "hodl_usd", "gas_used",
    "forecasts",
}  # fmt: skip


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, home_path: Path, models: Path
) -> Iterator[dict[str, dict[str, Any]]]:
    """What four short runs print as JSON, by name; `folder` says where the first of them was kept."""
    folder = tmp_path_factory.mktemp("runs")
    wanted = {
        "one": ("--seed", "7", "--run-dir", str(folder / "one")),
        "same": ("--seed", "7"),
        "other": ("--seed", "8"),
        "rough": ("--seed", "7", "--attackers"),
    }
    assert models.is_dir()
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        set_home(patch, home_path)
        under_way = {
            name: stack.enter_context(started("demo", "--json", "--blocks", "20", *arguments, cwd=folder))
            for name, arguments in wanted.items()
        }
        results = {name: finished(process) for name, process in under_way.items()}
        yield {**results, "folder": {"one": folder / "one"}}


def finished(process: Running) -> dict[str, Any]:
    code, out, err = process.end()
    assert (code, err) == (0, "")
    result = json.loads(out)
    assert isinstance(result, dict)
    return result


def test_the_same_seed_takes_the_same_decisions_and_another_others(runs: dict[str, dict[str, Any]]) -> None:
    one = runs["one"]
    assert {**one, "seconds": 0} == {**runs["same"], "seconds": 0}
    assert one["decision_digest"] != runs["other"]["decision_digest"]


def test_the_result_says_what_was_agreed(runs: dict[str, dict[str, Any]]) -> None:
    one = runs["one"]
    assert set(one) == KEYS
    assert (one["network"], one["chain_id"], one["blocks"], one["seed"]) == ("standin", 31337, 20, 7)
    assert [set(agent) for agent in one["agents"]] == [AGENT_KEYS] * 4
    for agent in one["agents"]:
        assert 0 < agent["decisions"] <= 20
        assert agent["trades"] + agent["holds"] + agent["denied"] <= agent["decisions"]
        assert agent["trades"] == agent["records"]
    assert one["records_on_chain"] == sum(agent["records"] for agent in one["agents"]) > 0


def test_attackers_can_take_part(runs: dict[str, dict[str, Any]]) -> None:
    assert runs["rough"]["blocks"] == 20
    assert runs["rough"]["records_on_chain"] == sum(agent["records"] for agent in runs["rough"]["agents"])


def test_a_run_directory_says_what_happened(runs: dict[str, dict[str, Any]]) -> None:
    result, folder = runs["one"], runs["folder"]["one"]
    assert json.loads((folder / "summary.json").read_text()) == result
    about = json.loads((folder / "run.json").read_text())
    assert about["seed"] == about["settings"]["market"]["seed"] == 7
    kinds = [json.loads(line)["kind"] for line in (folder / "events.jsonl").read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("setup_progressed", "session_ended")
    assert kinds.count("step_completed") == 20 * 4
    decisions = (folder / "decisions.jsonl").read_text().splitlines()
    assert len(decisions) == sum(agent["decisions"] for agent in result["agents"])


def standings(run: Path, digest: str) -> dict[str, str]:
    return {rung.name: rung.standing for rung in verify_kept(run, digest).rungs}


@pytest.mark.usefixtures("trained_home")
def test_what_is_kept_of_a_run_bears_the_rungs_that_need_no_chain(
    runs: dict[str, dict[str, Any]], tmp_path: Path
) -> None:
    run = tmp_path / "run"
    shutil.copytree(runs["folder"]["one"], run)
    lines = [json.loads(line) for line in (run / "decisions.jsonl").read_text().splitlines()]
    assert {standings(run, line["digest"])["integrity"] for line in lines} == {"holds"}
    at, asked = next((at, line) for at, line in enumerate(lines) if line["forecast_x24"])
    told = verify_kept(run, asked["digest"])
    assert not told.is_verified, "nobody asked the chain"
    _, data, model, decision, _ = told.rungs
    assert [rung.standing for rung in (data, model, decision)] == ["open"] * 3
    assert "it ended with the run" in data.note
    assert ("forecast x 2^24, integer trees", *[str(asked["forecast_x24"])] * 2, True) in model.comparisons
    lines[at] = {**asked, "forecast_x24": asked["forecast_x24"] + 1}
    (run / "decisions.jsonl").write_text(
        "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines)
    )
    changed = standings(run, asked["digest"])
    assert (changed["integrity"], changed["model"]) == ("breaks", "breaks")
    after = next(line for line in lines if line["previous_digest"] == asked["digest"])
    assert standings(run, after["digest"])["integrity"] == "breaks", "what follows it names another"


@pytest.mark.usefixtures("trained_home")
def test_real_prices_are_followed_to_their_end(tmp_path: Path, models: Path) -> None:
    prices = tmp_path / "prices.csv"
    rows = 1 + 64 + 9
    with prices.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["timestamp", "close"])
        closes = (f"{1_900 + 4 * (i % 9) + i / 7:.2f}" for i in range(rows))
        table.writerows((1_700_000_000 + 60 * i, close) for i, close in enumerate(closes))
    teach(models, Settings.demo({"market.prices": prices}, environment={}))
    with started("demo", "--json", "--prices", str(prices), "--blocks", "1000", cwd=tmp_path) as demo:
        result = finished(demo)
    assert result["blocks"] == 9, "the opening, the warm-up, and then the file ends"
    (hodl,) = {agent["hodl_usd"] for agent in result["agents"]}
    assert 29_000 < hodl < 31_000


@pytest.mark.usefixtures("trained_home")
def test_a_chain_that_is_killed_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    with started("demo", "--headless", "--blocks", "100000", "--run-dir", "run", cwd=tmp_path) as demo:
        demo.wait_for("4 agents on standin")
        (anvil,) = demo.chains()
        os.kill(anvil, signal.SIGKILL)
        code, out, err = demo.end()
    assert code == 3
    assert out == ""
    assert "Traceback" not in err
    assert len([line for line in err.splitlines() if line.startswith("defai: ")]) == 1
    wait_until_gone(anvil)
    last = json.loads((tmp_path / "run" / "events.jsonl").read_text().splitlines()[-1])
    assert (last["kind"], last["exit_code"]) == ("session_ended", 3)


@pytest.mark.usefixtures("trained_home")
@pytest.mark.parametrize("moment", ["reading strategies", "starting the standin", "living through"])
def test_ctrl_c_while_setting_up_leaves_nothing_behind(tmp_path: Path, moment: str) -> None:
    with started("demo", "--headless", "--blocks", "100000", "--run-dir", "run", cwd=tmp_path) as demo:
        demo.wait_for(moment)
        chains = demo.chains()
        demo.interrupt()
        code, out, err = demo.end()
    assert code == 130
    assert "Traceback" not in err
    assert ("record" in out) == ("4 agents" in err), "once the agents are seated there is something to sum up"
    for chain in chains:
        wait_until_gone(chain)


@pytest.mark.usefixtures("trained_home")
def test_ctrl_c_in_the_middle_settles_and_ends(tmp_path: Path) -> None:
    with started("demo", "--headless", "--blocks", "100000", "--run-dir", "run", cwd=tmp_path) as demo:
        demo.wait_for("record #")
        (anvil,) = demo.chains()
        demo.interrupt()
        code, out, err = demo.end()
    assert code == 130, err
    assert "everything is settled" in err
    assert "records on chain" in out
    assert "Traceback" not in err
    wait_until_gone(anvil)
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["records_on_chain"] == sum(agent["records"] for agent in summary["agents"]) >= 1
