"""Backtests around real prices."""

from decimal import Decimal
from pathlib import Path

import pytest

from defai.backtest.figures import figures
from defai.backtest.request import BacktestRequest, perform
from defai.marketsim.price_files import load

pytestmark = pytest.mark.realdata


async def test_a_week_of_hourly_ether_prices(real_data: Path) -> None:
    source = real_data / "ohlcv" / "binance_ETHUSDT_1h_2017-08_2022-12.parquet"
    fees = real_data / "gas" / "etherscan_daily_AvgGasPrice_2015_2022.csv"
    request = BacktestRequest(
        strategies=("static_band",),
        source=source,
        balances={"USDC": Decimal(10_000), "WETH": Decimal(6)},
        timerange="20220801-20220807",
        base_fees=fees,
        starts=3,
    )
    table = figures(await perform(request))
    closes = {point.timestamp: point.quote_per_base for point in load(source)}
    first, last = (float(closes[table[name]]) for name in ("first_time", "last_time"))

    assert (table["source_kind"], table["step_s"], table["steps"]) == ("prices", 3_600, 165)
    assert table["initial_usd"] == pytest.approx(10_000 + 6 * first, rel=0.004)
    assert table["hodl_usd"] == pytest.approx(10_000 + 6 * last, rel=0.004)
    assert "missing" not in table["fidelity"]
    assert table["gas_price"] == "base fees of etherscan_daily_AvgGasPrice_2015_2022.csv"
    assert 5 < table["gas_usd"] < 60
    assert table["lvr_interval_s"] == 3_600
    assert table["lvr_usd"] > 10 * table["baselines"]["full_range"]["lvr_usd"]
    assert table["starts"]["window_s"] == 7 * 86_400 - 2 * 3_600
    assert table["starts"]["strategy"]["final_usd"]["standard_error"] > 0
