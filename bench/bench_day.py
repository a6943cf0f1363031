"""A recorded day of a busy pool with one agent in it, beside the pool's own arithmetic alone in plain integers.

The day is what a replay takes once Python is up and the files are read: opening the world, every recorded event, the
agent's decision at every block, each sealed as a record, its plans and gas. Beside it stand the same events put
through the reference engine without agent, records or curve: what a replay can't do without, and all that the
compiled kernel could take over. Processor time: one core
does nothing but count here, and other programs' share would tell nothing.
"""

import asyncio
import os
import time
from decimal import Decimal
from pathlib import Path
from statistics import median
from typing import Final

from figures import Figure

from defai.amm.swap import commit_swap
from defai.backtest.ground import events_ground
from defai.backtest.runner import run
from defai.backtest.sources.event_files import read_event_history
from defai.config import AgentSettings
from defai.domain.chain_events import PoolSwapped
from defai.worlds.event_history import EventHistory, apply_liquidity_event, walk_or_none
from defai.worlds.replay import Flow

DAY: Final = Path("univ3_events", "ethereum_usdc_weth_005")
BALANCES: Final = {"USDC": Decimal(10_000), "WETH": Decimal(5)}
STRATEGIES: Final = ("hold", "static_band", "volatility_band")
ROUNDS: Final = 5
WANTED_S: Final = 1.0


def folder_of_the_day() -> Path | None:
    """Where the recorded day lies: under DEFAI_REAL_DATA, or under `shared/data` beside the project."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("DEFAI_REAL_DATA", beside)) / DAY
    return folder if folder.is_dir() else None


def pool_alone(history: EventHistory) -> float:
    """Seconds of the day's events on the pool and nothing else, every swap worked out."""
    pools = {address: pool.copy() for address, pool in history.opening.items()}
    calls = iter(history.calls)
    started = time.process_time()
    for block in history.blocks:
        for event in block.events:
            pool = pools[event.pool]
            if not isinstance(event, PoolSwapped):
                apply_liquidity_event(pool, event, block.timestamp)
                continue
            call = next(calls)
            walk = walk_or_none(pool, call.amount_specified, call.limit_x96, zero_for_one=call.zero_for_one)
            commit_swap(pool, walk if call.exact and walk else call.walk, block.timestamp)
    return time.process_time() - started


def day_with(history: EventHistory, strategy: str, flow: Flow) -> float:
    """Seconds of the day with one agent in it."""
    ground = events_ground(history, flow=flow)
    settings = AgentSettings(name="agent", strategy=strategy, balances=BALANCES)
    started = time.process_time()
    asyncio.run(run(ground, [settings], baselines=False))
    return time.process_time() - started


def measure() -> list[Figure]:
    """The day with each strategy; unmeasured where the recorded day isn't at hand."""
    folder = folder_of_the_day()
    if folder is None:
        return [
            Figure(
                what="a recorded day of a busy pool, one agent",
                value=float("nan"),
                unit="",
                against="the recorded day isn't here; DEFAI_REAL_DATA says where it is",
            )
        ]
    started = time.process_time()
    history = read_event_history(folder)
    read = time.process_time() - started
    swaps = len(history.calls)
    cases = [(strategy, flow) for strategy in STRATEGIES for flow in Flow]
    day_with(
        history, "static_band", Flow.AMOUNTS
    )  # once before: imports, and the kernel for digests where it is used
    taken: dict[tuple[str, Flow], list[float]] = {case: [] for case in cases}
    alone = []
    for _ in range(ROUNDS):
        alone.append(pool_alone(history))
        for case in cases:
            taken[case].append(day_with(history, *case))
    return [
        Figure(
            what=f"a day of 0x88e6, {swaps:,} swaps, with {strategy} in it (--flow {flow.value})",
            value=median(taken[strategy, flow]),
            unit="s",
            against=f"of it {median(alone):.2f} s: the pool's events alone in plain integers, nobody deciding",
            most=WANTED_S,
            headline=strategy == "static_band" and flow is Flow.AMOUNTS,
            note=f"processor time, median of {ROUNDS}; after start-up: imports, and reading the files in {read:.2f} s",
        )
        for strategy, flow in cases
    ]
