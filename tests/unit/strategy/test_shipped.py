"""The strategies that come with defai: when they act, when they don't, and what they say."""

from dataclasses import replace

import pytest

from defai.chain.mainnet import POOLS, USDC, USDC_WETH_005, USDC_WETH_030, WETH
from defai.domain.decisions import Forecast
from defai.domain.intents import Batch, Hold, Rebalance, Swap
from defai.domain.position import Position
from defai.strategy.api import Context, Intent
from defai.strategy.registry import load
from defai.testing.builders import START_TICK, context_on, pool_with_liquidity
from defai.units import Q24

LOW, HIGH = USDC_WETH_005, USDC_WETH_030


def expected(ticks: float, *, beats: bool | None = True) -> Forecast:
    return Forecast(int(ticks * Q24), "ticks", "a forecast", "0x" + "33" * 32, beats_baseline=beats)


def decide(name: str, ctx: Context, **parameters: object) -> Intent:
    intent = load(name, parameters).strategy.decide(ctx)
    assert intent.reason
    return intent


def both(apart: int = 0, *, forecast: Forecast | None = None) -> Context:
    pools = {LOW: pool_with_liquidity(LOW), HIGH: pool_with_liquidity(HIGH, tick=START_TICK + apart)}
    return context_on(pools, forecast=forecast)


def band(lower: int, upper: int) -> Position:
    return Position(7, LOW.address, lower, upper, 10**16, 0, 0, 0, 0, 1)


def test_hold_holds() -> None:
    assert isinstance(decide("hold", both()), Hold)


@pytest.mark.parametrize("name", ["volatility_band", "mean_reversion"])
def test_without_a_forecast_they_wait(name: str) -> None:
    intent = decide(name, both())
    assert isinstance(intent, Hold)
    assert "waits for history" in intent.reason


def test_a_band_is_as_wide_as_the_volatility_and_never_narrower_than_the_floor() -> None:
    narrow = decide("volatility_band", both(forecast=expected(1)), sigmas=4, floor_ticks=120)
    wide = decide("volatility_band", both(forecast=expected(100)), sigmas=4, floor_ticks=120)
    assert isinstance(narrow, Rebalance)
    assert isinstance(wide, Rebalance)
    assert narrow.tick_upper - narrow.tick_lower == 240
    assert wide.tick_upper - wide.tick_lower == 800
    for each in (narrow, wide):
        assert each.tick_lower < START_TICK < each.tick_upper
        assert each.tick_lower % 10 == each.tick_upper % 10 == 0


def test_a_band_stays_while_the_price_is_inside_or_has_left_it_only_just() -> None:
    inside = replace(both(forecast=expected(10)), positions=(band(START_TICK - 110, START_TICK + 90),))
    assert decide("volatility_band", inside).reason == "the tick is inside the band"
    outside = replace(inside, positions=(band(START_TICK + 90, START_TICK + 190),))
    patient = decide("volatility_band", outside, patience=8)
    assert isinstance(patient, Hold)
    assert "out of the band for 8 of 9 blocks" in patient.reason
    impatient = decide("volatility_band", outside, patience=3)
    assert isinstance(impatient, Rebalance)
    assert impatient.reason.startswith("re-centre")


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
    intent = decide("mean_reversion", both(forecast=expected(ticks)))
    assert isinstance(intent, Hold)
    assert intent.reason.startswith("no edge after costs")


def test_no_more_is_bought_than_may_be_held() -> None:
    ctx = both(forecast=expected(-500))
    nearly = replace(ctx, balances={USDC.address: 5_000 * 10**6, WETH.address: 125 * 10**17})
    intent = decide("mean_reversion", nearly, most_base=0.9)
    assert isinstance(intent, Swap)
    assert intent.amount_in_raw == pytest.approx(2_000 * 10**6, rel=0.01), (
        "up to nine tenths, not a fifth more"
    )
    full = replace(ctx, balances={USDC.address: 1_000 * 10**6, WETH.address: 15 * 10**18})
    stopped = decide("mean_reversion", full, most_base=0.9)
    assert isinstance(stopped, Hold)
    assert "holds 97% WETH already" in stopped.reason
    empty = replace(both(forecast=expected(500)), balances={USDC.address: 30_000 * 10**6})
    assert isinstance(decide("mean_reversion", empty), Hold)


def test_a_small_trade_carries_all_of_its_gas() -> None:
    ctx = both(forecast=expected(-60))
    assert isinstance(decide("mean_reversion", ctx), Swap)
    short = replace(ctx, balances={USDC.address: 3_300 * 10**6, WETH.address: 133 * 10**17})
    intent = decide("mean_reversion", short, most_base=0.9)
    assert isinstance(intent, Hold)
    assert intent.reason.startswith("no edge after costs")


def test_a_model_that_does_not_beat_its_baseline_is_not_followed() -> None:
    intent = decide("mean_reversion", both(forecast=expected(-500, beats=False)))
    assert isinstance(intent, Hold)


@pytest.mark.parametrize("apart", [0, 20, 35, -35])
def test_tiers_within_their_fees_are_left_alone(apart: int) -> None:
    intent = decide("fee_tier_arbitrage", both(apart))
    assert isinstance(intent, Hold)
    assert "fees are 35 bp" in intent.reason


@pytest.mark.parametrize("apart", [150, -150])
def test_tiers_far_apart_are_traded_against_each_other_for_a_profit(apart: int) -> None:
    ctx = both(apart)
    intent = decide("fee_tier_arbitrage", ctx)
    assert isinstance(intent, Batch)
    first, second = intent.intents
    assert isinstance(first, Swap)
    assert isinstance(second, Swap)
    cheap = HIGH if apart > 0 else LOW
    assert (first.pool, first.zero_for_one) == (cheap.address, True), "ether is cheap where the tick is high"
    assert (second.pool, second.zero_for_one) == ((LOW if apart > 0 else HIGH).address, False)
    pools = {key.address: view.state.copy() for key, view in zip(POOLS, ctx.pools, strict=True)}
    bought = -pools[first.pool].swap(zero_for_one=True, amount_specified=first.amount_in_raw).amount1
    back = -pools[second.pool].swap(zero_for_one=False, amount_specified=second.amount_in_raw).amount0
    assert second.amount_in_raw == bought, "it sells what it buys"
    assert USDC.to_decimal(back - first.amount_in_raw) > 5


def test_a_profit_smaller_than_the_gas_is_let_go() -> None:
    ctx = both(40)
    intent = decide("fee_tier_arbitrage", replace(ctx, costs=replace(ctx.costs, gas_usd=1_000.0)))
    assert isinstance(intent, Hold)
    assert "after fees and gas" in intent.reason


def test_what_it_would_sell_it_has_to_have() -> None:
    ctx = replace(both(300), balances={USDC.address: 15_000 * 10**6, WETH.address: 10**15})
    intent = decide("fee_tier_arbitrage", ctx)
    assert isinstance(intent, Hold)
    assert "has too little WETH to sell" in intent.reason
    poor = replace(both(300), balances={WETH.address: 10**19})
    assert isinstance(decide("fee_tier_arbitrage", poor), Hold)
