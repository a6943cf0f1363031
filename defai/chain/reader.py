"""One reader for all agents: a block, its events and every pool's state in a single round trip."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from defai.chain.codec import address_word, checksum, selector, signed, unhex, unsigned
from defai.chain.decode import decode_pool_logs, pool_topics
from defai.chain.multicall import decode_aggregate3, encode_aggregate3, multicall_request
from defai.chain.rpc import Json, Request, Rpc, RpcError
from defai.domain.chain_events import Block
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError, NotFoundError
from defai.market.state import PoolReport

POOL_GETTERS: Final = ("slot0()", "liquidity()", "feeGrowthGlobal0X128()", "feeGrowthGlobal1X128()")
"""What is asked of every pool in every block."""
BALANCE_OF: Final = "balanceOf(address)"


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
    """Reads blocks. Its call data are packed once.

    It believes no single answer: logs must be the block's own, and each block read must be the child of the one read
    before it where they are neighbours.

    Args:
        rpc: the node.
        pools: the pools whose events and state are read.
    """

    def __init__(self, rpc: Rpc, pools: Sequence[PoolKey]) -> None:
        self.rpc = rpc
        self.pools = tuple(pools)
        self._calls = [Call(key.address, selector(getter)) for key in pools for getter in POOL_GETTERS]
        self._data = encode_aggregate3(self._calls)
        self._accounts: tuple[Address, ...] = ()
        self._filter = {"address": [key.address for key in pools], "topics": [pool_topics()]}
        tokens = {token.address: token for key in pools for token in (key.token0, key.token1)}
        self._tokens = tuple(tokens)
        self._last: Block | None = None

    async def head(self) -> int:
        """Number of the newest block."""
        return int(await self.rpc.call("eth_blockNumber"), 16)

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
        header, logs, answer = await self.rpc.batch_settled(self._requests(number, accounts))
        if header is None:
            raise NotFoundError(f"The node at {self.rpc.name} has no block {number:,}.")
        for result in (header, logs, answer):
            if isinstance(result, RpcError):
                raise result
        count = len(self._calls) + len(self._accounts) * len(self._tokens)
        try:
            block = self._block(header, logs, number)
            data = unhex(answer)
        except (KeyError, TypeError, ValueError) as error:
            raise DivergenceError(
                f"What the node at {self.rpc.name} says of block {number:,} makes no sense."
            ) from error
        results = decode_aggregate3(data, count)
        pools = self._readings(results)
        balances = self._balances(results[len(self._calls) :])
        self._last = block
        return BlockReading(block, pools, balances)

    def forget(self) -> None:
        """Expect no particular parent of the next block: the caller goes back over a reorganisation."""
        self._last = None

    def _requests(self, number: int, accounts: Sequence[Address]) -> list[Request]:
        if tuple(accounts) != self._accounts:
            self._accounts = tuple(accounts)
            holdings = [
                Call(token, selector(BALANCE_OF) + address_word(account))
                for account in self._accounts
                for token in self._tokens
            ]
            self._data = encode_aggregate3([*self._calls, *holdings])
        height = hex(number)
        return [
            ("eth_getBlockByNumber", (height, False)),
            ("eth_getLogs", ({"fromBlock": height, "toBlock": height, **self._filter},)),
            multicall_request(self._data, height),
        ]

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

    def _readings(self, results: Sequence[bytes | None]) -> dict[Address, PoolReport]:
        readings: dict[Address, PoolReport] = {}
        width = len(POOL_GETTERS)
        for i, key in enumerate(self.pools):
            answer = decode_pool(results[i * width : (i + 1) * width])
            if answer is None:
                raise DivergenceError(
                    f"There is no Uniswap v3 pool at {key.address} ({key.name}) at that block."
                )
            readings[key.address] = answer[0]
        return readings

    def _balances(self, results: Sequence[bytes | None]) -> dict[Address, dict[Address, int]]:
        balances: dict[Address, dict[Address, int]] = {}
        answers = iter(results)
        for account in self._accounts:
            held = balances[account] = {}
            for token in self._tokens:
                answer = next(answers)
                if not answer:
                    raise DivergenceError(f"The token {token} does not say what {account} holds.")
                held[token] = unsigned(answer)
        return balances


def decode_pool(results: Sequence[bytes | None]) -> tuple[PoolReport, int] | None:
    """A pool's state and its protocol fee, from its answers to `POOL_GETTERS`; None where it is no pool."""
    slot0, liquidity, growth0, growth1 = results
    if not slot0 or not liquidity or not growth0 or not growth1 or len(slot0) != 7 * 32:
        return None
    report = PoolReport(
        sqrt_price_x96=unsigned(slot0),
        tick=signed(slot0, 1),
        liquidity=unsigned(liquidity),
        fee_growth_global0_x128=unsigned(growth0),
        fee_growth_global1_x128=unsigned(growth1),
    )
    return report, unsigned(slot0, 5)
