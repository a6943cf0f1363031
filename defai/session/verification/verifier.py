"""Climbing the ladder for many decisions at once: the market is folded once, whatever the fleet's size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from defai.agent.agent import Mandate
from defai.agent.desk import Desk
from defai.agent.ports import Seat
from defai.agent.rerun import Rerun
from defai.audit.charter import Charter
from defai.audit.ladder.findings import Comparison, Report
from defai.audit.ladder.rungs import Place
from defai.audit.outbox import Outbox
from defai.audit.record import AuditDomain
from defai.chain.contracts import encode_operations
from defai.chain.download.patience import PatientRpc
from defai.chain.model_registry import predict_on_chain
from defai.domain.decisions import Decision
from defai.errors import DefaiError, NotRunningError, TooSlowError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.session.verification.chapters import Chapter, Means, chapter_at, read_chapters
from defai.session.verification.evidence import Evidence, Trail
from defai.session.verification.forecasters import Oracle
from defai.session.verification.ground import Ground, Ledge, ledge_of
from defai.session.verification.reporting import (
    Background,
    Values,
    features_of,
    report_batch,
    report_record,
    unknown,
)
from defai.session.verification.retracing import Hearsay, Retracing, Traced, TracedBatch, TracedRecord
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.vault_accounts import DEADLINE_S


@dataclass(slots=True)
class Climb:
    """One agent on its way up.

    Attributes:
        traced: what of its log was traced, in order.
        contradictions: what speaks against the ground it stands on.
    """

    trail: Trail
    chapters: tuple[Chapter, ...]
    retracing: Retracing
    traced: list[Traced] = field(default_factory=list)
    contradictions: list[Comparison] = field(default_factory=list)

    @property
    def charter(self) -> Charter:
        """What the agent set out with."""
        return self.chapters[0].charter

    def at(self, block_number: int) -> Chapter:
        """What it decided by upon a block."""
        return chapter_at(self.chapters, block_number)


@dataclass(frozen=True, slots=True)
class Ascent:
    """Agents that look at the same market, and that market."""

    ground: Ground
    climbs: tuple[Climb, ...]


@dataclass(slots=True)
class Setback:
    """Why an agent cannot be followed: anyone can have a vault, and announce what leads nowhere.

    Attributes:
        errors: what went wrong, by agent.
    """

    errors: dict[int, Exception] = field(default_factory=dict)

    @contextmanager
    def of(self, *trails: Trail) -> Iterator[None]:
        """Let others be verified where these agents' charters cannot be used; a node that is gone is everybody's."""
        try:
            yield
        except (NotRunningError, TooSlowError):
            raise
        except (DefaiError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            for trail in trails:
                self.errors.setdefault(trail.agent_id, error)

    def why(self, trail: Trail) -> str:
        """In words."""
        error = self.errors.get(trail.agent_id)
        if error is None:
            return "the agent announced no charter"
        said = error.sentence if isinstance(error, DefaiError) else f"{type(error).__name__}: {error}"
        return f"the agent's charter cannot be followed: {said}"


async def ascend(
    rpc: PatientRpc,
    evidence: Evidence,
    means: Means,
    *,
    until: int | None = None,
    setback: Setback | None = None,
) -> list[Ascent]:
    """Decide again what the agents in evidence decided, those that announced a charter.

    Args:
        rpc: the node.
        evidence: what it said so far.
        means: strategies and models.
        until: the last block that is lived through; None for as many as it takes.
        setback: told of those that cannot be followed.

    Raises:
        DefaiError: where nobody can be followed; the first agent's reason.
    """
    setback = setback or Setback()
    ledges: dict[Ledge, list[Trail]] = {}
    for trail in evidence.trails.values():
        if trail.charter is not None:
            ledges.setdefault(ledge_of(trail.charter), []).append(trail)
    ascents = []
    for ledge, trails in ledges.items():
        with setback.of(*trails):
            ground = await Ground.read(rpc, evidence, ledge, until)
            climbs = []
            for trail in trails:
                with setback.of(trail):
                    climbs.append(await _begin(rpc, evidence, trail, means, ground))
            await _climb(ground, climbs, until, setback)
            stayed = tuple(climb for climb in climbs if climb.trail.agent_id not in setback.errors)
            ascents.append(Ascent(ground, stayed))
    if setback.errors and not any(ascent.climbs for ascent in ascents):
        raise next(iter(setback.errors.values()))
    return ascents


async def verify(
    rpc: PatientRpc, evidence: Evidence, means: Means, *, until: int | None = None
) -> list[Report]:
    """Verify every decision of the agents in evidence. Arguments as for `ascend`.

    Returns:
        A report for each decision, by agent and sequence.
    """
    reports: list[Report] = []
    setback = Setback()
    for ascent in await ascend(rpc, evidence, means, until=until, setback=setback):
        for climb in ascent.climbs:
            reports += await _reports(rpc, evidence, climb, ascent.ground)
    for trail in evidence.trails.values():
        if trail.charter is None or trail.agent_id in setback.errors:
            reports += _uncharted(evidence, trail, setback.why(trail))
    return sorted(reports, key=lambda report: (report.agent_id, report.sequence))


async def _begin(rpc: PatientRpc, evidence: Evidence, trail: Trail, means: Means, ground: Ground) -> Climb:
    charter = trail.charter
    if charter is None:
        raise ValueError("an agent without a charter cannot be followed")
    chapters = await read_chapters(rpc, trail, charter, means)
    hearsay = Hearsay()
    rerun = _rerun(trail, chapters[0], ground.market, (evidence.domain, hearsay))
    retracing = Retracing(rpc, trail, rerun, hearsay, evidence.domain, chapters)
    climb = Climb(trail, chapters, retracing)
    climb.contradictions += await ground.funds(rpc, trail, charter)
    return climb


def _rerun(trail: Trail, chapter: Chapter, market: MarketState, place: tuple[AuditDomain, Hearsay]) -> Rerun:
    domain, hearsay = place
    charter = chapter.charter
    vault, keys = trail.bound.vault, market.keys
    pricing = keys[charter.pricing_pool]
    numeraire = pricing.token0 if pricing.token0.address == charter.numeraire else pricing.token1
    desk = Desk(
        market,
        Valuation(pricing, numeraire),
        Portfolio.opening(dict(charter.funds)),
        Limits.model_validate(charter.limits),
        encode=lambda operations: encode_operations(
            operations, vault=vault, pools=keys, deadline=market.head.timestamp + DEADLINE_S
        ),
    )
    mandate = Mandate(
        name=charter.name,
        strategy_name=charter.strategy,
        strategy=chapter.author,
        strategy_digest=chapter.strategy.digest,
        pools=tuple(keys[address] for address in charter.pools),
        model=chapter.oracle.forecaster,
        features=charter.features,
    )
    seat = Seat(charter.name, trail.agent_id, vault, dict(charter.funds))
    return Rerun(mandate, seat, desk, Outbox(trail.agent_id, domain), hearsay, MemoryAuditLog(domain), None)


async def _climb(ground: Ground, climbs: Sequence[Climb], until: int | None, setback: Setback) -> None:
    for number in ground.blocks(until):
        if all(climb.retracing.is_through for climb in climbs) or not ground.fold(number):
            break
        for climb in climbs:
            if climb.trail.agent_id not in setback.errors:
                with setback.of(climb.trail):
                    climb.traced += await climb.retracing.after(number)
    await ground.hold_to_chain()
    if until is None or ground.fault:
        for climb in climbs:
            climb.traced += climb.retracing.rest()


async def _reports(rpc: PatientRpc, evidence: Evidence, climb: Climb, ground: Ground) -> list[Report]:
    contradictions = (*climb.contradictions, *ground.contradictions, *_faults(climb))
    traced = [*climb.traced, *_stray(climb, ground.market.head.number)]
    backgrounds = {}
    for chapter in climb.chapters:
        rows = [
            row
            for decision in _decisions(traced)
            if climb.at(decision.block_number) is chapter
            for row in [features_of(decision, chapter.oracle)]
            if row is not None
        ]
        forecasts, why = await _ask_evm(rpc, chapter.oracle, rows)
        backgrounds[id(chapter)] = Background(
            evidence, climb.trail, chapter, ground.words, contradictions, forecasts, why
        )

    def behind(block_number: int) -> Background:
        return backgrounds[id(climb.at(block_number))]

    reports: list[Report] = []
    for each in traced:
        if isinstance(each, TracedBatch):
            reports += report_batch(each, behind)
        else:
            reports.append(report_record(each, behind(each.decision.block_number)))
    return reports


def _decisions(traced: Iterable[Traced]) -> Iterator[Decision]:
    for each in traced:
        yield from (each.decision,) if isinstance(each, TracedRecord) else each.leaves


def _stray(climb: Climb, until: int) -> list[TracedRecord]:
    """Records that nothing the vault's keys sent accounts for."""
    sent = {submission.sent.hash for submission in climb.trail.submissions}
    return [
        TracedRecord(None, record.token_id, digest, record.decision, _own_place(record.decision), None)
        for digest, record in climb.trail.records.items()
        if digest not in sent and record.block_number <= until + 1
    ]


def _own_place(decision: Decision) -> Place:
    return Place(decision.sequence, decision.previous_digest)


def _faults(climb: Climb) -> tuple[Comparison, ...]:
    fault = climb.retracing.fault
    return (Comparison("what came of its trades", fault, "no contradiction"),) if fault else ()


async def _ask_evm(
    rpc: PatientRpc, oracle: Oracle, rows: Iterable[Values]
) -> tuple[Mapping[Values, int], str]:
    """What the EVM forecasts for every row of features that a decision recorded."""
    distinct = list(dict.fromkeys(rows))
    if oracle.registry is None or not distinct:
        return {}, ""
    try:
        answers = await predict_on_chain(rpc, oracle.registry, oracle.model_id, distinct)
    except DefaiError as error:
        return {}, error.sentence
    return dict(zip(distinct, answers, strict=True)), ""


def _uncharted(evidence: Evidence, trail: Trail, why: str) -> list[Report]:
    """Reports on the records of an agent that cannot be followed: what can be said without deciding again."""
    background = Background(evidence, trail, unknown(why), why)
    sent = {submission.sent.hash: submission for submission in trail.submissions}
    reports = []
    for digest, record in trail.records.items():
        decision = record.decision
        place = _own_place(decision)
        traced = TracedRecord(sent.get(digest), record.token_id, digest, decision, place, None)
        reports.append(report_record(traced, background))
    return reports
