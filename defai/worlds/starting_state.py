"""The state that fetched logs are replayed from, however a node can be brought to tell it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from defai.amm import Pool
from defai.chain.codec import topic
from defai.chain.decode import BURN, INITIALIZE, MINT, SWAP, decode_pool_logs
from defai.chain.download.logs import LogReader
from defai.chain.download.patience import PatientRpc
from defai.chain.download.spans import Header
from defai.chain.pools import snapshot_pool
from defai.chain.rpc import RpcError
from defai.domain.chain_events import Block, LiquidityBurned, LiquidityMinted, PoolInitialized, PoolSwapped
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DefaiError, NotFoundError
from defai.worlds.recording import pool_state, read_pool
from defai.worlds.rolling_back import LastWord, roll_back

FIRST_LOOK_BACK = 2_048
"""Blocks before the beginning that are searched for the last swap first; each further look is twice as far."""


class States(NamedTuple):
    """What a node says of pools after a block.

    Attributes:
        header: the block's.
        pools: by address, those whose state it has; a pool that was not initialised yet has no price.
        refusal: the node's words where it keeps no state that old; empty where it has all.
    """

    header: Header
    pools: Mapping[Address, Pool]
    refusal: str

    def written(self) -> dict[str, Any]:
        """As a journal has it."""
        pools = {address: pool_state(pool) for address, pool in self.pools.items()}
        return {"header": list(self.header), "pools": pools, "refusal": self.refusal}

    @classmethod
    def read(cls, raw: Mapping[str, Any], keys: Iterable[PoolKey]) -> "States":
        """The reverse of `written`."""
        by_address = {key.address: key for key in keys}
        pools = {address: read_pool(by_address[address], state) for address, state in raw["pools"].items()}
        return cls(Header(*raw["header"]), pools, raw["refusal"])


async def read_states(rpc: PatientRpc, keys: Sequence[PoolKey], header: Header) -> States:
    """The pools after a block, as far as the node keeps them."""
    pools: dict[Address, Pool] = {}
    refusal = ""
    for key in keys:
        try:
            pools[key.address] = await snapshot_pool(rpc, key, header.number)
        except NotFoundError:
            pools[key.address] = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
        except RpcError as error:
            refusal = error.message
    return States(header, pools, refusal)


async def roll_back_all(
    rpc: PatientRpc,
    keys: Iterable[PoolKey],
    closing: States,
    head: Header,
    blocks: Callable[[], Iterator[Block]],
) -> dict[Address, Pool]:
    """The pools at the beginning, from their state at the end and the logs between.

    Args:
        rpc: the node; only its logs are asked for.
        keys: the pools.
        closing: their state at the end.
        head: header of the block that the state at the beginning belongs to.
        blocks: the blocks between, anew each time.

    Raises:
        DefaiError: where the state at the end is unknown too, or the logs don't lead to it exactly.
    """
    opening: dict[Address, Pool] = {}
    for key in keys:
        if key.address not in closing.pools:
            raise DefaiError(
                f"The node at {rpc.name} keeps no state of {key.name} at block {head.number:,}, nor at block "
                f"{closing.header.number:,}: {closing.refusal.strip().rstrip('.')}.",
                "Ask a node with an archive, end at `latest`, or begin at `creation`.",
            )
        word = await last_word(rpc, key, head.number)
        opening[key.address] = roll_back(key, closing.pools[key.address], blocks(), word, head.timestamp)
    return opening


async def last_word(rpc: PatientRpc, key: PoolKey, number: int) -> LastWord:
    """What the logs up to a block say of a pool's price, tick and liquidity in range after it.

    Raises:
        NotFoundError: where there is no swap before the block and no beginning of the pool.
    """
    reader = LogReader(rpc, [key.address], [[topic(event) for event in (INITIALIZE, SWAP, MINT, BURN)]])
    later: list[Any] = []
    last, reach = number, FIRST_LOOK_BACK
    while last >= 0:
        first = max(0, last - reach + 1)
        found = await _all_logs(reader, first, last)
        events = [*_decoded(found), *later]
        begins = [i for i, event in enumerate(events) if isinstance(event, PoolSwapped | PoolInitialized)]
        if begins:
            return _word(events[begins[-1] :])
        later = events
        last, reach = first - 1, 2 * reach
    raise NotFoundError(f"No log before block {number + 1:,} says where the price of {key.name} stood.")


async def _all_logs(reader: LogReader, first: int, last: int) -> list[dict[str, Any]]:
    logs: list[dict[str, Any]] = []
    while first <= last:
        end, some = await reader.read(first, last)
        logs += some
        first = end + 1
    return logs


def _decoded(logs: Iterable[dict[str, Any]]) -> list[Any]:
    """Events in the chain's order: `decode_pool_logs` knows the order within one block only."""
    return [event for log in logs for event in decode_pool_logs([log])]


def _word(events: Sequence[Any]) -> LastWord:
    begin = events[0]
    liquidity = begin.liquidity if isinstance(begin, PoolSwapped) else 0
    for event in events[1:]:
        if (
            isinstance(event, LiquidityMinted | LiquidityBurned)
            and event.tick_lower <= begin.tick < event.tick_upper
        ):
            liquidity += event.liquidity if isinstance(event, LiquidityMinted) else -event.liquidity
    return LastWord(begin.sqrt_price_x96, begin.tick, liquidity)
