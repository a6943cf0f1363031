"""One suite that every world passes, whatever is behind it.

    from defai.testing.world import CHECKS, Suite, Witness

    suite = Suite(make_world=lambda requests: MyWorld(requests), witness=Witness(balance=..., next_sequence=...))
    await suite.check_all()

Each check opens worlds of its own, drives agents in them block by block, and holds what the agents believe against
what the world's own books say. A world's blocks must be live: others trade in them, or fees can't be earned.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from defai.agent.desk import Desk, Judged
from defai.audit.record import action_digest
from defai.chain.mainnet import USDC, USDC_WETH_005
from defai.domain.decisions import ZERO_DIGEST
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.operations import Operation, SwapExactInput
from defai.domain.stream import ExecutionSettled, HoldsAnchored
from defai.portfolio.pnl import Valued
from defai.strategy.api import Context, Hold
from defai.testing.scripted import Answer, Scripted
from defai.testing.stage import START_RAW, VALUATION, VAULT_LIMITS, MakeWorld, Stage, Witness, seated
from defai.worlds.seating import SeatRequest

__all__ = ["CHECKS", "START_RAW", "VALUATION", "MakeWorld", "Stage", "Suite", "Witness", "check_world"]


@dataclass(frozen=True, slots=True)
class Suite:
    """The checks of one kind of world.

    Attributes:
        make_world: a world, not opened yet, that seats these agents.
        witness: how to ask its books.
        open_blocks: blocks lived through before the agents join, so that there is a market.
    """

    make_world: MakeWorld
    witness: Witness
    open_blocks: int = 2

    async def check_all(self) -> None:
        """Run every check.

        Raises:
            AssertionError: naming what does not hold.
        """
        for check in CHECKS.values():
            await check(self)

    @asynccontextmanager
    async def stage(
        self, *answers: Answer, agents: int = 1, anchor_every: int = 100, desk: type[Desk] = Desk
    ) -> AsyncIterator[Stage]:
        """An open world with agents that follow a script, closed in the end."""
        names = [f"agent-{number}" for number in range(agents)]
        world = self.make_world(
            [SeatRequest(name, worth_raw=START_RAW, limits=VAULT_LIMITS) for name in names]
        )
        try:
            opening = await world.open()
            stage = Stage(world, opening, self.witness)
            for _ in range(self.open_blocks):
                await stage.block()
            for seat in opening.seats:
                stage.scripts.append(Scripted().then(*answers))
                stage.agents.append(seated(stage, seat, stage.scripts[-1], anchor_every, desk))
            yield stage
        finally:
            await world.close()


async def check_world(make_world: MakeWorld, witness: Witness, *, open_blocks: int = 2) -> None:
    """Hold a world to everything that agents rely on; see `Suite` for the arguments.

    Raises:
        AssertionError: naming what does not hold.
    """
    await Suite(make_world, witness, open_blocks).check_all()


class _Impossible(Desk):
    """A desk whose swaps ask for more than anyone gives: they revert, wherever they are carried out."""

    def judge(self, intent: Intent, valued: Valued) -> Judged:
        judged = super().judge(intent, valued)
        if judged.plan is None:
            return judged
        wishful = tuple(_wishful(operation) for operation in judged.plan.operations)
        calls = self._encode(wishful)
        plan = replace(judged.plan, operations=wishful, calls=calls, action_digest=action_digest(calls))
        return replace(judged, plan=plan)


def _wishful(operation: Operation) -> Operation:
    if isinstance(operation, SwapExactInput):
        return replace(operation, amount_out_minimum=operation.amount_out_minimum * 2)
    return operation


def sell_dollars(amount_raw: int) -> Callable[[Context], Intent]:
    """Sell dollars in the main pool."""
    return lambda ctx: Swap(
        pool=ctx.pool.key.address, zero_for_one=True, amount_in_raw=amount_raw, reason="to buy ether"
    )


def band_around(half_width: int, *, off_by: int = 0) -> Callable[[Context], Intent]:
    """All liquidity in a band around the tick, or beside it."""

    def rebalance(ctx: Context) -> Intent:
        lower, upper = ctx.band(half_width, center=ctx.pool.tick + off_by)
        return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="a band")

    return rebalance


def half_of_all_around(half_width: int) -> Callable[[Context], Intent]:
    """Half of both balances in a band around the tick."""

    def opening(ctx: Context) -> Intent:
        lower, upper = ctx.band(half_width)
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            amount0_raw=ctx.balance(ctx.pool.key.token0) // 2,
            amount1_raw=ctx.balance(ctx.pool.key.token1) // 2,
            reason="a band",
        )

    return opening


async def opens_with_what_was_asked_for(suite: Suite) -> None:
    """Seats stand in the order of the requests, with the money asked for, and nothing is on record."""
    async with suite.stage(agents=3) as stage:
        seats, market = stage.opening.seats, stage.opening.market
        assert [seat.name for seat in seats] == ["agent-0", "agent-1", "agent-2"]
        assert len({seat.agent_id for seat in seats}) == 3, "agents share a number"
        for seat, agent in zip(seats, stage.agents, strict=True):
            half = START_RAW // 2
            assert seat.balances[USDC.address] == half
            pool = market.pools[USDC_WETH_005.address]
            weth = VALUATION.worth_raw(pool, VALUATION.base.address, seat.balances[VALUATION.base.address])
            assert abs(weth - half) < half // 20, "the two halves are worth about the same"
            assert agent.desk.initial_raw == agent.desk.valued().equity_raw
            assert (seat.next_sequence, seat.last_digest or ZERO_DIGEST) == (0, ZERO_DIGEST)
        await stage.compare_balances()
        assert all(pool.sqrt_price_x96 and pool.liquidity for pool in market.pools.values())
        assert stage.world.audit_log.domain.chain_id == stage.world.chain_id
        assert await stage.world.records() == 0


async def blocks_follow_one_another(suite: Suite) -> None:
    """Numbers without a gap, hashes that chain, time that passes, and a fold that is exact."""
    async with suite.stage() as stage:
        before = stage.opening.market.head
        for _ in range(6):
            arrival, _ = await stage.block()
            block = arrival.block
            assert block.number == before.number + 1
            assert block.parent_hash == before.hash != block.hash
            assert block.timestamp > before.timestamp
            assert block.base_fee_wei > 0
            assert stage.opening.market.head == block
            before = block
        assert stage.opening.market.swaps_exact > 0, "nobody traded: the market is dead"
        assert stage.opening.market.swaps_forced == 0, "a swap could not be reproduced"


async def what_is_decided_upon_a_block_is_done_in_the_next(suite: Suite) -> None:
    """A submission upon block N is settled in N + 1, once."""
    async with suite.stage(sell_dollars(10**9)) as stage:
        arrival, (decision,) = await stage.block()
        assert decision is not None
        assert decision.block_number == arrival.block.number
        assert decision.block_hash == arrival.block.hash
        assert await stage.world.executor.settled(stage.agent.name) is None, "settled in no time at all"
        arrival, _ = await stage.block()
        (settled,) = stage.heard(ExecutionSettled)
        assert settled.block_number == arrival.block.number == decision.block_number + 1
        assert (settled.digest, settled.status) == (decision.digest, "filled"), settled.error
        assert await stage.world.executor.settled(stage.agent.name) is None, "settled twice"


async def a_swap_moves_what_it_says(suite: Suite) -> None:
    """Exactly what is sold leaves, at least the minimum arrives, and one record stands for it."""
    async with suite.stage() as stage:
        before = stage.agent.desk.portfolio
        settled = await stage.carry_out(sell_dollars(10**9))
        after = stage.agent.desk.portfolio
        assert settled.status == "filled", settled.error
        assert after.balances[USDC.address] == before.balances[USDC.address] - 10**9
        assert after.balances[VALUATION.base.address] > before.balances[VALUATION.base.address]
        assert after.gas_wei > 0
        await stage.compare_balances()
        assert await stage.world.records() == 1
        assert settled.record_id == 1


async def a_position_lives_and_is_closed(suite: Suite) -> None:
    """Open, grow, shrink, collect, move, close: balances agree with the books to the last unit after each."""
    async with suite.stage() as stage:

        def mine(ctx: Context) -> int:
            assert ctx.position is not None
            return ctx.position.token_id

        def half(ctx: Context) -> Intent:
            assert ctx.position is not None
            return DecreaseLiquidity(token_id=mine(ctx), liquidity=ctx.position.liquidity // 2, reason="")

        def twice(ctx: Context) -> Intent:
            collect = CollectFees(token_id=mine(ctx), reason="")
            return Batch(intents=(collect, collect), reason="the second time there is nothing")

        life: tuple[Callable[[Context], Intent], ...] = (
            sell_dollars(10**9),
            half_of_all_around(600),
            lambda ctx: IncreaseLiquidity(
                token_id=mine(ctx),
                amount0_raw=ctx.balance(USDC) // 2,
                amount1_raw=ctx.balance(VALUATION.base) // 2,
                reason="",
            ),
            half,
            lambda ctx: CollectFees(token_id=mine(ctx), reason=""),
            twice,
            band_around(300, off_by=900),
            band_around(1_200),
            lambda ctx: ClosePosition(token_id=mine(ctx), reason=""),
        )
        for number, step in enumerate(life, 1):
            settled = await stage.carry_out(step)
            assert settled.status == "filled", f"step {number}: {settled.error}"
            await stage.compare_balances()
            said = await stage.world.records()
            assert said == number == settled.record_id, f"step {number}: {said} records, {settled.record_id}"
            held = stage.agent.desk.portfolio.positions
            assert len(held) == (1 < number < len(life))
        portfolio, valued = stage.agent.desk.portfolio, stage.agent.desk.valued()
        assert sum(portfolio.fees_collected.values()) > 0, "others traded in the band, so it earned"
        assert valued.equity_raw + valued.gas_raw > START_RAW * 95 // 100, "money went missing"


async def what_reverts_moves_nothing_and_is_anchored_later(suite: Suite) -> None:
    """A plan that cannot be carried out costs gas alone, and its decision is on the log with the next."""
    async with suite.stage(desk=_Impossible) as stage:
        before = stage.agent.desk.portfolio
        settled = await stage.carry_out(sell_dollars(10**9))
        assert (settled.status, settled.record_id) == ("reverted", None)
        assert settled.error, "it does not say why"
        after = stage.agent.desk.portfolio
        assert after.balances == before.balances
        assert after.positions == ()
        assert after.gas_wei > 0
        await stage.compare_balances()
        assert await stage.world.records() == 0
        assert len(stage.agent.outbox) >= 1, "the decision was lost"
        await stage.agent.flush()
        await stage.block()
        (anchored,) = stage.heard(HoldsAnchored)
        assert anchored.first_sequence == 0 == settled.sequence
        await _compare_sequence(stage, anchored.count)


async def anchors_advance_the_sequence(suite: Suite) -> None:
    """Holds are anchored in batches without a gap, and a record carries those that wait ahead of it."""
    async with suite.stage(anchor_every=3) as stage:
        hold = Hold(reason="nothing to do")
        stage.scripts[0].then(hold, hold, hold)
        for _ in range(4):
            await stage.block()
        (first,) = stage.heard(HoldsAnchored)
        assert (first.first_sequence, first.count) == (0, 3)
        await _compare_sequence(stage, 3)
        assert await stage.world.records() == 0
        settled = await stage.carry_out(sell_dollars(10**8))
        assert settled.status == "filled", settled.error
        second = stage.heard(HoldsAnchored)[1]
        assert second.first_sequence == 3
        assert settled.sequence == 3 + second.count
        await _compare_sequence(stage, settled.sequence + 1)
        assert await stage.world.records() == 1


async def agents_act_in_the_order_of_the_fleet(suite: Suite) -> None:
    """All of them in one block, each upon what the one before has left."""
    async with suite.stage(sell_dollars(2 * 10**9), agents=3) as stage:
        await stage.block()
        await stage.block()
        settled = stage.heard(ExecutionSettled)
        assert [(each.agent, each.record_id, each.status) for each in settled] == [
            ("agent-0", 1, "filled"),
            ("agent-1", 2, "filled"),
            ("agent-2", 3, "filled"),
        ]
        assert len({each.block_number for each in settled}) == 1
        await stage.compare_balances()
        base = VALUATION.base.address
        bought = [agent.desk.portfolio.balances[base] - agent.seat.balances[base] for agent in stage.agents]
        assert bought == sorted(bought, reverse=True), "who comes later pays more"


async def closing_is_safe(suite: Suite) -> None:
    """A world can be closed before it was opened, twice, and with something under way."""
    world = suite.make_world([SeatRequest("a", worth_raw=START_RAW, limits=VAULT_LIMITS)])
    await world.close()
    async with suite.stage(sell_dollars(10**9)) as stage:
        await stage.block()
        await stage.world.close()
        await stage.world.close()


async def _compare_sequence(stage: Stage, expected: int) -> None:
    said = await stage.witness.next_sequence(stage.world, stage.agent.seat)
    assert said in {expected, None}, f"the log takes sequence {said} next, not {expected}"


Check: TypeAlias = Callable[[Suite], Awaitable[None]]

CHECKS: Final[dict[str, Check]] = {
    check.__name__: check
    for check in (
        opens_with_what_was_asked_for,
        blocks_follow_one_another,
        what_is_decided_upon_a_block_is_done_in_the_next,
        a_swap_moves_what_it_says,
        a_position_lives_and_is_closed,
        what_reverts_moves_nothing_and_is_anchored_later,
        anchors_advance_the_sequence,
        agents_act_in_the_order_of_the_fleet,
        closing_is_safe,
    )
}
"""By name, to be run one by one."""
