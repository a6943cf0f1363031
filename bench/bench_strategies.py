"""What the engine adds to a strategy's own time, how long a thousand of them take to list, and one to check."""

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
from defai.strategy.registry import list_names, load, shipped_folder
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from defai.testing.checking import check_strategy

KEYS: Final = (USDC_WETH_005, USDC_WETH_030)
MANY: Final = 1_000
MOST_US: Final = 50.0
MOST_LISTING_S: Final = 1.0
MOST_CHECKING_S: Final = 20.0


def measure() -> list[Figure]:
    """Time all three."""
    return [_asking(), _listing(), _checking()]


def _asking() -> Figure:
    market = market_of({key: pool_with_liquidity(key) for key in KEYS})
    for _ in range(WINDOW_BLOCKS):
        market.apply(next_block(market))
    portfolio = Portfolio.opening({USDC.address: 10**10, WETH.address: 10**18})
    desk = Desk(market, Valuation(KEYS[0], USDC), portfolio, Limits(), lambda _: ())
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
