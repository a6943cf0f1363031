"""What the chain says of some agents: charters, records, anchors, and everything their keys sent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from defai.audit.amendment import Amendment
from defai.audit.charter import Charter
from defai.audit.ladder.rungs import decision_digest
from defai.audit.record import AuditDomain
from defai.chain.codec import topic
from defai.chain.download.patience import PatientRpc
from defai.chain.trail import (
    KEY_ROTATED,
    BoundVault,
    Heading,
    Sent,
    all_logs,
    bound_vaults,
    claims,
    first_block_of,
    key_changes,
    read_headings,
)
from defai.chain.tx import Receipt, get_receipts
from defai.chain.vault import (
    RecordedAnchor,
    RecordedDecision,
    Submitted,
    decode_submission,
    recorded_anchors,
    recorded_decisions,
)
from defai.domain.decisions import Decision
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError

_RECEIPTS_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """What an agent's key sent to its vault, and what came of it.

    Attributes:
        content: the call data, read back; the decision's digest computed anew.
    """

    sent: Sent
    content: Submitted
    receipt: Receipt

    @property
    def decision(self) -> Decision | None:
        """The decision that was sent."""
        return self.content.decision


@dataclass(frozen=True, slots=True)
class Trail:
    """Everything of one agent.

    Attributes:
        keys: the vault's keys, with the block from which on each was.
        charter: what it announced; None where it announced nothing that can be read.
        charter_block: where; 0 where nowhere.
        submissions: in the chain's order.
        records: by transaction, as the logs of the audit have them.
        anchors: by transaction, likewise.
        amendments: what it announced of its charter afterwards, in the chain's order.
    """

    bound: BoundVault
    keys: tuple[tuple[int, Address], ...]
    charter: Charter | None
    charter_block: int
    submissions: tuple[Submission, ...]
    records: Mapping[str, RecordedDecision]
    anchors: Mapping[str, RecordedAnchor]
    amendments: tuple[Amendment, ...] = ()

    @property
    def agent_id(self) -> int:
        """The agent's number."""
        return self.bound.agent_id

    def key_at(self, block_number: int) -> Address:
        """The vault's key at a block."""
        return next((key for since, key in reversed(self.keys) if since <= block_number), "nobody")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the chain says.

    Attributes:
        headings: the blocks, in order.
        trails: of the agents asked for, by number.
        claimed: records of decisions that were anchored first: agent and sequence by the record's number.
    """

    domain: AuditDomain
    headings: tuple[Heading, ...]
    trails: Mapping[int, Trail]
    claimed: Mapping[int, tuple[int, int]]

    def heading(self, number: int) -> Heading | None:
        """A block; None outside of what was read."""
        at = number - self.headings[0].number
        return self.headings[at] if 0 <= at < len(self.headings) else None


async def read_evidence(
    rpc: PatientRpc, contract: Address, agents: Sequence[int] | None = None, *, from_block: int | None = None
) -> Evidence:
    """Read what the chain says of the agents of an audit contract.

    Args:
        rpc: the node.
        contract: the DecisionAudit.
        agents: which of them; None for all.
        from_block: where the contract was created, where that is known: finding it takes an archive node.

    Raises:
        NotFoundError: where there is no such contract or agent.
    """
    chain_id, head = [
        int(answer, 16) for answer in await rpc.batch([("eth_chainId", ()), ("eth_blockNumber", ())])
    ]
    first = await first_block_of(rpc, contract) if from_block is None else from_block
    domain = AuditDomain(chain_id, contract)
    logs = await all_logs(rpc, [contract], [], first, head)
    bound = {each.agent_id: each for each in bound_vaults(logs)}
    if not bound:
        raise NotFoundError(f"The contract at {contract} knows no agent.", "Is it a DecisionAudit?")
    wanted = sorted(bound) if agents is None else list(agents)
    for agent_id in wanted:
        if agent_id not in bound:
            raise NotFoundError(f"There is no agent {agent_id}.", f"There are {_numbers(bound)}.")
    vaults = [bound[agent_id].vault for agent_id in wanted]
    keys = key_changes(await all_logs(rpc, vaults, [topic(KEY_ROTATED)], first, head))
    senders = frozenset(key for vault in vaults for _, key in keys.get(vault, []))
    start = min(bound[agent_id].block_number for agent_id in wanted)
    headings = await read_headings(rpc, start, head, senders)
    receipts = await _receipts(rpc, [sent.hash for heading in headings for sent in heading.sent])
    evidence = Evidence(domain, tuple(headings), {}, claims(logs))
    records, anchors = recorded_decisions(logs, contract), recorded_anchors(logs, contract)
    trails = {
        agent_id: _trail(bound[agent_id], keys, evidence, receipts, (records, anchors)) for agent_id in wanted
    }
    opens = [trail.charter.opens + 1 for trail in trails.values() if trail.charter]
    earlier = await read_headings(rpc, min([start, *opens]), start - 1, frozenset())
    return replace(evidence, trails=trails, headings=(*earlier, *headings))


def _trail(
    bound: BoundVault,
    keys: Mapping[Address, list[tuple[int, Address]]],
    evidence: Evidence,
    receipts: Mapping[str, Receipt],
    logged: tuple[Sequence[RecordedDecision], Sequence[RecordedAnchor]],
) -> Trail:
    mine = tuple(keys.get(bound.vault, []))
    own = {key for _, key in mine}
    charter, charter_block = None, 0
    submissions, amendments = [], []
    for heading in evidence.headings:
        for sent in heading.sent:
            if sent.sender not in own:
                continue
            if sent.to == sent.sender and charter is None:
                charter, charter_block = Charter.decode(sent.data), sent.block_number
            elif sent.to == sent.sender:
                amendment = Amendment.decode(sent.data)
                amendments += [amendment] if amendment and amendment.agent_id == bound.agent_id else []
            content = decode_submission(sent.data) if sent.to == bound.vault else None
            if content is not None:
                submissions.append(Submission(sent, _sealed(content, evidence.domain), receipts[sent.hash]))
    records, anchors = logged
    return Trail(
        bound,
        mine,
        charter,
        charter_block,
        tuple(submissions),
        {each.transaction_hash: each for each in records if each.decision.agent_id == bound.agent_id},
        {each.transaction_hash: each for each in anchors if each.agent_id == bound.agent_id},
        tuple(amendments),
    )


def _sealed(content: Submitted, domain: AuditDomain) -> Submitted:
    if content.decision is None:
        return content
    decision = replace(content.decision, digest=decision_digest(content.decision, domain))
    return replace(content, decision=decision)


async def _receipts(rpc: PatientRpc, hashes: Sequence[str]) -> dict[str, Receipt]:
    receipts: dict[str, Receipt] = {}
    for at in range(0, len(hashes), _RECEIPTS_AT_ONCE):
        some = hashes[at : at + _RECEIPTS_AT_ONCE]
        for digest, receipt in zip(some, await get_receipts(rpc, some), strict=True):
            if receipt is None:
                raise DivergenceError(f"The node has transaction {digest} in a block, and no receipt of it.")
            receipts[digest] = receipt
    return receipts


def _numbers(bound: Mapping[int, Any]) -> str:
    return ", ".join(str(number) for number in sorted(bound)[:20])
