"""A decision that waits for its owner: what he is told of it, and what became of it."""

from dataclasses import dataclass
from typing import Final

from defai.agent import views
from defai.agent.desk import Desk, Judged
from defai.domain.decisions import Decision, Forecast
from defai.domain.operations import AddLiquidity, RemoveLiquidity
from defai.domain.stream import ApprovalRequested, ApprovalResolved

APPROVED: Final = "approved"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
WITHDRAWN: Final = "withdrawn"


@dataclass(frozen=True, slots=True)
class Pending:
    """A decision that is sealed, and carried out only once its owner approves.

    Attributes:
        expires_at: from then on it waits no more: seconds since 1970, by the chain's clock.
    """

    agent: str
    decision: Decision
    judged: Judged
    forecast: Forecast | None
    expires_at: int

    def request(self, desk: Desk) -> ApprovalRequested:
        """What the owner is told."""
        verdict, plan, exposure = self.judged.verdict, self.judged.plan, self.judged.exposure
        view = views.decision_view(self.decision, plan, verdict, self.forecast, desk.market)
        return ApprovalRequested(
            agent=self.agent,
            digest=self.decision.digest,
            sequence=self.decision.sequence,
            block_number=self.decision.block_number,
            timestamp=desk.market.head.timestamp,
            action=view.action,
            text=view.text,
            reason=view.reason,
            rule=verdict.reason,
            checks=view.checks,
            forecast=view.forecast,
            moved_usd=exposure.moved_usd if exposure else None,
            swap_usd=exposure.swap_usd if exposure else None,
            swap_cost_usd=exposure.swap_cost_usd if exposure else None,
            gas_usd=exposure.gas_usd if exposure else None,
            expires_at=self.expires_at,
            before=self._before(desk),
        )

    def resolved(self, outcome: str, by: str, reason: str, block_number: int) -> ApprovalResolved:
        """What became of it."""
        return ApprovalResolved(self.agent, self.decision.digest, outcome, by, reason, block_number)

    def _before(self, desk: Desk) -> str:
        """The positions it touches, as they stand."""
        operations = self.judged.plan.operations if self.judged.plan else ()
        touched = {
            operation.token_id
            for operation in operations
            if isinstance(operation, RemoveLiquidity | AddLiquidity)
        }
        ranges = []
        for position in desk.portfolio.positions:
            if position.token_id in touched:
                tick = desk.market.pools[position.pool].tick
                where = "in" if position.tick_lower <= tick < position.tick_upper else "out of"
                ranges.append(f"{position.tick_lower:,}…{position.tick_upper:,}, {where} range")
        return "; ".join(ranges)
