"""What the engine adds to a strategy's own time, here and apart, how long a thousand take to list, and one to check."""

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Final

from figures import Figure, seconds_each

from defai.agent.asking import Asking
from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, WETH
from defai.market.state import WINDOW_BLOCKS
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.strategy.api import Strategy
from defai.strategy.isolation.own_features import own_features
from defai.strategy.registry import list_names, load, shipped_folder
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from defai.testing.checking import check_strategy

KEYS: Final = (USDC_WETH_005, USDC_WETH_030)
MANY: Final = 1_000
OWN: Final = '''
from defai.features import Past, feature
from defai.strategy.api import Context, Hold, Intent, Strategy


@feature("bench_above_low_{n}", version=1, unit="ticks", source="definition")
def above_low(past: Past, n: int) -> int:
    """How far the tick stands above the lowest of the last n rows."""
    return past.now.tick - min(past.ago(blocks).tick for blocks in range(n + 1))


class Plain(Strategy):
    """Holds."""

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason="holds")


class Own(Plain):
    """Holds, with features of its own."""

    def features(self) -> tuple[str, ...]:
        return ("bench_above_low_12", "return_6", "bench_above_low_24")
'''
MOST_US: Final = 50.0
MOST_LISTING_S: Final = 1.0
MOST_CHECKING_S: Final = 20.0


def measure() -> list[Figure]:
    """Time all of them."""
    return [_asking(), *_asking_apart(), _listing(), _checking()]


def _desk() -> Desk:
    """A desk in a market of two pools whose windows are full."""
    market = market_of({key: pool_with_liquidity(key) for key in KEYS})
    for _ in range(WINDOW_BLOCKS):
        market.apply(next_block(market))
    portfolio = Portfolio.opening({USDC.address: 10**10, WETH.address: 10**18})
    return Desk(market, Valuation(KEYS[0], USDC), portfolio, Limits(), lambda _: ())


def _asking() -> Figure:
    desk = _desk()
    outlook, asking, strategy = Outlook("bench", desk, ()), Asking("bench"), load("hold").strategy
    valued = desk.valued()

    def whole() -> None:
        asking.decide(strategy.decide, outlook.context(KEYS, None, valued, ()), strategy.stated_edge)

    context = outlook.context(KEYS, None, valued, ())
    bare = seconds_each(lambda: strategy.decide(context), at_least_s=0.5, rounds=5)
    took = seconds_each(whole, at_least_s=0.5, rounds=5)
    return Figure(
        what="asking a strategy, per agent and block, besides its own time",
        value=(took - bare) * 1e6,
        unit="µs",
        most=MOST_US,
        headline=True,
        note="context of two pools, time limit, check of the answer; features and forecast have figures of their own",
    )


def _asking_apart() -> list[Figure]:
    """A strategy in a process of its own, upon a new block each time; and one with features of its own."""
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "apart.py"
        path.write_text(OWN, encoding="utf-8")
        plain, own = (load(f"{path}:{one}", isolate=True).strategy for one in ("Plain", "Own"))
        return [
            Figure(
                what=f"asking an isolated strategy{what}, per agent and block",
                value=_upon_blocks(one) * 1e6,
                unit="µs",
                note="a new block each time, two pools of 512 rows; the quickest of many: waking another process takes "
                "as long as the machine lets it",
            )
            for what, one in (("", plain), (" with two features of its own", own))
        ]


def _upon_blocks(strategy: Strategy) -> float:
    """The quickest of many questions, each upon a block that nobody has been asked about."""
    desk = _desk()
    valued, market, asking = desk.valued(), desk.market, Asking("bench")
    outlook = Outlook("bench", desk, strategy.features(), own_features(strategy))
    took = []
    for _ in range(500):
        market.apply(next_block(market))
        began = perf_counter()
        context = outlook.context(KEYS, None, valued, ())
        asking.decide(strategy.decide, context, strategy.stated_edge)
        took.append(perf_counter() - began)
        if asking.fault or outlook.fault:
            raise AssertionError(asking.fault or outlook.fault)
    return min(took)


def _listing() -> Figure:
    source = (shipped_folder() / "static_band.py").read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(MANY):
            (folder / f"band_{number}.py").write_text(source, encoding="utf-8")
        took = []
        for _ in range(3):
            began = perf_counter()
            found = list_names(folder)
            took.append(perf_counter() - began)
        if len([entry for entry in found if not entry.installed]) != MANY:
            raise AssertionError(f"{len(found)} of {MANY} strategies were listed")
    return Figure(
        what=f"listing {MANY:,} strategies in a folder",
        value=min(took),
        unit="s",
        most=MOST_LISTING_S,
        note=f"each {len(source):,} bytes; parameters, version and summary read, nothing imported",
    )


def _checking() -> Figure:
    began = perf_counter()
    report = check_strategy("mean_reversion", folder=shipped_folder())
    took = perf_counter() - began
    if not report.passed:
        raise AssertionError(f"mean_reversion did not pass: {report.findings}")
    return Figure(
        what="check-strategy of a strategy with a model",
        value=took,
        unit="s",
        most=MOST_CHECKING_S,
        headline=True,
    )
