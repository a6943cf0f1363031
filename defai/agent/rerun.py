"""An agent that decides again what was decided before: same code, same desk, but what came of it is told."""

from dataclasses import dataclass
from functools import partial
from typing import Protocol

from defai.agent.agent import Agent
from defai.agent.desk import Judged
from defai.agent.ports import Settlement
from defai.audit.outbox import Anchor
from defai.audit.record import Draft
from defai.domain.decisions import Decision
from defai.domain.intents import Hold, Intent
from defai.strategy.api import Context


@dataclass(frozen=True, slots=True)
class Considered:
    """What an agent decides upon a block, before anything is done about it."""

    context: Context
    judged: Judged
    draft: Draft


class Told(Protocol):
    """An executor that is told what came of things."""

    def tell(self, settlement: Settlement) -> None:
        """Give this as the answer to the next question."""


class Rerun(Agent):
    """An agent that acts no more. Its market must stand at the block in question."""

    def consider(self, holds: str = "") -> Considered:
        """Decide upon the newest block.

        Args:
            holds: the reason with which it holds whatever its strategy wants; empty asks the strategy.
        """
        valued = self.desk.valued()
        context = self.look(valued)
        judged = self.desk.judge(self._decide(context, partial(_hold, holds) if holds else None), valued)
        self.desk.drawdown(valued.equity_raw)
        return Considered(context, judged, self._draft(context.features, context.forecast, judged))

    def pass_by(self) -> None:
        """Let a block pass that was decided upon, and whose decision nobody asks for."""
        self.desk.drawdown(self.desk.valued().equity_raw)

    async def fold(self, decision: Decision | None, settlement: Settlement, told: Told) -> None:
        """Fold what came of something that was sent, as the agent did when it heard of it."""
        self._under_way = (Anchor(), decision)
        told.tell(settlement)
        await self.settle()


def _hold(reason: str, context: Context) -> Intent:  # noqa: ARG001  asked like a strategy
    return Hold(reason=reason)
