"""Transactions: EIP-1559 with explicit nonces, signed here, sent in batches; receipts, and why one reverted."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self, TypeAlias

from defai.chain.codec import checksum, keccak, unhex
from defai.chain.keys import Signer
from defai.chain.revert import decode_revert
from defai.chain.rpc import Json, Rpc, RpcError
from defai.domain.tokens import Address
from defai.errors import DefaiError, DivergenceError, TooSlowError

Rlp: TypeAlias = "bytes | Sequence[Rlp]"
"""What RLP encodes: byte strings, and lists of such."""

_DYNAMIC_FEE: Final = b"\x02"
"""The type of an EIP-1559 transaction (EIP-2718)."""
_POLL_SECONDS: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """An EIP-1559 transaction before it is signed. `to` is None where it creates a contract."""

    chain_id: int
    nonce: int
    to: Address | None
    data: bytes
    gas: int
    max_fee_wei: int
    priority_fee_wei: int
    value_wei: int = 0

    def fields(self) -> list[Rlp]:
        """What is signed, in EIP-1559's order; the access list is empty."""
        return [
            _integer(self.chain_id),
            _integer(self.nonce),
            _integer(self.priority_fee_wei),
            _integer(self.max_fee_wei),
            _integer(self.gas),
            b"" if self.to is None else bytes.fromhex(self.to[2:]),
            _integer(self.value_wei),
            self.data,
            [],
        ]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What goes on the wire, and the hash it is known by."""

    raw: bytes
    hash: str
    sender: Address
    nonce: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a transaction.

    Attributes:
        succeeded: False where it reverted; its gas is paid all the same.
        gas_price_wei: what a unit of gas cost: base fee and tip.
        contract: the contract it created, if it did.
        logs: as the node gave them.
    """

    transaction_hash: str
    block_number: int
    block_hash: str
    index: int
    succeeded: bool
    gas_used: int
    gas_price_wei: int
    contract: Address | None
    logs: tuple[dict[str, Any], ...]

    @property
    def created(self) -> Address:
        """The contract it created.

        Raises:
            DivergenceError: where the node does not name it.
        """
        if self.contract is None:
            raise DivergenceError("The node gave a receipt of a deployment without the contract's address.")
        return self.contract


def sign(transaction: Transaction, signer: Signer) -> SignedTransaction:
    """Sign a transaction (EIP-1559: keccak of the type and the RLP of its fields)."""
    fields = transaction.fields()
    parity, r, s = signer.sign_digest(keccak(_DYNAMIC_FEE + rlp(fields)))
    raw = _DYNAMIC_FEE + rlp([*fields, _integer(parity), _integer(r), _integer(s)])
    return SignedTransaction(raw, "0x" + keccak(raw).hex(), signer.address, transaction.nonce)


class Wallet:
    """An account that sends: a signer and the nonce it is at. Nobody else may send from the account meanwhile."""

    def __init__(self, signer: Signer, *, chain_id: int, nonce: int = 0) -> None:
        self.signer = signer
        self.chain_id = chain_id
        self.nonce = nonce

    @property
    def address(self) -> Address:
        """The account's address."""
        return self.signer.address

    @classmethod
    async def connect(cls, signer: Signer, rpc: Rpc) -> Self:
        """A wallet at the chain's nonce."""
        chain_id, nonce = await rpc.batch(
            [("eth_chainId", ()), ("eth_getTransactionCount", (signer.address, "latest"))]
        )
        return cls(signer, chain_id=int(chain_id, 16), nonce=int(nonce, 16))

    async def resync(self, rpc: Rpc) -> None:
        """Take the nonce the chain has, after transactions were dropped."""
        self.nonce = await rpc.number("eth_getTransactionCount", self.address, "latest")

    def sign(
        self,
        to: Address | None,
        data: bytes,
        *,
        gas: int,
        max_fee_wei: int,
        priority_fee_wei: int,
        value_wei: int = 0,
    ) -> SignedTransaction:
        """Sign the account's next transaction; its nonce is used up by it.

        Args:
            to: the callee; None to create a contract from `data`.
            data: the call data.
            gas: the most gas it may use.
            max_fee_wei: the most a unit of gas may cost, tip included.
            priority_fee_wei: the tip for a unit of gas. Builders order a block by it, anvil by `max_fee_wei`: where the
                order matters, let both fall together.
            value_wei: ether that goes with it.
        """
        transaction = Transaction(
            chain_id=self.chain_id,
            nonce=self.nonce,
            to=to,
            data=data,
            gas=gas,
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
            value_wei=value_wei,
        )
        self.nonce += 1
        return sign(transaction, self.signer)


@dataclass(frozen=True, slots=True)
class Step:
    """One transaction of several that belong together.

    Attributes:
        to: the callee; None to create a contract.
        gas: the most it may use.
        purpose: what it is for, in words that finish "could not ...".
        value_wei: ether that goes with it.
    """

    to: Address | None
    data: bytes
    gas: int
    purpose: str
    value_wei: int = 0


async def carry_out(
    rpc: Rpc,
    wallet: Wallet,
    steps: Sequence[Step],
    *,
    max_fee_wei: int,
    priority_fee_wei: int,
    settle: Callable[[], Awaitable[object]] | None = None,
    timeout_seconds: float = 120.0,
) -> list[Receipt]:
    """Send one account's transactions, in order, and see each of them succeed.

    Args:
        rpc: the node.
        wallet: the account that sends them.
        steps: what to send.
        max_fee_wei: the most a unit of gas may cost.
        priority_fee_wei: the tip.
        settle: mines what was sent, on a chain that mines on demand; None where blocks come by themselves.
        timeout_seconds: how long blocks may take to come.

    Raises:
        DefaiError: naming the step that was refused or reverted, and why.
    """
    signed = [
        wallet.sign(
            step.to,
            step.data,
            gas=step.gas,
            max_fee_wei=max_fee_wei,
            priority_fee_wei=priority_fee_wei,
            value_wei=step.value_wei,
        )
        for step in steps
    ]
    for step, error in zip(steps, await send(rpc, signed), strict=True):
        if error is not None:
            raise DefaiError(f"Could not {step.purpose}: {error.message}.") from error
    if settle is not None:
        await settle()
    hashes = [transaction.hash for transaction in signed]
    receipts = await wait_for_receipts(rpc, hashes, timeout_seconds=timeout_seconds)
    for step, receipt in zip(steps, receipts, strict=True):
        if not receipt.succeeded:
            reason = await revert_reason(rpc, receipt.transaction_hash)
            raise DefaiError(f"Could not {step.purpose}: {reason}.")
    return receipts


def create_address(sender: Address, nonce: int) -> Address:
    """Where a contract comes to stand that an account creates at a nonce (Yellow Paper, section 7)."""
    return checksum("0x" + keccak(rlp([bytes.fromhex(sender[2:]), _integer(nonce)]))[12:].hex())


async def send(rpc: Rpc, transactions: Sequence[SignedTransaction]) -> list[RpcError | None]:
    """Send signed transactions in one round trip.

    Returns:
        For each, None, or why the node did not take it. A transaction it has already is taken.
    """
    requests = [("eth_sendRawTransaction", ("0x" + transaction.raw.hex(),)) for transaction in transactions]
    replies = await rpc.batch_settled(requests)
    return [reply if isinstance(reply, RpcError) and not _known_already(reply) else None for reply in replies]


async def get_receipts(rpc: Rpc, hashes: Sequence[str]) -> list[Receipt | None]:
    """Receipts of transactions in one round trip; None for one that is in no block yet."""
    replies = await rpc.batch([("eth_getTransactionReceipt", (digest,)) for digest in hashes])
    return [None if reply is None else _receipt(reply) for reply in replies]


async def wait_for_receipts(rpc: Rpc, hashes: Sequence[str], *, timeout_seconds: float) -> list[Receipt]:
    """Wait until all of these transactions are in blocks.

    Raises:
        TooSlowError: where one is not within the time.
    """
    deadline = asyncio.get_running_loop().time() + timeout_seconds
    while True:
        receipts = await get_receipts(rpc, hashes)
        there = [receipt for receipt in receipts if receipt is not None]
        if len(there) == len(hashes):
            return there
        if asyncio.get_running_loop().time() > deadline:
            missing = next(
                digest for digest, receipt in zip(hashes, receipts, strict=True) if receipt is None
            )
            raise TooSlowError(f"Transaction {missing} was in no block after {timeout_seconds:g} s.")
        await asyncio.sleep(_POLL_SECONDS)


async def revert_reason(rpc: Rpc, transaction_hash: str) -> str:
    """Why a transaction reverted, in words.

    A node that traces gives the very bytes it reverted with. On others the call is repeated on the block before it:
    what happened earlier in its own block is not seen then, and the answer says "probably".
    """
    try:
        trace = await rpc.call("debug_traceTransaction", transaction_hash, {"tracer": "callTracer"})
    except RpcError:
        return await _reason_by_repetition(rpc, transaction_hash)
    if not isinstance(trace, dict):
        return await _reason_by_repetition(rpc, transaction_hash)
    output = trace.get("output") or "0x"
    if output == "0x":
        return str(trace.get("error") or "it reverted without a reason")
    return decode_revert(unhex(output))


async def _reason_by_repetition(rpc: Rpc, transaction_hash: str) -> str:
    sent = await rpc.call("eth_getTransactionByHash", transaction_hash)
    if sent is None:
        raise DefaiError(f"The node does not know transaction {transaction_hash}.")
    call = {
        "from": sent["from"],
        "to": sent["to"],
        "data": sent["input"],
        "value": sent["value"],
        "gas": sent["gas"],
    }
    try:
        await rpc.call("eth_call", call, hex(int(sent["blockNumber"], 16) - 1))
    except RpcError as error:
        return f"probably: {decode_revert(error.revert_data) if error.revert_data else error.message}"
    return "unknown: repeated on the block before, it does not revert"


def rlp(item: Rlp) -> bytes:
    """Recursive length prefix (Yellow Paper, appendix B)."""
    if isinstance(item, bytes):
        if len(item) == 1 and item[0] < 0x80:
            return item
        return _prefixed(0x80, item)
    return _prefixed(0xC0, b"".join(map(rlp, item)))


def _prefixed(offset: int, payload: bytes) -> bytes:
    if len(payload) < 56:
        return bytes((offset + len(payload),)) + payload
    length = _integer(len(payload))
    return bytes((offset + 55 + len(length),)) + length + payload


def _integer(value: int) -> bytes:
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def _known_already(error: RpcError) -> bool:
    return "already known" in error.message or "already imported" in error.message


def _receipt(reply: Json) -> Receipt:
    created = reply.get("contractAddress")
    return Receipt(
        transaction_hash=reply["transactionHash"],
        block_number=int(reply["blockNumber"], 16),
        block_hash=reply["blockHash"],
        index=int(reply["transactionIndex"], 16),
        succeeded=reply["status"] == "0x1",
        gas_used=int(reply["gasUsed"], 16),
        gas_price_wei=int(reply["effectiveGasPrice"], 16),
        contract=checksum(created) if created else None,
        logs=tuple(reply["logs"]),
    )
