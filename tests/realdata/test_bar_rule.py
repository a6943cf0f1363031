"""The minute-bar rule gives what another engine gave on the same data: its 21 runs, and its hourly curves."""

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from defai.backtest import bar_rule
from defai.backtest.sources.bars import read_bars
from defai.domain.pool import PoolKey
from defai.domain.tokens import Token
from defai.market.bars import MinuteBars

pytestmark = pytest.mark.realdata

WINDOWS = {
    "poly_2022-01-05": ("2022-01-05", "2022-01-06"),
    "poly_2022-07-19_2022-08-08": ("2022-07-19", "2022-08-09"),
    "poly_2022-08-09_2022-08-15": ("2022-08-09", "2022-08-16"),
}
STRATEGIES = ("hold", "full_range", "fixed_200", "fixed_1000", "fixed_4000", "recentre_500", "recentre_2000")
START = (10_000 * 10**6, 5 * 10**18)
USDC = Token("0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", "USDC", 6)
WETH = Token("0x7ceB23fD6bC0adD59E62ac25578270cFf1b9f619", "WETH", 18)
POOL = PoolKey("0x45dDa9cb7c25131DF268515131f647d726f50608", USDC, WETH, 500, 10)
DUST_THROWN_AWAY = ("poly_2022-07-19_2022-08-08", "recentre_500")
"""The run in which the other engine sets 0.000001246 WETH to zero; docs/bars.md tells when."""


@cache
def bars_of(folder: Path, window: str) -> MinuteBars:
    first, last = (
        int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()) for day in WINDOWS[window]
    )
    return read_bars(folder, first, last)


@cache
def run(folder: Path, window: str, strategy: str) -> bar_rule.RuleRun:
    bars = bars_of(folder / "univ3_minute" / "polygon_usdc_weth_005", window)
    name, _, width = strategy.partition("_")
    center = bar_rule.nearest_usable(bars.tick_before(0), POOL.tick_spacing)
    policies: dict[str, Callable[[], bar_rule.Policy]] = {
        "hold": lambda: bar_rule.hold,
        "full": lambda: bar_rule.once(-887_270, 887_270),
        "fixed": lambda: bar_rule.once(center - int(width), center + int(width)),
        "recentre": lambda: bar_rule.recentring(int(width)),
    }
    return bar_rule.run(bars, POOL, START, policies[name](), even=name == "recentre")


@cache
def reference(folder: Path, window: str, strategy: str) -> dict[str, Any]:
    runs = json.loads((folder / "reference" / "demeter_1.3.0_runs.json").read_text())
    return next(entry for entry in runs if (entry["window"], entry["strategy"]) == (window, strategy))


def apart(ours: Decimal, theirs: float) -> float:
    return abs(float(ours / 10**6 / Decimal(theirs)) - 1)


@pytest.mark.parametrize("window", WINDOWS)
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_a_run_ends_where_the_other_engine_ended(real_data: Path, window: str, strategy: str) -> None:
    ours, theirs = run(real_data, window, strategy), reference(real_data, window, strategy)
    assert len(ours.worth) == theirs["rows"]
    tolerance = 2e-7 if (window, strategy) == DUST_THROWN_AWAY else 5e-10
    assert apart(ours.worth[-1], theirs["nv_last"]) < tolerance
    assert apart(ours.worth[0], theirs["nv_first"]) < tolerance
    assert apart(ours.holding[-1], theirs["hold_last"]) < tolerance
    assert apart(min(ours.worth), theirs["nv_min"]) < tolerance
    assert apart(max(ours.worth), theirs["nv_max"]) < tolerance
    assert len(ours.minted) == (theirs["rebalances"] or len(theirs["mints"]))
    for minted, mint in zip(ours.minted[:3], theirs["mints"], strict=False):
        assert (minted.tick_lower, minted.tick_upper) == (mint["lower"], mint["upper"])
        assert apart(Decimal(minted.liquidity), int(mint["liquidity"]) / 10**6) < 1e-9
    for fee, decimals, pending in zip(ours.fees, (6, 18), ("pending0", "pending1"), strict=True):
        if theirs["positions"]:
            told = Decimal(theirs["positions"][0][pending])
            assert abs(Decimal(fee).scaleb(-decimals) / told - 1) < 1e-6


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_the_hourly_curves_agree_all_along(real_data: Path, strategy: str) -> None:
    with (real_data / "reference" / "demeter_1.3.0_hourly_net_value.csv").open() as file:
        rows = list(csv.DictReader(file))
    compared = 0
    for window in WINDOWS:
        ours = run(real_data, window, strategy).worth
        for row in rows:
            told = row[f"{window}|{strategy}"]
            if told:
                at = min(int(row["hour"]) * 60 + 59, len(ours) - 1)
                assert apart(ours[at], float(told)) < 3e-7, (window, row["hour"])
                compared += 1
    assert compared == 24 * (1 + 21 + 7)


def test_a_tick_that_is_not_rounded_in_the_exit_test_gives_another_run(real_data: Path) -> None:
    """The one place where the engines' rules differ, as docs/bars.md tells it: 23 bands instead of 19."""
    window = "poly_2022-07-19_2022-08-08"
    bars = bars_of(real_data / "univ3_minute" / "polygon_usdc_weth_005", window)

    def exact(seat: bar_rule.Seat) -> tuple[int, int] | None:
        if seat.range and seat.range[0] <= seat.tick < seat.range[1]:
            return None
        center = bar_rule.nearest_usable(seat.tick, 10)
        return center - 500, center + 500

    ours = bar_rule.run(bars, POOL, START, exact, even=True)
    assert len(ours.minted) == 23
    assert round(ours.worth[-1] / 10**6, 2) == Decimal("17363.59")
