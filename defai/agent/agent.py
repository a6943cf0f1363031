"""The agent: from a block to a recorded decision. `Agent.step` is the table of contents of the system."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from time import perf_counter

from defai.agent import views
from defai.agent.asking import Asking
from defai.agent.desk import Desk, Judged, fall_over_limit
from defai.agent.drafting import draft_of
from defai.agent.outlook import ForecastModel, Outlook
from defai.agent.pending import APPROVED, EXPIRED, Pending
from defai.agent.ports import AuditLog, Executor, Seat, Settlement, Submission
from defai.agent.telling import Teller
from defai.audit.outbox import Anchor, Outbox
from defai.audit.record import Draft
from defai.domain.decisions import (
    Approval,
    Check,
    Decision,
    ExecutionStatus,
    FeatureRow,
    Forecast,
    Verdict,
    VerdictStatus,
)
from defai.domain.intents import Hold, Intent
from defai.domain.pool import PoolKey
from defai.domain.stream import AgentStateChanged, DecisionView, Notice, StreamEvent
from defai.errors import NotFoundError
from defai.portfolio.pnl import Valued
from defai.strategy.api import Context, Outcome, Strategy
from defai.strategy.isolation.own_features import own_features


class AgentState(Enum):
    """What an agent is doing."""

    RUNNING = "running"
    PAUSED = "paused"
    WAITING = "waiting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Mandate:
    """What an agent is to do.

    Attributes:
        pools: the pools it looks at, the main one first.
        strategy_digest: digest of the strategy's source and parameters.
        anchor_every: decisions that moved nothing are anchored when this many wait.
        features: those that are computed: its model's, among which are the strategy's; None for the strategy's alone.
    """

    name: str
    strategy_name: str
    strategy: Strategy
    strategy_digest: str
    pools: tuple[PoolKey, ...]
    model: ForecastModel | None
    anchor_every: int = 32
    features: tuple[str, ...] | None = None

    @property
    def watched(self) -> tuple[str, ...]:
        """Names of the features that are computed upon each block."""
        return tuple(self.strategy.features()) if self.features is None else self.features


class Agent:
    """One agent in one world. It says what it does to `publish`, where somebody listens."""

    def __init__(
        self,
        mandate: Mandate,
        seat: Seat,
        desk: Desk,
        outbox: Outbox,
        executor: Executor,
        audit_log: AuditLog,
        publish: Callable[[StreamEvent], None] | None,
    ) -> None:
        self.mandate = mandate
        self.seat = seat
        self.desk = desk
        self.outbox = outbox
        self.state, self.state_reason = AgentState.RUNNING, ""
        self.decisions: dict[str, int] = {"decisions": 0, "trades": 0, "holds": 0, "denied": 0, "records": 0}
        self.gas_used = 0
        self._executor = executor
        self._audit_log = audit_log
        self._publish = publish or _tell_nobody
        self._watched = publish is not None
        self._failures = 0
        self._asking = Asking(mandate.strategy_name)
        self._under_way: tuple[Anchor, Decision | None] | None = None
        self.pending: Pending | None = None
        self.valued: Valued | None = None  # as the latest step found it; None where it decided nothing
        self._market = desk.market
        self._outlook = Outlook(mandate.name, desk, mandate.watched, own_features(mandate.strategy))
        self._measured: tuple[Check, ...] = ()
        self._teller = Teller(mandate.name, desk)
        if self._watched:
            desk.count_parts()

    @property
    def name(self) -> str:
        """What the agent is called."""
        return self.mandate.name

    @property
    def has_started(self) -> bool:
        """Whether its strategy was asked if it can work here, and had nothing against it."""
        return self._asking.has_started

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """What came of its latest decisions, the newest last."""
        return self._asking.outcomes

    @property
    def is_under_way(self) -> bool:
        """Whether something was sent whose settlement has not been folded in."""
        return self._under_way is not None

    async def step(self, arrived: float, asked: Callable[[Context], Intent] | None = None) -> Decision | None:
        """Take part in the newest block: fold what came of the last decision, decide, act.

        Args:
            arrived: `perf_counter` of the block's arrival, for the latency on the stream.
            asked: gives or raises what the strategy did, where it has been asked already.
        """
        await self._settle()
        if self.pending and self._market.head.timestamp >= self.pending.expires_at:
            await self.dismiss(EXPIRED, "nobody", "the owner did not answer in time")
        decision = view = self.valued = None
        if self.state is AgentState.RUNNING and self._under_way is None:
            valued = self.valued = self.desk.valued()
            context = self.look(valued)
            if self._may_decide(context):
                judged = self.desk.judge(self._decide(context, asked), valued)
                self._measured = judged.verdict.checks or self._measured
                decision = self._seal(context, judged)
                await self._audit_log.append(self.name, decision)
                if self._watched:
                    forecast = context.forecast
                    view = views.decision_view(decision, judged.plan, judged.verdict, forecast, self._market)
                self._break_circuit_on_drawdown(valued)
                await self._act(decision, judged, context.forecast)
        if self._watched:
            self._tell(view, (perf_counter() - arrived) * 1000)
        return decision

    def change_state(self, state: AgentState, reason: str) -> None:
        """Pause, resume or stop; says so on the stream where it is a change."""
        if state is not self.state:
            self.state, self.state_reason = state, reason
            self._failures = 0
            self._publish(AgentStateChanged(self.name, state.value, reason))
            self._teller.changed = True

    async def approve(self, approval: Approval, by: str) -> None:
        """Carry out the decision that waits, as its owner says.

        Raises:
            NotFoundError: where none waits.
        """
        pending = self._resolve(APPROVED, by, "")
        await self._send(pending.decision, pending.judged, approval)

    async def dismiss(self, outcome: str, by: str, reason: str) -> None:
        """Let the decision that waits be one that moved nothing, and anchor it: nobody finds two waits in one batch.

        Raises:
            NotFoundError: where none waits.
        """
        pending = self._resolve(outcome, by, reason)
        self.decisions["denied"] += 1
        self.outbox.keep(pending.decision)
        await self.flush()

    async def flush(self) -> None:
        """Anchor what waits, unless something is under way."""
        if self._under_way is None and len(self.outbox):
            await self._send(None)

    async def settle(self) -> bool:
        """Fold what came of the last submission; whether nothing is under way any more."""
        await self._settle()
        return self._under_way is None

    def look(self, valued: Valued) -> Context:
        """What a decision upon the newest block may look at."""
        return self._outlook.context(self.mandate.pools, self.mandate.model, valued, self._asking.outcomes)

    def _may_decide(self, context: Context) -> bool:
        """Whether the strategy has nothing against working here; asked before its first decision."""
        fault = self._outlook.fault
        if not fault and (self.has_started or self._asking.start(self.mandate.strategy, context)):
            return True
        self.change_state(AgentState.STOPPED, fault or self._asking.fault)
        return False

    def _decide(self, context: Context, asked: Callable[[Context], Intent] | None = None) -> Intent:
        strategy = self.mandate.strategy
        intent = self._asking.decide(asked or strategy.decide, context, strategy.stated_edge)
        if self._asking.fault:
            self.change_state(AgentState.STOPPED, self._asking.fault)
        return intent

    def draft_of_hold(self, reason: str) -> Draft:
        """What a decision to hold upon the newest block commits to, of an agent without features."""
        return self._draft(None, None, Judged(Verdict(VerdictStatus.APPROVED, Hold(reason=reason))))

    def _seal(self, context: Context, judged: Judged) -> Decision:
        return self.outbox.seal(self._draft(context.features, context.forecast, judged))

    def _draft(self, row: FeatureRow | None, forecast: Forecast | None, judged: Judged) -> Draft:
        return draft_of(self.name, self.mandate.strategy_digest, self._market.head, row, forecast, judged)

    async def _act(self, decision: Decision, judged: Judged, forecast: Forecast | None) -> None:
        count, verdict = self.decisions, judged.verdict
        count["decisions"] += 1
        if judged.plan:
            if verdict.status is not VerdictStatus.NEEDS_APPROVAL:
                await self._send(decision, judged)
                return
            expires_at = self._market.head.timestamp + self.desk.limits.approval_waits_s
            self.pending = Pending(self.name, decision, judged, forecast, expires_at)
            self._publish(self.pending.request(self.desk))
            self.change_state(AgentState.WAITING, verdict.reason)
            return
        self.outbox.keep(decision)
        count["holds" if verdict.status is VerdictStatus.APPROVED else "denied"] += 1
        if len(self.outbox) >= self.mandate.anchor_every:
            await self.flush()

    def _resolve(self, outcome: str, by: str, reason: str) -> Pending:
        pending, self.pending = self.pending, None
        if pending is None:
            raise NotFoundError(f"No decision of {self.name} waits for its owner.")
        self._publish(pending.resolved(outcome, by, reason, self._market.head.number))
        if self.state is AgentState.WAITING:
            self.change_state(AgentState.RUNNING, f"{outcome} by {by}" + (f": {reason}" if reason else ""))
        return pending

    async def _send(
        self, decision: Decision | None, judged: Judged | None = None, approval: Approval | None = None
    ) -> None:
        anchor = self.outbox.send(decision)
        self._under_way = (anchor, decision)
        plan = judged.plan if judged else None
        if judged and plan:
            self.desk.moved(judged.moves)
        await self._executor.submit(Submission(self.name, anchor, decision, plan, approval))

    async def _settle(self) -> None:
        settlement = await self._executor.settled(self.name)
        if settlement is None or self._under_way is None:
            return
        anchor, decision = self._under_way
        self._under_way = None
        fee = settlement.gas_cost_wei // settlement.gas_used if settlement.gas_used else 0
        gas_raw = self.desk.gas_raw(settlement.gas_used, fee)
        self.gas_used += settlement.gas_used
        if settlement.landed:
            self.outbox.landed()
            if anchor.count:
                self._publish(views.anchored(self.name, anchor, settlement))
        else:
            self.outbox.failed()
        self.desk.settle(settlement, gas_raw)
        if decision is not None:
            self.decisions["trades"] += _filled(settlement)
            self.decisions["records"] += settlement.landed
            self._publish(self._teller.execution(decision, settlement, gas_raw))
            self._remember(decision, settlement, gas_raw)
        elif not settlement.landed:
            self._publish(
                Notice("warning", f"{self.name} could not anchor its decisions: {settlement.error}")
            )
        self._count_failures(decision, settlement)

    def _remember(self, decision: Decision, settlement: Settlement, gas_raw: int) -> None:
        """Keep what came of a decision for the contexts to come, and hear what the strategy says about it."""
        if settlement.execution is None:
            return
        outcome = self._asking.remember(decision, settlement.execution, gas_raw)
        words = self._asking.comment(self.mandate.strategy, outcome) if outcome else ""
        if words:
            self._publish(Notice("info", f"{self.name}: {words}"))
        if self._asking.fault:
            self.change_state(AgentState.STOPPED, self._asking.fault)

    def _count_failures(self, decision: Decision | None, settlement: Settlement) -> None:
        """Stop after too many failures in a row; an anchor that lands says nothing about the next trade."""
        if decision is not None and _filled(settlement):
            self._failures = 0
        elif decision is not None or not settlement.landed:
            self._failures += 1
        if self._failures >= self.desk.limits.max_failures:
            self.change_state(
                AgentState.STOPPED, f"{self._failures} transactions in a row failed: {settlement.error}"
            )

    def _break_circuit_on_drawdown(self, valued: Valued) -> None:
        fall = fall_over_limit(self.desk, valued.equity_raw)
        if fall is not None:
            limit = self.desk.limits.max_drawdown
            self.change_state(AgentState.STOPPED, f"drawdown {fall:.1%} over the limit of {limit:.0%}")

    def _tell(self, view: DecisionView | None, latency_ms: float) -> None:
        self._publish(self._teller.step(self.state.value, view, latency_ms))
        if self._teller.risk_is_due:
            breaker = self.state_reason if self.state is AgentState.STOPPED else ""
            self._publish(self._teller.risk(self._failures, self._measured, breaker))


def _tell_nobody(event: StreamEvent) -> None:
    """Where nobody watches, the views of a step are not even made: they cost as much as the step."""


def _filled(settlement: Settlement) -> bool:
    return settlement.execution is not None and settlement.execution.status is ExecutionStatus.FILLED
