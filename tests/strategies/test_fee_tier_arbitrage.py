"""Fee-tier arbitrage: two pools of one pair against each other, for a profit or not at all."""

from dataclasses import replace

import pytest

from defai.chain.mainnet import POOLS, USDC, WETH
from defai.domain.intents import Batch, Swap
from tests.strategies.scenes import HIGH, LOW, both, dear, decide, dry, held


@pytest.mark.parametrize("apart", [0, 20, 35, -35])
def test_tiers_within_their_fees_are_left_alone(apart: int) -> None:
    assert "fees are 35 bp" in held("fee_tier_arbitrage", both(apart))


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
    assert "after fees and gas" in held("fee_tier_arbitrage", dear(both(40)))


def test_what_it_would_sell_it_has_to_have() -> None:
    ctx = replace(both(300), balances={USDC.address: 15_000 * 10**6, WETH.address: 10**15})
    assert "has too little WETH to sell" in held("fee_tier_arbitrage", ctx)
    poor = replace(both(300), balances={WETH.address: 10**19})
    assert "after fees and gas" in held("fee_tier_arbitrage", poor)


def test_a_pool_with_nothing_in_it_is_no_chance() -> None:
    assert "after fees and gas" in held("fee_tier_arbitrage", dry(both(150)))
