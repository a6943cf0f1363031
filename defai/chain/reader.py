"""One reader for all agents: a block, its events and every pool's state in a single round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from defai.chain.codec import checksum
from defai.chain.decode import decode_pool_logs, pair_topics, pool_topics
from defai.chain.lens import LensAnswer, LensQuery, PoolQuery, decode_lens, lens_request, lens_words
from defai.chain.pairs import read_reserves, reserves_request
from defai.chain.rpc import Json, Request, Rpc, RpcError
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError
from defai.market.state import PoolReport


@dataclass(frozen=True, slots=True)
class BlockReading:
    """A block and what stood on the chain after it.

    Attributes:
        pools: what the chain says of each pool, by address: a fold over events must arrive at the same.
        balances: idle tokens in smallest units, by account and token address; empty unless accounts were given.
    """

    block: Block
    pools: Mapping[Address, PoolReport]
    balances: Mapping[Address, Mapping[Address, int]]


class BlockReader:
    """Reads blocks. Its call data are packed once, and again when other accounts are asked for.

    It believes no single answer: logs must be the block's own, and each block read must be the child of the one read
    before it where they are neighbours.

    Args:
        rpc: the node.
        pools: the pools whose events and state are read.
    """

    def __init__(self, rpc: Rpc, pools: Sequence[PoolKey]) -> None:
        self.rpc = rpc
        self.pools = tuple(pools)
        self._override = True
        self._pairs = tuple(key for key in pools if key.is_pair)
        topics = [*pool_topics(), *(pair_topics() if self._pairs else ())]
        self._filter = {"address": [key.address for key in pools], "topics": [topics]}
        tokens = {token.address: token for key in pools for token in (key.token0, key.token1)}
        lensed = tuple(PoolQuery(key.address) for key in pools if not key.is_pair)
        self._query = LensQuery(lensed, tuple(tokens))
        self._data = self._query.data()
        self._last: Block | None = None

    async def head(self) -> int:
        """Number of the newest block."""
        return await self.rpc.number("eth_blockNumber")

    async def read(self, number: int, *, accounts: Sequence[Address] = ()) -> BlockReading:
        """Read a block, the events of the pools in it, and their state after it.

        Args:
            number: the block's number.
            accounts: whose balances of the pools' tokens are read along.

        Raises:
            NotFoundError: where the node has no such block.
            RpcError: where the node has the block, but not its state or its logs (no archive, or not yet).
            DivergenceError: where the node's answers contradict each other: logs of another block, a block that is
                not the child of its parent, a pool that answers nothing.
        """
        header, logs, words, reserves = await self._ask(number, accounts)
        try:
            block = self._block(header, logs, number)
            answer = decode_lens(self._query, words)
            pairs = {
                key.address: read_reserves(key, held) for key, held in zip(self._pairs, reserves, strict=True)
            }
        except (KeyError, TypeError, ValueError) as error:
            raise self._nonsense(number) from error
        pools = {**self._readings(answer), **pairs}
        balances = self._balances(answer)
        self._last = block
        return BlockReading(block, pools, balances)

    def forget(self) -> None:
        """Expect no particular parent of the next block: the caller goes back over a reorganisation."""
        self._last = None

    async def _ask(self, number: int, accounts: Sequence[Address]) -> tuple[Json, Json, bytes, list[Json]]:
        """The block's header, its logs, what the lens read of it, and what the pairs say of their reserves."""
        for override in (self._override, False):
            requests = self._requests(number, accounts, override=override)
            header, logs, answer, *reserves = await self.rpc.batch_settled(requests)
            if header is None:
                raise NotFoundError(f"The node at {self.rpc.name} has no block {number:,}.")
            for result in (header, logs, *reserves):
                if isinstance(result, RpcError):
                    raise result
            try:
                words = lens_words(answer, override=override)
            except (TypeError, ValueError) as error:
                raise self._nonsense(number) from error
            if words is not None:
                self._override = override
                break
        return header, logs, words or b"", reserves

    def _requests(self, number: int, accounts: Sequence[Address], *, override: bool) -> list[Request]:
        if tuple(accounts) != self._query.accounts:
            self._query = replace(self._query, accounts=tuple(accounts))
            self._data = self._query.data()
        height = hex(number)
        return [
            ("eth_getBlockByNumber", (height, False)),
            ("eth_getLogs", ({"fromBlock": height, "toBlock": height, **self._filter},)),
            lens_request(self._data, height, override=override),
            *(reserves_request(key, height) for key in self._pairs),
        ]

    def _nonsense(self, number: int) -> DivergenceError:
        return DivergenceError(f"What the node at {self.rpc.name} says of block {number:,} makes no sense.")

    def _block(self, header: Json, logs: Json, number: int) -> Block:
        if int(header["number"], 16) != number:
            raise DivergenceError(
                f"The node at {self.rpc.name} gave block {header['number']} for {number:,}."
            )
        for log in logs:
            if log["blockHash"] != header["hash"]:
                raise DivergenceError(
                    f"The node at {self.rpc.name} gave logs of block {log['blockHash']} for block {number:,}, "
                    f"which is {header['hash']}."
                )
        last = self._last
        if last is not None and last.number == number - 1 and last.hash != header["parentHash"]:
            raise DivergenceError(
                f"Block {number:,} is not the child of the block {last.number:,} that was read before it.",
                "The chain was reorganised, or the node answers from another chain.",
            )
        watched = {key.address for key in self.pools}
        events = decode_pool_logs(log for log in logs if checksum(log["address"]) in watched)
        return Block(
            number=number,
            hash=header["hash"],
            parent_hash=header["parentHash"],
            timestamp=int(header["timestamp"], 16),
            base_fee_wei=int(header.get("baseFeePerGas") or "0x0", 16),
            events=events,
        )

    def _readings(self, answer: LensAnswer) -> dict[Address, PoolReport]:
        readings: dict[Address, PoolReport] = {}
        lensed = [key for key in self.pools if not key.is_pair]
        for key, pool in zip(lensed, answer.pools, strict=True):
            if pool is None:
                raise DivergenceError(
                    f"There is no Uniswap v3 pool at {key.address} ({key.name}) at that block."
                )
            readings[key.address] = pool.report
        return readings

    def _balances(self, answer: LensAnswer) -> dict[Address, dict[Address, int]]:
        balances: dict[Address, dict[Address, int]] = {}
        for account, told in zip(self._query.accounts, answer.accounts, strict=True):
            held = balances[account] = {}
            for token, amount in told.balances.items():
                if amount is None:
                    raise DivergenceError(f"The token {token} does not say what {account} holds.")
                held[token] = amount
        return balances
