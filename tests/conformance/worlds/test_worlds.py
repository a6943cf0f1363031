"""Every world passes the same suite, and the same seed lives the same life in each."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from defai.agent.ports import World
from defai.domain.chain_events import PoolEvent
from defai.domain.intents import Hold, Intent
from defai.domain.stream import ExecutionSettled
from defai.strategy.api import Context
from defai.testing.stage import Stage
from defai.testing.world import CHECKS, Suite, band_around, sell_dollars
from defai.worlds.seating import SeatRequest
from tests.conformance.worlds.makers import FORK, SIM, fork_world, sim_world

SUITES = {"sim": SIM, "fork": FORK}
PARITY_BLOCKS = 60


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("kind", SUITES)
async def test_every_world_passes_the_suite(kind: str, check: str) -> None:
    await CHECKS[check](SUITES[kind])


async def test_the_whole_suite_can_be_run_at_once() -> None:
    await SIM.check_all()


def script() -> list[Intent | Callable[[Context], Intent]]:
    """Something now and then, in both pools, that depends on the blocks and on what was done before."""
    wait = Hold(reason="wait")
    answers: list[Intent | Callable[[Context], Intent]] = []
    for number in range(PARITY_BLOCKS // 6):
        move = band_around(400 + 50 * number) if number % 3 == 0 else sell_dollars(10**8 * (number + 1))
        answers += [move, wait, wait]
    return answers


def without_places(event: PoolEvent) -> PoolEvent:
    """An event without what only a chain has: senders, log indices and transactions."""
    names = {"sender", "recipient", "owner"} & set(event.__slots__)
    return replace(event, log_index=0, transaction_hash="", **dict.fromkeys(names, ""))  # type: ignore[arg-type]  # strings


async def life(suite: Suite) -> tuple[list[object], Stage]:
    """What a run looks like, block by block."""
    seen: list[object] = []
    async with suite.stage(*script(), agents=2) as stage:
        first = stage.opening.market.head.number
        for _ in range(PARITY_BLOCKS):
            arrival, _ = await stage.block()
            pools = {
                address: (pool.sqrt_price_x96, pool.tick, pool.liquidity, pool.fee_growth_global0_x128)
                for address, pool in stage.opening.market.pools.items()
            }
            block = arrival.block
            seen.append((block.number - first, block.timestamp, block.base_fee_wei, pools))
            seen.append([without_places(event) for event in block.events])
            for agent in stage.agents:
                held = agent.desk.portfolio
                positions = [replace(position, opened_block=0) for position in held.positions]
                seen.append((agent.name, dict(held.balances), positions, dict(held.fees_collected)))
    return seen, stage


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("attackers", [False, True])
async def test_the_same_seed_lives_the_same_life_in_memory_and_on_real_bytecode(attackers: bool) -> None:
    def in_memory(requests: Sequence[SeatRequest]) -> World:
        return sim_world(requests, 11, attackers=attackers)

    def on_chain(requests: Sequence[SeatRequest]) -> World:
        return fork_world(requests, 11, attackers=attackers)

    in_sim, sim = await life(replace(SIM, make_world=in_memory))
    in_fork, fork = await life(replace(FORK, make_world=on_chain))
    for here, there in zip(in_sim, in_fork, strict=True):
        assert here == there
    fills = [(each.agent, each.status, each.text) for each in sim.heard(ExecutionSettled)]
    assert fills == [(each.agent, each.status, each.text) for each in fork.heard(ExecutionSettled)]
    assert len([status for _, status, _ in fills if status == "filled"]) >= PARITY_BLOCKS // 6
    assert sim.opening.market.swaps_forced == fork.opening.market.swaps_forced == 0


async def test_another_seed_lives_another_life() -> None:
    one, _ = await life(SIM)
    other, _ = await life(replace(SIM, make_world=lambda requests: sim_world(requests, 6)))
    assert one != other


def test_scratch_paths_are_the_tests_own(home: Path) -> None:
    from defai.chain.standin import default_cache_directory

    assert default_cache_directory().is_relative_to(home)
