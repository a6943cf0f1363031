"""Pairs of Uniswap v2 in a plan: swaps bound by the sister's average, positions refused, the vault's rules to match."""

from dataclasses import replace
from decimal import Decimal

import pytest

from defai.agent.desk import Desk
from defai.agent.planning import PlanError, Planner
from defai.amm import get_sqrt_ratio_at_tick
from defai.chain import mainnet
from defai.chain.codec import selector
from defai.chain.contracts import EXACT_INPUT_SINGLE, encode_operations
from defai.chain.deploy import VaultRules
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_030, USDC_WETH_V2, WETH
from defai.chain.pairs import SWAP_IN_PAIR
from defai.domain.intents import OpenPosition, Swap
from defai.domain.operations import SwapExactInput, SwapInPair
from defai.market.average import bounding_pool
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.testing.builders import START_TICK, market_of, next_block, pool_with_liquidity

BALANCES = {USDC.address: 10**10, WETH.address: 10**19}
SELL = Swap(pool=USDC_WETH_V2.address, zero_for_one=True, amount_in_raw=10**9, reason="to see")


def desk(*, pair_tick: int = START_TICK, sister: bool = True) -> Desk:
    """Beside a pool that has stood at one price for ten minutes; the pair may stand elsewhere."""
    pools = {USDC_WETH_005: pool_with_liquidity(USDC_WETH_005)} if sister else {}
    pools[USDC_WETH_V2] = pool_with_liquidity(USDC_WETH_V2, tick=pair_tick)
    market = market_of(pools)
    for _ in range(60):
        market.apply(next_block(market))
    key = USDC_WETH_005 if sister else USDC_WETH_V2
    limits = Limits(max_slippage_bps=50, max_average_deviation_bps=150, max_gas_usd=Decimal(1_000))
    return Desk(market, Valuation(key, USDC), Portfolio.opening(BALANCES), limits, lambda _: ())


def test_a_swap_near_the_sisters_average_is_approved_and_a_far_one_refused() -> None:
    assert not desk()._far_from_average(planned(desk()))
    far = desk(pair_tick=START_TICK - 200)
    assert "below the average of 300 s" in far._far_from_average(planned(far))
    alone = desk(sister=False)
    assert "no other pool has" in alone._far_from_average(planned(alone))


def planned(one: Desk) -> Planner:
    planner = Planner(one.market.pools, one.market.keys, one.portfolio, 50)
    (operation,) = planner.plan(SELL)
    assert isinstance(operation, SwapInPair)
    return planner


def test_there_are_no_positions_in_a_pair() -> None:
    one = desk()
    planner = Planner(one.market.pools, one.market.keys, one.portfolio, 50)
    wish = OpenPosition(
        pool=USDC_WETH_V2.address,
        tick_lower=START_TICK - 10,
        tick_upper=START_TICK + 10,
        amount0_raw=10**6,
        amount1_raw=10**15,
        reason="to see",
    )
    with pytest.raises(PlanError, match="USDC/WETH v2 is a pair of Uniswap v2: there are no positions"):
        planner.plan(wish)


def test_the_first_pool_of_its_tokens_bounds_a_pair() -> None:
    keys = {key.address: key for key in (USDC_WETH_V2, USDC_WETH_030, USDC_WETH_005)}
    assert bounding_pool(keys, USDC_WETH_V2.address) == USDC_WETH_030.address
    assert bounding_pool(keys, USDC_WETH_005.address) == USDC_WETH_005.address
    keys[USDC_WETH_V2.address] = replace(USDC_WETH_V2, token1=mainnet.USDT)
    assert bounding_pool(keys, USDC_WETH_V2.address) is None


def test_a_vaults_rules_name_the_function_and_no_pair() -> None:
    alone = VaultRules(pools=(USDC_WETH_005,)).policy()
    both = VaultRules(pools=(USDC_WETH_005, USDC_WETH_V2)).policy()
    assert dict(both[0])[mainnet.SWAP_ROUTER_02] == [selector(SWAP_IN_PAIR)]  # type: ignore[call-overload]  # a list of pairs
    assert mainnet.SWAP_ROUTER_02 not in dict(alone[0])  # type: ignore[call-overload]  # the same
    assert both[1:3] == alone[1:3], "the same tokens and pools"
    routed = VaultRules(pools=(USDC_WETH_005, USDC_WETH_V2), routers=True).policy()
    expected = [selector(EXACT_INPUT_SINGLE), selector(SWAP_IN_PAIR)]
    assert dict(routed[0])[mainnet.SWAP_ROUTER_02] == expected  # type: ignore[call-overload]  # the same


def test_a_swap_in_a_pair_is_a_call_of_the_router() -> None:
    swap = SwapInPair(USDC_WETH_V2.address, False, 5, 7)
    pool = SwapExactInput(USDC_WETH_005.address, False, 5, 7)
    vault = "0x000000000000000000000000000000000000bEEF"
    keys = {key.address: key for key in (USDC_WETH_005, USDC_WETH_V2)}
    in_pair, in_pool = encode_operations((swap, pool), vault=vault, pools=keys, deadline=1)
    assert in_pool.target == USDC_WETH_005.address
    assert in_pair.target == mainnet.SWAP_ROUTER_02
    words = [int.from_bytes(in_pair.data[at : at + 32], "big") for at in range(4, len(in_pair.data), 32)]
    assert in_pair.data[:4] == bytes.fromhex("472b43f3"), "as the router's ABI has it"
    path = [int(WETH.address, 16), int(USDC.address, 16)]
    assert words == [5, 7, 128, 0xBEEF, 2, *path]


def test_a_pair_made_up_stands_at_the_tick_that_was_asked_for() -> None:
    for tick in (START_TICK, 0, -50_000):
        pair = pool_with_liquidity(USDC_WETH_V2, tick=tick)
        assert abs(pair.sqrt_price_x96 / get_sqrt_ratio_at_tick(tick) - 1) < 1e-6
        assert pair.tick in {tick, tick - 1}
