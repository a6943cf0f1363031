"""The replay world: history to the last unit without us, and what the sim world lived through with us."""

from dataclasses import replace
from pathlib import Path

import pytest

from defai.amm import Pool
from defai.chain.mainnet import USDC, USDC_WETH_005
from defai.domain.chain_events import LiquidityBurned, LiquidityMinted, PoolSwapped
from defai.errors import DivergenceError, NotFoundError
from defai.session.fleet import seat_requests
from defai.units import GWEI
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.event_history import follow
from defai.worlds.replay import Flow, ReplayWorld
from tests.unit.worlds.replays import (
    TOKENS,
    VALUATION,
    Lived,
    live,
    live_again,
    members_of,
    seated,
    settings,
    step,
)

POOL = USDC_WETH_005.address
BUSY = """
from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy, Swap

class Busy(Strategy):
    '''Swaps, provides, moves its band.'''

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % 7 == 3 and not ctx.positions:
            half = ctx.balance(ctx.numeraire) // 8
            return Swap(pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=half, reason="buy")
        if ctx.block_number % 20 == 9:
            lower, upper = ctx.band(300)
            return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="move")
        return Hold(reason="waits")
"""
BUYER = """
from defai.strategy.api import Context, Hold, Intent, Strategy, Swap

class Buyer(Strategy):
    '''Buys once.'''

    def decide(self, ctx: Context) -> Intent:
        spent = ctx.balance(ctx.numeraire) // 2
        if ctx.base_share() > 0.6:
            return Hold(reason="has bought")
        return Swap(pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=spent, reason="buy")
"""


def standing(pool: Pool) -> tuple[object, ...]:
    """All of a pool but what the oracle remembers of it and whose its positions are."""
    state = pool.snapshot()
    return state.scalars, state.ticks, state.words


@pytest.fixture
def busy(tmp_path: Path) -> str:
    path = tmp_path / "busy.py"
    path.write_text(BUSY)
    return f"{path}:Busy"


@pytest.fixture
def buyer(tmp_path: Path) -> str:
    path = tmp_path / "buyer.py"
    path.write_text(BUYER)
    return f"{path}:Buyer"


def payloads(log: MemoryAuditLog) -> list[bytes]:
    """What was decided, why, and how the guard measured it."""
    return [decision.payload for _, decision in log.decisions]


def kinds(lived: Lived) -> set[type]:
    return {type(event) for block in lived.blocks for event in block.events}


@pytest.mark.parametrize("flow", Flow)
async def test_without_us_history_happens_again_to_the_last_unit(flow: Flow) -> None:
    lived = await live(150)
    history = lived.history()
    world, market, _ = await live_again(history, flow=flow)

    assert {PoolSwapped, LiquidityMinted, LiquidityBurned} <= kinds(lived)
    assert history.exact_share == 1.0
    assert standing(market.pools[POOL]) == standing(lived.end)
    assert market.head == lived.blocks[-1]
    assert world.recorded_sqrt_price_x96(POOL) == lived.end.sqrt_price_x96


async def test_an_agent_that_only_holds_changes_nothing() -> None:
    lived = await live(60, settings("hold"))
    _, market, agents = await live_again(lived.history(), settings("hold"))

    assert standing(market.pools[POOL]) == standing(lived.end)
    assert agents[0].outbox.last_digest == lived.agents[0].outbox.last_digest
    assert agents[0].decisions == lived.agents[0].decisions


async def test_what_an_agent_lived_through_it_lives_through_again(busy: str) -> None:
    """All but the numbers of its positions is the same: in the sim world others have positions too."""
    lived = await live(120, settings(busy))
    world, market, agents = await live_again(lived.history(), settings(busy))
    before, after = lived.agents[0], agents[0]

    assert payloads(world.audit_log) == payloads(lived.audit_log)
    assert after.decisions == before.decisions
    assert after.desk.portfolio.balances == before.desk.portfolio.balances
    assert after.desk.portfolio.fees_collected == before.desk.portfolio.fees_collected
    assert after.desk.portfolio.gas_wei == before.desk.portfolio.gas_wei
    assert replace(after.desk.valued(), positions=()) == replace(before.desk.valued(), positions=())
    assert standing(market.pools[POOL]) == standing(lived.end)
    assert before.decisions["trades"] > 5
    tape = world.till.tapes["lp"]
    assert tape.mints > 4
    assert tape.swaps > 4
    assert 0 < tape.swap_cost_raw < tape.turnover_raw // 100


async def test_the_same_position_earns_the_same_fees_whether_amounts_or_prices_are_kept() -> None:
    lived = await live(100, settings("static_band", half_width=500))
    fees = lived.agents[0].desk.valued().fees_raw
    _, _, amounts = await live_again(lived.history(), settings("static_band", half_width=500))
    _, _, prices = await live_again(
        lived.history(), settings("static_band", half_width=500), flow=Flow.PRICES
    )

    assert fees > 1_000_000
    assert amounts[0].desk.valued().fees_raw == fees
    assert prices[0].desk.valued().fees_raw == pytest.approx(fees, rel=1e-5)


async def test_our_liquidity_softens_the_price_where_amounts_are_kept_and_brings_volume_where_prices_are() -> (
    None
):
    history = (await live(80)).history()
    fleet = settings("static_band", usd=3_000_000, half_width=100)
    calm, calm_market, amounts = await live_again(history, fleet)
    bound, bound_market, prices = await live_again(history, fleet, flow=Flow.PRICES)

    assert bound_market.pools[POOL].sqrt_price_x96 == bound.recorded_sqrt_price_x96(POOL)
    assert calm_market.pools[POOL].sqrt_price_x96 != calm.recorded_sqrt_price_x96(POOL)
    rows = (calm_market.windows[POOL], bound_market.windows[POOL])
    spread = [max(row.tick for row in window) - min(row.tick for row in window) for window in rows]
    assert spread[0] < spread[1]
    assert amounts[0].desk.valued().fees_raw < prices[0].desk.valued().fees_raw


@pytest.mark.parametrize(("flow", "lasts"), [(Flow.AMOUNTS, True), (Flow.PRICES, False)])
async def test_what_our_swap_does_to_the_price_lasts_or_passes(
    buyer: str, flow: Flow, *, lasts: bool
) -> None:
    lived = (await live(40)).history()
    unlimited = [call._replace(amount_specified=call.amount_in, limit_x96=None) for call in lived.calls]
    history = replace(lived, calls=tuple(unlimited))
    world, market, agents = await live_again(history, settings(buyer, usd=60_000), flow=flow)

    assert agents[0].decisions["trades"] == 1
    moved = market.pools[POOL].sqrt_price_x96 < world.recorded_sqrt_price_x96(POOL)
    assert moved is lasts


async def test_a_plan_does_not_wait_for_a_block_that_comes_much_later() -> None:
    history = (await live(20)).history()
    first, *others = history.blocks
    later = [replace(block, number=block.number + 10, timestamp=block.timestamp + 600) for block in others]
    fleet = (settings("static_band"),)
    world = ReplayWorld(
        replace(history, blocks=(first, *later)), VALUATION, seat_requests(members_of(fleet), TOKENS, USDC)
    )
    opening = await world.open()
    agents = seated(world, opening, fleet)

    assert await step(world, opening.market, agents) == first
    block = await step(world, opening.market, agents)
    assert (block.number, block.timestamp) == (first.number + 1, first.timestamp + 60)
    assert [type(event) for event in block.events] == [LiquidityMinted]
    assert (await step(world, opening.market, agents)).number == later[0].number
    assert agents[0].desk.portfolio.positions


async def test_a_swap_that_no_call_gives_is_imposed_with_our_liquidity_on_top() -> None:
    history = (await live(30)).history()
    strange = tuple(call._replace(exact=False) for call in history.calls)
    fleet = settings("static_band", half_width=2_000)
    world, market, agents = await live_again(replace(history, calls=strange), fleet)

    swaps = [event for event in history.blocks[-1].events if isinstance(event, PoolSwapped)]
    position = agents[0].desk.portfolio.positions[0]
    assert swaps
    assert market.pools[POOL].sqrt_price_x96 == world.recorded_sqrt_price_x96(POOL)
    assert market.pools[POOL].liquidity == swaps[-1].liquidity + position.liquidity
    assert agents[0].desk.valued().fees_raw > 0


async def test_a_world_begins_and_ends_where_it_is_told() -> None:
    history = (await live(40)).history()
    first, end = history.blocks[10].timestamp, history.blocks[30].timestamp
    world = ReplayWorld(history, VALUATION, (), first_time=first, end_time=end)
    market = (await world.open()).market

    assert market.head == history.blocks[9]
    assert len(market.windows[POOL]) == 10
    numbers = []
    while (arrival := await world.next()) is not None:
        market.apply(arrival.block)
        numbers.append(arrival.block.number)
    assert numbers == [block.number for block in history.blocks[10:30]]

    late = ReplayWorld(history, VALUATION, (), first_time=history.last_time + 1)
    with pytest.raises(NotFoundError, match="nothing within the time range"):
        await late.open()


async def test_gas_costs_what_it_is_said_to_cost_and_nothing_where_nobody_says() -> None:
    history = (await live(20)).history()
    unpriced = replace(history, priced_gas=False)
    paid = []
    for ground in (unpriced, history.with_gas_at(5 * GWEI)):
        _, _, agents = await live_again(ground, settings("static_band"))
        paid.append((agents[0].gas_used, agents[0].desk.portfolio.gas_wei))

    assert paid[0][0] == paid[1][0] > 600_000
    assert paid[0][1] == 0
    assert paid[1][1] == paid[1][0] * 5 * GWEI


async def test_an_event_that_no_pool_can_have_emitted_is_named_by_block_and_log() -> None:
    lived = await live(5)
    head = lived.blocks[-1]
    wrong = LiquidityBurned(POOL, "somebody", -600_000, 600_000, 10**30, 0, 0, 7, "")
    after = replace(head, number=head.number + 1, events=(wrong,))
    with pytest.raises(DivergenceError, match=f"Block {after.number}, log 7: the pool refuses this burn"):
        follow({POOL: lived.opening}, (*lived.blocks, after))
