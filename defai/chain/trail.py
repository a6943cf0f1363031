"""What agents leave on a chain: their vaults and keys, and everything their keys ever sent."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from defai.chain.codec import checksum, topic, unhex, unsigned
from defai.chain.download.logs import LogReader
from defai.chain.download.patience import PatientRpc
from defai.chain.rpc import Json, Rpc, RpcError
from defai.chain.vault import DECISION_CLAIMED
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError

VAULT_BOUND: Final = "VaultBound(uint256,address)"
KEY_ROTATED: Final = "AgentKeyRotated(address,address)"
_BATCH: Final = 50


@dataclass(frozen=True, slots=True)
class BoundVault:
    """An agent's vault, as the audit contract knows it."""

    agent_id: int
    vault: Address
    block_number: int


@dataclass(frozen=True, slots=True)
class Sent:
    """A transaction of an account that is followed."""

    hash: str
    block_number: int
    index: int
    sender: Address
    to: Address | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Heading:
    """A block without its logs."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int
    sent: tuple[Sent, ...]


async def first_block_of(rpc: Rpc, contract: Address) -> int:
    """The block that a contract was created in, found by halving; the first of all where the node forgot old states.

    Raises:
        NotFoundError: where there is no contract now.
    """
    code, head = await rpc.batch([("eth_getCode", (contract, "latest")), ("eth_blockNumber", ())])
    if len(code) <= 2:
        raise NotFoundError(f"There is no contract at {contract}.", "Is it the right network?")
    low, high = 0, int(head, 16)
    while low < high:
        middle = (low + high) // 2
        (answer,) = await rpc.batch_settled([("eth_getCode", (contract, hex(middle)))])
        if isinstance(answer, RpcError):
            return 0
        there = len(answer) > 2
        low, high = (low, middle) if there else (middle + 1, high)
    return low


async def all_logs(
    rpc: PatientRpc, contracts: Sequence[Address], topics: Sequence[Any], first: int, last: int
) -> list[dict[str, Any]]:
    """The logs of some contracts in a stretch of blocks, in the chain's order."""
    logs: list[dict[str, Any]] = []
    reader = LogReader(rpc, contracts, topics)
    while first <= last:
        read, some = await reader.read(first, last)
        logs += some
        first = read + 1
    return logs


def bound_vaults(logs: Iterable[Mapping[str, Any]]) -> list[BoundVault]:
    """The vaults that logs of the audit bind to agents."""
    return [
        BoundVault(
            int(log["topics"][1], 16), checksum("0x" + log["topics"][2][26:]), int(log["blockNumber"], 16)
        )
        for log in logs
        if log["topics"][:1] == [topic(VAULT_BOUND)]
    ]


def key_changes(logs: Iterable[Mapping[str, Any]]) -> dict[Address, list[tuple[int, Address]]]:
    """By vault, from which block on it had which key."""
    keys: dict[Address, list[tuple[int, Address]]] = {}
    for log in logs:
        if log["topics"][:1] == [topic(KEY_ROTATED)]:
            change = (int(log["blockNumber"], 16), checksum("0x" + log["topics"][2][26:]))
            keys.setdefault(checksum(log["address"]), []).append(change)
    return keys


def claims(logs: Iterable[Mapping[str, Any]]) -> dict[int, tuple[int, int]]:
    """Records of anchored decisions that were claimed: agent and sequence by the record's number."""
    return {
        int(log["topics"][1], 16): (int(log["topics"][2], 16), unsigned(unhex(log["data"]), 1))
        for log in logs
        if log["topics"][:1] == [topic(DECISION_CLAIMED)]
    }


async def read_headings(rpc: Rpc, first: int, last: int, senders: frozenset[Address]) -> list[Heading]:
    """Blocks `first` to `last` with what some accounts sent in them.

    Raises:
        NotFoundError: where the node lacks one.
        DivergenceError: where one is not the child of the one before it.
    """
    lowered = frozenset(sender.lower() for sender in senders)
    headings: list[Heading] = []
    for start in range(first, last + 1, _BATCH):
        numbers = range(start, min(start + _BATCH, last + 1))
        answers = await rpc.batch([("eth_getBlockByNumber", (hex(number), True)) for number in numbers])
        for number, block in zip(numbers, answers, strict=True):
            if block is None:
                raise NotFoundError(f"The node at {rpc.name} has no block {number:,}.")
            heading = _heading(block, lowered)
            if headings and heading.parent_hash != headings[-1].hash:
                raise DivergenceError(f"Block {number:,} is not the child of the block before it.")
            headings.append(heading)
    return headings


def _heading(block: Json, senders: frozenset[str]) -> Heading:
    sent = [
        Sent(
            hash=transaction["hash"],
            block_number=int(block["number"], 16),
            index=int(transaction["transactionIndex"], 16),
            sender=checksum(transaction["from"]),
            to=checksum(transaction["to"]) if transaction.get("to") else None,
            data=unhex(transaction["input"]),
        )
        for transaction in block["transactions"]
        if transaction["from"].lower() in senders
    ]
    return Heading(
        number=int(block["number"], 16),
        hash=block["hash"],
        parent_hash=block["parentHash"],
        timestamp=int(block["timestamp"], 16),
        base_fee_wei=int(block.get("baseFeePerGas") or "0x0", 16),
        sent=tuple(sent),
    )
