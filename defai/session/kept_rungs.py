"""The rungs of a decision as far as a run's directory bears them: whoever plays a run back asks no chain."""

import json
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Any, Final

from defai.audit.ladder import rungs
from defai.audit.ladder.findings import Comparison, Finding, Report, Rung, found, left_open
from defai.audit.ladder.rungs import Answers, Place
from defai.audit.record import AuditDomain, features_digest
from defai.domain.answers import Verification
from defai.domain.decisions import ZERO_DIGEST, Action, Decision, FeatureRow
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.models.registry import ModelRegistry
from defai.models.trained import TrainedModel
from defai.session.asked_apart import told_of
from defai.session.run_directory import LASTING, RUN, models_folder
from defai.session.why import find_decision
from defai.worlds.audit_logs import decision_of

_NONE: Final = "no such decision"


def verify_kept(run: Path, digest: str) -> Verification:
    """Climb the ladder for a decision of a finished run with nothing but its directory and this user's models.

    What is kept hashes to its digest or does not, and follows the decision before it or does not; a model that is here
    gives the same forecast or another. What only the chain can say is left open.

    Args:
        run: its directory.
        digest: the decision's.

    Raises:
        NotFoundError: where the directory has not the decision, or does not say where its records were.
        ConfigError: where what it keeps cannot be read.
    """
    began = perf_counter()
    kept = find_decision(run, digest)
    try:
        decision, domain = decision_of(kept), _domain(run)
        place = _place(run, decision, domain)
        report = Report(
            agent_id=decision.agent_id,
            sequence=decision.sequence,
            token_id=None,
            digest=digest,
            block_number=decision.block_number,
            action=decision.action.name.lower(),
            findings=_findings(decision, domain, place, _elsewhere(run, kept)),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"What {run} keeps of decision {digest} cannot be read.") from error
    return told_of(report.to_json(), kept["agent"], perf_counter() - began)


def _findings(decision: Decision, domain: AuditDomain, place: Place, elsewhere: str) -> tuple[Finding, ...]:
    model, why = _model(decision.model_digest)
    row = _row(decision, model)
    sealed = (Comparison("features digest", decision.features_digest, features_digest(row)),) if row else ()
    answers = Answers(note=why)
    if model is not None and row is not None:
        answers = Answers(
            model.digest, model.ensemble.predict_x24(row.values), note="asked here, and in no EVM"
        )
    still = decision.action is Action.HOLD
    return (
        rungs.integrity(decision, domain, place),
        left_open(Rung.DATA, elsewhere, *sealed),
        rungs.model(decision, answers),
        left_open(Rung.DECISION, elsewhere),
        found(
            Rung.EXECUTION,
            Comparison("digest of the calls", decision.action_digest, ZERO_DIGEST),
            note="nothing was to be done",
        )
        if still
        else left_open(Rung.EXECUTION, elsewhere),
    )


def _domain(run: Path) -> AuditDomain:
    try:
        known = json.loads((run / "chain.json").read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"{run} does not say where its records were.") from error
    return AuditDomain(known["chain_id"], known["audit_contract"])


def _place(run: Path, decision: Decision, domain: AuditDomain) -> Place:
    """Where the chain of the agent's decisions stood, by what is kept of the one before."""
    if decision.previous_digest == ZERO_DIGEST:
        return Place(0, ZERO_DIGEST)
    try:
        before = decision_of(find_decision(run, decision.previous_digest))
    except NotFoundError:
        return Place(decision.sequence, _NONE)
    return Place(before.sequence + 1, rungs.decision_digest(before, domain))


def _model(digest: str) -> tuple[TrainedModel | None, str]:
    if digest == ZERO_DIGEST:
        return None, ""
    try:
        return ModelRegistry(models_folder()).load(digest), ""
    except DefaiError as error:
        return None, error.sentence


def _row(decision: Decision, model: TrainedModel | None) -> FeatureRow | None:
    """The features that were recorded, as the model wants them."""
    recorded = rungs.payload_of(decision).get("features")
    if model is None or not isinstance(recorded, dict):
        return None
    names = model.spec.names
    values = tuple(recorded[name] for name in names if type(recorded.get(name)) is int)
    if len(values) != len(names):
        return None
    return FeatureRow(decision.block_number, names, values, model.spec.digest)


def _elsewhere(run: Path, kept: Mapping[str, Any]) -> str:
    """What has the rest of the answer."""
    kind = json.loads((run / RUN).read_text(encoding="utf-8"))["settings"]["network"]["kind"]
    if kind in LASTING:
        return f"only the chain tells: defai audit verify {kept['agent']}:{kept['sequence']} --run {run}"
    return "only the run's chain could tell, and it ended with the run"
