"""Deciding again, block by block, what one agent decided: its own code, fed with what the chain says came of it."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import Final

from defai.agent.ports import Settlement
from defai.agent.rerun import Considered, Rerun
from defai.audit.ladder.rungs import Place
from defai.audit.merkle import merkle_root
from defai.audit.outbox import Anchor
from defai.audit.record import AuditDomain, seal, spelled
from defai.chain.rpc import Rpc
from defai.domain.decisions import ZERO_DIGEST, Decision, Execution, ExecutionStatus
from defai.domain.operations import Call, Operation
from defai.errors import DivergenceError
from defai.session.verification.chapters import Chapter
from defai.session.verification.evidence import Submission, Trail
from defai.worlds.outcomes import read_execution

_MOST_ATTEMPTS: Final = 4_096
"""Ways to place a pause among a batch's blocks that are tried."""


class Hearsay:
    """The executor of an agent that acts no more: it passes on what it was told."""

    def __init__(self) -> None:
        self._told: Settlement | None = None

    def tell(self, settlement: Settlement) -> None:
        """Give this as the answer to the next question."""
        self._told = settlement

    async def settled(self, agent: str) -> Settlement | None:  # noqa: ARG002  it has one agent
        """What was told, once."""
        told, self._told = self._told, None
        return told

    async def submit(self, submission: object) -> None:
        """Nothing is submitted."""

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """Not asked: the desk encodes."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class TracedRecord:
    """A record, and what was decided again.

    Attributes:
        place: where the chain of decisions stood before it.
        again: None where the agent cannot have decided upon that block.
    """

    submission: Submission | None
    token_id: int
    transaction_hash: str
    decision: Decision
    place: Place
    again: Considered | None


@dataclass(frozen=True, slots=True)
class TracedBatch:
    """An anchored batch, and the leaves as they were computed again.

    Attributes:
        expected: the sequence the batch had to begin with.
        root: of the leaves; the zero digest where there are not as many as the anchor says.
        leaves: in order.
        again: what each leaf was made from.
        upto: no leaf is upon a later block.
    """

    anchor: Anchor
    transaction_hash: str
    expected: int
    root: str
    leaves: tuple[Decision, ...]
    again: tuple[Considered, ...]
    upto: int

    @property
    def stands(self) -> bool:
        """Whether the leaves are those under the anchor."""
        last = self.leaves[-1].digest if self.leaves else ZERO_DIGEST
        return self.root == self.anchor.root and last == self.anchor.last_digest


Traced = TracedRecord | TracedBatch


@dataclass(frozen=True, slots=True)
class _Due:
    """Something of the log that can be traced once block `upto` was decided upon."""

    upto: int
    submission: Submission
    anchor: Anchor | None


class Retracing:
    """Follows one agent.

    Args:
        rpc: the node, for what came of trades.
        trail: what the chain says of the agent.
        rerun: the agent; its market is folded by the caller.
        hearsay: its executor.
        domain: where its records stand.
        chapters: what it decides by, from which block on.
    """

    def __init__(
        self,
        rpc: Rpc,
        trail: Trail,
        rerun: Rerun,
        hearsay: Hearsay,
        domain: AuditDomain,
        chapters: Sequence[Chapter],
    ) -> None:
        self.rerun = rerun
        self.fault = ""
        self._rpc = rpc
        self._trail = trail
        self._hearsay = hearsay
        self.domain = domain
        self._chapters = deque(chapters[1:])
        self._chapter = chapters[0]
        self._counts_from = chapters[0].charter.counts_from
        self._settling = deque(trail.submissions)
        self._sent_upon = {
            submission.decision.block_number: submission
            for submission in trail.submissions
            if submission.decision
        }
        self._due = deque(_timeline(trail))
        self._candidates: dict[int, Considered] = {}
        self._peak_raw = 0
        self._place = Place(0, ZERO_DIGEST)

    @property
    def is_through(self) -> bool:
        """Whether everything on the log was traced."""
        return not self._due

    async def after(self, block_number: int) -> list[Traced]:
        """Take part in a block that the market stands at.

        Returns:
            What of the log could be traced with it.
        """
        if block_number == self._counts_from:
            self.rerun.desk.start_counting()
            self._peak_raw = self.rerun.desk.peak_raw
        while self._settling and self._settling[0].receipt.block_number <= block_number:
            await self._settle(self._settling.popleft())
        sent = self._sent_upon.get(block_number)
        if sent is not None and sent.receipt.succeeded and not sent.content.anchor.count:
            self._forget(block_number - 1, [])  # nothing waited to be anchored: nothing was decided since
        self._turn_pages(block_number)
        if self._decides_upon(block_number):
            again = self.rerun.consider(self._chapter.holds)
            self._candidates[block_number] = again
            if sent is not None and again.judged.plan:
                self.rerun.desk.moved(again.judged.moves)
        traced: list[Traced] = []
        while self._due and self._due[0].upto <= block_number:
            traced.append(self._trace(self._due.popleft()))
        return traced

    def rest(self) -> list[Traced]:
        """What is left on the log, where the blocks ended before it: none of it could be decided again."""
        self._candidates.clear()
        left = list(self._due)
        self._due.clear()
        return [self._trace(due) for due in left]

    def _turn_pages(self, block_number: int) -> None:
        """Decide by what was announced for this block."""
        while self._chapters and self._chapters[0].upon <= block_number:
            self._chapter = chapter = self._chapters.popleft()
            self.rerun.mandate = replace(
                self.rerun.mandate,
                strategy=chapter.author,
                strategy_digest=chapter.strategy.digest,
                model=chapter.oracle.forecaster,
            )

    def _decides_upon(self, block_number: int) -> bool:
        if block_number <= self._counts_from or self.is_through:
            return False
        under_way = self._settling[0].decision if self._settling else None
        return under_way is None or under_way.block_number >= block_number

    async def _settle(self, submission: Submission) -> None:
        receipt, decision = submission.receipt, submission.decision
        settlement = Settlement(
            landed=receipt.succeeded,
            block_number=receipt.block_number,
            transaction_hash=receipt.transaction_hash,
            gas_used=receipt.gas_used,
            gas_cost_wei=receipt.gas_used * receipt.gas_price_wei,
            error="" if receipt.succeeded else "it reverted",
        )
        if decision is not None:
            try:
                settlement = replace(settlement, execution=await self._execution(submission, decision))
            except DivergenceError as contradiction:
                self.fault = self.fault or contradiction.sentence
        await self.rerun.fold(decision, settlement, self._hearsay)

    async def _execution(self, submission: Submission, decision: Decision) -> Execution:
        receipt, agent = submission.receipt, self.rerun.name
        if receipt.succeeded:
            return await read_execution(
                self._rpc,
                receipt,
                agent=agent,
                digest=decision.digest,
                vault=self._trail.bound.vault,
                audit=self.domain.contract,
                pools=tuple(self.rerun.desk.market.keys),
            )
        return Execution(
            agent=agent,
            decision_digest=decision.digest,
            status=ExecutionStatus.REVERTED,
            block_number=receipt.block_number,
            transaction_hash=receipt.transaction_hash,
            gas_used=receipt.gas_used,
            gas_cost_wei=receipt.gas_used * receipt.gas_price_wei,
            error="it reverted",
        )

    def _trace(self, due: _Due) -> Traced:
        return self._trace_batch(due, due.anchor) if due.anchor else self._trace_record(due.submission)

    def _trace_record(self, submission: Submission) -> TracedRecord:
        recorded = self._trail.records[submission.sent.hash]
        decision, place = recorded.decision, self._place
        again = self._candidates.get(decision.block_number)
        self._forget(decision.block_number, [decision.block_number])
        self._place = Place(place.sequence + 1, decision.digest)
        return TracedRecord(submission, recorded.token_id, submission.sent.hash, decision, place, again)

    def _trace_batch(self, due: _Due, anchor: Anchor) -> TracedBatch:
        place = self._place
        upto = [number for number in self._candidates if number <= due.upto]
        payloads: dict[int, tuple[bytes, str]] = {}
        leaves: tuple[Decision, ...] = ()
        chosen: tuple[int, ...] = ()
        for chosen in _choices(upto, anchor.count):
            leaves = self._sealed(chosen, place, payloads)
            if not leaves or leaves[-1].digest == anchor.last_digest:
                break  # each digest names the one before: no other blocks end on this one
        root = merkle_root([leaf.digest for leaf in leaves]) if leaves else ZERO_DIGEST
        again = tuple(self._candidates[number] for number in chosen)
        self._forget(due.upto, chosen)
        self._place = Place(place.sequence + anchor.count, anchor.last_digest)
        return TracedBatch(anchor, due.submission.sent.hash, place.sequence, root, leaves, again, due.upto)

    def _sealed(
        self, numbers: Sequence[int], place: Place, payloads: dict[int, tuple[bytes, str]]
    ) -> tuple[Decision, ...]:
        leaves = []
        sequence, previous = place.sequence, place.previous_digest
        for number in numbers:
            draft = self._candidates[number].draft
            if number not in payloads:
                payloads[number] = spelled(draft)
            leaf = seal(
                draft,
                self.domain,
                agent_id=self._trail.agent_id,
                sequence=sequence,
                previous_digest=previous,
                payload=payloads[number],
            )
            leaves.append(leaf)
            sequence, previous = sequence + 1, leaf.digest
        return tuple(leaves)

    def _forget(self, upto: int, decided: Sequence[int]) -> None:
        """Drop what was considered up to a block; what was not decided upon moved no high-water mark."""
        reached = [
            self._candidates[number].context.equity_raw for number in decided if number in self._candidates
        ]
        self._peak_raw = max([self._peak_raw, *reached])
        for number in [number for number in self._candidates if number <= upto]:
            del self._candidates[number]
        later = [again.context.equity_raw for again in self._candidates.values()]
        self.rerun.desk.peak_raw = max([self._peak_raw, *later])


def _timeline(trail: Trail) -> Iterator[_Due]:
    """What stands on the log, in order: a batch ahead of the record whose transaction anchored it."""
    for submission in trail.submissions:
        record = trail.records.get(submission.sent.hash)
        anchored = trail.anchors.get(submission.sent.hash)
        if anchored:
            last = record.decision.block_number if record else submission.receipt.block_number
            yield _Due(last - 1, submission, anchored.anchor)
        if record:
            yield _Due(record.decision.block_number, submission, None)


def _choices(numbers: Sequence[int], count: int) -> Iterator[tuple[int, ...]]:
    """Which blocks a batch of `count` leaves may be upon: all there are, or all but a pause of the agent's.

    Where a process ended and another went on, the agent pauses at the batch's beginning or end besides.
    """
    paused = len(numbers) - count
    if paused == 0:
        yield tuple(numbers)
    elif paused > 0:
        yield from islice(chain(_paused_once(numbers, count), _paused_twice(numbers, count)), _MOST_ATTEMPTS)


def _paused_once(numbers: Sequence[int], count: int) -> Iterator[tuple[int, ...]]:
    paused = len(numbers) - count
    for start in range(count, -1, -1):
        yield (*numbers[:start], *numbers[start + paused :])


def _paused_twice(numbers: Sequence[int], count: int) -> Iterator[tuple[int, ...]]:
    for late in range(1, len(numbers) - count):
        yield from islice(_paused_once(numbers[late:], count), count)
        yield from islice(_paused_once(numbers[:-late], count), 1, count)
