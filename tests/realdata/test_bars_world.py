"""An agent in the bars world earns what the minute-bar rule says, on real bars, to the last units."""

from functools import partial
from pathlib import Path

import pytest

from defai.agent.agent import Agent, Mandate
from defai.agent.desk import Desk
from defai.audit.outbox import Outbox
from defai.backtest import bar_rule
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import contents, owed_by
from defai.risk.limits import Limits
from defai.strategy.api import Context, OpenPosition
from defai.testing.scripted import Scripted
from defai.worlds.bars import BarsWorld
from defai.worlds.seating import SeatRequest
from tests.realdata.test_bar_rule import POOL, START, USDC, WETH, bars_of

pytestmark = pytest.mark.realdata
BAND = (202_160, 203_160)


def open_the_band(ctx: Context) -> OpenPosition:
    return OpenPosition(
        pool=POOL.address,
        tick_lower=BAND[0],
        tick_upper=BAND[1],
        amount0_raw=ctx.balance(USDC),
        amount1_raw=ctx.balance(WETH),
        reason="the whole of it",
    )


async def test_a_band_of_a_week_earns_what_the_rule_says(real_data: Path) -> None:
    folder = real_data / "univ3_minute" / "polygon_usdc_weth_005"
    bars = bars_of(folder, "poly_2022-07-19_2022-08-08").rows(0, 7 * 1440)
    balances = {USDC.address: START[0], WETH.address: START[1]}
    valuation = Valuation(POOL, USDC)
    world = BarsWorld(bars, POOL, valuation, [SeatRequest("lp", balances=balances)])
    opening = await world.open()
    desk = Desk(
        opening.market,
        valuation,
        Portfolio.opening(opening.seats[0].balances),
        Limits(max_slippage_bps=300),
        partial(world.encode, "lp"),
    )
    mandate = Mandate(
        "lp", "scripted", Scripted().then(open_the_band), "0x" + "11" * 32, (POOL,), None, 10**9
    )
    outbox = Outbox(0, world.audit_log.domain)
    agent = Agent(mandate, opening.seats[0], desk, outbox, world, world.audit_log, lambda _: None)
    while (arrival := await world.next()) is not None:
        opening.market.apply(arrival.block)
        await agent.step(0.0)

    bar = iter(range(len(bars)))
    rule = bar_rule.run(bars, POOL, START, lambda _: BAND if next(bar) == 1 else None)
    (position,) = desk.portfolio.positions
    assert position.liquidity == rule.minted[0].liquidity
    assert owed_by(world._moving.pool, position) == rule.fees
    assert min(rule.fees[0] // 10**6, rule.fees[1] // 10**15) > 300, "the week must have earned something"
    held = contents(world._moving.pool, position)
    idle = tuple(desk.portfolio.balances[token.address] for token in (USDC, WETH))
    assert held != (0, 0)
    assert all(abs(mine - said) <= 1 for mine, said in zip(idle, rule.idle, strict=True))
