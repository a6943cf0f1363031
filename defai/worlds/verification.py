"""Holding a replay of fetched logs to what the chain says at the end."""

from collections.abc import Mapping
from typing import Final

from defai.amm import AmmRevert, Pool, PoolStateError
from defai.domain.chain_events import Block, PoolEvent, PoolSwapped
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.worlds.event_history import KINDS, apply_liquidity_event

_SCALARS: Final[Mapping[str, str]] = {
    "sqrt_price_x96": "square-root price",
    "tick": "tick",
    "liquidity": "liquidity in range",
    "fee_growth_global0_x128": "fee growth of token0",
    "fee_growth_global1_x128": "fee growth of token1",
    "fee_protocol": "protocol's share",
}
_OF_A_TICK: Final[Mapping[str, str]] = {
    "liquidity_gross": "gross liquidity",
    "liquidity_net": "net liquidity",
    "fee_growth_outside0_x128": "fee growth of token0 outside",
    "fee_growth_outside1_x128": "fee growth of token1 outside",
}


class Replay:
    """Folds blocks into copies of pools and counts what comes out exactly.

    Attributes:
        swaps: how many there were.
        exact: how many came out to the last unit.
        complaint: the first event that did not go with the pool's state, in a sentence; empty where all did.
    """

    def __init__(self, pools: Mapping[Address, Pool]) -> None:
        self.pools = {address: pool.copy() for address, pool in pools.items()}
        self.swaps = 0
        self.exact = 0
        self.complaint = ""

    def fold(self, block: Block) -> None:
        """Fold a block's events in; one that the pool refuses is passed over and remembered."""
        for event in block.events:
            try:
                fine = self._fold(event, block.timestamp)
                said = "does not come out as recorded"
            except (AmmRevert, PoolStateError) as refusal:
                fine, said = False, f"is impossible in the state before it: {refusal.sentence}"
            if not fine and not self.complaint:
                kind = KINDS[type(event)]
                self.complaint = (
                    f"The {kind} in block {block.number:,}, log {event.log_index}, {said.rstrip('.')}."
                )

    def _fold(self, event: PoolEvent, timestamp: int) -> bool:
        pool = self.pools[event.pool]
        if not isinstance(event, PoolSwapped):
            apply_liquidity_event(pool, event, timestamp)
            return True
        self.swaps += 1
        exact = pool.replay_swap(
            amount0=event.amount0,
            amount1=event.amount1,
            sqrt_price_x96=event.sqrt_price_x96,
            liquidity=event.liquidity,
            tick=event.tick,
            timestamp=timestamp,
        )
        self.exact += exact
        return exact


def first_difference(key: PoolKey, ours: Pool, theirs: Pool) -> str:
    """The first thing in which two pools differ, in a sentence; empty where nothing does.

    Compared are price, tick, liquidity, fee growth, the protocol's share, and at every initialised tick liquidity and
    fee growth outside; not the oracle, nor what ticks remember of it, nor what the protocol has not collected yet.
    """
    for name, words in _SCALARS.items():
        here, there = getattr(ours, name), getattr(theirs, name)
        if here != there:
            return f"The {words} of {key.name} is {here} after the logs, {there} on the chain."
    for tick in sorted({*ours.ticks, *theirs.ticks}):
        if tick not in ours.ticks or tick not in theirs.ticks:
            where = "the chain" if tick in theirs.ticks else "the logs"
            return f"Tick {tick} of {key.name} is initialised according to {where} only."
        for name, words in _OF_A_TICK.items():
            here, there = getattr(ours.ticks[tick], name), getattr(theirs.ticks[tick], name)
            if here != there:
                return f"The {words} at tick {tick} of {key.name} is {here} after the logs, {there} on the chain."
    return ""
