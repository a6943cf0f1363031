"""The market of a replay: its pools are the world's own, so that folding a block in is only remembering it."""

from collections.abc import Iterable, Mapping

from defai.amm import Pool
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.state import WINDOW_BLOCKS, MarketState, observe
from defai.market.window import Observation, Window


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
        if block.number > self.head.number + 1:
            for window in self.windows.values():
                _keep_quiet(window, block)
        for address, pool in self.pools.items():
            events = block.events
            if len(self.pools) > 1:
                events = tuple([event for event in events if event.pool == address])
            row = observe(block, pool, self._ticks[address], events, depth=self.measures_depth)
            self.windows[address].append(row)
            self._ticks[address] = pool.tick
        self.head = block


def _keep_quiet(window: Window, block: Block) -> None:
    """Fill in the blocks that a record leaves out since nothing happened in them: rows have to be one a block."""
    if not window:
        return
    last = window[-1]
    blocks, seconds = block.number - last.block_number, block.timestamp - last.timestamp
    for number in range(max(last.block_number + 1, block.number - WINDOW_BLOCKS), block.number):
        window.append(
            Observation(  # each field by its place: `replace` takes three times as long
                number,
                last.timestamp + seconds * (number - last.block_number) // blocks,
                last.base_fee_wei,
                last.sqrt_price_x96,
                last.tick,
                last.tick,
                last.tick,
                last.liquidity,
                0,
                0,
                0,
                last.fee_pips,
                (),
                last.depth_below,
                last.depth_above,
            )
        )
