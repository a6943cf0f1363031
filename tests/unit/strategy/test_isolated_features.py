"""An author's own features in his strategy's process: the same numbers, digests and faults as in the session."""

import asyncio
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.backtest.request import BacktestRequest, perform
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.errors import ConfigError
from defai.features.spec import FeatureSpec, definitions
from defai.features.table import compute_table
from defai.market.bar_rows import rows_of_bars, rows_of_prices
from defai.market.valuation import Valuation
from defai.market.window import Observation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.strategy.isolation import own_features as wire
from defai.strategy.isolation.line import Line
from defai.strategy.isolation.own_features import own_features
from defai.strategy.isolation.process import Place
from defai.strategy.registry import LoadedStrategy, load
from defai.testing.bars import walking_bars
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from defai.time_limit import TimeLimit
from tests.unit.backtest.minute_scenes import minute_file

NAMES = ("apart_above_low_6", "return_3", "apart_traded")
SOURCE = '''
from defai.features import Past, feature
from defai.strategy.api import Context, Hold, Intent, Strategy


@feature("apart_above_low_{n}", version=1, unit="ticks", source="definition")
def above_low(past: Past, n: int) -> int:
    """How far the tick stands above the lowest of the last n rows; it branches, so it is computed row by row."""
    low = past.now.tick
    for blocks in range(n + 1):
        if past.ago(blocks).tick < low:
            low = past.ago(blocks).tick
    return low - past.now.tick if past.now.swaps else past.now.tick - low


@feature("apart_traded", version=2, unit="raw", source="definition")
def traded(past: Past) -> int:
    """What was paid in."""
    return past.now.volume_raw


class Apart(Strategy):
    """Acts upon its features, and upon its dice."""

    def features(self): return NAMES

    def decide(self, ctx: Context) -> Intent:
        if ctx.features is None:
            return Hold(reason=f"waits: {len(ctx.pool.history)} rows")
        above, move, _ = ctx.features.values
        words = f"{above} {move} {ctx.rng.random()} {len(ctx.outcomes)} {sorted(ctx.pool.state.ticks)}"
        if ctx.block_number % 16 == 8:
            return ctx.swap(ctx.numeraire, ctx.balance(ctx.numeraire) // 10, reason=words)
        if ctx.block_number % 16 == 12 and not ctx.position:
            return self.provide(ctx, words)
        return Hold(reason=words)

    def provide(self, ctx: Context, words: str) -> Intent:
        from defai.strategy.api import OpenPosition
        low, high = ctx.band(200 + ctx.rng.randrange(100))
        return OpenPosition(
            pool=ctx.pool.key.address, tick_lower=low, tick_upper=high, reason=words,
            amount0_raw=ctx.balance(ctx.pool.key.token0) // 2, amount1_raw=ctx.balance(ctx.pool.key.token1) // 2,
        )


@feature("apart_dividing", version=1, unit="ticks", source="made up")
def dividing(past: Past) -> int:
    """Made up."""
    return 1 // 0


@feature("apart_floating", version=1, unit="ticks", source="made up")
def floating(past: Past) -> int:
    """Made up."""
    return 1.5


@feature("apart_endless", version=1, unit="ticks", source="made up")
def endless(past: Past) -> int:
    """Made up."""
    while True:
        pass
'''.replace("NAMES", repr(NAMES))


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("own") / "apart.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture(scope="module")
def apart(file: Path) -> LoadedStrategy:
    return load(f"{file}:Apart", isolate=True)


def test_a_backtest_comes_to_the_same_digests(file: Path, tmp_path: Path) -> None:
    source = minute_file(tmp_path / "bars", 90).parent
    request = BacktestRequest(strategies=(f"{file}:Apart",), source=source, baselines=False)
    apart, here = (
        asyncio.run(perform(replace(request, isolate=isolate))).agents[0] for isolate in (True, False)
    )
    assert [one.digest for one in apart.decisions] == [one.digest for one in here.decisions]
    assert [one.payload for one in apart.decisions] == [one.payload for one in here.decisions]
    assert len({one.features_digest for one in here.decisions}) > 50
    assert here.agent.decisions["trades"] > 3


def test_a_history_gives_the_same_table(apart: LoadedStrategy, file: Path) -> None:
    load(f"{file}:Apart")
    for rows in (rows_of_bars(walking_bars(60, seed=3)), bare_prices()):
        here = compute_table([rows], FeatureSpec.of(NAMES))
        there = compute_table([rows], FeatureSpec.of(NAMES, own_features(apart.strategy)))
        assert here.spec.digest == there.spec.digest
        assert np.array_equal(here.ready, there.ready)
        assert np.array_equal(here.values[here.ready], there.values[there.ready])
    assert not here.ready.any(), "bare prices tell no volume"
    with pytest.raises(
        ConfigError, match="The feature apart_dividing, asked of block 0, raised ZeroDivisionError"
    ):
        compute_table([rows], FeatureSpec.of(("apart_dividing",), own_features(apart.strategy)))


def bare_prices() -> list[Observation]:
    prices = [2000.0 + step % 7 for step in range(40)]
    return rows_of_prices([60 * i for i in range(40)], prices, prices, prices, prices, step_s=60)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("apart_dividing", r"\(apart_dividing\) raised ZeroDivisionError"),
        ("apart_floating", r"raised TypeError: the feature apart_floating gave float, not int"),
        ("apart_endless", r"\(apart_endless\) took longer than 0.2 s and was interrupted"),
    ],
)
def test_a_fault_is_told_in_the_same_words(apart: LoadedStrategy, name: str, why: str) -> None:
    market = market_of({USDC_WETH_005: pool_with_liquidity()})
    market.apply(next_block(market))
    balances = {USDC.address: 10**10, WETH.address: 10**18}
    desk = Desk(market, Valuation(USDC_WETH_005, USDC), Portfolio.opening(balances), Limits(), lambda _: ())
    outlook = Outlook("own", desk, (name,), own_features(apart.strategy))
    outlook._limit = TimeLimit(limit_s=0.2 if name == "apart_endless" else 30)
    assert outlook.context([USDC_WETH_005], None, desk.valued(), ()).features is None
    assert re.search(why, outlook.fault), outlook.fault


@pytest.mark.parametrize(
    "lie", [{"name": "return_{n}..", "version": 1}, {"code_digest": ""}, {"warm_up": "1"}, {"pools": -1}]
)
def test_what_is_no_description_of_a_feature_is_refused(file: Path, lie: dict[str, object]) -> None:
    load(f"{file}:Apart")
    honest = next(one for one in wire.told() if one["name"] == "apart_traded")
    line = Line(Place("apart", (str(file),)), {})
    assert wire.read([honest], str(file), line)["apart_traded"].version == 2
    with pytest.raises(ConfigError, match="says of a feature what is none"):
        wire.read([{**honest, **lie}], str(file), line)


def test_a_name_of_the_library_is_taken_there_too(tmp_path: Path) -> None:
    taken = next(one.name for one in definitions() if not one.code_digest)
    path = tmp_path / "taking.py"
    path.write_text(SOURCE.replace("apart_traded", taken))
    with pytest.raises(ConfigError, match=f"The feature name {re.escape(taken)} is taken by"):
        load(f"{path}:Apart", isolate=True)
