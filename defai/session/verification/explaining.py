"""A decision in words: what was seen, what was forecast and why, what the guard said, what came of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from defai.agent.rerun import Considered
from defai.agent.wording import execution_text, intent_text
from defai.audit.ladder.rungs import payload_of
from defai.chain.download.patience import PatientRpc
from defai.domain.decisions import Decision
from defai.domain.tokens import Address, Token
from defai.errors import DefaiError, NotFoundError
from defai.features.pipeline import build_table
from defai.models.attribution import contributions_x24
from defai.session.verification.chapters import Means
from defai.session.verification.evidence import Evidence, Submission
from defai.session.verification.retracing import TracedRecord
from defai.session.verification.scope import until_of
from defai.session.verification.verifier import Climb, ascend
from defai.units import Q24, WEI
from defai.worlds.outcomes import read_execution

_TYPICAL_ROWS = 64


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a feature adds to a forecast, compared with its usual value."""

    feature: str
    value: int
    usually: int
    adds: float


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision, for a person. Amounts of ether are in ether, a forecast in its unit.

    Attributes:
        usual_forecast: what the model forecasts for the usual features; None where there is no model.
        verdict: as the payload has it.
        outcome: what came of it; empty where nothing was done.
    """

    agent: str
    decision: Decision
    record: int | None
    text: str
    forecast: float | None
    band: tuple[float, float] | None
    unit: str
    forecast_name: str
    usual_forecast: float | None
    contributions: tuple[Contribution, ...]
    verdict: Mapping[str, Any]
    outcome: str
    gas_used: int
    gas_ether: float
    transaction: str

    def to_json(self) -> dict[str, Any]:
        """JSON-able values."""
        decision = self.decision
        return {
            "agent": self.agent,
            "agent_id": decision.agent_id,
            "sequence": decision.sequence,
            "record": self.record,
            "digest": decision.digest,
            "block_number": decision.block_number,
            "action": decision.action.name.lower(),
            "text": self.text,
            "reason": payload_of(decision).get("reason", ""),
            "forecast": self.forecast,
            "band": self.band,
            "unit": self.unit,
            "forecast_name": self.forecast_name,
            "usual_forecast": self.usual_forecast,
            "contributions": [
                {"feature": each.feature, "value": each.value, "usually": each.usually, "adds": each.adds}
                for each in self.contributions
            ],
            "verdict": self.verdict,
            "outcome": self.outcome,
            "gas_used": self.gas_used,
            "gas_ether": self.gas_ether,
            "transaction": self.transaction,
        }


async def explain(
    rpc: PatientRpc, evidence: Evidence, agent_id: int, sequence: int, means: Means
) -> Explanation:
    """Explain a decision of the one agent in evidence.

    Raises:
        NotFoundError: where it is not on the chain, or cannot be decided again.
    """
    trail = evidence.trails[agent_id]
    until = until_of(trail, sequence)
    ascents = await ascend(rpc, evidence, means, until=until)
    for climb in (climb for ascent in ascents for climb in ascent.climbs):
        for decision, record, again, submission in _found(climb):
            if decision.sequence == sequence:
                return await _explained(rpc, climb, decision, (record, again, submission))
    raise NotFoundError(
        f"Decision {sequence} of agent {agent_id} cannot be decided again, so there is nothing to explain.",
        "`defai audit verify` says which rung breaks.",
    )


def _found(climb: Climb) -> list[tuple[Decision, int | None, Considered, Submission | None]]:
    found: list[tuple[Decision, int | None, Considered, Submission | None]] = []
    for traced in climb.traced:
        if isinstance(traced, TracedRecord):
            if traced.again is not None:
                found.append((traced.decision, traced.token_id, traced.again, traced.submission))
        elif traced.stands:
            found += [
                (leaf, None, again, None) for leaf, again in zip(traced.leaves, traced.again, strict=True)
            ]
    return found


async def _explained(
    rpc: PatientRpc,
    climb: Climb,
    decision: Decision,
    more: tuple[int | None, Considered, Submission | None],
) -> Explanation:
    record, again, submission = more
    forecast, rerun = again.context.forecast, climb.retracing.rerun
    usual, contributions = _contributions(climb, again)
    receipt = submission.receipt if submission else None
    return Explanation(
        agent=climb.charter.name,
        decision=decision,
        record=record,
        text=intent_text(again.judged.verdict.intent, rerun.desk.market.keys),
        forecast=forecast.value if forecast else None,
        band=(forecast.low_x24 / Q24, forecast.high_x24 / Q24)
        if forecast and forecast.low_x24 is not None and forecast.high_x24 is not None
        else None,
        unit=forecast.unit if forecast else "",
        forecast_name=forecast.name if forecast else "",
        usual_forecast=usual,
        contributions=contributions,
        verdict=payload_of(decision).get("verdict", {}),
        outcome=await _outcome(rpc, climb, submission) if submission else "",
        gas_used=receipt.gas_used if receipt else 0,
        gas_ether=receipt.gas_used * receipt.gas_price_wei / WEI if receipt else 0.0,
        transaction=submission.sent.hash if submission else "",
    )


def _contributions(climb: Climb, again: Considered) -> tuple[float | None, tuple[Contribution, ...]]:
    forecaster, row = climb.at(again.draft.block_number).oracle.forecaster, again.context.features
    if forecaster is None or row is None:
        return None, ()
    usually = _usual_row(climb, again)
    adds = contributions_x24(forecaster.ensemble, row.values, usually)
    usual = forecaster.ensemble.predict_x24(usually) / Q24
    if adds is None:
        return usual, ()
    parts = [
        Contribution(name, value, other, part / Q24)
        for name, value, other, part in zip(row.names, row.values, usually, adds, strict=True)
    ]
    return usual, tuple(sorted(parts, key=lambda part: -abs(part.adds)))


def _usual_row(climb: Climb, again: Considered) -> tuple[int, ...]:
    """The median of each feature over the last blocks before the decision; the row itself where it is the first."""
    forecaster, row = climb.at(again.draft.block_number).oracle.forecaster, again.context.features
    if forecaster is None or row is None:
        return ()
    reach = forecaster.spec.warm_up + _TYPICAL_ROWS
    windows = climb.retracing.rerun.desk.market.windows
    histories = [
        [seen for seen in windows[key.address] if seen.block_number <= row.block_number][-reach:]
        for key in climb.retracing.rerun.mandate.pools
    ]
    rows = [each.values for each in build_table(histories, forecaster.spec) if each is not None]
    if not rows:
        return row.values
    return tuple(sorted(column)[len(column) // 2] for column in zip(*rows, strict=True))


async def _outcome(rpc: PatientRpc, climb: Climb, submission: Submission) -> str:
    decision, market = submission.decision, climb.retracing.rerun.desk.market
    if decision is None or not submission.receipt.succeeded:
        return "it reverted"
    tokens: dict[Address, Token] = {
        token.address: token for key in market.keys.values() for token in (key.token0, key.token1)
    }
    try:
        execution = await read_execution(
            rpc,
            submission.receipt,
            agent=climb.charter.name,
            digest=decision.digest,
            vault=climb.trail.bound.vault,
            audit=climb.retracing.domain.contract,
            pools=tuple(market.keys),
        )
    except DefaiError as error:
        return error.sentence
    return execution_text(execution, tokens)
