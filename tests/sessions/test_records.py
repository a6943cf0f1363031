"""The chain alone tells the whole story: every decision of a run is on it once, in order, and nothing else is."""

import asyncio
import json
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from defai.agent.bus import Bus
from defai.audit.canonical import digest
from defai.audit.merkle import merkle_proof, merkle_root, verify_proof
from defai.chain.mainnet import USDC, WETH
from defai.chain.vault import (
    RecordedAnchor,
    RecordedDecision,
    recorded_anchors,
    recorded_decisions,
)
from defai.config import Settings
from defai.domain.decisions import ZERO_DIGEST
from defai.domain.stream import AgentStateChanged, ExecutionSettled, HoldsAnchored, StepCompleted, StreamEvent
from defai.errors import NotFoundError
from defai.session.run_directory import Journal
from defai.session.session import Session
from defai.session.steering import Steering
from defai.worlds.fork import ForkWorld

pytestmark = pytest.mark.usefixtures("trained_home")


class Witnessed(Session):
    """A session that asks the chain for everything right before it is gone."""

    records: list[RecordedDecision]
    anchors: list[RecordedAnchor]
    balances: dict[str, dict[str, int]]

    async def summary(self) -> dict[str, Any]:
        world = self.world
        assert isinstance(world, ForkWorld)
        wanted = {"fromBlock": "0x0", "toBlock": "latest", "address": world.contracts.audit}
        logs = await world.chain.rpc.call("eth_getLogs", wanted)
        self.records = recorded_decisions(logs, world.contracts.audit)
        self.anchors = recorded_anchors(logs, world.contracts.audit)
        self.balances = {}
        for agent in self.agents:
            assert agent.seat.vault is not None
            self.balances[agent.name] = {
                token.address: await world.chain.balance(agent.seat.vault, token) for token in (USDC, WETH)
            }
        return await super().summary()


@dataclass
class Told:
    """What a run has told: on the bus, in its journal, on the chain."""

    session: Witnessed
    summary: dict[str, Any]
    events: list[StreamEvent] = field(default_factory=list)
    journal: list[dict[str, Any]] = field(default_factory=list)


BUSY = """
from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy, Swap

class Busy(Strategy):
    '''Trades for the sake of trading.'''

    every: int = 3

    def decide(self, ctx: Context) -> Intent:
        number, left = divmod(ctx.block_number, self.every)
        if left:
            return Hold(reason=f"{left} blocks after the last")
        if number % 4 == 0:
            lower, upper = ctx.band(200 + 10 * number)
            return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="move")
        sold = ctx.numeraire if number % 2 else ctx.base
        amount = ctx.balance(sold) // 7
        zero = ctx.pool.key.token0 == sold
        return Swap(pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="trade")
"""
FLEET = """
anchor_every_blocks = 7
network.block_time_s = 0
[[agents]]
name = "busy"
strategy = "{busy}:Busy"
[[agents]]
name = "tight"
strategy = "{busy}:Busy"
parameters.every = 2
limits = {{ max_slippage_bps = 1, max_failures = 1000 }}
[[agents]]
name = "lp-wide"
strategy = "volatility_band"
[[agents]]
name = "holder"
strategy = "hold"
"""


def settings(folder: Path, seed: int, **values: object) -> Settings:
    """A fleet that has a lot to put on record: trades, reverts, denials, holds."""
    busy, fleet = folder / "busy.py", folder / "fleet.toml"
    busy.write_text(BUSY)
    fleet.write_text(FLEET.format(busy=busy))
    return Settings.load(fleet, {"market.seed": seed, **values}, environment={})


async def told(folder: Path, chosen: Settings, blocks: int) -> Told:
    bus = Bus()
    events: list[StreamEvent] = []
    bus.tap(events.append)
    session = Witnessed(chosen, bus, blocks=blocks, journal=Journal(folder, chosen))
    summary = await session.run()
    lines = (folder / "decisions.jsonl").read_text().splitlines()
    return Told(session, summary, events, [json.loads(line) for line in lines])


async def test_every_decision_is_on_the_chain_once_and_in_order(tmp_path: Path) -> None:
    run = await told(tmp_path, settings(tmp_path, 7), 60)
    statuses = {event.status for event in run.events if isinstance(event, ExecutionSettled)}
    assert statuses == {"filled", "reverted"}, "the fleet is meant to meet both"
    chain: dict[int, dict[int, str]] = defaultdict(dict)
    filled = {
        event.digest: event
        for event in run.events
        if isinstance(event, ExecutionSettled) and event.status == "filled"
    }
    journal = {line["digest"]: line for line in run.journal}
    assert len(journal) == len(run.journal), "a decision was taken twice"

    assert {record.decision.digest for record in run.session.records} == set(filled)
    assert len(run.session.records) == len(filled) == run.summary["records_on_chain"] > 20
    for record in run.session.records:
        decision, line = record.decision, journal[record.decision.digest]
        assert digest(decision.payload) == decision.payload_digest
        assert decision.payload.decode() == line["payload"]
        same = ("sequence", "previous_digest", "block_number", "block_hash", "strategy_digest", "model_digest",
                "features_digest", "forecast_x24", "action_digest")  # fmt: skip
        assert {name: getattr(decision, name) for name in same} == {name: line[name] for name in same}
        assert filled[decision.digest].record_id == record.token_id
        assert filled[decision.digest].transaction_hash == record.transaction_hash
        assert record.block_number == decision.block_number + 1
        chain[decision.agent_id][decision.sequence] = decision.digest

    by_place = {(line["agent_id"], line["sequence"]): line["digest"] for line in run.journal}
    for anchored in run.session.anchors:
        anchor = anchored.anchor
        places = range(anchor.first_sequence, anchor.first_sequence + anchor.count)
        leaves = [by_place[anchored.agent_id, sequence] for sequence in places]
        assert anchor.root == merkle_root(leaves)
        assert anchor.last_digest == leaves[-1]
        assert all(verify_proof(leaf, merkle_proof(leaves, i), anchor.root) for i, leaf in enumerate(leaves))
        for sequence, leaf in zip(places, leaves, strict=True):
            assert sequence not in chain[anchored.agent_id], "anchored and recorded"
            chain[anchored.agent_id][sequence] = leaf

    for agent in run.session.agents:
        mine = chain[agent.seat.agent_id]
        own = [line for line in run.journal if line["agent_id"] == agent.seat.agent_id]
        assert sorted(mine) == list(range(len(own))), (
            f"{agent.name}: the chain has gaps, or more than was decided"
        )
        assert [mine[i] for i in range(len(own))] == [line["digest"] for line in own]
        assert [line["previous_digest"] for line in own] == [
            ZERO_DIGEST,
            *(line["digest"] for line in own[:-1]),
        ]
        assert len(agent.outbox) == 0
    assert (
        sum(map(len, chain.values()))
        == len(run.journal)
        == sum(agent["decisions"] for agent in run.summary["agents"])
    )
    said = [event for event in run.events if isinstance(event, HoldsAnchored)]
    assert sorted((each.root, each.count) for each in said) == sorted(
        (each.anchor.root, each.anchor.count) for each in run.session.anchors
    )


async def test_vaults_hold_what_their_portfolios_say(tmp_path: Path) -> None:
    run = await told(tmp_path, settings(tmp_path, 11, **{"market.attackers": True}), 40)
    for agent in run.session.agents:
        assert run.session.balances[agent.name] == dict(agent.desk.portfolio.balances), agent.name
    assert any(agent.desk.portfolio.positions for agent in run.session.agents)
    assert sum(agent.decisions["trades"] for agent in run.session.agents) > 20


async def test_one_strategy_that_raises_stops_its_agent_alone(tmp_path: Path) -> None:
    faulty = tmp_path / "faulty.py"
    faulty.write_text(
        "from defai.strategy.api import Context, Hold, Intent, Strategy\n"
        "class Faulty(Strategy):\n"
        "    '''Breaks.'''\n"
        "    def decide(self, ctx: Context) -> Intent:\n"
        "        return Hold(reason='fine') if ctx.block_number % 5 else 1 / 0\n"
    )
    fleet = tmp_path / "fleet.toml"
    fleet.write_text(
        "[network]\nblock_time_s = 0\n"
        f'[[agents]]\nname = "faulty"\nstrategy = "{faulty}:Faulty"\n'
        '[[agents]]\nname = "holder"\nstrategy = "hold"\n'
    )
    run = await told(tmp_path, Settings.load(fleet, environment={}), 12)
    (stop,) = [event for event in run.events if isinstance(event, AgentStateChanged)]
    assert (stop.agent, stop.state) == ("faulty", "stopped")
    assert stop.reason == "faulty.decide raised ZeroDivisionError: division by zero"
    steps = [event for event in run.events if isinstance(event, StepCompleted) and event.decision]
    assert len([step for step in steps if step.agent == "holder"]) == 12
    assert 0 < len([step for step in steps if step.agent == "faulty"]) <= 5


async def test_a_session_with_a_clock_can_be_stopped_while_it_waits(tmp_path: Path) -> None:
    chosen = Settings.demo({"network.block_time_s": 600.0}, environment={})
    bus = Bus()
    session = Session(chosen, bus, journal=Journal(tmp_path, chosen))
    waiting = asyncio.Event()
    bus.tap(lambda event: waiting.set() if event.kind == "block_arrived" and session.is_set_up else None)
    running = asyncio.create_task(session.run())
    await asyncio.wait_for(waiting.wait(), 300)
    steering = Steering(session)
    await steering.pause("holder")
    await steering.halt_all()
    await steering.resume("tiers")
    with pytest.raises(NotFoundError, match=r"no agent called 'nobody'\. There are: .*holder"):
        await steering.pause("nobody")
    assert [agent.state.value for agent in session.agents] == ["paused", "paused", "running", "paused"]
    await steering.stop()
    summary = await asyncio.wait_for(running, 300)
    assert summary["decision_digest"] == ZERO_DIGEST
    assert summary["records_on_chain"] == 0
