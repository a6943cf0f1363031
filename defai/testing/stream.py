"""A plausible session as a stream of events, without a chain: the same for the same seed.

For looking at the terminal, for tests of whatever consumes events, and for pictures in the documentation. Its figures
follow simple rules (a random walk, agents that act now and then); nothing about it is a backtest.
"""

from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Final

from defai.domain.stream import (
    AgentCard,
    AgentStateChanged,
    BlockArrived,
    ExecutionSettled,
    HoldsAnchored,
    PoolQuote,
    SessionEnded,
    SessionStarted,
    SetupProgressed,
    StepCompleted,
    StreamEvent,
)
from defai.testing.actor import FIRST_BLOCK, FIRST_TIMESTAMP, FORMS, KINDS, NAMES, POOLS, Actor, hex_of
from defai.testing.surroundings import Surroundings, demo_request

SETUP: Final = (
    "starting the chain",
    "deploying Uniswap, the vaults and the audit contracts",
    "funding the vaults",
    "training the models from generated history",
    "waiting for the first block",
)


def demo_cards(agents: int) -> tuple[AgentCard, ...]:
    """The first `agents` agents of the demo's fleet."""
    cards = []
    for index in range(agents):
        kind = KINDS[index % len(KINDS)]
        name = NAMES[index] if index < len(NAMES) else f"{kind.split('_')[0]}-{index}"
        model = None if kind in {"hold", "fee_tier_arb"} else hex_of("model", kind)
        cards.append(
            AgentCard(
                name,
                kind,
                index + 1,
                hex_of("vault", index, length=40),
                tuple(pool.address for pool in POOLS),
                {one.name: one.value for one in FORMS[kind]},
                model,
                FORMS[kind],
            )
        )
    return tuple(cards)


def demo_setup() -> Iterator[StreamEvent]:
    """The events of a session being set up."""
    for step, text in enumerate(SETUP, start=1):
        yield SetupProgressed(step, len(SETUP), text)


def demo_stream(
    seed: int = 7, blocks: int = 220, agents: int = 4, *, end: bool = True
) -> Iterator[StreamEvent]:
    """A whole session: set-up, start, blocks with their decisions and executions, and the end.

    Args:
        seed: the same seed gives the same events.
        blocks: how many blocks.
        agents: how many agents; beyond four the four strategies repeat.
        end: whether the session ends after the last block.
    """
    yield from demo_setup()
    cards = demo_cards(agents)
    yield SessionStarted("standin", 1, seed, FIRST_BLOCK, "USDC", POOLS, cards, None)
    rng = Random(seed)  # noqa: S311  a demonstration, not a secret
    actors = [Actor(card, Random(f"{seed}/{card.name}")) for card in cards]  # noqa: S311  likewise
    usdc_per_weth, drift, records = 2_104.37, 0.0, 1_100
    around = Surroundings(Random(f"{seed}/around"))  # noqa: S311  likewise
    for actor in actors:
        actor.begin(usdc_per_weth)
    yield from around.begin(actors)
    for number in range(FIRST_BLOCK, FIRST_BLOCK + blocks):
        drift = 0.97 * drift + rng.gauss(0, 0.00012)
        usdc_per_weth *= 1 + drift * 0.35 + rng.gauss(0, 0.0006)
        tick = 200_000 - int((usdc_per_weth / 2_104.37 - 1) * 10_000)
        timestamp = FIRST_TIMESTAMP + number - FIRST_BLOCK
        yield block_event(number, timestamp, usdc_per_weth, tick, rng)
        for actor in actors:
            for event in settle(actor, number, records, rng):
                records += isinstance(event, ExecutionSettled)
                yield event
        for actor in actors:
            yield from act(actor, number, timestamp, usdc_per_weth, tick)
        yield from around.after(number, timestamp, usdc_per_weth, tick, actors)
    if end:
        yield SessionEnded(f"All {blocks} blocks are done.", "", 0)


def block_event(number: int, timestamp: int, usdc_per_weth: float, tick: int, rng: Random) -> BlockArrived:
    """A block with both pools' quotes."""
    quotes = tuple(
        PoolQuote(
            pool.address, Decimal(f"{usdc_per_weth * (1 + offset):.6f}"), tick, 10**19, rng.randint(0, 6)
        )
        for pool, offset in zip(POOLS, (0.0, rng.gauss(0, 0.0004)), strict=True)
    )
    fee = 7_000_000_000 + rng.randint(-400, 400) * 1_000_000
    return BlockArrived(number, hex_of("block", number), timestamp, fee, quotes, rng.uniform(0.8, 1.4))


def act(actor: Actor, number: int, timestamp: int, usdc_per_weth: float, tick: int) -> Iterator[StreamEvent]:
    """An agent's step upon a block."""
    if actor.band and actor.band[0] <= usdc_per_weth < actor.band[1]:
        actor.fees += actor.rng.uniform(0.01, 0.35)
    decision = actor.decide(number, usdc_per_weth, tick)
    if decision.action != "hold" and decision.verdict == "approved":
        actor.pending.append((decision, f"{decision.text.removeprefix('swap ').replace('at least ', '')}"))
        actor.gas += 0.88
    if decision.action == "hold":
        actor.unanchored += 1
    latency = actor.rng.uniform(2.0, 9.0)
    yield StepCompleted(
        actor.card.name,
        number,
        timestamp,
        actor.state,
        decision,
        actor.portfolio(usdc_per_weth),
        latency,
    )
    if actor.unanchored == 50:
        actor.unanchored = 0
        first = actor.sequence - 50
        root = hex_of("root", actor.card.name, first)
        yield HoldsAnchored(
            actor.card.name, first, 50, root, number, hex_of("anchor", actor.card.name, first)
        )


def settle(actor: Actor, number: int, records: int, rng: Random) -> Iterator[StreamEvent]:
    """What came of the agent's decisions of the block before."""
    for decision, outcome in actor.pending:
        records += 1
        yield ExecutionSettled(
            actor.card.name,
            decision.digest,
            decision.sequence,
            decision.block_number,
            number,
            "filled",
            hex_of("transaction", decision.digest),
            records,
            rng.randint(190_000, 420_000),
            Decimal("0.88"),
            outcome if decision.action == "swap" else f"position #{actor.token_id} stands",
            "",
        )
    actor.pending.clear()


def demo_pictured() -> Iterator[StreamEvent]:
    """The session that pictures show: four agents in the middle of their work, one of them waiting for its owner."""
    last = None
    for event in demo_stream(seed=7, blocks=220, end=False):
        if isinstance(event, StepCompleted) and event.agent == "reverter":
            last = event
        yield event
    if last is not None and last.decision is not None:
        yield demo_request("reverter", last.decision.digest, last.block_number, last.timestamp)
        yield demo_waiting("reverter", "moves 12,400 USD, above 5,000 USD: waits for the owner")


def demo_waiting(agent: str, reason: str) -> AgentStateChanged:
    """An agent that waits for its owner."""
    return AgentStateChanged(agent, "waiting", reason)
