"""An attacker in the market: it profits from large swaps, and no vault ever gets less than its plan's minimum."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from defai.agent.ports import Submission, World
from defai.chain.mainnet import USDC, WETH
from defai.domain.chain_events import PoolSwapped
from defai.domain.operations import SwapExactInput
from defai.domain.stream import ExecutionSettled
from defai.testing.stage import Stage
from defai.testing.world import sell_dollars
from defai.worlds.seating import SeatRequest
from tests.conformance.worlds.makers import FORK, SIM, fork_world, sim_world

RICH = 900_000 * 10**6


def rich(requests: Sequence[SeatRequest]) -> list[SeatRequest]:
    """The same agents, with so much money that it is worth to attack them."""
    return [replace(request, worth_raw=RICH) for request in requests]


def sim(requests: Sequence[SeatRequest]) -> World:
    return sim_world(rich(requests), 3, attackers=True)


def fork(requests: Sequence[SeatRequest]) -> World:
    return fork_world(rich(requests), 3, attackers=True)


SUITES = {"sim": replace(SIM, make_world=sim), "fork": replace(FORK, make_world=fork)}


def overheard(stage: Stage) -> list[Submission]:
    """What the agents submit from now on."""
    heard: list[Submission] = []
    submit = stage.world.executor.submit

    async def listen(submission: Submission) -> None:
        heard.append(submission)
        await submit(submission)

    for agent in stage.agents:
        agent._executor = type(
            "Listening", (), {"settled": stage.world.executor.settled, "submit": staticmethod(listen)}
        )()
    return heard


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("kind", SUITES)
async def test_no_vault_gets_less_than_its_minimum(kind: str) -> None:
    suite = SUITES[kind]
    sandwiched = 0
    async with suite.stage(*[sell_dollars(45_000 * 10**6)] * 4, agents=2) as stage:
        for agent in stage.agents:
            agent.desk.limits = agent.desk.limits.model_copy(update={"max_trade_usd": 10**6})
        submissions = overheard(stage)
        balances = {agent.name: dict(agent.desk.portfolio.balances) for agent in stage.agents}
        filled = 0
        for _ in range(8):
            arrival, _ = await stage.block()
            swaps = [event for event in arrival.block.events if isinstance(event, PoolSwapped)]
            settled = [e for e in stage.heard(ExecutionSettled) if e.block_number == arrival.block.number]
            for event in settled:
                (submission,) = [s for s in submissions if s.decision and s.decision.digest == event.digest]
                assert submission.plan is not None
                (operation,) = submission.plan.operations
                assert isinstance(operation, SwapExactInput)
                agent = next(agent for agent in stage.agents if agent.name == event.agent)
                after = dict(agent.desk.portfolio.balances)
                got = after[WETH.address] - balances[agent.name][WETH.address]
                paid = balances[agent.name][USDC.address] - after[USDC.address]
                if event.status == "filled":
                    filled += 1
                    assert got >= operation.amount_out_minimum
                    assert paid == operation.amount_in
                else:
                    assert (got, paid) == (0, 0)
                balances[agent.name] = after
                place = next((i for i, s in enumerate(swaps) if s.amount0 == operation.amount_in), None)
                if place is not None and 0 < place < len(swaps) - 1:
                    before, behind = swaps[place - 1], swaps[place + 1]
                    sandwiched += before.amount1 == -behind.amount1 and before.amount0 > 0
        await stage.compare_balances()
    assert filled >= 4
    assert sandwiched >= 2, "nobody was attacked: the test shows nothing"
