"""The market of a replay: its pools are the world's own, so that folding a block in is only remembering it."""

from collections.abc import Iterable, Mapping

from defai.amm import Pool
from defai.domain.chain_events import Block, PoolEvent
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.state import MarketState, observe


class ReplayedMarket(MarketState):
    """Every pool after the newest block, shared with the world that moves them.

    A replica of its own would do all arithmetic twice and could not differ: there is no chain to differ from. Nothing
    can be undone, since a record has no reorganisations.
    """

    def __init__(self, keys: Iterable[PoolKey], pools: Mapping[Address, Pool], head: Block) -> None:
        super().__init__(keys, pools, head)
        self._ticks = {address: pool.tick for address, pool in pools.items()}

    def apply(self, block: Block) -> None:
        """Remember the next block, which the pools have been through already.

        Raises:
            DivergenceError: where it does not come after the newest one.
        """
        if block.number <= self.head.number:
            raise DivergenceError(f"Block {block.number} does not come after block {self.head.number}.")
        by_pool: dict[Address, list[PoolEvent]] = {address: [] for address in self.keys}
        for event in block.events:
            by_pool[event.pool].append(event)
        for address, events in by_pool.items():
            pool = self.pools[address]
            self.windows[address].append(observe(block, pool, self._ticks[address], events))
            self._ticks[address] = pool.tick
        self.head = block
