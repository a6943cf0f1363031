"""The market under the ladder: rebuilt from a block's state and the logs behind it, held to the chain at the end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from defai.audit.charter import Charter
from defai.audit.ladder.findings import Comparison
from defai.chain.codec import address_word, checksum, selector, unsigned
from defai.chain.decode import decode_pool_logs, pair_topics, pool_topics
from defai.chain.download.patience import PatientRpc
from defai.chain.mainnet import ALL_POOLS
from defai.chain.multicall import multicall
from defai.chain.pools import describe_pool, snapshot_pool
from defai.chain.reader import BlockReader
from defai.chain.trail import all_logs
from defai.domain.chain_events import Block
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError
from defai.market import tripwire
from defai.market.state import MarketState
from defai.session.verification.evidence import Evidence, Trail


@dataclass(frozen=True, slots=True)
class Ledge:
    """Which market an agent looks at: from the state after which block on, and which pools."""

    opens: int
    watched: tuple[Address, ...]


def ledge_of(charter: Charter) -> Ledge:
    """The market of a charter."""
    return Ledge(charter.opens, charter.watched)


class Ground:
    """A market that is folded block by block.

    Attributes:
        market: as it stands.
        fault: why it cannot be folded on; empty where it can.
        contradictions: where it is not what the chain says of its last block.
    """

    def __init__(
        self, rpc: PatientRpc, market: MarketState, evidence: Evidence, logs: Mapping[int, list[object]]
    ) -> None:
        self.market = market
        self.fault = ""
        self.contradictions: list[Comparison] = []
        self._rpc = rpc
        self._evidence = evidence
        self._logs = logs
        self._opens = market.head.number
        self._events = 0

    @classmethod
    async def read(cls, rpc: PatientRpc, evidence: Evidence, ledge: Ledge, until: int | None) -> Self:
        """The market as it stood when the ledge begins, and the logs of everything behind it.

        Raises:
            NotFoundError: where the node keeps no state that old.
        """
        head = await _opening_block(rpc, ledge.opens)
        keys = [await _key(rpc, address) for address in ledge.watched]
        pools = {key.address: await snapshot_pool(rpc, key, ledge.opens) for key in keys}
        market = MarketState(keys, pools, head)
        newest = evidence.headings[-1].number
        last = newest if until is None else min(until, newest)
        by_block: dict[int, list[object]] = {}
        topics = [*pool_topics(), *(pair_topics() if any(key.is_pair for key in keys) else ())]
        for log in await all_logs(rpc, list(ledge.watched), [topics], ledge.opens + 1, last):
            by_block.setdefault(int(log["blockNumber"], 16), []).append(log)
        return cls(rpc, market, evidence, by_block)

    @property
    def words(self) -> str:
        """How it was rebuilt."""
        behind = self.market.head.number - self._opens
        return f"{self._events:,} pool events in {behind:,} blocks, folded from the state after block {self._opens:,}"

    def blocks(self, until: int | None) -> Sequence[int]:
        """The blocks behind where it begins."""
        last = self._evidence.headings[-1].number
        return range(self._opens + 1, (last if until is None else min(until, last)) + 1)

    def fold(self, number: int) -> bool:
        """Fold a block in; False, and a contradiction, where the pools cannot have done what its logs say."""
        heading = self._evidence.heading(number)
        logs = self._logs.get(number, [])
        if heading is None:
            self.fault = f"block {number:,} was not read"
            return False
        try:
            events = decode_pool_logs(logs)  # type: ignore[arg-type]  # logs as the node gives them
            self.market.apply(
                Block(
                    heading.number,
                    heading.hash,
                    heading.parent_hash,
                    heading.timestamp,
                    heading.base_fee_wei,
                    events,
                )
            )
        except DivergenceError as contradiction:
            self.fault = contradiction.sentence
            self.contradictions.append(Comparison("the pools' logs", self.fault, "no contradiction"))
            return False
        self._events += len(events)
        return True

    async def hold_to_chain(self) -> None:
        """Compare every pool, as the logs left it, with what the chain says of it after the last block."""
        if self.fault or self.market.head.number == self._opens:
            return
        reader = BlockReader(self._rpc, tuple(self.market.keys.values()))
        reading = await reader.read(self.market.head.number)
        try:
            tripwire.check(self.market, reading.pools)
        except DivergenceError as contradiction:
            self.contradictions.append(
                Comparison("the pools after the logs", contradiction.sentence, "as on the chain")
            )

    async def funds(self, rpc: PatientRpc, trail: Trail, charter: Charter) -> list[Comparison]:
        """What of a charter's funds the vault did not hold when it was announced."""
        calls = [
            Call(checksum(token), selector("balanceOf(address)") + address_word(trail.bound.vault))
            for token, _ in charter.funds
        ]
        answers = await multicall(rpc, calls, hex(trail.charter_block))
        held = [unsigned(answer) if answer else 0 for answer in answers]
        return [
            Comparison(f"funds of {token}", str(amount), str(there))
            for (token, amount), there in zip(charter.funds, held, strict=True)
            if amount != there
        ]


async def _opening_block(rpc: PatientRpc, number: int) -> Block:
    header = await rpc.call("eth_getBlockByNumber", hex(number), False)
    if header is None:
        raise NotFoundError(f"The node at {rpc.name} has no block {number:,}.")
    return Block(
        number,
        header["hash"],
        header["parentHash"],
        int(header["timestamp"], 16),
        int(header.get("baseFeePerGas") or "0x0", 16),
    )


async def _key(rpc: PatientRpc, address: Address) -> PoolKey:
    known = {key.address: key for key in ALL_POOLS}
    return known.get(address) or await describe_pool(rpc, address)
