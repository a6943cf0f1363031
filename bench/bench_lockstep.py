"""300 lock-step blocks with the demo's four agents, headless: how fast, and whether every trade has its record."""

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import homes
from figures import Figure

from defai.session.history import HistoryRecipe, generate_history

BLOCKS: Final = 300
SEED: Final = 7
PATIENCE_S: Final = 300.0


def run(environment: Mapping[str, str]) -> tuple[dict[str, Any], float, list[dict[str, Any]]]:
    """The summary, wall seconds from start to exit, and every decision."""
    folder = Path(environment["HOME"], "run")
    arguments = ["demo", "--headless", "--blocks", str(BLOCKS), "--seed", str(SEED), "--json"]
    started = time.perf_counter()
    printed = homes.run([*arguments, "--run-dir", str(folder)], environment, timeout=PATIENCE_S)
    seconds = time.perf_counter() - started
    decisions = [json.loads(line) for line in (folder / "decisions.jsonl").read_text().splitlines()]
    return json.loads(printed), seconds, decisions


def check(summary: Mapping[str, Any], decisions: list[dict[str, Any]]) -> None:
    """Every decision once, every trade recorded, every record a decision's.

    Raises:
        AssertionError: naming what does not add up.
    """
    agents = summary["agents"]
    counts = {
        "blocks": (summary["blocks"], BLOCKS),
        "decisions kept": (len(decisions), sum(agent["decisions"] for agent in agents)),
        "digests": (len({decision["digest"] for decision in decisions}), len(decisions)),
        "records and trades": (
            sum(agent["records"] for agent in agents),
            sum(agent["trades"] for agent in agents),
        ),
        "records on chain": (summary["records_on_chain"], sum(agent["records"] for agent in agents)),
    }
    wrong = {name: pair for name, pair in counts.items() if pair[0] != pair[1]}
    if wrong:
        raise AssertionError(f"these do not add up: {wrong}")


def measure() -> list[Figure]:
    """Blocks a second on the chain, beside the same market in memory with nobody deciding."""
    with homes.second_start() as environment:
        summary, seconds, decisions = run(environment)
    check(summary, decisions)
    started = time.perf_counter()
    asyncio.run(generate_history(HistoryRecipe(blocks=BLOCKS)))
    in_memory = BLOCKS / (time.perf_counter() - started)
    trades, records = sum(agent["trades"] for agent in summary["agents"]), summary["records_on_chain"]
    what = f"{BLOCKS} lock-step blocks, four agents, {trades} trades, {records} records"
    return [
        Figure(
            what=what,
            value=seconds,
            unit="s",
            headline=True,
            note="Wall time of one run, from the start of the process to its end, with a chain and models of its own.",
        ),
        Figure(
            what="lock-step blocks with four agents on the chain",
            value=BLOCKS / seconds,
            unit="a second",
            against="the market alone, in memory",
            alternative=in_memory,
            rate=True,
        ),
    ]
