"""Backtests on prices: what is recorded is followed, what is made up is repeated, and both are told apart."""

import gzip
import json
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from defai.backtest.figures import figures
from defai.backtest.prices_ground import WARM_UP
from defai.backtest.request import BacktestRequest, open_ground, perform
from defai.backtest.run_files import read_run
from defai.backtest.sources.base_fees import read_base_fees
from defai.backtest.sources.detection import SourceKind, detect
from defai.cli.main import run
from defai.errors import ConfigError, NotFoundError
from defai.marketsim.bridged_prices import BridgedPath
from defai.marketsim.price_files import load
from tests.unit.backtest.price_scenes import FIRST, price_file, price_rows

MONEY = {"USDC": Decimal(10_000), "WETH": Decimal(9)}


@pytest.fixture(scope="module")
def prices(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return price_file(tmp_path_factory.mktemp("prices"), 120)


async def measured(source: Path, **more: Any) -> dict[str, Any]:  # noqa: ANN401  the fields of a request
    given: dict[str, Any] = {"strategies": ("static_band",), "balances": MONEY, "baselines": False} | more
    return figures(await perform(BacktestRequest(source=source, **given)), hourly=True)


async def test_the_recorded_price_is_followed_and_the_rest_is_said_to_be_made_up(prices: Path) -> None:
    table = await measured(prices)
    last = load(prices)[119].quote_per_base

    assert (table["source_kind"], table["step_s"], table["seed"]) == ("prices", 3_600, 1)
    assert table["liquidity_usd"] == "10000000"
    assert table["pools"] == ["USDC/WETH 0.05 %", "USDC/WETH 0.3 %"]
    assert (
        "recorded: the price alone, a block each 3,600 s; generated around it (seed 1)" in table["fidelity"]
    )
    assert (table["steps"], table["decisions"], table["exact_share"]) == (119, 119, None)
    assert table["hodl_usd"] == pytest.approx(10_000 + 9 * float(last), rel=0.002)
    assert table["fees_usd"] > 1
    assert 0 < table["gas_usd"] < 200
    assert table["gas_price"] == "made up around the prices"


async def test_figures_go_by_the_step(prices: Path, tmp_path: Path) -> None:
    hours = await measured(prices)
    assert (hours["lvr_interval_s"], hours["ratio_step_s"]) == (3_600, 3_600)
    assert len(hours["hourly_equity_usd"]) == 120
    assert hours["hourly_equity_usd"][0] == hours["initial_usd"]

    days = await measured(price_file(tmp_path, 40, 86_400))
    assert (days["lvr_interval_s"], days["ratio_step_s"], days["steps"]) == (86_400, 86_400, 39)
    assert days["hourly_equity_usd"] is None
    assert days["anchor_every"] == 1
    assert hours["anchor_every"] == 24


async def test_the_seed_decides_and_nothing_else(prices: Path) -> None:
    one, two = [await measured(prices) for _ in range(2)]
    assert {**one, "seconds": 0} == {**two, "seconds": 0}
    other = await measured(prices, seed=2)
    assert other["fees_usd"] != one["fees_usd"]
    deep = await measured(prices, liquidity_usd=Decimal(100_000_000))
    assert deep["fees_usd"] < one["fees_usd"], "the same noise pays more liquidity; arbitrage grows with it"


async def test_a_time_range_begins_with_a_market_that_has_lived(prices: Path) -> None:
    request = BacktestRequest(strategies=("hold",), source=prices, timerange="20220704-20220704")
    opening = await open_ground(request).make_world([]).open()
    assert opening.market.head.timestamp == FIRST + 72 * 3_600
    assert opening.market.head.number == WARM_UP
    table = await measured(prices, timerange="20220704-20220704")
    assert (table["first_time"], table["last_time"]) == (FIRST + 72 * 3_600, FIRST + 95 * 3_600)
    with pytest.raises(NotFoundError, match="fewer than two prices within the time range"):
        await measured(prices, timerange="20230101-20230102")


async def test_a_shorter_step_fills_in_and_keeps_what_is_recorded(prices: Path) -> None:
    table = await measured(prices, step_s=600, timerange="20220701-20220701")
    assert (table["steps"], table["step_s"]) == (6 * 23, 600)
    assert "with made-up prices between them" in table["fidelity"]
    with pytest.raises(ConfigError, match=r"3,600 s apart, no multiple of 1,000 s"):
        await measured(prices, step_s=1_000)


def test_a_bridge_goes_through_every_recorded_price_and_is_about_as_lively(prices: Path) -> None:
    recorded = load(prices)
    bridged, again = BridgedPath(recorded, 60, 7), BridgedPath(recorded, 60, 7)
    points = list(bridged)

    assert len(points) == 119 * 60 + 1
    assert points[::60] == list(recorded)
    assert [again[index] for index in (5_000, 61, 5_001)] == [points[index] for index in (5_000, 61, 5_001)]
    assert {after.timestamp - before.timestamp for before, after in pairwise(points)} == {60}
    rough = sum(recorded.move_pips(index) ** 2 for index in range(1, 120))
    fine = sum(bridged.move_pips(index) ** 2 for index in range(1, len(points)))
    assert 0.7 < fine / rough < 1.5
    assert BridgedPath(recorded, 60, 8)[30] != points[30]


async def test_gas_is_free_stated_or_recorded(prices: Path, tmp_path: Path) -> None:
    fees = tmp_path / "fees.csv"
    fees.write_text("unix timestamp,base fee (gwei)\n1656633600,19.9\n1656892800,19.9\n1657324800,40\n")
    free = await measured(prices, gas_gwei=Decimal(0))
    stated = await measured(prices, gas_gwei=Decimal(20))
    recorded = await measured(prices, base_fees=fees)

    assert free["gas_usd"] is free["anchor_gas_usd"] is None
    assert free["gas_price"] == "free, as stated"
    assert free["final_usd"] > stated["final_usd"]
    assert stated["gas_price"] == "20 gwei, as stated"
    assert recorded["gas_price"] == "base fees of fees.csv"
    assert recorded["base_fees_sha256"].startswith("0x")
    assert recorded["gas_usd"] == stated["gas_usd"], "what is stated has the tip of 0.1 gwei in it"
    fees.write_text(fees.read_text().replace("1656892800,19.9", "1656892800,40"))
    dearer = await measured(prices, base_fees=fees)
    assert 1.1 * stated["gas_usd"] < dearer["gas_usd"] < 2 * stated["gas_usd"]
    with pytest.raises(ConfigError, match="priced twice"):
        await measured(prices, base_fees=fees, gas_gwei=Decimal(1))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("time,cost\n1,2\n2,3\n", "has no column of base fees; its columns are time, cost"),
        ("time,gwei\n1656633600,many\n1656633700,2\n", "fees.csv, line 2: the base fee 'many' is no number"),
        ("time,gwei\n1656633600,2\n1656633700,-2\n", "fees.csv, line 3: a base fee of -2 cannot be"),
        ("time,gwei\n1656633600,2e9\n", "fees.csv, line 2: a base fee of 2e9 cannot be"),
        ("time,gwei\n1656633700,2\n1656633600,2\n", "runs backwards"),
        ("time,gwei\n1656633700,2\n1656633800,2\n", "begin after the history"),
        ("time,gwei\n1656633500,2\n1656633600,2\n", "end before the history"),
        ("time,gwei\n", "has no base fees"),
    ],
)
async def test_base_fees_that_cannot_be_used(prices: Path, tmp_path: Path, content: str, said: str) -> None:
    fees = tmp_path / "fees.csv"
    fees.write_text(content)
    with pytest.raises(ConfigError, match=said):
        await measured(prices, base_fees=fees)
    with pytest.raises(NotFoundError):
        read_base_fees(tmp_path / "nowhere.csv")


def test_prices_are_known_by_their_columns(prices: Path, tmp_path: Path) -> None:
    packed = tmp_path / "eth.csv.gz"
    packed.write_bytes(gzip.compress(prices.read_bytes()))
    semicolons = tmp_path / "eth.tsv"
    semicolons.write_text("Time\tPrice\n1\t2\n2\t3\n")
    assert {detect(path) for path in (prices, packed, semicolons)} == {SourceKind.PRICES}
    assert list(load(packed)) == list(load(prices))
    packed.write_bytes(packed.read_bytes()[:-300])
    with pytest.raises(ConfigError, match=r"eth.csv.gz is cut short"):
        load(packed)
    timeless = tmp_path / "close.csv"
    timeless.write_text("open,close\n1,2\n")
    with pytest.raises(ConfigError, match="is no history that can be read"):
        detect(timeless)


def test_missing_prices_are_counted_where_they_are_missing(tmp_path: Path) -> None:
    rows = price_rows(100)
    path = tmp_path / "eth.csv"
    path.write_text("\n".join(["Date,open,high,low,close,volume", *rows[:2], *rows[5:]]) + "\n")
    holed = BacktestRequest(strategies=("hold",), source=path)
    assert "(3 prices missing)" in open_ground(holed).fidelity
    later = BacktestRequest(strategies=("hold",), source=path, timerange="20220704-")
    assert "missing" not in open_ground(later).fidelity


def test_a_run_on_prices_is_written_down_and_made_again(
    prices: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    arguments = ["-s", "static_band", "-s", "full_range", "--source", str(prices), "--seed", "9"]
    more = ["--starts", "2", "--timerange", "20220703-20220703", "--no-baselines"]
    assert run(["backtest", *arguments, "--step", "1800", *more, "--out", str(out), "--json"]) == 0
    printed = json.loads(capsys.readouterr().out)
    record = read_run(out)
    assert record.seed == 9
    assert record.configuration["step_s"] == 1_800
    assert record.figures["liquidity_usd"] == "10000000"
    assert printed["starts"]["count"] == 2
    assert list(printed["starts"]["agents"]) == ["static_band", "full_range-2"]
    assert len(record.equity["agent_full_range-2"]) == len(record.equity["timestamp"])
    assert run(["reproduce", str(out)]) == 0
    assert "and every figure" in capsys.readouterr().out
