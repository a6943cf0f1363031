"""What an agent tells the stream of itself: its steps, what came of its decisions, how close it is to its limits."""

from collections.abc import Sequence
from typing import Final

from defai.agent import views
from defai.agent.desk import Desk
from defai.agent.ports import Settlement
from defai.domain.decisions import Check, Decision
from defai.domain.stream import DecisionView, ExecutionSettled, RiskMeasured, StepCompleted
from defai.domain.tokens import Address, Token

RISK_EVERY_BLOCKS: Final = 10


class Teller:
    """Makes an agent's events.

    Attributes:
        changed: whether limits are closer or further than when they were told last, for another reason than time.
    """

    def __init__(self, name: str, desk: Desk) -> None:
        self.changed = True
        self._name, self._desk = name, desk
        self._told_at = 0
        self._tokens: dict[Address, Token] = {
            token.address: token for key in desk.market.keys.values() for token in (key.token0, key.token1)
        }

    def step(self, state: str, decision: DecisionView | None, latency_ms: float) -> StepCompleted:
        """A finished block."""
        head = self._desk.market.head
        self.changed |= decision is not None and bool(decision.checks)
        return StepCompleted(
            agent=self._name,
            block_number=head.number,
            timestamp=head.timestamp,
            state=state,
            decision=decision,
            portfolio=views.portfolio_view(self._desk, self._tokens),
            latency_ms=latency_ms,
        )

    def execution(self, decision: Decision, settlement: Settlement, gas_raw: int) -> ExecutionSettled:
        """What came of a decision."""
        self.changed = True
        gas_usd = views.usd(self._desk.valuation.numeraire, gas_raw)
        return views.settled(self._name, decision, settlement, gas_usd, self._tokens)

    @property
    def risk_is_due(self) -> bool:
        """Whether limits are to be told again."""
        return self.changed or self._desk.market.head.number >= self._told_at + RISK_EVERY_BLOCKS

    def risk(self, failures: int, measured: Sequence[Check], breaker: str) -> RiskMeasured:
        """How close the limits are."""
        number = self._desk.market.head.number
        self.changed, self._told_at = False, number
        return RiskMeasured(self._name, number, views.risk_gauges(self._desk, failures, measured), breaker)
