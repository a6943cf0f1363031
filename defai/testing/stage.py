"""A stage: an open world with agents that follow scripts, driven block by block, and the world's own books."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Final, TypeAlias, TypeVar

from defai.agent.agent import Agent, Mandate
from defai.agent.desk import Desk
from defai.agent.ports import Arrival, Opening, Seat, World
from defai.audit.outbox import Outbox
from defai.chain.mainnet import USDC, USDC_WETH_005
from defai.domain.decisions import ZERO_DIGEST, Decision
from defai.domain.stream import ExecutionSettled, StepCompleted, StreamEvent
from defai.domain.tokens import Token
from defai.market import tripwire
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.testing.scripted import Answer, Scripted
from defai.worlds.seating import SeatRequest

MakeWorld: TypeAlias = Callable[[Sequence[SeatRequest]], World]
"""A world, not opened yet, that seats these agents."""
Kind = TypeVar("Kind")

VALUATION: Final = Valuation(USDC_WETH_005, USDC)
"""What a stage's world prices in: dollars, by the 0.05 % pool."""
START_RAW: Final = 30_000 * 10**6
"""What each agent starts with, in micro-dollars, half in each token."""
SLIPPAGE_BPS: Final = 300
"""Generous, so that a plan reverts only where it is meant to."""
VAULT_LIMITS: Final = Limits(
    max_slippage_bps=SLIPPAGE_BPS, max_trade_usd=Decimal(10**6), max_turnover_usd=Decimal(10**8)
)
"""What a vault on a chain holds a scripted agent to: less than its desk does, whatever a check sets that to."""


@dataclass(frozen=True, slots=True)
class Witness:
    """How to ask a world's own books, past the ports.

    Attributes:
        balance: idle tokens of a seat's vault, in the token's smallest unit.
        next_sequence: the sequence that the audit log takes next from a seat's agent; None where the log keeps none.
    """

    balance: Callable[[World, Seat, Token], Awaitable[int]]
    next_sequence: Callable[[World, Seat], Awaitable[int | None]]


@dataclass(slots=True)
class Stage:
    """An open world with scripted agents in it."""

    world: World
    opening: Opening
    witness: Witness
    agents: list[Agent] = field(default_factory=list)
    scripts: list[Scripted] = field(default_factory=list)
    events: list[StreamEvent] = field(default_factory=list)

    @property
    def agent(self) -> Agent:
        """The first agent."""
        return self.agents[0]

    async def block(self) -> tuple[Arrival, list[Decision | None]]:
        """The next block, folded, compared with the chain, and taken part in by every agent."""
        await self.world.feed.due()
        arrival = await self.world.feed.next()
        assert arrival is not None, "the world ended"
        self.opening.market.apply(arrival.block)
        tripwire.check(self.opening.market, arrival.reports)
        return arrival, [await agent.step(0.0) for agent in self.agents]

    async def carry_out(self, answer: Answer) -> ExecutionSettled:
        """Let the first agent do something, and see what came of it in the block after."""
        before = len(self.heard(ExecutionSettled))
        self.scripts[0].then(answer)
        await self.block()
        verdicts = [step.decision.verdict_reason for step in self.heard(StepCompleted) if step.decision]
        await self.block()
        settled = self.heard(ExecutionSettled)
        assert len(settled) == before + 1, f"nothing was carried out: {verdicts[-1]}"
        return settled[-1]

    def heard(self, kind: type[Kind]) -> list[Kind]:
        """The events of a kind, in order."""
        return [event for event in self.events if isinstance(event, kind)]

    async def compare_balances(self) -> None:
        """What agents believe they hold, and what the world's books say, to the last unit."""
        for agent in self.agents:
            for token in (USDC_WETH_005.token0, USDC_WETH_005.token1):
                held = agent.desk.portfolio.balances[token.address]
                said = await self.witness.balance(self.world, agent.seat, token)
                assert held == said, f"{agent.name} believes {held} {token.symbol}, the books say {said}"


def seated(stage: Stage, seat: Seat, script: Scripted, anchor_every: int, desk: type[Desk]) -> Agent:
    """An agent on a stage's seat.

    Args:
        stage: where.
        seat: one of the opening's.
        script: what it does.
        anchor_every: decisions that moved nothing are anchored when so many wait.
        desk: the kind of desk it works at.
    """
    world, market = stage.world, stage.opening.market
    pools = tuple(market.keys.values())
    mandate = Mandate(seat.name, "scripted", script, "0x" + "11" * 32, pools, None, anchor_every)
    bench = desk(
        market,
        VALUATION,
        Portfolio.opening(seat.balances),
        Limits(max_slippage_bps=SLIPPAGE_BPS),
        partial(world.executor.encode, seat.name),
    )
    outbox = Outbox(
        seat.agent_id, world.audit_log.domain, seat.next_sequence, seat.last_digest or ZERO_DIGEST
    )
    return Agent(mandate, seat, bench, outbox, world.executor, world.audit_log, stage.events.append)
