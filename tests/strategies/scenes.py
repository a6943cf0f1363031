"""What the strategies are asked with: two pools, a past, a position, a forecast; and short runs on bars."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, Final

import numpy as np

from defai.backtest.ground import Ground
from defai.backtest.runner import AgentRun, run
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, WETH
from defai.config import AgentSettings
from defai.domain.decisions import Forecast
from defai.domain.position import Position
from defai.market.bar_rows import rows_of_bars
from defai.market.bars import MINUTE_S, MinuteBars, to_limbs
from defai.market.valuation import Valuation
from defai.market.window import Window
from defai.models.study import Design
from defai.models.trained import TrainedModel
from defai.models.training import train
from defai.risk.limits import Limits
from defai.strategy.api import Context, Costs, Hold, Intent
from defai.strategy.registry import load
from defai.testing.builders import START_TICK, context_on, pool_with_liquidity
from defai.units import GWEI, Q24
from defai.worlds.bars import BarsWorld

LOW, HIGH = USDC_WETH_005, USDC_WETH_030
HALF: Final = {USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17}
"""What `context_on` gives: 30,000 dollars, half in each token."""


def expected(ticks: float, *, beats: bool | None = True) -> Forecast:
    return Forecast(int(ticks * Q24), "ticks", "a forecast", "0x" + "33" * 32, beats_baseline=beats)


def decide(name: str, ctx: Context, **parameters: object) -> Intent:
    intent = load(name, parameters).strategy.decide(ctx)
    assert intent.reason
    return intent


def held(name: str, ctx: Context, **parameters: object) -> str:
    """The reason of a strategy that holds."""
    intent = decide(name, ctx, **parameters)
    assert isinstance(intent, Hold), intent
    return intent.reason


def both(apart: int = 0, *, forecast: Forecast | None = None) -> Context:
    pools = {LOW: pool_with_liquidity(LOW), HIGH: pool_with_liquidity(HIGH, tick=START_TICK + apart)}
    return context_on(pools, forecast=forecast)


def after(ticks: Sequence[int], *, forecast: Forecast | None = None) -> Context:
    """A context in one pool whose price went this way, a tick a block; it stands at the last."""
    ctx = context_on({LOW: pool_with_liquidity(LOW, tick=ticks[-1])}, forecast=forecast)
    last = ctx.pool.history[-1]
    rows = [
        replace(last, block_number=last.block_number - ago, tick=tick, tick_low=tick, tick_high=tick)
        for ago, tick in zip(range(len(ticks) - 1, -1, -1), ticks, strict=True)
    ]
    return replace(ctx, pools=(replace(ctx.pool, history=Window(512, rows)),))


def dry(ctx: Context) -> Context:
    """The same with nothing in the main pool to trade with."""
    pool = pool_with_liquidity(LOW, tick=ctx.pool.tick, bands=())
    return replace(ctx, pools=(replace(ctx.pool, state=pool), *ctx.pools[1:]))


def newborn(ctx: Context) -> Context:
    """The same before anybody has seen a block."""
    return replace(ctx, pools=tuple(replace(pool, history=Window(512)) for pool in ctx.pools))


def dear(ctx: Context, gas_usd: float = 1_000.0) -> Context:
    """The same with gas at a price that nothing pays for."""
    costs = Costs(gas_usd=gas_usd, rebalance_gas_usd=4 * gas_usd, usd_per_gas=gas_usd / 200_000)
    return replace(ctx, costs=costs)


def band(lower: int, upper: int, liquidity: int = 10**16) -> Position:
    return Position(7, LOW.address, lower, upper, liquidity, 0, 0, 0, 0, 1)


def bars_along(ticks: Sequence[int], *, dollars: int = 20_000, liquidity: int = 10**18) -> MinuteBars:
    """Minute bars whose closes are these ticks, with as many dollars paid in on either side of each.

    Args:
        ticks: at least two; the first is where the first bar opens.
        dollars: volume of each minute, a side.
        liquidity: of everyone else.
    """
    close = np.array(ticks[1:], dtype=np.int32)
    opened = np.array(ticks[:-1], dtype=np.int32)
    count = len(close)
    return MinuteBars(
        timestamps=1_658_188_800 + MINUTE_S * np.arange(count, dtype=np.int64),
        open_tick=opened,
        close_tick=close,
        lowest_tick=np.minimum(opened, close),
        highest_tick=np.maximum(opened, close),
        amount0_in=to_limbs([dollars * 10**6] * count),
        amount1_in=to_limbs([dollars * 10**18 // 2_000] * count),
        liquidity=to_limbs([liquidity] * count),
        padded=0,
        digest="0x" + hashlib.sha256(repr((ticks, dollars, liquidity)).encode()).hexdigest(),
        origin=("made up",),
    )


def taught(name: str, bars: MinuteBars, **parameters: object) -> TrainedModel:
    """A strategy's model, trained on bars in a moment."""
    strategy = load(name, parameters).strategy
    target = strategy.target()
    assert target is not None
    return train(
        {strategy.pools()[0]: rows_of_bars(bars)},
        feature_names=strategy.features(),
        target=target,
        design=Design(rounds=20, folds=3),
    )


async def live_through(
    name: str,
    bars: MinuteBars,
    *,
    model: TrainedModel | None = None,
    gas_gwei: int = 1,
    limits: Limits | None = None,
    **parameters: Any,  # noqa: ANN401  the strategy's own
) -> AgentRun:
    """A short run: 10,000 dollars and 5 ether, each bar a block; nobody may fail on the way."""
    valuation = Valuation(LOW, USDC)
    ground = Ground(
        kind="bars",
        keys=(LOW,),
        valuation=valuation,
        fidelity="made up",
        exact_share=None,
        priced_gas=True,
        sha256=bars.digest,
        source="made up",
        settings={},
        make_world=lambda requests: BarsWorld(bars, LOW, valuation, requests, base_fee_wei=gas_gwei * GWEI),
    )
    settings = AgentSettings(
        name="one",
        strategy=name,
        parameters=parameters,
        balances={"USDC": Decimal(10_000), "WETH": Decimal(5)},
        limits=limits or Limits(max_drawdown=Decimal(1)),
    )
    result = await run(ground, [settings], models=[model], baselines=False, anchor_every=10**6)
    (one,) = result.agents
    assert one.stopped == ""
    assert len(one.decisions) == len(bars)
    assert one.agent.decisions["denied"] == 0
    return one


def reasons(one: AgentRun) -> list[str]:
    """Why it did what it did, bar by bar."""
    return [json.loads(decision.payload)["reason"] for decision in one.decisions]


def equity_usd(one: AgentRun) -> float:
    """What it ends with, gas paid."""
    return one.curve.equity_raw[-1] / 10**6
