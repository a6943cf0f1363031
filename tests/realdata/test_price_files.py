"""Real price files load, with all that is wrong with them."""

from pathlib import Path

import pytest

from defai.marketsim.market import Market
from defai.marketsim.price_files import load
from tests.unit.marketsim.scenes import HIGH, LOW, USDC, carry_out, opened

pytestmark = pytest.mark.realdata


def test_hourly_ether_lacks_127_hours_and_loads(real_data: Path) -> None:
    path = load(real_data / "ohlcv" / "binance_ETHUSDT_1h_2017-08_2022-12.parquet")
    assert (path.length, path.gaps, path.step_seconds) == (46_981, 127, 3_600)
    assert "lacks 127 of 47,108 steps of 3,600 s; the widest gap is 33 steps after 2018-02-08" in path.warning


def test_a_market_lives_on_real_hours(real_data: Path) -> None:
    path = load(real_data / "ohlcv" / "binance_ETHUSDT_1h_2017-08_2022-12.parquet")
    people = Market(1, path, (LOW, HIGH), quote=USDC)
    pools = opened(people)
    for index in range(1, 301):
        carry_out(people.actions(index, pools), pools)
    assert people.timestamp(300) == path[300].timestamp
