"""The market as a fold: apply a block's events to exact replicas of the pools, and remember enough to undo it."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from defai.amm import AmmRevert, PairPool, Pool, PoolStateError
from defai.amm.pair_pool import pair_of
from defai.domain.chain_events import (
    Block,
    FeeProtocolSet,
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PairSynced,
    PoolEvent,
    PoolFlashed,
    PoolInitialized,
    PoolSwapped,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.depth import depth_around
from defai.market.glimpse import Glimpse
from defai.market.window import DEPTH_TICKS, Observation, Window

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


@dataclass(frozen=True, slots=True)
class PairReport(PoolReport):
    """The same of a Uniswap v2 pair: what it holds says all; price, tick and liquidity follow, and no fee grows."""

    reserve0: int
    reserve1: int

    @classmethod
    def of(cls, reserve0: int, reserve1: int) -> "PairReport":
        """The report of reserves.

        Raises:
            AmmRevert: where no pair in use has them.
        """
        pair = PairPool(reserve0, reserve1)
        return cls(pair.sqrt_price_x96, pair.tick, pair.liquidity, 0, 0, reserve0, reserve1)


def reported_of(pool: Pool) -> tuple[str, ...]:
    """What a chain reports of a pool: the names of fields that a report and the pool itself both have."""
    of_pair = PairReport.__slots__ if isinstance(pool, PairPool) else ()
    return (*PoolReport.__slots__, *of_pair)


@dataclass(frozen=True, slots=True)
class _Undo:
    """What it takes to forget a block: what stood before it, of what it changed.

    Attributes:
        fallen: the rows that fell out of full windows.
    """

    head: Block
    pools: dict[Address, Pool]
    fallen: dict[Address, Observation]
    swaps: tuple[int, int]


class MarketState:
    """Every watched pool after the newest block, with its recent past.

    Args:
        keys: the pools.
        pools: their state after block `head`, which the caller hands over.
        head: the block that state belongs to.

    Attributes:
        measures_depth: whether rows tell the depth around the price; it costs as much as a swap, so it is measured
            from the block on after which somebody sets this.
    """

    def __init__(self, keys: Iterable[PoolKey], pools: Mapping[Address, Pool], head: Block) -> None:
        self.keys: dict[Address, PoolKey] = {key.address: key for key in keys}
        self.pools: dict[Address, Pool] = dict(pools)
        self.windows: dict[Address, Window] = {address: Window(WINDOW_BLOCKS) for address in self.keys}
        self.head = head
        self.swaps_exact = 0
        self.swaps_forced = 0
        self.measures_depth = False
        self._undo: deque[_Undo] = deque(maxlen=REORG_DEPTH)
        self._glimpses: dict[Address, Glimpse] = {}
        self._glimpsed = head

    def glimpse(self, pool: Address) -> Glimpse:
        """A pool and its past after the newest block, to look at; the same for all who ask during it."""
        if self._glimpsed is not self.head:
            self._glimpses.clear()
            self._glimpsed = self.head
        found = self._glimpses.get(pool)
        if found is None:
            found = Glimpse(self.pools[pool], self.windows[pool], self.head, self._newest)
            self._glimpses[pool] = found
        return found

    def _newest(self) -> Block:
        return self.head

    def apply(self, block: Block) -> None:
        """Fold the next block in.

        Raises:
            DivergenceError: where the block does not follow the newest one, or says what a pool like ours cannot have
                done. The state is as it was then.
        """
        if block.number != self.head.number + 1 or block.parent_hash != self.head.hash:
            raise DivergenceError(
                f"Block {block.number} does not follow block {self.head.number} ({self.head.hash}).",
                "The chain was reorganised: roll back first.",
            )
        by_pool: dict[Address, list[PoolEvent]] = {address: [] for address in self.keys}
        for event in block.events:
            if event.pool in by_pool:
                by_pool[event.pool].append(event)
        undo = self._remember([address for address, events in by_pool.items() if events])
        before = {address: pool.tick for address, pool in self.pools.items()}
        for event in block.events:
            if event.pool in by_pool:
                self._apply_or_diverge(event, block, undo)
        for address, events in by_pool.items():
            row = observe(block, self.pools[address], before[address], events, depth=self.measures_depth)
            self.windows[address].append(row)
        self._undo.append(undo)
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
            undo = self._undo.pop()
            self._restore(undo)
            for address, window in self.windows.items():
                fallen = [undo.fallen[address]] if address in undo.fallen else []
                self.windows[address] = Window(WINDOW_BLOCKS, [*fallen, *window[:-1]])

    def _remember(self, touched: Iterable[Address]) -> _Undo:
        full = (address for address, window in self.windows.items() if len(window) == WINDOW_BLOCKS)
        return _Undo(
            head=self.head,
            pools={address: self.pools[address].copy() for address in touched},
            fallen={address: self.windows[address][0] for address in full},
            swaps=(self.swaps_exact, self.swaps_forced),
        )

    def _restore(self, undo: _Undo) -> None:
        self.head = undo.head
        self.pools.update(undo.pools)
        self.swaps_exact, self.swaps_forced = undo.swaps

    def _apply_or_diverge(self, event: PoolEvent, block: Block, undo: _Undo) -> None:
        try:
            self._apply_event(event, block.timestamp)
        except (AmmRevert, PoolStateError) as refusal:
            self._restore(undo)
            raise DivergenceError(
                f"{self.keys[event.pool].name} diverged at block {block.number}: our replica refuses a "
                f"{type(event).__name__}. {refusal.sentence}",
                "No agent trades on a wrong picture: the session stops. Start it again to read the state afresh.",
            ) from refusal

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
            case PoolFlashed():
                pool.flash(event.amount0, event.amount1, paid0=event.paid0, paid1=event.paid1)
            case FeeProtocolSet():
                pool.set_fee_protocol(event.fee_protocol0, event.fee_protocol1)
            case PairSynced():
                pair_of(pool).set_reserves(event.reserve0, event.reserve1, timestamp)


def observe(
    block: Block, pool: Pool, tick_before: int, events: Iterable[PoolEvent], *, depth: bool = False
) -> Observation:
    """A block's row in a pool's window.

    Args:
        block: the block.
        pool: the pool after it.
        tick_before: the pool's tick before it.
        events: what happened to the pool in it.
        depth: whether to measure the depth around the price.
    """
    low, high = (tick_before, pool.tick) if tick_before < pool.tick else (pool.tick, tick_before)
    amount0_in = amount1_in = 0
    sizes = []
    for event in events:
        if isinstance(event, PoolSwapped):
            if event.tick < low:
                low = event.tick
            elif event.tick > high:
                high = event.tick
            if event.amount0 > 0:
                amount0_in += event.amount0
                sizes.append((event.amount0 * event.sqrt_price_x96**2) >> 192)
            else:
                amount1_in += max(event.amount1, 0)
                sizes.append(max(event.amount1, 0))
    below, above = depth_around(pool, DEPTH_TICKS) if depth else (None, None)
    return Observation(
        block_number=block.number,
        timestamp=block.timestamp,
        base_fee_wei=block.base_fee_wei,
        sqrt_price_x96=pool.sqrt_price_x96,
        tick=pool.tick,
        tick_low=low,
        tick_high=high,
        liquidity=pool.liquidity,
        swaps=len(sizes),
        amount0_in=amount0_in,
        amount1_in=amount1_in,
        fee_pips=pool.fee_pips,
        swap_sizes_raw=tuple(sizes),
        depth_below=below,
        depth_above=above,
    )
