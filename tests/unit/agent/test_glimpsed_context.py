"""What an agent sees upon a block is made when it is looked at, once, and stays what it was."""

from copy import copy
from dataclasses import fields, replace

from defai.agent import gas
from defai.agent.outlook import Outlook, dice
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.risk.limits import Limits
from defai.strategy.api import Context
from defai.testing.builders import market_of, next_block, pool_with_liquidity
from tests.unit.agent.ports import FakePorts, desk_on


def test_costs_and_dice_are_those_of_the_block_whenever_they_are_asked_for() -> None:
    market = market_of({USDC_WETH_005: pool_with_liquidity(USDC_WETH_005)})
    balances = {USDC.address: 10**10, WETH.address: 10**18}
    desk = desk_on(market, Limits(), FakePorts().encode, balances)
    outlook = Outlook("one", desk, ())
    head = market.head
    costs = gas.costs(desk.valuation, market.pools[USDC_WETH_005.address].sqrt_price_x96, head.base_fee_wei)
    seen = outlook.context([USDC_WETH_005], None, desk.valued(), ())
    early = outlook.context([USDC_WETH_005], None, desk.valued(), ())
    assert early.pool.state.liquidity  # a pool is only there to be looked at while its block is the newest
    assert early.pool.history == ()
    plain = copy(early)
    market.apply(next_block(market))

    assert seen.costs == costs
    assert seen.costs is seen.costs
    assert seen.rng is seen.rng
    assert seen.rng.random() == dice("one", head.number, head.hash).random() == plain.rng.random()
    assert [type(one) for one in (plain, replace(early))] == [Context] * 2
    for field in fields(Context):
        if field.name not in {"rng", "pools"}:
            assert getattr(plain, field.name) == getattr(seen, field.name), field.name
