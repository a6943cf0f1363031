"""The five rungs, each a comparison of what is recorded with what was found again."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from defai.audit.canonical import digest, from_hex
from defai.audit.ladder.findings import Comparison, Finding, Rung, found, left_open
from defai.audit.record import AuditDomain, Draft, action_digest, features_digest, struct_bytes
from defai.domain.decisions import ZERO_DIGEST, Decision, FeatureRow, VerdictStatus
from defai.domain.operations import Call

_NONE = "none"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the chain of an agent's decisions stood right before one of them."""

    sequence: int
    previous_digest: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What a model gives for the features that are recorded, by whoever was asked. None: nobody could be.

    Attributes:
        digest: of the model that was read back.
        trees_x24: the walk over integers, here.
        evm_x24: `ModelRegistry.predict`.
        note: where the model is from, or why there is none.
    """

    digest: str | None = None
    trees_x24: int | None = None
    evm_x24: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Carriage:
    """The transaction that carried a record.

    Attributes:
        sender: who sent it; `key`: the vault's key at that time.
        target: whom it called; `vault`: the agent's vault.
        decision: the decision in its call data; None where they are not a vault's.
        calls: the calls in it.
        records: how many records its logs have.
        approved: whether it brought the owner's approval, which the vault then held to his signature.
        moved: the vault's balances before and after, with what its transfers say in between, as comparisons.
    """

    transaction_hash: str
    sender: str
    key: str
    target: str
    vault: str
    succeeded: bool
    decision: Decision | None
    calls: tuple[Call, ...]
    records: int
    moved: tuple[Comparison, ...] = field(default=())
    approved: bool = False


def payload_of(decision: Decision) -> Mapping[str, Any]:
    """A record's payload; empty where it is no JSON object."""
    try:
        payload = json.loads(decision.payload)
    except ValueError:
        return {}
    return payload if isinstance(payload, dict) else {}


def decision_digest(decision: Decision, domain: AuditDomain) -> str:
    """The EIP-712 digest of a decision's fields, computed anew."""
    draft = Draft(
        decision.block_number,
        decision.block_hash,
        decision.strategy_digest,
        decision.model_digest,
        decision.features_digest,
        decision.forecast_x24,
        decision.action,
        decision.action_digest,
        {},
    )
    numbers = (decision.agent_id, decision.sequence, decision.previous_digest)
    struct = struct_bytes(draft, *numbers, payload_digest=decision.payload_digest)
    return digest(b"\x19\x01" + domain.separator() + from_hex(digest(struct)))


def integrity(decision: Decision, domain: AuditDomain, place: Place) -> Finding:
    """The payload hashes to the digest, and sequence and hash chain have no gap."""
    return found(
        Rung.INTEGRITY,
        Comparison("payload digest", decision.payload_digest, digest(decision.payload)),
        Comparison("decision digest", decision.digest, decision_digest(decision, domain)),
        Comparison("sequence", str(decision.sequence), str(place.sequence)),
        Comparison("previous digest", decision.previous_digest, place.previous_digest),
    )


def data(decision: Decision, block_hash: str, row: FeatureRow | None, note: str) -> Finding:
    """The features computed from the chain's logs are the recorded ones, to the last unit."""
    recorded = payload_of(decision).get("features")
    named: Mapping[str, Any] = recorded if isinstance(recorded, dict) else {}
    again = dict(zip(row.names, row.values, strict=True)) if row else {}
    differing = [
        Comparison(f"feature {name}", str(named.get(name, _NONE)), str(again.get(name, _NONE)))
        for name in {**again, **named}
        if named.get(name) != again.get(name)
    ]
    return found(
        Rung.DATA,
        Comparison("block hash", decision.block_hash, block_hash),
        Comparison("features digest", decision.features_digest, features_digest(row)),
        *differing,
        note=note if row else f"{note}; no features at this block",
    )


def model(decision: Decision, answers: Answers) -> Finding:
    """The registered model gives the recorded forecast for the recorded features, here and in the EVM."""
    if decision.model_digest == ZERO_DIGEST:
        nothing = Comparison("forecast", str(decision.forecast_x24), "0")
        return found(Rung.MODEL, nothing, note="decided without a forecast")
    forecast = str(decision.forecast_x24)
    compared = []
    if answers.digest is not None:
        compared.append(Comparison("model digest", decision.model_digest, answers.digest))
    if answers.trees_x24 is not None:
        compared.append(Comparison("forecast x 2^24, integer trees", forecast, str(answers.trees_x24)))
    if answers.evm_x24 is not None:
        compared.append(Comparison("forecast x 2^24, EVM", forecast, str(answers.evm_x24)))
    if answers.digest is None or answers.trees_x24 is None or answers.evm_x24 is None:
        return left_open(Rung.MODEL, answers.note, *compared)
    return found(Rung.MODEL, *compared, note=answers.note)


def deciding(decision: Decision, draft: Draft) -> Finding:
    """`decide` gives the same intent again, the guard the same verdict."""
    payload = payload_of(decision)
    parts = [
        Comparison(name, _spelled(payload.get(name)), _spelled(draft.payload[name]))
        for name in ("agent", "intent", "reason", "verdict")
    ]
    return found(
        Rung.DECISION,
        Comparison("strategy digest", decision.strategy_digest, draft.strategy_digest),
        *parts,
        Comparison("action", decision.action.name.lower(), draft.action.name.lower()),
    )


def execution(decision: Decision, wanted: Sequence[Call] | None, carriage: Carriage) -> Finding:
    """The transaction that carries the record made the plan's calls and nothing else.

    Args:
        decision: the record.
        wanted: the calls that the plan, worked out again, makes; None where it could not be.
        carriage: the transaction.
    """
    carried = carriage.decision.digest if carriage.decision else _NONE
    compared = [
        Comparison("sender", carriage.sender, carriage.key),
        Comparison("target", carriage.target, carriage.vault),
        Comparison("transaction", "succeeded" if carriage.succeeded else "reverted", "succeeded"),
        Comparison("records in the transaction", str(carriage.records), "1"),
        Comparison("decision in the call data", decision.digest, carried),
        Comparison("digest of the calls made", decision.action_digest, action_digest(carriage.calls)),
        *carriage.moved,
    ]
    verdict = payload_of(decision).get("verdict")
    if isinstance(verdict, dict) and verdict.get("status") == VerdictStatus.NEEDS_APPROVAL.value:
        compared.append(Comparison("the owner's approval", "given" if carriage.approved else _NONE, "given"))
    if wanted is None:
        return left_open(Rung.EXECUTION, "the plan could not be worked out again", *compared)
    compared.append(
        Comparison("digest of the plan's calls", decision.action_digest, action_digest(tuple(wanted)))
    )
    compared += _calls(carriage.calls, wanted)
    return found(Rung.EXECUTION, *compared, note=f"transaction {carriage.transaction_hash}")


def _calls(made: Sequence[Call], wanted: Sequence[Call]) -> list[Comparison]:
    """The calls that differ, one by one."""
    rows = []
    for i in range(max(len(made), len(wanted))):
        here = _call(made[i]) if i < len(made) else _NONE
        there = _call(wanted[i]) if i < len(wanted) else _NONE
        if here.lower() != there.lower():
            rows.append(Comparison(f"call {i + 1}", here, there))
    return rows


def _call(call: Call) -> str:
    return f"{call.target} 0x{call.data.hex()}"


def _spelled(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True, ensure_ascii=False)
