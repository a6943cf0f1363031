"""The replay world: recorded events happen again, and our agents are among them.

A block's recorded events come first, then the agents' plans of the block before, as in the sim world. As long as
nobody of ours has touched a pool it follows its history to the last unit. From then on each recorded swap is made
again on the pool as it is, by one of two rules:

- `amounts`: the recorded trader brings the same amount, and one who stopped at a price stops there again. Our liquidity
  takes its share of the fees and softens the price; what our own swaps did to the price lasts until such a trader.
- `prices`: the recorded price is reached, whatever volume that takes. Our liquidity brings more volume along, and
  what our swaps did to the price lasts until the next recorded one.

A recorded swap that no call reproduces (it crossed ticks that are not known) is imposed: price and tick are the
recorded ones, the liquidity in range is the recorded one and ours, the fee is estimated.
"""

from collections.abc import Sequence
from enum import Enum

from defai.agent import gas
from defai.agent.ports import Arrival, Opening, Submission
from defai.amm import Pool, SwapResult
from defai.amm.replay import forced_swap
from defai.amm.swap import SwapWalk, commit_swap
from defai.audit.hashing import keccak
from defai.domain.chain_events import Block, PoolEvent, PoolSwapped
from defai.domain.tokens import Address
from defai.errors import NotFoundError
from defai.market.valuation import Valuation
from defai.worlds.event_history import (
    MOST_IN,
    EventHistory,
    SwapCall,
    apply_liquidity_event,
    walk_or_none,
)
from defai.worlds.in_memory import InMemory
from defai.worlds.replay_market import ReplayedMarket
from defai.worlds.seating import SeatRequest


class Flow(Enum):
    """What of a recorded swap stays as it was once we are in the pool."""

    AMOUNTS = "amounts"
    PRICES = "prices"


class ReplayWorld(InMemory):
    """A history with our agents in it.

    Args:
        history: what happened; it is not changed, any number of worlds can share it.
        valuation: what money is.
        requests: the agents, in the order in which they act within a block.
        flow: how recorded swaps are made again in a pool that we have touched.
        first_time: agents join at the first block from this moment on; those before it are lived through.
        end_time: the world ends before the first block from this moment on.
    """

    network = "replay"

    def __init__(
        self,
        history: EventHistory,
        valuation: Valuation,
        requests: Sequence[SeatRequest] = (),
        *,
        flow: Flow = Flow.AMOUNTS,
        first_time: int | None = None,
        end_time: int | None = None,
    ) -> None:
        keys = {key.address: key for key in history.keys}
        pools = {address: pool.copy() for address, pool in history.opening.items()}
        super().__init__(keys, pools, valuation, requests, history.head)
        self.history = history
        self.flow = flow
        self.feed = self
        self.executor = self
        self._first_time = first_time
        self._recorded_x96 = {address: pool.sqrt_price_x96 for address, pool in self._pools.items()}
        self._touched: set[Address] = set()
        self._market = ReplayedMarket(history.keys, self._pools, history.head)
        self._next_block = self._next_call = 0
        last = len(history.blocks)
        if end_time is not None:
            last = next((i for i, block in enumerate(history.blocks) if block.timestamp >= end_time), last)
        self._last_block = last

    async def open(self) -> Opening:
        """Live through what comes before the first moment, and give the agents their money.

        Raises:
            NotFoundError: where nothing is left to live through afterwards.
        """
        blocks = self.history.blocks
        while self._next_block < self._last_block and self._is_before(blocks[self._next_block]):
            self._market.apply(self._make_recorded().block)
        if self._next_block >= self._last_block:
            raise NotFoundError(f"{self.history.source} has nothing within the time range.")
        return Opening(self._market, self._seat())

    def warm_up(self, wanted: int) -> int:  # noqa: ARG002  what came before was lived through on opening
        """None more: agents may decide upon the first block."""
        return 0

    async def next(self) -> Arrival | None:
        """The next recorded block, or, where a plan is due before it, a block with that plan alone."""
        if self._next_block >= self._last_block:
            return None
        following = self.history.blocks[self._next_block]
        waits = following.number > self._head.number + 1
        if waits and any(submission.plan for submission in self._pending.values()):
            return self._make_own(min(self._own_time(), following.timestamp))
        return self._make_recorded()

    async def make_block(self) -> Arrival | None:
        """A block in which nobody but the agents does anything: to settle in."""
        return self._make_own(self._own_time())

    def recorded_sqrt_price_x96(self, pool: Address) -> int:
        """The square-root price history has for a pool now: what it would be without us."""
        return self._recorded_x96[pool]

    def _is_before(self, block: Block) -> bool:
        return self._first_time is not None and block.timestamp < self._first_time

    def _own_time(self) -> int:
        return self._head.timestamp + self.history.seconds_a_block

    def _make_own(self, timestamp: int) -> Arrival:
        head = self._head
        number = head.number + 1
        digest = "0x" + keccak(f"{head.hash}:{number}".encode()).hex()
        block = Block(number, digest, head.hash, timestamp, head.base_fee_wei)
        return self._seal(block, [])

    def _make_recorded(self) -> Arrival:
        block = self.history.blocks[self._next_block]
        self._next_block += 1
        if self._touched:
            return self._seal(block, self._replay(block))
        for event in block.events:
            self._follow(event, block.timestamp)
        return self._seal(block, list(block.events)) if self._pending else self._arrive(block)

    def _seal(self, block: Block, events: list[PoolEvent]) -> Arrival:
        if self._pending:
            for submission in self._order():
                events += self._carry_out(submission, block)
            self._pending.clear()
        return self._arrive(
            Block(
                block.number,
                block.hash,
                block.parent_hash,
                block.timestamp,
                block.base_fee_wei,
                tuple(events),
            )
        )

    def _arrive(self, block: Block) -> Arrival:
        self._head = block
        return Arrival(block)

    def _carry_out(self, submission: Submission, block: Block) -> list[PoolEvent]:
        gas_wei = block.base_fee_wei + gas.TIP_WEI if self.history.priced_gas else 0
        moment = (block.number, block.timestamp)
        settlement, events = self.till.carry_out(self._vaults, submission, moment, gas_wei, self._valuation)
        self._settled[submission.agent] = settlement
        self._touched.update(event.pool for event in events)
        return events

    def _follow(self, event: PoolEvent, timestamp: int) -> None:
        """Let an untouched pool go on as it went on."""
        pool = self._pools[event.pool]
        if isinstance(event, PoolSwapped):
            commit_swap(pool, self._call().walk, timestamp)
        else:
            apply_liquidity_event(pool, event, timestamp)
        self._recorded_x96[event.pool] = pool.sqrt_price_x96

    def _replay(self, block: Block) -> list[PoolEvent]:
        """Let a block's events happen with us in the pools."""
        events: list[PoolEvent] = []
        for event in block.events:
            if event.pool not in self._touched:
                self._follow(event, block.timestamp)
                events.append(event)
            elif isinstance(event, PoolSwapped):
                pool = self._pools[event.pool]
                walk = self._swap_again(pool, event, self._call())
                if walk is not None:
                    commit_swap(pool, walk, block.timestamp)
                    events.append(_as_it_came(event, walk.result))
                self._recorded_x96[event.pool] = event.sqrt_price_x96
            else:
                apply_liquidity_event(self._pools[event.pool], event, block.timestamp)
                events.append(event)
        return events

    def _call(self) -> SwapCall:
        call = self.history.calls[self._next_call]
        self._next_call += 1
        return call

    def _swap_again(self, pool: Pool, event: PoolSwapped, call: SwapCall) -> SwapWalk | None:
        """What a recorded swap does to a pool we have touched; None where it does nothing now."""
        if not call.exact:
            ours = self._own_liquidity(event.pool, event.tick)
            imposed = (event.amount0, event.amount1, event.sqrt_price_x96, event.liquidity + ours, event.tick)
            return forced_swap(pool, SwapResult(*imposed, 0, 0))
        if self._stands_as_recorded(event.pool):
            return walk_or_none(pool, call.amount_specified, call.limit_x96, zero_for_one=call.zero_for_one)
        if self.flow is Flow.AMOUNTS:
            amount = call.amount_specified if call.limit_x96 is None else call.amount_in
            return walk_or_none(pool, amount, call.limit_x96, zero_for_one=call.zero_for_one)
        target_x96 = event.sqrt_price_x96
        return walk_or_none(pool, MOST_IN, target_x96, zero_for_one=target_x96 < pool.sqrt_price_x96)

    def _stands_as_recorded(self, pool: Address) -> bool:
        """Whether nothing of ours is left in a pool: no position and no move of the price."""
        for position in self._book.positions.values():
            if position.liquidity and position.pool == pool:
                return False
        return self._pools[pool].sqrt_price_x96 == self._recorded_x96[pool]

    def _own_liquidity(self, pool: Address, tick: int) -> int:
        """Our agents' liquidity in use at a tick of a pool."""
        return sum(
            position.liquidity
            for position in self._book.positions.values()
            if position.pool == pool and position.contains(tick)
        )


def _as_it_came(event: PoolSwapped, result: SwapResult) -> PoolSwapped:
    """A recorded swap with what it did this time."""
    return PoolSwapped(
        event.pool,
        event.sender,
        event.recipient,
        *result[:5],
        event.log_index,
        event.transaction_hash,
    )
