"""A stretch of blocks with their logs, believed only where headers, logs and parents agree."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final, NamedTuple

from defai.chain.download.logs import LogReader, place_of
from defai.chain.download.patience import LARGEST_BATCH, PatientRpc
from defai.chain.rpc import RpcReplyError
from defai.errors import DivergenceError, NotFoundError

LANES: Final = 4
"""Batches of headers under way at once."""
WIDEST_SPAN: Final = 2_000
"""Blocks whose headers are all fetched, in one span: what is lost when a download is killed."""
WIDEST_SPARSE_SPAN: Final = 20_000
"""The same where only blocks with logs get their headers."""


class Header(NamedTuple):
    """What is kept of a block's header."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int


class RawLog(NamedTuple):
    """A log, undecoded: numbers and hex digits as the node gave them."""

    block_number: int
    log_index: int
    pool: str
    transaction_hash: str
    topics: tuple[str, ...]
    data: str


@dataclass(frozen=True, slots=True)
class Span:
    """Blocks `first` to `last`.

    Attributes:
        headers: of all blocks; in a sparse span of the first, the last, and those with logs.
        logs: in the chain's order.
    """

    first: int
    last: int
    headers: tuple[Header, ...]
    logs: tuple[RawLog, ...]


class ReorganisedError(DivergenceError):
    """A block is not the child of the one before it."""


class SpanReader:
    """Reads spans.

    Args:
        rpc: the node.
        logs: reads the logs.
        sparse: whether headers of blocks without logs are left out.
    """

    def __init__(self, rpc: PatientRpc, logs: LogReader, *, sparse: bool = False) -> None:
        self._rpc = rpc
        self._logs = logs
        self._sparse = sparse

    async def read(self, first: int, last: int, parent: Header) -> Span:
        """The first blocks of a stretch.

        Args:
            first: the first block.
            last: the last block wanted; the span may end earlier.
            parent: the header of the block before the first.

        Raises:
            ReorganisedError: where the first block is not its parent's child.
            DivergenceError: where the node's answers go on contradicting each other.
            NotFoundError: where the node lacks a block.
        """
        widest = WIDEST_SPARSE_SPAN if self._sparse else WIDEST_SPAN
        return await self._rpc.patiently(
            lambda: self._once(first, min(last, first + widest - 1), parent), _is_contradiction
        )

    async def _once(self, first: int, last: int, parent: Header) -> Span:
        end, logs = await self._logs.read(first, last)
        if self._sparse:
            numbers = sorted({first, end, *(place_of(log)[0] for log in logs)})
        else:
            numbers = list(range(first, end + 1))
        headers = await read_headers(self._rpc, numbers)
        if headers[0].parent_hash != parent.hash and (await read_header(self._rpc, parent.number)) != parent:
            raise ReorganisedError(
                f"Block {parent.number:,} is another than it was when it was read: the chain was reorganised.",
                "Begin anew with --again.",
            )
        self._check_chain([parent, *headers])
        self._check_logs(headers, logs)
        return Span(first, end, tuple(headers), tuple(raw_log(log) for log in logs))

    def _check_chain(self, headers: Sequence[Header]) -> None:
        for before, after in pairwise(headers):
            if after.number == before.number + 1 and after.parent_hash != before.hash:
                raise _ContradictionError(
                    f"{self._rpc.name} gave blocks {before.number:,} and {after.number:,} of different chains.",
                    "Its answers come from nodes that disagree: try again later, or end further behind the head.",
                )

    def _check_logs(self, headers: Iterable[Header], logs: Iterable[Mapping[str, Any]]) -> None:
        hashes = {header.number: header.hash for header in headers}
        for log in logs:
            number, index = place_of(log)
            if log.get("removed"):
                raise _ContradictionError(
                    f"{self._rpc.name} gave log {index} of block {number:,}, which was removed by a reorganisation."
                )
            if log["blockHash"] != hashes[number]:
                raise _ContradictionError(
                    f"{self._rpc.name} gave a log of block {log['blockHash']} for block {number:,}, which is "
                    f"{hashes[number]}.",
                    "Its answers come from nodes that disagree: try again later, or end further behind the head.",
                )


async def read_headers(rpc: PatientRpc, numbers: Sequence[int]) -> list[Header]:
    """Headers of blocks by number, several batches at once.

    Raises:
        NotFoundError: where the node lacks a block.
    """
    batches = [numbers[i : i + LARGEST_BATCH] for i in range(0, len(numbers), LARGEST_BATCH)]
    headers: list[Header] = []
    for i in range(0, len(batches), LANES):
        some = await asyncio.gather(*(_batch(rpc, batch) for batch in batches[i : i + LANES]))
        headers += [header for batch in some for header in batch]
    return headers


async def read_header(rpc: PatientRpc, block: int | str) -> Header:
    """A block's header, by number or tag.

    Raises:
        NotFoundError: where the node lacks the block.
    """
    tag = block if isinstance(block, str) else hex(block)
    return _header(rpc, await rpc.call("eth_getBlockByNumber", tag, False), block)


def raw_log(log: Mapping[str, Any]) -> RawLog:
    """A log as it is kept."""
    number, index = place_of(log)
    return RawLog(
        number, index, log["address"].lower(), log["transactionHash"], tuple(log["topics"]), log["data"]
    )


class _ContradictionError(DivergenceError):
    """Two answers contradict each other: worth asking again."""


def _is_contradiction(error: BaseException) -> bool:
    return isinstance(error, _ContradictionError)


async def _batch(rpc: PatientRpc, numbers: Sequence[int]) -> list[Header]:
    answers = await rpc.batch([("eth_getBlockByNumber", (hex(number), False)) for number in numbers])
    return [_header(rpc, answer, number) for number, answer in zip(numbers, answers, strict=True)]


def _header(rpc: PatientRpc, answer: Any, block: int | str) -> Header:  # noqa: ANN401  whatever the node gave
    if answer is None:
        shown = f"{block:,}" if isinstance(block, int) else block
        raise NotFoundError(f"The node at {rpc.name} has no block {shown}.")
    try:
        header = Header(
            int(answer["number"], 16),
            answer["hash"],
            answer["parentHash"],
            int(answer["timestamp"], 16),
            int(answer.get("baseFeePerGas") or "0x0", 16),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RpcReplyError(f"What {rpc.name} says of block {block} makes no sense.") from error
    if isinstance(block, int) and header.number != block:
        raise RpcReplyError(f"{rpc.name} gave block {header.number:,} for {block:,}.")
    return header
