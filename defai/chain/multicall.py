"""Many calls in one: Multicall3.aggregate3, its call data and its answer cut by hand."""

from collections.abc import Sequence
from typing import Final

from defai.chain import mainnet
from defai.chain.codec import WORD, address_word, selector, unhex, word
from defai.chain.rpc import Request, Rpc, RpcError
from defai.domain.operations import Call
from defai.errors import DivergenceError

AGGREGATE3: Final = "aggregate3((address,bool,bytes)[])"
CHUNK: Final = 600
"""Calls in one eth_call: far below the gas and the size that nodes allow one."""
SINGLE_CALLS_AT_ONCE: Final = 100
"""Calls in one round trip where there is no Multicall3."""
CHUNKS_AT_ONCE: Final = 3
"""eth_calls in one round trip: below a megabyte, which is what some nodes accept."""
_CALL_HEAD: Final = 3 * WORD


def encode_aggregate3(calls: Sequence[Call]) -> bytes:
    """Call data that makes all these calls; one that fails does not stop the others."""
    heads: list[bytes] = []
    bodies: list[bytes] = []
    offset = len(calls) * WORD
    for call in calls:
        padded = call.data + bytes(-len(call.data) % WORD)
        body = b"".join((address_word(call.target), word(1), word(_CALL_HEAD), word(len(call.data)), padded))
        heads.append(word(offset))
        bodies.append(body)
        offset += len(body)
    return b"".join((selector(AGGREGATE3), word(WORD), word(len(calls)), *heads, *bodies))


def decode_aggregate3(answer: bytes, count: int) -> list[bytes | None]:
    """What each call returned; None for one that failed.

    Raises:
        DivergenceError: where the answer isn't one to `count` calls.
    """
    start = 2 * WORD
    if len(answer) < start + count * WORD or int.from_bytes(answer[WORD:start], "big") != count:
        raise DivergenceError(
            f"Multicall3 gave no answer to {count} calls.",
            f"Is there a contract at {mainnet.MULTICALL3} at that block?",
        )
    results: list[bytes | None] = []
    for i in range(count):
        head = start + i * WORD
        at = start + int.from_bytes(answer[head : head + WORD], "big")
        length = int.from_bytes(answer[at + 2 * WORD : at + _CALL_HEAD], "big")
        result = answer[at + _CALL_HEAD : at + _CALL_HEAD + length]
        if len(answer) < at + _CALL_HEAD or len(result) != length:
            raise DivergenceError(f"Multicall3's answer to {count} calls breaks off in the {i + 1}th.")
        results.append(result if answer[at + WORD - 1] else None)
    return results


def multicall_request(data: bytes, block: str) -> Request:
    """The eth_call that carries aggregate3's call data.

    Args:
        data: from `encode_aggregate3`.
        block: a block's number in hex, or "latest".
    """
    return "eth_call", ({"to": mainnet.MULTICALL3, "data": "0x" + data.hex()}, block)


async def multicall(rpc: Rpc, calls: Sequence[Call], block: str) -> list[bytes | None]:
    """Make many read-only calls at a block, in few round trips; None for a call that failed."""
    chunks = [calls[i : i + CHUNK] for i in range(0, len(calls), CHUNK)]
    results: list[bytes | None] = []
    for i in range(0, len(chunks), CHUNKS_AT_ONCE):
        some = chunks[i : i + CHUNKS_AT_ONCE]
        answers = await rpc.batch([multicall_request(encode_aggregate3(chunk), block) for chunk in some])
        for chunk, answer in zip(some, answers, strict=True):
            if answer == "0x":
                results += await _one_by_one(rpc, chunk, block)
            else:
                results += decode_aggregate3(unhex(answer), len(chunk))
    return results


async def _one_by_one(rpc: Rpc, calls: Sequence[Call], block: str) -> list[bytes | None]:
    """The same calls without Multicall3: it is younger than Uniswap v3 (mainnet's block 14,353,601)."""
    results: list[bytes | None] = []
    for i in range(0, len(calls), SINGLE_CALLS_AT_ONCE):
        requests = [
            ("eth_call", ({"to": call.target, "data": "0x" + call.data.hex()}, block))
            for call in calls[i : i + SINGLE_CALLS_AT_ONCE]
        ]
        answers = await rpc.batch_settled(requests)
        for answer in answers:
            if isinstance(answer, RpcError) and not is_revert(answer):
                raise answer
        results += [None if isinstance(answer, RpcError) else unhex(answer) for answer in answers]
    return results


def is_revert(error: RpcError) -> bool:
    """Whether it was the contract that refused, not the node."""
    return error.code == 3 or error.revert_data is not None or "revert" in error.message.lower()
