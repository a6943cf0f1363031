"""What an agent's key sends to its vault, and what the audit's logs say of it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from defai.audit.outbox import Anchor
from defai.chain.codec import (
    argument_types,
    checksum,
    decode_values,
    encode_call,
    selector,
    topic,
    unhex,
)
from defai.chain.decode import Log
from defai.domain.decisions import Action, Approval, Decision
from defai.domain.operations import Call
from defai.domain.tokens import Address
from defai.errors import DivergenceError

_ANCHOR: Final = "(bytes32,uint64,uint32,bytes32)"
_DECISION: Final = (
    "(uint256,uint64,bytes32,uint64,bytes32,bytes32,bytes32,bytes32,int256,uint8,bytes32,bytes32)"
)
EXECUTE: Final = f"execute({_ANCHOR},{_DECISION},bytes,(address,bytes)[])"
EXECUTE_APPROVED: Final = f"executeApproved({_ANCHOR},{_DECISION},bytes,(address,bytes)[],uint256,bytes)"
ANCHOR: Final = f"anchor({_ANCHOR})"
DECISION_RECORDED: Final = f"DecisionRecorded(uint256,uint256,bytes32,{_DECISION},bytes)"
DECISIONS_ANCHORED: Final = "DecisionsAnchored(uint256,uint64,uint32,bytes32,bytes32)"
DECISION_CLAIMED: Final = f"DecisionClaimed(uint256,uint256,bytes32,{_DECISION})"


@dataclass(frozen=True, slots=True)
class RecordedDecision:
    """A record, as its event on the chain has it.

    Attributes:
        token_id: the record's number, which is its NFT's.
    """

    token_id: int
    decision: Decision
    block_number: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class RecordedAnchor:
    """A batch of decisions that moved nothing, as its event on the chain has it."""

    agent_id: int
    anchor: Anchor
    block_number: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """What an agent's key sent to its vault, read back from the call data.

    Attributes:
        decision: without payload's meaning being looked at; its digest is empty, call data do not hold it.
        approval: the owner's, where the vault was told of one.
    """

    anchor: Anchor
    decision: Decision | None = None
    calls: tuple[Call, ...] = ()
    approval: Approval | None = None


def decode_submission(data: bytes) -> Submitted | None:
    """The reverse of `encode_execute`, approved or not, and `encode_anchor`; None for any other call data."""
    try:
        if data[:4] == selector(ANCHOR):
            (pending,) = decode_values(argument_types(ANCHOR), data[4:])
            return Submitted(_read_anchor(pending))
        if data[:4] == selector(EXECUTE):
            approval = None
            pending, struct, payload, packed = decode_values(argument_types(EXECUTE), data[4:])
        elif data[:4] == selector(EXECUTE_APPROVED):
            *what, deadline, signature = decode_values(argument_types(EXECUTE_APPROVED), data[4:])
            pending, struct, payload, packed = what
            approval = Approval(deadline, signature)
        else:
            return None
        calls = tuple(Call(checksum(target), body) for target, body in packed)
        return Submitted(_read_anchor(pending), _read_decision(struct, "", payload), calls, approval)
    except ValueError:
        return None


def encode_execute(
    pending: Anchor, decision: Decision, calls: Sequence[Call], approval: Approval | None = None
) -> bytes:
    """Call data of AgentVault.execute: anchor what is pending, record the decision, make its calls.

    Args:
        pending: `Anchor()` where nothing is.
        decision: its `action_digest` must be that of the calls.
        calls: at least one.
        approval: the owner's: with one it is `executeApproved`.
    """
    struct = (
        decision.agent_id,
        decision.sequence,
        unhex(decision.previous_digest),
        decision.block_number,
        unhex(decision.block_hash),
        unhex(decision.strategy_digest),
        unhex(decision.model_digest),
        unhex(decision.features_digest),
        decision.forecast_x24,
        int(decision.action),
        unhex(decision.action_digest),
        unhex(decision.payload_digest),
    )
    packed = [(call.target, call.data) for call in calls]
    arguments = (_anchor(pending), struct, decision.payload, packed)
    if approval is None:
        return encode_call(EXECUTE, *arguments)
    return encode_call(EXECUTE_APPROVED, *arguments, approval.deadline, approval.signature)


def encode_anchor(pending: Anchor) -> bytes:
    """Call data of AgentVault.anchor: put decisions that moved nothing on the log."""
    return encode_call(ANCHOR, _anchor(pending))


def recorded_decisions(logs: Iterable[Log], audit: Address) -> list[RecordedDecision]:
    """The records among logs, in log order; logs of other contracts are passed over.

    Raises:
        DivergenceError: where a log of the audit cannot be read.
    """
    return [_record(log) for log in _of(logs, audit, DECISION_RECORDED)]


def is_record(log: Log, audit: Address) -> bool:
    """Whether a log is the audit's record of a decision."""
    return bool(_of([log], audit, DECISION_RECORDED))


def recorded_anchors(logs: Iterable[Log], audit: Address) -> list[RecordedAnchor]:
    """The anchors among logs, in log order; logs of other contracts are passed over."""
    anchors = []
    for log in _of(logs, audit, DECISIONS_ANCHORED):
        count, root, last = decode_values(("uint32", "bytes32", "bytes32"), unhex(log["data"]))
        anchor = Anchor("0x" + root.hex(), int(log["topics"][2], 16), count, "0x" + last.hex())
        anchors.append(
            RecordedAnchor(
                int(log["topics"][1], 16), anchor, int(log["blockNumber"], 16), log["transactionHash"]
            )
        )
    return anchors


def _of(logs: Iterable[Log], audit: Address, event: str) -> list[Log]:
    wanted = topic(event)
    return [log for log in logs if log["topics"][:1] == [wanted] and checksum(log["address"]) == audit]


def _read_anchor(values: Sequence[Any]) -> Anchor:
    root, first, count, last = values
    return Anchor("0x" + root.hex(), first, count, "0x" + last.hex())


def _anchor(pending: Anchor) -> tuple[bytes, int, int, bytes]:
    return unhex(pending.root), pending.first_sequence, pending.count, unhex(pending.last_digest)


def _record(log: Log) -> RecordedDecision:
    try:
        struct, payload = decode_values((_DECISION, "bytes"), unhex(log["data"]))
        digest = log["topics"][3]
    except (ValueError, IndexError) as error:
        raise DivergenceError(f"A record in transaction {log['transactionHash']} cannot be read.") from error
    return RecordedDecision(
        int(log["topics"][1], 16),
        _read_decision(struct, digest, payload),
        int(log["blockNumber"], 16),
        log["transactionHash"],
    )


def _read_decision(struct: Sequence[Any], digest: str, payload: bytes) -> Decision:
    words: list[Any] = ["0x" + part.hex() if isinstance(part, bytes) else part for part in struct]
    return Decision(
        agent_id=words[0],
        sequence=words[1],
        previous_digest=words[2],
        block_number=words[3],
        block_hash=words[4],
        strategy_digest=words[5],
        model_digest=words[6],
        features_digest=words[7],
        forecast_x24=words[8],
        action=Action(words[9]),
        action_digest=words[10],
        payload_digest=words[11],
        digest=digest,
        payload=payload,
    )
