"""The market as a fold: apply a block's events to exact replicas of the pools, and remember enough to undo it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from defai.amm import Pool
from defai.domain.chain_events import (
    Block,
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PoolEvent,
    PoolInitialized,
    PoolSwapped,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.window import Observation, Window

WINDOW_BLOCKS = 512
"""How many blocks of history a strategy and its features can look back."""
REORG_DEPTH = 16
"""How many blocks can be undone."""


@dataclass(frozen=True, slots=True)
class PoolReport:
    """What the chain itself says of a pool after a block; the tripwire compares it with the fold."""

    sqrt_price_x96: int
    tick: int
    liquidity: int
    fee_growth_global0_x128: int
    fee_growth_global1_x128: int


class MarketState:
    """Every watched pool after the newest block, with its recent past.

    Args:
        keys: the pools.
        pools: their state after block `head`, which the caller hands over.
        head: the block that state belongs to.
    """

    def __init__(self, keys: Iterable[PoolKey], pools: Mapping[Address, Pool], head: Block) -> None:
        self.keys: dict[Address, PoolKey] = {key.address: key for key in keys}
        self.pools: dict[Address, Pool] = dict(pools)
        self.windows: dict[Address, Window] = {address: Window(WINDOW_BLOCKS) for address in self.keys}
        self.head = head
        self.swaps_exact = 0
        self.swaps_forced = 0
        self._undo: deque[tuple[Block, dict[Address, Pool]]] = deque(maxlen=REORG_DEPTH)

    def apply(self, block: Block) -> None:
        """Fold the next block in.

        Raises:
            DivergenceError: where the block does not follow the newest one.
        """
        if block.number != self.head.number + 1 or block.parent_hash != self.head.hash:
            raise DivergenceError(
                f"Block {block.number} does not follow block {self.head.number} ({self.head.hash}).",
                "The chain was reorganised: roll back first.",
            )
        touched = {event.pool for event in block.events if event.pool in self.keys}
        self._undo.append((self.head, {address: self.pools[address].copy() for address in touched}))
        before = {address: pool.tick for address, pool in self.pools.items()}
        by_pool: dict[Address, list[PoolEvent]] = {address: [] for address in self.keys}
        for event in block.events:
            if event.pool in by_pool:
                by_pool[event.pool].append(event)
                self._apply_event(event, block.timestamp)
        for address, events in by_pool.items():
            self.windows[address].append(_observe(block, self.pools[address], before[address], events))
        self.head = block

    def roll_back(self, number: int) -> None:
        """Undo blocks until block `number` is the newest again.

        Raises:
            DivergenceError: where that is further back than what is remembered.
        """
        while self.head.number > number:
            if not self._undo:
                raise DivergenceError(
                    f"The chain was reorganised below block {number}, deeper than the {REORG_DEPTH} blocks kept.",
                    "Start the session again: it reads the state afresh.",
                )
            undone = self.head.number
            self.head, pools = self._undo.pop()
            self.pools.update(pools)
            for address, window in self.windows.items():
                kept = [row for row in window if row.block_number < undone]
                self.windows[address] = Window(WINDOW_BLOCKS, kept)

    def _apply_event(self, event: PoolEvent, timestamp: int) -> None:
        pool = self.pools[event.pool]
        match event:
            case PoolSwapped():
                exact = pool.replay_swap(
                    amount0=event.amount0,
                    amount1=event.amount1,
                    sqrt_price_x96=event.sqrt_price_x96,
                    liquidity=event.liquidity,
                    tick=event.tick,
                    timestamp=timestamp,
                )
                self.swaps_exact += exact
                self.swaps_forced += not exact
            case LiquidityMinted():
                pool.update_liquidity(event.tick_lower, event.tick_upper, event.liquidity, timestamp)
            case LiquidityBurned():
                if event.liquidity:
                    pool.update_liquidity(event.tick_lower, event.tick_upper, -event.liquidity, timestamp)
            case LiquidityCollected():
                pass  # pays out what was settled before; price, liquidity and fee growth stay as they are
            case PoolInitialized():
                pool.initialize(event.sqrt_price_x96, timestamp)


def _observe(block: Block, pool: Pool, tick_before: int, events: list[PoolEvent]) -> Observation:
    swaps = [event for event in events if isinstance(event, PoolSwapped)]
    ticks = [tick_before, pool.tick, *(swap.tick for swap in swaps)]
    return Observation(
        block_number=block.number,
        timestamp=block.timestamp,
        base_fee_wei=block.base_fee_wei,
        sqrt_price_x96=pool.sqrt_price_x96,
        tick=pool.tick,
        tick_low=min(ticks),
        tick_high=max(ticks),
        liquidity=pool.liquidity,
        swaps=len(swaps),
        amount0_in=sum(swap.amount0 for swap in swaps if swap.amount0 > 0),
        amount1_in=sum(swap.amount1 for swap in swaps if swap.amount1 > 0),
    )
