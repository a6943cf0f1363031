"""Mean reversion: an edge that is left after all costs is traded, any other is not."""

from dataclasses import replace
from random import Random

import pytest

from defai.chain.mainnet import USDC, WETH
from defai.domain.intents import Swap
from defai.market.bars import MinuteBars
from defai.strategy.registry import load
from tests.strategies.scenes import (
    LOW,
    bars_along,
    both,
    decide,
    dry,
    equity_usd,
    expected,
    held,
    live_through,
    reasons,
    taught,
)


def test_without_a_forecast_it_waits() -> None:
    assert "waits for history" in held("mean_reversion", both())


@pytest.mark.parametrize(("ticks", "zero_for_one"), [(-200.0, True), (200.0, False)])
def test_an_edge_is_traded_in_its_direction(ticks: float, zero_for_one: bool) -> None:
    intent = decide("mean_reversion", both(forecast=expected(ticks)))
    assert isinstance(intent, Swap)
    assert intent.pool == LOW.address
    assert intent.zero_for_one == zero_for_one, "ticks fall where ether gets dearer"
    worth = intent.amount_in_raw if zero_for_one else intent.amount_in_raw * 2_000 // 10**12
    assert worth == pytest.approx(6_000 * 10**6, rel=0.01)


@pytest.mark.parametrize("ticks", [0.0, 5.0, -5.0, -13.0])
def test_an_edge_smaller_than_its_costs_is_let_go(ticks: float) -> None:
    assert held("mean_reversion", both(forecast=expected(ticks))).startswith("no edge after costs")


def test_no_more_is_bought_than_may_be_held() -> None:
    ctx = both(forecast=expected(-500))
    nearly = replace(ctx, balances={USDC.address: 5_000 * 10**6, WETH.address: 125 * 10**17})
    intent = decide("mean_reversion", nearly, most_base=0.9)
    assert isinstance(intent, Swap)
    assert intent.amount_in_raw == pytest.approx(2_000 * 10**6, rel=0.01), (
        "up to nine tenths, not a fifth more"
    )
    full = replace(ctx, balances={USDC.address: 1_000 * 10**6, WETH.address: 15 * 10**18})
    assert "holds 97% WETH already" in held("mean_reversion", full, most_base=0.9)
    empty = replace(both(forecast=expected(500)), balances={USDC.address: 30_000 * 10**6})
    assert "already" in held("mean_reversion", empty)


def test_a_small_trade_carries_all_of_its_gas() -> None:
    ctx = both(forecast=expected(-60))
    assert isinstance(decide("mean_reversion", ctx), Swap)
    short = replace(ctx, balances={USDC.address: 3_300 * 10**6, WETH.address: 133 * 10**17})
    assert held("mean_reversion", short, most_base=0.9).startswith("no edge after costs")


@pytest.mark.parametrize(("beats", "sure"), [(True, True), (False, False), (None, False)])
def test_the_edge_it_states_is_its_models(beats: bool | None, sure: bool) -> None:
    edge = load("mean_reversion").strategy.stated_edge(both(forecast=expected(-500, beats=beats)))
    assert edge is not None
    assert edge.is_above_zero == sure


def test_a_pool_that_can_not_take_the_trade_is_left_alone() -> None:
    assert "too little liquidity" in held("mean_reversion", dry(both(forecast=expected(-500))))


def test_it_looks_at_one_pool_where_it_is_told_to() -> None:
    one, two = load("mean_reversion", {"watch_second": False}).strategy, load("mean_reversion").strategy
    assert (len(one.pools()), len(two.pools())) == (1, 2)
    assert set(two.features()) - set(one.features()) == {"spread"}


def thrown_and_returning(count: int, seed: int) -> MinuteBars:
    """Prices that are now and then thrown far off and come back by half a minute, while small moves stay.

    No straight line tells the two apart, and trees do: a model beats ridge here by its own doing.
    """
    draw, stays, away, ticks = Random(seed), 0.0, 0.0, []  # noqa: S311  a test's draw, not a secret
    for _ in range(count + 1):
        ticks.append(200_000 + round(stays + away))
        stays += draw.gauss(0.0, 15.0)
        away = away / 2 if abs(away) >= 10 else 0.0
        if draw.random() < 0.05:
            away += 200 * draw.choice((-1, 1))
    return bars_along(ticks, liquidity=5 * 10**18)


async def test_in_a_run_it_earns_where_prices_come_back() -> None:
    model = taught("mean_reversion", thrown_and_returning(1_500, 1), watch_second=False)
    assert model.beats_baseline == (model.card.comparison.low > 0)
    assert model.beats_baseline, "of zero and ridge the better one"
    bars = thrown_and_returning(300, 2)
    one = await live_through("mean_reversion", bars, model=model, watch_second=False)
    idle = await live_through("hold", bars)
    assert one.tape.swaps > 10
    assert equity_usd(one) > equity_usd(idle) + 50


def returning(count: int, seed: int) -> MinuteBars:
    """Prices that noise throws about and that come back by two fifths a minute: a straight line knows all of it."""
    draw, away, ticks = Random(seed), 0.0, []  # noqa: S311  a test's draw, not a secret
    for _ in range(count + 1):
        ticks.append(200_000 + round(away))
        away += draw.gauss(0.0, 40.0) - 0.4 * away
    return bars_along(ticks, liquidity=5 * 10**18)


async def test_in_a_run_it_stays_flat_where_a_straight_line_forecasts_better() -> None:
    model = taught("mean_reversion", returning(1_500, 1), watch_second=False)
    assert model.card.comparison.baseline == "ridge"
    assert not model.beats_baseline
    one = await live_through("mean_reversion", returning(60, 2), model=model, watch_second=False)
    assert one.tape.swaps == 0
    said = " ".join(reasons(one))
    assert "stays flat: the gain of its model over its baseline may be nothing; it would buy WETH" in said
