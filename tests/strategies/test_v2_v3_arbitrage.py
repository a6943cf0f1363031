"""A v2 pair against a v3 pool: for a profit or not at all, and never more than it has."""

from dataclasses import replace

import pytest

from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_V2, WETH
from defai.domain.intents import Batch, Swap
from defai.strategy.api import Context
from defai.testing.builders import START_TICK, context_on, pool_with_liquidity
from tests.strategies.scenes import dear, decide, dry, held

NAME = "v2_v3_arbitrage"


def apart(ticks: int) -> Context:
    """The pair's tick stands so far above the pool's."""
    pair = pool_with_liquidity(USDC_WETH_V2, tick=START_TICK + ticks)
    return context_on({USDC_WETH_005: pool_with_liquidity(USDC_WETH_005), USDC_WETH_V2: pair})


@pytest.mark.parametrize("ticks", [0, 20, 34, -34])
def test_within_both_fees_nothing_is_traded(ticks: int) -> None:
    assert "fees are 35 bp" in held(NAME, apart(ticks))


@pytest.mark.parametrize("ticks", [150, -150])
def test_far_apart_they_are_traded_against_each_other_for_a_profit(ticks: int) -> None:
    ctx = apart(ticks)
    intent = decide(NAME, ctx)
    assert isinstance(intent, Batch)
    first, second = intent.intents
    assert isinstance(first, Swap)
    assert isinstance(second, Swap)
    cheap, other = (USDC_WETH_V2, USDC_WETH_005) if ticks > 0 else (USDC_WETH_005, USDC_WETH_V2)
    assert (first.pool, first.zero_for_one) == (cheap.address, True), "ether is cheap where the tick is high"
    assert (second.pool, second.zero_for_one) == (other.address, False)
    pools = {view.key.address: view.state.copy() for view in ctx.pools}
    bought = -pools[first.pool].swap(zero_for_one=True, amount_specified=first.amount_in_raw).amount1
    back = -pools[second.pool].swap(zero_for_one=False, amount_specified=second.amount_in_raw).amount0
    assert second.amount_in_raw == bought, "it sells what it buys"
    assert USDC.to_decimal(back - first.amount_in_raw) > 5


def test_a_profit_smaller_than_the_gas_and_its_safety_is_let_go() -> None:
    assert "after fees and gas" in held(NAME, dear(apart(45)))
    edge = apart(100)
    assert isinstance(decide(NAME, edge, safety=0.0), Batch)
    assert "after fees and gas" in held(NAME, dear(edge, gas_usd=5.0), safety=10.0)


def test_what_it_would_sell_it_has_to_have() -> None:
    ctx = replace(apart(300), balances={USDC.address: 15_000 * 10**6, WETH.address: 10**15})
    assert "has too little WETH to sell" in held(NAME, ctx)
    assert "after fees and gas" in held(NAME, replace(ctx, balances={WETH.address: 10**19}))


def test_a_pool_with_nothing_in_it_is_no_chance() -> None:
    assert "after fees and gas" in held(NAME, dry(apart(150)))
