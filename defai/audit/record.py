"""The audit record: a decision as an EIP-712 struct, and the digests it commits to.

The typed data is `Decision(...)` of contracts/src/interfaces/IDecisionAudit.sol under the domain ("defai", "1",
chain id, DecisionAudit's address); https://eips.ethereum.org/EIPS/eip-712 says how the digest is made.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from eth_abi.abi import encode

from defai.audit.canonical import canonical_json, digest, from_hex
from defai.audit.hashing import keccak
from defai.domain.decisions import ZERO_DIGEST, Action, Decision, FeatureRow
from defai.domain.operations import Call
from defai.domain.tokens import Address

DECISION_TYPE: Final = (
    "Decision(uint256 agentId,uint64 sequence,bytes32 previousDigest,uint64 blockNumber,bytes32 blockHash,"
    "bytes32 strategyDigest,bytes32 modelDigest,bytes32 featuresDigest,int256 forecast,uint8 action,"
    "bytes32 actionDigest,bytes32 payloadDigest)"
)
_DECISION_TYPEHASH = keccak(DECISION_TYPE.encode())
_DOMAIN_TYPEHASH = keccak(
    b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)


@dataclass(frozen=True, slots=True)
class AuditDomain:
    """Where records are kept: the chain and the DecisionAudit contract on it."""

    chain_id: int
    contract: Address

    def separator(self) -> bytes:
        """The EIP-712 domain separator."""
        return _separator(self)


@lru_cache(maxsize=64)
def _separator(domain: AuditDomain) -> bytes:
    return keccak(
        _DOMAIN_TYPEHASH
        + keccak(b"defai")
        + keccak(b"1")
        + domain.chain_id.to_bytes(32, "big")
        + from_hex(domain.contract).rjust(32, b"\0")
    )


def action_digest(calls: Sequence[Call]) -> str:
    """keccak256 of `abi.encode(Call[])`, as AgentVault computes it; zero where there is no call."""
    if not calls:
        return ZERO_DIGEST
    return digest(encode(["(address,bytes)[]"], [[(call.target, call.data) for call in calls]]))


def features_digest(row: FeatureRow | None) -> str:
    """keccak256 of the specification's digest and the values as int256 words; zero where there is no row."""
    if row is None:
        return ZERO_DIGEST
    words = b"".join([value.to_bytes(32, "big", signed=True) for value in row.values])
    return digest(from_hex(row.spec_digest) + words)


def strategy_digest(source: bytes, parameters: Mapping[str, Any]) -> str:
    """keccak256 over the digests of a strategy's source file and of its parameters' canonical JSON."""
    return digest(keccak(source) + keccak(canonical_json(parameters)))


@dataclass(frozen=True, slots=True)
class Draft:
    """What a decision commits to, before it is numbered and sealed."""

    block_number: int
    block_hash: str
    strategy_digest: str
    model_digest: str
    features_digest: str
    forecast_x24: int
    action: Action
    action_digest: str
    payload: Mapping[str, Any]


class SpelledPayload(Mapping[str, Any]):
    """A payload whose canonical bytes are known; what stands in it is read when it is looked at.

    Args:
        content: the bytes that `canonical_json` gives for it.
    """

    __slots__ = ("content", "digest")

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.digest = digest(content)

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401  JSON has many types
        """What stands under a key."""
        return json.loads(self.content)[key]

    def __iter__(self) -> Iterator[str]:
        return iter(json.loads(self.content))

    def __len__(self) -> int:
        return len(json.loads(self.content))


def spelled(draft: Draft) -> tuple[bytes, str]:
    """A draft's payload as canonical bytes, and their digest: what does not depend on the decision's number."""
    payload = draft.payload
    if type(payload) is SpelledPayload:
        return payload.content, payload.digest
    content = canonical_json(payload)
    return content, digest(content)


def seal(
    draft: Draft,
    domain: AuditDomain,
    *,
    agent_id: int,
    sequence: int,
    previous_digest: str,
    payload: tuple[bytes, str] | None = None,
) -> Decision:
    """Number a decision, chain it to the one before, and compute its digest.

    Args:
        draft: what it commits to.
        domain: where records are kept.
        agent_id: its agent's number.
        sequence: its own among that agent's.
        previous_digest: of the decision before it.
        payload: as `spelled` gives it, where it is known already.
    """
    content, payload_digest = payload or spelled(draft)
    numbers = (agent_id, sequence, previous_digest)
    return sealed(
        draft,
        numbers,
        content,
        payload_digest,
        digest(
            b"\x19\x01"
            + domain.separator()
            + keccak(struct_bytes(draft, *numbers, payload_digest=payload_digest))
        ),
    )


def struct_bytes(
    draft: Draft, agent_id: int, sequence: int, previous_digest: str, *, payload_digest: str
) -> bytes:
    """The EIP-712 struct that a decision's digest is of: the type's hash, and the twelve fields as words."""
    forecast = draft.forecast_x24.to_bytes(32, "big", signed=True).hex()
    words = (  # one pass from digits to bytes: every decision comes by here
        f"{agent_id:064x}{sequence:064x}{previous_digest[2:]}{draft.block_number:064x}{draft.block_hash[2:]}"
        f"{draft.strategy_digest[2:]}{draft.model_digest[2:]}{draft.features_digest[2:]}"
        f"{forecast}{int(draft.action):064x}{draft.action_digest[2:]}{payload_digest[2:]}"
    )
    return _DECISION_TYPEHASH + bytes.fromhex(words)


def sealed(
    draft: Draft, numbers: tuple[int, int, str], payload: bytes, payload_digest: str, decision_digest: str
) -> Decision:
    """The decision of a draft whose digests are known.

    Args:
        draft: what it commits to.
        numbers: the agent's number, the decision's, and the digest of the decision before it.
        payload: its payload's canonical bytes.
        payload_digest: their digest.
        decision_digest: the EIP-712 digest.
    """
    agent_id, sequence, previous_digest = numbers
    return Decision(
        agent_id=agent_id,
        sequence=sequence,
        previous_digest=previous_digest,
        block_number=draft.block_number,
        block_hash=draft.block_hash,
        strategy_digest=draft.strategy_digest,
        model_digest=draft.model_digest,
        features_digest=draft.features_digest,
        forecast_x24=draft.forecast_x24,
        action=draft.action,
        action_digest=draft.action_digest,
        payload_digest=payload_digest,
        digest=decision_digest,
        payload=payload,
    )
