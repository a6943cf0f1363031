"""What is done in columns on minute bars gives what taking every step gives: to the digest, to the unit, to the bar."""

import os
import subprocess
import sys
from collections.abc import Mapping
from copy import copy
from dataclasses import fields, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from defai.backtest import bar_loop
from defai.backtest.figures import figures
from defai.backtest.ground import Ground
from defai.backtest.run_files import differences
from defai.backtest.runner import AgentRun, BacktestResult, run
from defai.chain.mainnet import USDC_WETH_005
from defai.config import AgentSettings
from defai.domain.tokens import Token
from defai.market.bars import MinuteBars
from defai.market.valuation import Valuation
from defai.risk.limits import Limits
from defai.strategy.api import Context
from defai.testing.bars import walking_bars
from defai.worlds.bar_context import put_at
from defai.worlds.bars import BarsWorld

STRATEGIES = Path(__file__).parent / "bar_strategies.py"
BARS = walking_bars(900, seed=5, step_ticks=6.0)


def ground(bars: MinuteBars = BARS, numeraire: Token = USDC_WETH_005.token0, first_row: int = 0) -> Ground:
    valuation = Valuation(USDC_WETH_005, numeraire)
    fees = tuple(1_000_000_000 * (20 + row % 13) for row in range(len(bars)))
    return Ground(
        kind="bars",
        keys=(USDC_WETH_005,),
        valuation=valuation,
        fidelity="made up",
        exact_share=None,
        priced_gas=True,
        sha256=bars.digest,
        source="walking",
        settings={},
        make_world=lambda requests: BarsWorld(
            bars, USDC_WETH_005, valuation, requests, base_fees_wei=fees, first_row=first_row
        ),
    )


def settings(
    strategy: str, parameters: Mapping[str, Any] | None = None, limits: Limits | None = None
) -> AgentSettings:
    reference = f"{STRATEGIES}:{strategy}" if strategy[0].isupper() else strategy
    return AgentSettings(
        name="one",
        strategy=reference,
        parameters=dict(parameters or {}),
        balances={"USDC": Decimal(10_000), "WETH": Decimal(5)},
        limits=limits or Limits(max_drawdown=Decimal(1)),
    )


async def both(
    asked: AgentSettings, on: Ground, anchor_every: int = 32, *, baselines: bool = False
) -> tuple[BacktestResult, BacktestResult]:
    quick = await run(on, [asked], engine="columns", anchor_every=anchor_every, baselines=baselines)
    slow = await run(on, [asked], engine="reference", anchor_every=anchor_every, baselines=baselines)
    return quick, slow


def assert_same(quick: BacktestResult, slow: BacktestResult) -> None:
    assert differences(figures(quick), figures(slow)) == []
    runs = zip(
        (*quick.agents, *quick.baselines.values()), (*slow.agents, *slow.baselines.values()), strict=True
    )
    for a, b in runs:
        assert_same_run(a, b)


def assert_same_run(a: AgentRun, b: AgentRun) -> None:
    assert a.last_digest == b.last_digest
    assert list(a.decisions) == list(b.decisions)
    for field in fields(a.curve):
        assert getattr(a.curve, field.name) == getattr(b.curve, field.name), field.name
    for name in ("times", "steps", "idle", "stopped", "tape", "outcomes"):
        assert getattr(a, name) == getattr(b, name), name
    for name in ("state", "state_reason", "decisions", "gas_used"):
        assert getattr(a.agent, name) == getattr(b.agent, name), name
    assert a.agent.desk.portfolio == b.agent.desk.portfolio
    assert a.agent.desk.peak_raw == b.agent.desk.peak_raw
    assert a.agent.desk.market.head == b.agent.desk.market.head
    pools = [one.agent.desk.market.pools[USDC_WETH_005.address] for one in (a, b)]
    assert pools[0].snapshot() == pools[1].snapshot()
    assert len(a.agent.outbox) == len(b.agent.outbox)


@pytest.mark.parametrize(
    ("strategy", "parameters"),
    [
        ("hold", {}),
        ("full_range", {}),
        ("static_band", {"half_width": 40}),
        ("volatility_band", {}),
        ("Mover", {}),
        ("Mover", {"every": 50}),
        ("Looker", {}),
        ("Glancer", {}),
        ("Denied", {}),
        ("Raises", {}),
        ("SaysNothing", {"reason": "too long"}),
        ("SaysNothing", {"reason": "no text"}),
        ("SaysNothing", {"reason": "no UTF-8"}),
        ("SaysNothing", {"reason": "nothing"}),
        ("Keeper", {}),
    ],
)
async def test_the_same_comes_of_every_kind_of_strategy(strategy: str, parameters: dict[str, Any]) -> None:
    assert_same(*await both(settings(strategy, parameters), ground(), baselines=strategy == "hold"))


@pytest.mark.parametrize("share", ["0.0005", "0.001", "0.004"])
async def test_the_circuit_breaker_trips_at_the_same_bar(share: str) -> None:
    asked = settings("static_band", {"half_width": 100}, Limits(max_drawdown=Decimal(share)))
    quick, slow = await both(asked, ground())
    assert quick.agents[0].stopped.startswith("drawdown")
    assert_same(quick, slow)


@pytest.mark.parametrize("anchor_every", [1, 2, 7, 65, 10_000])
async def test_anchors_are_paid_for_at_the_same_bars(anchor_every: int) -> None:
    quick, slow = await both(settings("Mover", {"every": 90}), ground(), anchor_every)
    assert quick.agents[0].outcomes.anchors >= 450 // anchor_every
    assert_same(quick, slow)


@pytest.mark.parametrize("strategy", ["Mover", "Looker"])
async def test_money_may_be_ether_and_agents_may_join_late(strategy: str) -> None:
    assert_same(*await both(settings(strategy), ground(numeraire=USDC_WETH_005.token1, first_row=100)))


async def test_amounts_too_large_for_columns_take_the_general_way() -> None:
    bars = walking_bars(60, tick=-800_000, liquidity=10**30)
    assert_same(*await both(settings("Mover"), ground(bars)))


async def test_a_strategy_is_asked_once_a_bar_and_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []

    def put(context: Any, at: int) -> None:  # noqa: ANN401  the loop's
        put_at(context, at)
        shown.append(context)

    monkeypatch.setattr(bar_loop, "put_at", put)
    result = await run(ground(), [settings("Raises", {"at": 2_000})], engine="columns", baselines=False)
    asked = len(result.agents[0].decisions)
    assert asked == len(BARS)
    assert len(shown) > asked - 60
    numbers = [context.block_number for context in shown]
    assert sorted(set(numbers)) == sorted(numbers)
    plain = replace(shown[5], equity_raw=1)
    assert (type(plain), plain.block_number, plain.equity_raw) == (Context, shown[5].block_number, 1)
    assert (
        copy(shown[7]).timestamp == shown[7].timestamp == int(BARS.timestamps[shown[7].block_number - 1]) + 60
    )


async def test_the_reference_can_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bar_loop.BarLoop, "live", None)
    result = await run(ground(), [settings("hold")], engine="reference", baselines=False)
    assert result.agents[0].agent.decisions["holds"] == len(BARS)


async def test_few_bars_go_in_columns_too_where_nothing_has_to_be_compiled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await run(ground(), [settings("Mover")], engine="columns", baselines=False)
    taken: list[bar_loop.BarLoop] = []
    live = bar_loop.BarLoop.live

    async def noted(loop: bar_loop.BarLoop) -> None:
        taken.append(loop)
        await live(loop)

    monkeypatch.setattr(bar_loop.BarLoop, "live", noted)
    await run(ground(), [settings("Mover")], baselines=False)
    assert len(taken) == 1


def test_few_bars_do_not_wait_for_a_compiler_to_be_loaded() -> None:
    code = (
        "import asyncio, sys\n"
        "from tests.conformance.backtest.test_bars_in_columns import ground, run, settings\n"
        "asyncio.run(run(ground(), [settings('hold')], baselines=False))\n"
        "sys.exit('numba' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": "."}, check=False)
    assert done.returncode == 0


async def test_decisions_can_be_looked_at_in_any_order() -> None:
    quick, slow = await both(settings("Mover", {"every": 90}), ground())
    mine, reference = quick.agents[0].decisions, slow.agents[0].decisions
    for at in np.random.default_rng(1).permutation(len(reference)).tolist():
        assert mine[at] == reference[at]
    assert mine[-1] == reference[-1]
    assert list(mine[10:20]) == list(reference[10:20])
    with pytest.raises(IndexError, match="no decision"):
        mine[len(reference)]
