"""From what was traced to reports: the rungs of each record and of each anchored decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from defai.audit.ladder import rungs
from defai.audit.ladder.findings import Comparison, Finding, Report, Rung, found, left_open
from defai.audit.ladder.rungs import Answers, Carriage
from defai.audit.record import AuditDomain
from defai.chain.vault import is_record
from defai.domain.decisions import ZERO_DIGEST, Action, Decision, VerdictStatus
from defai.domain.operations import Call
from defai.session.verification.chapters import Chapter
from defai.session.verification.evidence import Evidence, Submission, Trail
from defai.session.verification.forecasters import Oracle
from defai.session.verification.retracing import TracedBatch, TracedRecord
from defai.session.verification.strategies import Found

Values = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Nothing:
    """Stands for the chapter of an agent that cannot be followed."""

    strategy: Found
    oracle: Oracle
    charter: None = None


def unknown(why: str) -> Nothing:
    """Nothing is known of what an agent decides by, and why."""
    return Nothing(Found(None, ZERO_DIGEST, why), Oracle(None, note=why))


@dataclass(frozen=True, slots=True)
class Background:
    """What all reports of one agent rest on.

    Attributes:
        chapter: what its decisions upon some blocks were taken by.
        ground: how the market was rebuilt, in words.
        contradictions: where the rebuilt market and the chain, or the charter and the chain, do not agree.
        forecasts: what the EVM gives, by features; empty where it could not be asked.
        evm_note: why it could not.
    """

    evidence: Evidence
    trail: Trail
    chapter: Chapter | Nothing
    ground: str
    contradictions: tuple[Comparison, ...] = ()
    forecasts: Mapping[Values, int] = field(default_factory=dict)
    evm_note: str = ""

    @property
    def strategy(self) -> Found:
        """Who decides."""
        return self.chapter.strategy

    @property
    def oracle(self) -> Oracle:
        """Who forecasts."""
        return self.chapter.oracle

    @property
    def domain(self) -> AuditDomain:
        """Where the records stand."""
        return self.evidence.domain


def features_of(decision: Decision, oracle: Oracle) -> Values | None:
    """The recorded features in the model's order; None where they are not what it wants."""
    recorded = rungs.payload_of(decision).get("features")
    if oracle.forecaster is None or not isinstance(recorded, dict):
        return None
    names = oracle.forecaster.spec.names
    values = tuple(recorded[name] for name in names if type(recorded.get(name)) is int)
    return values if len(values) == len(names) else None


def report_record(traced: TracedRecord, background: Background) -> Report:
    """The five rungs of a record."""
    decision = traced.decision
    return Report(
        agent_id=decision.agent_id,
        sequence=decision.sequence,
        token_id=traced.token_id,
        digest=decision.digest,
        block_number=decision.block_number,
        action=decision.action.name.lower(),
        findings=(
            rungs.integrity(decision, background.domain, traced.place),
            _data(traced, background),
            rungs.model(decision, _answers(decision, background)),
            _deciding(traced, background),
            _execution(traced, background),
        ),
    )


def report_batch(batch: TracedBatch, behind: Callable[[int], Background]) -> list[Report]:
    """The five rungs of every decision under an anchor; `behind` gives the background of decisions upon a block."""
    anchor = batch.anchor
    background = behind(batch.leaves[-1].block_number if batch.leaves else batch.upto)
    integrity = found(
        Rung.INTEGRITY,
        Comparison("first sequence of the anchor", str(anchor.first_sequence), str(batch.expected)),
        note=f"{anchor.count} decisions anchored in transaction {batch.transaction_hash}",
    )
    if batch.stands:
        return [_report_leaf(leaf, integrity, batch, behind(leaf.block_number)) for leaf in batch.leaves]
    why = f"the {anchor.count} decisions under this anchor have no payload on the chain to compare with"
    broken = (
        integrity,
        left_open(Rung.DATA, why, *background.contradictions),
        left_open(Rung.MODEL, background.oracle.note, *_models(background)),
        _no_such_decisions(batch, background),
        left_open(Rung.EXECUTION, why),
    )
    sequences = range(anchor.first_sequence, anchor.first_sequence + anchor.count)
    trail = background.trail
    return [
        Report(trail.agent_id, sequence, None, "unknown", None, "unknown", broken) for sequence in sequences
    ]


def _no_such_decisions(batch: TracedBatch, background: Background) -> Finding:
    if background.strategy.is_missing:
        return left_open(Rung.DECISION, background.strategy.note)
    return found(
        Rung.DECISION,
        *_strategies(background),
        Comparison("decisions that fit the blocks", str(batch.anchor.count), str(len(batch.leaves))),
        Comparison("Merkle root of the decisions", batch.anchor.root, batch.root),
        note="no decisions that this strategy takes upon these blocks stand under the root",
    )


def _report_leaf(leaf: Decision, integrity: Finding, batch: TracedBatch, background: Background) -> Report:
    stands = Comparison("Merkle root of the decisions", batch.anchor.root, batch.root)
    return Report(
        agent_id=leaf.agent_id,
        sequence=leaf.sequence,
        token_id=None,
        digest=leaf.digest,
        block_number=leaf.block_number,
        action=leaf.action.name.lower(),
        findings=(
            integrity,
            found(Rung.DATA, stands, *background.contradictions, note=background.ground),
            rungs.model(leaf, _answers(leaf, background)),
            found(Rung.DECISION, *_strategies(background), stands),
            _nothing_moved(leaf, background),
        ),
    )


def _data(traced: TracedRecord, background: Background) -> Finding:
    decision, again = traced.decision, traced.again
    if again is None:
        why = f"the agent was not at liberty to decide upon block {decision.block_number:,}"
        return left_open(Rung.DATA, f"{background.ground}; {why}", *background.contradictions)
    heading = background.evidence.heading(decision.block_number)
    block_hash = heading.hash if heading else "no such block"
    finding = rungs.data(decision, block_hash, again.context.features, background.ground)
    return found(Rung.DATA, *finding.comparisons, *background.contradictions, note=finding.note)


def _answers(decision: Decision, background: Background) -> Answers:
    forecaster = background.oracle.forecaster
    if forecaster is None:
        return Answers(note=background.oracle.note)
    values = features_of(decision, background.oracle)
    if values is None:
        return Answers(forecaster.digest, note="the recorded features are not those of the model")
    evm = background.forecasts.get(values)
    note = background.oracle.note if evm is not None else background.evm_note or background.oracle.note
    return Answers(forecaster.digest, forecaster.ensemble.predict_x24(values), evm, note)


def _models(background: Background) -> tuple[Comparison, ...]:
    charter, forecaster = background.chapter.charter, background.oracle.forecaster
    if charter is None or charter.model_digest is None or forecaster is None:
        return ()
    return (Comparison("model digest", charter.model_digest, forecaster.digest),)


def _strategies(background: Background) -> tuple[Comparison, ...]:
    charter = background.chapter.charter
    return (
        (Comparison("strategy digest", charter.strategy_digest, background.strategy.digest),)
        if charter
        else ()
    )


def _deciding(traced: TracedRecord, background: Background) -> Finding:
    decision, again = traced.decision, traced.again
    strategy, oracle = background.strategy, background.oracle
    if strategy.is_missing:
        return left_open(Rung.DECISION, strategy.note)
    if strategy.strategy is None:
        digests = Comparison("strategy digest", decision.strategy_digest, strategy.digest)
        return left_open(Rung.DECISION, strategy.note, digests)
    if again is None:
        return left_open(Rung.DECISION, "it could not be decided again upon this block")
    if oracle.forecaster is None and decision.model_digest != ZERO_DIGEST:
        digests = Comparison("strategy digest", decision.strategy_digest, strategy.digest)
        return left_open(Rung.DECISION, "it cannot be decided again without the forecast", digests)
    finding = rungs.deciding(decision, again.draft)
    return found(Rung.DECISION, *finding.comparisons, note=strategy.note)


def _execution(traced: TracedRecord, background: Background) -> Finding:
    submission, trail = traced.submission, background.trail
    if submission is None:
        nobody = Comparison(
            "sender", "nobody that the vault knows", trail.key_at(traced.decision.block_number)
        )
        return found(Rung.EXECUTION, nobody, note=f"transaction {traced.transaction_hash}")
    wanted, carriage = _wanted(traced, background), _carriage(submission, background)
    return rungs.execution(traced.decision, wanted, carriage)


def _wanted(traced: TracedRecord, background: Background) -> tuple[Call, ...] | None:
    again = traced.again
    lacking = background.oracle.forecaster is None and traced.decision.model_digest != ZERO_DIGEST
    if again is None or background.strategy.strategy is None or lacking:
        return None
    return again.judged.plan.calls if again.judged.plan else ()


def _carriage(submission: Submission, background: Background) -> Carriage:
    sent, receipt = submission.sent, submission.receipt
    trail, contract = background.trail, background.domain.contract
    return Carriage(
        transaction_hash=sent.hash,
        sender=sent.sender,
        key=trail.key_at(sent.block_number),
        target=sent.to or "a new contract",
        vault=trail.bound.vault,
        succeeded=receipt.succeeded,
        decision=submission.decision,
        calls=submission.content.calls,
        records=sum(is_record(log, contract) for log in receipt.logs),
        approved=submission.content.approval is not None,
    )


def _nothing_moved(leaf: Decision, background: Background) -> Finding:
    """What moved nothing has no calls, or a transaction that reverted."""
    if leaf.action is Action.HOLD:
        return found(
            Rung.EXECUTION,
            Comparison("digest of the calls", leaf.action_digest, ZERO_DIGEST),
            note="nothing was to be done",
        )
    for submission in background.trail.submissions:
        if submission.decision and submission.decision.digest == leaf.digest:
            said = "reverted" if not submission.receipt.succeeded else "succeeded"
            return found(
                Rung.EXECUTION,
                Comparison("its transaction", "reverted", said),
                note=f"transaction {submission.sent.hash}",
            )
    status = rungs.payload_of(leaf).get("verdict", {}).get("status")
    if status == VerdictStatus.NEEDS_APPROVAL.value:
        return found(Rung.EXECUTION, note="it waited for the owner, who did not let it be done")
    return found(Rung.EXECUTION, note="its transaction never got into a block")
