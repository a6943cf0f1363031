"""Recorded events of real pools, replayed through the world, with us in them and without."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from defai.amm import Pool
from defai.backtest.figures import figures
from defai.backtest.request import BacktestRequest, perform
from defai.backtest.sources.event_files import read_event_history
from defai.domain.chain_events import Block, PoolSwapped
from defai.errors import ConfigError
from defai.market.valuation import Valuation
from defai.worlds.event_history import EventHistory
from defai.worlds.replay import Flow, ReplayWorld

pytestmark = pytest.mark.realdata

GENESIS = "ethereum_weth_ens_03_genesis"
ETHEREUM_DAY = "ethereum_usdc_weth_005"
POLYGON = "polygon_usdc_weth_005/polygon-0x45dda9cb7c25131df268515131f647d726f50608"
MONEY = {"USDC": Decimal(10_000), "WETH": Decimal(5)}


def history(real_data: Path, name: str) -> EventHistory:
    return read_event_history(real_data / "univ3_events" / name)


async def replayed(history: EventHistory, flow: Flow) -> tuple[list[Block], Pool]:
    """The blocks as the world made them, nobody of ours in it, and the pool at the end."""
    world = ReplayWorld(history, Valuation(history.keys[0], history.keys[0].token0), flow=flow)
    market, blocks = (await world.open()).market, []
    while (arrival := await world.next()) is not None:
        market.apply(arrival.block)
        blocks.append(arrival.block)
    return blocks, market.pools[history.keys[0].address]


def swaps_of(blocks: Sequence[Block]) -> list[PoolSwapped]:
    return [event for block in blocks for event in block.events if isinstance(event, PoolSwapped)]


@pytest.mark.parametrize("flow", Flow)
async def test_the_whole_life_of_a_pool_happens_again_to_the_wei(real_data: Path, flow: Flow) -> None:
    known = history(real_data, GENESIS)
    blocks, end = await replayed(known, flow)
    last = swaps_of(known.blocks)[-1]

    assert (known.exact_share, len(known.calls)) == (1.0, 63)
    assert blocks == list(known.blocks)
    assert (end.sqrt_price_x96, end.liquidity, end.tick) == (last.sqrt_price_x96, last.liquidity, last.tick)
    assert known.fidelity.startswith("exact")


@pytest.mark.parametrize(
    ("name", "swaps", "inexact", "ticks"),
    [
        (ETHEREUM_DAY, 5_897, 0, 31),
        (f"{POLYGON}-2022-01-05.tick.csv.gz", 3_971, 2, 68),
        (f"{POLYGON}-2022-01-05.raw.csv.gz", 3_971, 2, 68),
        (f"{POLYGON}-2021-12-22.tick.csv.gz", 198, 0, 0),
    ],
)
def test_nearly_every_swap_is_exact_once_ticks_were_learnt(
    real_data: Path, name: str, swaps: int, inexact: int, ticks: int
) -> None:
    """The day's first swap is where the replay begins; the two that stay cross two unknown ticks at once."""
    known = history(real_data, name)

    assert len(known.calls) == swaps
    assert sum(not call.exact for call in known.calls) == inexact
    assert f"{ticks} of them from the swaps that crossed them" in known.fidelity
    assert known.reconstructed


async def test_a_reconstructed_day_ends_where_it_ended(real_data: Path) -> None:
    known = history(real_data, ETHEREUM_DAY)
    blocks, end = await replayed(known, Flow.AMOUNTS)
    last = swaps_of(known.blocks)[-1]

    assert blocks == list(known.blocks)
    assert (end.sqrt_price_x96, end.tick) == (last.sqrt_price_x96, last.tick)


def test_days_that_are_missing_in_a_folder_are_named(real_data: Path) -> None:
    with pytest.raises(ConfigError, match="no events between 2021-12-22 and 2022-01-05"):
        history(real_data, "polygon_usdc_weth_005")


def backtest(real_data: Path, strategy: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401  a request's fields
    request = BacktestRequest(
        strategies=(strategy,), source=real_data / "univ3_events" / ETHEREUM_DAY, balances=MONEY, **more
    )
    return figures(asyncio.run(perform(request)))


def test_a_day_of_events_with_a_provider_in_it(real_data: Path) -> None:
    """Dilution and depth: 20,000 dollars among millions change fees and price by less than a thousandth."""
    amounts = backtest(real_data, "static_band")
    prices = backtest(real_data, "static_band", flow="prices", baselines=False)

    assert amounts["exact_share"] == 1.0
    assert (amounts["steps"], amounts["mints"]) == (4_007, 1)
    assert amounts["fees_usd"] == pytest.approx(43.70, abs=0.01)
    assert prices["fees_usd"] == pytest.approx(amounts["fees_usd"], rel=1e-3)
    assert amounts["fees_usd"] < prices["fees_usd"]
    assert amounts["final_usd"] - amounts["hodl_usd"] == pytest.approx(
        amounts["fees_usd"] - amounts["impermanent_loss_usd"], abs=0.01
    )
    assert amounts["gas_usd"] is None
    assert amounts["baselines"]["static_band"]["final_usd"] == pytest.approx(amounts["final_usd"], abs=1e-6)


@pytest.mark.parametrize("strategy", ["hold", "static_band"])
def test_a_day_of_events_takes_seconds_at_most(real_data: Path, strategy: str) -> None:
    """The figure itself is the bench's; here a machine may be busy, and processor time is what counts."""
    began = process_time()
    backtest(real_data, strategy, baselines=False)
    assert process_time() - began < 6
