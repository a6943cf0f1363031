"""An agent that goes on where an earlier process left it: what it remembers, and how it lives on from there."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from defai.agent.agent import Agent, AgentState
from defai.agent.pending import WITHDRAWN
from defai.agent.turnover import Turnover
from defai.audit.outbox import Anchor
from defai.domain.decisions import Action, Decision, VerdictStatus
from defai.domain.stream import ApprovalResolved
from defai.errors import DivergenceError
from defai.portfolio.attribution import Attribution
from defai.portfolio.ledger import Portfolio
from defai.strategy.outcome import Outcome
from defai.units import to_raw


@dataclass(frozen=True, slots=True)
class Memory:
    """What an agent remembers after a block, besides the decisions themselves.

    Attributes:
        next_sequence: number of its next decision.
        on_log: so many of its decisions were on the log; the others wait, or are under way.
        under_way: whether something was sent that is not settled; `carries`: whether its last decision was with it.
        heard: of how many submissions it knows what came of them.
        turnover: timestamp and worth of each swap of the last day; `swapping`: whether the latest are under way.
    """

    next_sequence: int
    on_log: int
    under_way: bool
    carries: bool
    heard: int
    state: str
    state_reason: str
    failures: int
    counts: Mapping[str, int]
    gas_used: int
    portfolio: Portfolio
    initial_raw: int
    peak_raw: int
    turnover: tuple[tuple[int, int], ...]
    swapping: bool
    outcomes: tuple[Outcome, ...]
    attribution: Attribution | None


class Returning(Agent):
    """An agent whose world outlives the process.

    Attributes:
        heard: of how many submissions it knows what came of them.
    """

    heard = 0

    def remember(self) -> Memory:
        """What has to be known to go on from here."""
        desk, under_way = self.desk, self._under_way
        return Memory(
            next_sequence=self.outbox.next_sequence,
            on_log=self.outbox.on_log - (self.pending is not None),
            under_way=under_way is not None,
            carries=under_way is not None and under_way[1] is not None,
            heard=self.heard,
            state=self.state.value,
            state_reason=self.state_reason,
            failures=self._failures,
            counts=dict(self.decisions),
            gas_used=self.gas_used,
            portfolio=_plain(desk.portfolio),
            initial_raw=desk.initial_raw,
            peak_raw=desk.peak_raw,
            turnover=desk.turnover.swaps,
            swapping=desk.turnover.is_swapping,
            outcomes=self._asking.outcomes,
            attribution=desk.attribution,
        )

    def recall(self, memory: Memory, decisions: Sequence[Decision]) -> None:
        """Be again what it was after a block.

        Args:
            memory: of that block.
            decisions: all it took, from the first on; those beyond the memory's are left out.
        """
        taken = decisions[: memory.next_sequence]
        last = taken[-1] if taken else None
        carried = last if memory.carries else None
        waiting = taken[memory.on_log : len(taken) - memory.carries]
        if last is not None:
            self.outbox.resume(memory.next_sequence, last.digest, waiting, anchored=True)
        if memory.under_way:
            self._under_way = (self.outbox.send(carried), carried)
        self.state, self.state_reason = AgentState(memory.state), memory.state_reason
        self._failures, self.heard, self.gas_used = memory.failures, memory.heard, memory.gas_used
        self.decisions.update(memory.counts)
        self._asking.outcomes = memory.outcomes
        desk = self.desk
        desk.portfolio = memory.portfolio
        desk.initial_raw, desk.peak_raw = memory.initial_raw, memory.peak_raw
        desk.turnover = Turnover(memory.turnover, is_swapping=memory.swapping)
        desk.attribution = memory.attribution

    async def relive(self, decision: Decision | None, *, sent: bool, carried: Decision | None = None) -> None:
        """Live through the newest block as it was lived through: nothing is decided, nothing is sent.

        Args:
            decision: what was decided upon it and is not remembered yet; None where nothing was.
            sent: whether something was sent upon it that came into a block.
            carried: the decision that went with it: one taken upon an earlier block, where that waited for its owner.

        Raises:
            DivergenceError: where the decision does not follow the ones before it.
        """
        await self._settle()
        valued = self.desk.valued()
        self.desk.parts(valued)
        if decision is not None:
            try:
                self.outbox.adopt(decision)
            except ValueError as error:
                raise DivergenceError(
                    f"The journal of {self.name} has no decision {self.outbox.next_sequence}, but one after it.",
                    "It was changed, or written by two processes: name another --run-dir.",
                ) from error
            self._stop_waiting(denied=True)
            self._break_circuit_on_drawdown(valued)
            self._count_again(decision)
            went = sent and (
                not _waits(decision) or (carried is not None and carried.digest == decision.digest)
            )
            if decision.action is not Action.HOLD and went:
                self._move_again(decision)
                self._under_way = (self.outbox.send(decision), decision)
                return
            self.outbox.keep(decision)
            if _waits(decision) and self.state is AgentState.RUNNING:
                self.state, self.state_reason = AgentState.WAITING, "it waited for the owner"  # he was told
        if sent and self._under_way is None:
            approved = carried if carried and self.outbox.take_last(carried.digest) else None
            if approved is not None:
                self._move_again(approved)
            self._stop_waiting(denied=approved is None)
            self._under_way = (self.outbox.send(approved), approved)

    def give_up(self, submissions: int) -> None:
        """What is still under way never reached a block, nor will it: go on without it.

        Args:
            submissions: how many there were.
        """
        if self._under_way is not None:
            self._under_way = None
            self.outbox.failed()
            self.desk.turnover.take_back()
        if self.state is AgentState.WAITING:
            why, head = "its process ended", self._market.head.number
            self.decisions["denied"] += 1
            self._publish(
                ApprovalResolved(self.name, self.outbox.last_digest, WITHDRAWN, "the session", why, head)
            )
            self.change_state(AgentState.RUNNING, f"what waited for the owner was dropped: {why}")
        self.heard = submissions

    def check_place(self, sequence: int, digest: str, decisions: Sequence[Decision]) -> None:
        """Hold what it remembers to where the chain says its decisions stand.

        Raises:
            DivergenceError: where they are not the same.
        """
        on_log = self.outbox.on_log
        last = decisions[on_log - 1].digest if on_log else ""
        if sequence != on_log or (on_log and last != digest):
            raise DivergenceError(
                f"{self.name}: {on_log:,} decisions of the journal are on the chain, by its own count; the chain has "
                f"{sequence:,}.",
                "Another process has used its key, or the journal was changed: name another --run-dir.",
            )

    async def _settle(self) -> None:
        before: tuple[Anchor, Decision | None] | None = self._under_way
        await super()._settle()
        if before is not None and self._under_way is None:
            self.heard += 1

    def _stop_waiting(self, *, denied: bool) -> None:
        """Something came after what waited: it was answered, or its time was over."""
        if self.state is AgentState.WAITING:
            self.decisions["denied"] += denied
            self.change_state(
                AgentState.RUNNING, "the owner's answer, or none, came before its process ended"
            )

    def _count_again(self, decision: Decision) -> None:
        self.decisions["decisions"] += 1
        if decision.action is not Action.HOLD:
            return
        approved = VerdictStatus(_verdict(decision)["status"]) is VerdictStatus.APPROVED
        self.decisions["holds" if approved else "denied"] += 1

    def _move_again(self, decision: Decision) -> None:
        """Count what a decision swaps into the day's turnover; its verdict says how much that is."""
        trade = _verdict(decision)["checks"].get("trade", ["0"])[0]
        worth = to_raw(Decimal(trade), self.desk.valuation.numeraire.decimals)
        head, window = self._market.head, self._market.windows[self.mandate.pools[0].address]
        decided = (seen.timestamp for seen in window if seen.block_number == decision.block_number)
        self.desk.turnover.move(next(decided, head.timestamp), [worth] if worth else [])


def _plain(portfolio: Portfolio) -> Portfolio:
    """The portfolio with mappings that can be written down."""
    return replace(
        portfolio,
        initial=dict(portfolio.initial),
        balances=dict(portfolio.balances),
        fees_collected=dict(portfolio.fees_collected),
    )


def _waits(decision: Decision) -> bool:
    """Whether a decision was to be carried out only with its owner's word."""
    needs = VerdictStatus(_verdict(decision)["status"]) is VerdictStatus.NEEDS_APPROVAL
    return needs and decision.action is not Action.HOLD


def _verdict(decision: Decision) -> dict[str, Any]:
    verdict: dict[str, Any] = json.loads(decision.payload)["verdict"]
    return verdict
