"""The sim world: the same market, vaults and positions as on the stand-in, in memory, without a chain.

It serves to generate history in milliseconds a block, and to run a fleet where no anvil is to be had. Its pools are
exact; its gas is the estimate of `defai.agent.gas`.
"""

from collections.abc import Mapping, Sequence

from eth_hash.auto import keccak

from defai.agent import gas
from defai.agent.ports import Arrival, Opening, Submission
from defai.amm import Pool
from defai.amm.pair_pool import pair_of
from defai.domain.chain_events import Block, PairSynced, PoolEvent, PoolInitialized, PoolSwapped
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.market.state import MarketState
from defai.market.unborn import unborn
from defai.market.valuation import Valuation
from defai.marketsim.actions import (
    MarketAction,
    MarketBurn,
    MarketInitialize,
    MarketMint,
    MarketProvide,
    MarketSwap,
)
from defai.marketsim.execution import perform
from defai.marketsim.market import Market
from defai.worlds.block_order import BlockItem, compose
from defai.worlds.in_memory import InMemory
from defai.worlds.seating import SeatRequest


class SimWorld(InMemory):
    """A market in memory.

    Args:
        market: the other people in it; its keys are the pools.
        valuation: what money is.
        requests: the agents, in the order in which they act within a block.
        first_block: the market lives through so many blocks before the agents get their money; they can look back on
            them.
        last_block: the market ends with this one; None leaves it to the path.
    """

    network = "sim"

    def __init__(
        self,
        market: Market,
        valuation: Valuation,
        requests: Sequence[SeatRequest] = (),
        *,
        first_block: int = 0,
        last_block: int | None = None,
    ) -> None:
        keys: dict[Address, PoolKey] = {key.address: key for key in market.keys}
        pools = {key.address: unborn(key) for key in market.keys}
        head = Block(0, "0x" + "00" * 32, "0x" + "00" * 32, 0, 0)
        super().__init__(keys, pools, valuation, requests, head)
        self.market = market
        self._first_block = first_block
        self._last_block = market.last_block if last_block is None else last_block
        self.feed = self
        self.executor = self
        self._provided: dict[tuple[str, Address, int, int], int] = {}

    @property
    def pools(self) -> Mapping[Address, Pool]:
        """The pools as they stand, to read."""
        return self._pools

    async def open(self) -> Opening:
        """Create and seed the pools, and give the agents their money."""
        timestamp = self.market.timestamp(0)
        events: list[PoolEvent] = []
        for action in self.market.opening():
            events += self._perform(action, (0, timestamp))
        self._head = self._seal_block(0, timestamp, self.market.base_fee_wei(0), events)
        replicas = {address: pool.copy() for address, pool in self._pools.items()}
        market = MarketState(self._keys.values(), replicas, self._head)
        while self._head.number < self._first_block and (arrival := await self.next()) is not None:
            market.apply(arrival.block)
        return Opening(market, self._seat())

    def warm_up(self, wanted: int) -> int:
        """All of them: asking for a block makes it."""
        return wanted

    async def make_block(self) -> Arrival | None:
        """A block, with or without the market's people."""
        if self._path_ended(self._head.number + 1):
            return self._make_block(
                self._head.number + 1, self._head.timestamp + 1, self._head.base_fee_wei, self._order()
            )
        return await self.next()

    async def next(self) -> Arrival | None:
        """Let everyone act, and make the block of it; None where the market's path has ended."""
        index = self._head.number + 1
        if self._path_ended(index):
            return None
        items = compose(self.market, index, self._pools, self._order())
        return self._make_block(index, self.market.timestamp(index), self.market.base_fee_wei(index), items)

    def _path_ended(self, index: int) -> bool:
        return self._last_block is not None and index > self._last_block

    def _make_block(self, number: int, timestamp: int, base_fee: int, items: Sequence[BlockItem]) -> Arrival:
        events: list[PoolEvent] = []
        for item in items:
            if isinstance(item, Submission):
                events += self._carry_out(item, number, timestamp, base_fee)
            else:
                events += self._perform(item, (number, timestamp))
        self._pending.clear()
        self._head = self._seal_block(number, timestamp, base_fee, events)
        return Arrival(self._head)

    def _carry_out(
        self, submission: Submission, number: int, timestamp: int, base_fee: int
    ) -> list[PoolEvent]:
        block, gas_wei = (number, timestamp), base_fee + gas.TIP_WEI if base_fee else 0
        settlement, events = self.till.carry_out(self._vaults, submission, block, gas_wei, self._valuation)
        self._settled[submission.agent] = settlement
        return events

    def _perform(self, action: MarketAction, block: tuple[int, int]) -> list[PoolEvent]:
        events: list[PoolEvent] = []
        pool = self._pools[action.pool]
        match action:
            case MarketInitialize():
                perform(action, pool, timestamp=block[1])
                events.append(PoolInitialized(action.pool, pool.sqrt_price_x96, pool.tick, 0, ""))
            case MarketSwap():
                moved = perform(action, pool, timestamp=block[1])
                if moved is not None:
                    state = (pool.sqrt_price_x96, pool.liquidity, pool.tick)
                    events.append(PoolSwapped(action.pool, action.actor, action.actor, *moved, *state, 0, ""))
            case MarketProvide():
                perform(action, pool, timestamp=block[1])
                pair = pair_of(pool)
                events.append(PairSynced(action.pool, pair.reserve0, pair.reserve1, 0, ""))
            case MarketMint():
                ticks, amounts = (action.tick_lower, action.tick_upper), (action.amount0, action.amount1)
                minted = self._book.mint(action.pool, ticks, amounts, (0, 0), block, events.append)
                self._provided[action.actor, action.pool, *ticks] = minted[0].token_id
            case MarketBurn():
                place = (action.actor, action.pool, action.tick_lower, action.tick_upper)
                token_id = self._provided.pop(place)
                liquidity = self._book.positions[token_id].liquidity
                self._book.decrease(token_id, liquidity, (0, 0), block[1], events.append)
                self._book.collect(token_id, block[1], action.actor, events.append)
                self._book.burn(token_id)
        return events

    def _seal_block(self, number: int, timestamp: int, base_fee: int, events: list[PoolEvent]) -> Block:
        content = f"{self._head.hash}:{number}:{timestamp}:{base_fee}:{events!r}"
        digest = "0x" + keccak(content.encode()).hex()
        return Block(number, digest, self._head.hash, timestamp, base_fee, tuple(events))
