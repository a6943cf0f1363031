"""Climbing the ladder for many decisions at once: the market is folded once, whatever the fleet's size."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

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
from defai.domain.decisions import ZERO_DIGEST, Decision
from defai.errors import DefaiError, NotRunningError, TooSlowError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.risk.limits import Limits
from defai.session.verification.evidence import Evidence, Trail
from defai.session.verification.forecasters import Oracle, find_oracle
from defai.session.verification.ground import Ground, Ledge, ledge_of
from defai.session.verification.reporting import (
    Background,
    Values,
    features_of,
    report_batch,
    report_record,
)
from defai.session.verification.retracing import Hearsay, Retracing, Traced, TracedBatch, TracedRecord
from defai.session.verification.strategies import Found, find_strategy
from defai.strategy.api import Context, Hold, Intent, Strategy
from defai.worlds.audit_logs import MemoryAuditLog
from defai.worlds.vault_accounts import DEADLINE_S


@dataclass(frozen=True, slots=True)
class Means:
    """What the auditor brings along.

    Attributes:
        strategies: folders with the strategies' sources.
        models: a folder of models, for those that were not registered.
    """

    strategies: Sequence[Path]
    models: Path | None = None


@dataclass(slots=True)
class Climb:
    """One agent on its way up.

    Attributes:
        traced: what of its log was traced, in order.
        contradictions: what speaks against the ground it stands on.
    """

    trail: Trail
    charter: Charter
    strategy: Found
    oracle: Oracle
    retracing: Retracing
    traced: list[Traced] = field(default_factory=list)
    contradictions: list[Comparison] = field(default_factory=list)


class UnknownStrategy(Strategy):
    """Stands for a strategy whose source is not there: it wants the features that the charter names."""

    names: tuple[str, ...] = ()

    def features(self) -> tuple[str, ...]:
        """Those of the charter."""
        return self.names

    def decide(self, ctx: Context) -> Intent:  # noqa: ARG002  it knows nothing
        """Nobody knows."""
        return Hold(reason="unknown")


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
    strategy = find_strategy(charter, means.strategies)
    author = strategy.strategy.strategy if strategy.strategy else UnknownStrategy(names=charter.features)
    oracle = await find_oracle(rpc, charter, author, means.models)
    hearsay = Hearsay()
    rerun = _rerun(trail, charter, author, (strategy, oracle), ground.market, (evidence.domain, hearsay))
    retracing = Retracing(rpc, trail, rerun, hearsay, evidence.domain, charter.counts_from)
    climb = Climb(trail, charter, strategy, oracle, retracing)
    climb.contradictions += await ground.funds(rpc, trail, charter)
    return climb


def _rerun(
    trail: Trail,
    charter: Charter,
    author: Strategy,
    found: tuple[Found, Oracle],
    market: MarketState,
    place: tuple[AuditDomain, Hearsay],
) -> Rerun:
    domain, hearsay = place
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
        strategy=author,
        strategy_digest=found[0].digest,
        pools=tuple(keys[address] for address in charter.pools),
        model=found[1].forecaster,
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
    forecasts, why = await _ask_evm(rpc, climb)
    background = Background(
        evidence,
        climb.trail,
        climb.strategy,
        climb.oracle,
        ground.words,
        (*climb.contradictions, *ground.contradictions, *_faults(climb)),
        forecasts,
        why,
    )
    reports: list[Report] = []
    for traced in [*climb.traced, *_stray(climb, ground.market.head.number)]:
        if isinstance(traced, TracedBatch):
            reports += report_batch(traced, background)
        else:
            reports.append(report_record(traced, background))
    return reports


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


async def _ask_evm(rpc: PatientRpc, climb: Climb) -> tuple[Mapping[Values, int], str]:
    """What the EVM forecasts for every row of features that a decision recorded."""
    oracle = climb.oracle
    if oracle.registry is None:
        return {}, ""
    rows = list(dict.fromkeys(values for values in _rows(climb.traced, oracle) if values is not None))
    try:
        answers = await predict_on_chain(rpc, oracle.registry, oracle.model_id, rows)
    except DefaiError as error:
        return {}, error.sentence
    return dict(zip(rows, answers, strict=True)), ""


def _rows(traced: Iterable[Traced], oracle: Oracle) -> Iterable[Values | None]:
    for each in traced:
        decisions = (each.decision,) if isinstance(each, TracedRecord) else each.leaves
        yield from (features_of(decision, oracle) for decision in decisions)


def _uncharted(evidence: Evidence, trail: Trail, why: str) -> list[Report]:
    """Reports on the records of an agent that cannot be followed: what can be said without deciding again."""
    background = Background(evidence, trail, Found(None, ZERO_DIGEST, why), Oracle(None, note=why), why)
    sent = {submission.sent.hash: submission for submission in trail.submissions}
    reports = []
    for digest, record in trail.records.items():
        decision = record.decision
        place = _own_place(decision)
        traced = TracedRecord(sent.get(digest), record.token_id, digest, decision, place, None)
        reports.append(report_record(traced, background))
    return reports
