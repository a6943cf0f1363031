"""A pool's recorded events, and the call behind each recorded swap: what a replay starts from.

A Swap event says what came of a swap, not what was asked for. Followed from the state before it, the call that gives
just this event is found once; a replay then makes the call again, on the pool as it has become with us in it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from defai.agent import gas
from defai.amm import AmmRevert, Pool, PoolStateError, SwapResult
from defai.amm.replay import direction, forced_swap
from defai.amm.swap import SwapWalk, check_swap, commit_swap, walk_swap
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

MOST_IN: Final = (1 << 255) - 1
"""The largest amount a swap can ask for: with it, only the limit ends the swap."""


class SwapCall(NamedTuple):
    """A swap as it was asked for: exact input (positive), exact output (negative), up to a limit where there is one.

    Attributes:
        amount_in: what the recorded swap paid in, fee included.
        exact: whether the call gives just the recorded event; where not, the event is imposed on the pool.
        walk: what the call does to the pool as history has it, worked out once.
    """

    zero_for_one: bool
    amount_specified: int
    limit_x96: int | None
    amount_in: int
    exact: bool
    walk: SwapWalk


@dataclass(frozen=True, slots=True, kw_only=True)
class EventHistory:
    """What happened to some pools, block by block, from a state that is known or reconstructed.

    Attributes:
        head: the block the opening belongs to; the first of `blocks` comes after it.
        opening: the pools' states then.
        blocks: in order; blocks in which nothing happened may be left out.
        calls: for each PoolSwapped of all blocks, in order, the call behind it.
        reconstructed: whether the opening was worked out from the events; then ticks they don't show are unknown.
        priced_gas: whether the blocks have their base fees.
        fidelity: what is exact and what is not, in a sentence.
        sha256: of the files' contents.
        source: the files, for people.
    """

    keys: tuple[PoolKey, ...]
    chain_id: int
    head: Block
    opening: Mapping[Address, Pool]
    blocks: tuple[Block, ...]
    calls: tuple[SwapCall, ...]
    reconstructed: bool
    priced_gas: bool
    fidelity: str
    sha256: str
    source: str

    @property
    def exact_share(self) -> float | None:
        """Share of the swaps that are reproduced to the last unit; None where there is none."""
        return sum(call.exact for call in self.calls) / len(self.calls) if self.calls else None

    @property
    def first_time(self) -> int:
        """Time of the first block, in seconds since 1970."""
        return self.blocks[0].timestamp

    @property
    def last_time(self) -> int:
        """Time of the last block, in seconds since 1970."""
        return self.blocks[-1].timestamp

    @property
    def seconds_a_block(self) -> int:
        """Time from block to block on this chain, as the first and the last block tell it; at least one."""
        blocks = self.blocks[-1].number - self.blocks[0].number
        return max(1, (self.last_time - self.first_time) // blocks) if blocks else 1

    def with_base_fees(self, base_fee_at: Callable[[int], int]) -> "EventHistory":
        """The same history with the base fees of another record, by time in seconds since 1970."""
        blocks = tuple(replace(block, base_fee_wei=base_fee_at(block.timestamp)) for block in self.blocks)
        head = replace(self.head, base_fee_wei=base_fee_at(self.head.timestamp))
        return replace(self, head=head, blocks=blocks, priced_gas=True)

    def with_gas_at(self, gas_wei: int) -> "EventHistory":
        """The same history with one price for gas in all blocks, the tip included."""
        base_fee_wei = max(gas_wei - gas.TIP_WEI, 0)
        blocks = tuple(replace(block, base_fee_wei=base_fee_wei) for block in self.blocks)
        head = replace(self.head, base_fee_wei=base_fee_wei)
        return replace(self, head=head, blocks=blocks, priced_gas=gas_wei > 0)


def follow(opening: Mapping[Address, Pool], blocks: Iterable[Block]) -> tuple[SwapCall, ...]:
    """Find the call behind every swap, folding the events into copies of the pools.

    Raises:
        DivergenceError: naming block and log, where a pool refuses an event that is no swap.
    """
    pools = {address: pool.copy() for address, pool in opening.items()}
    calls: list[SwapCall] = []
    for block in blocks:
        for event in block.events:
            pool = pools[event.pool]
            try:
                if isinstance(event, PoolSwapped):
                    calls.append(call_behind(pool, event))
                    commit_swap(pool, calls[-1].walk, block.timestamp)
                else:
                    apply_liquidity_event(pool, event, block.timestamp)
            except (AmmRevert, PoolStateError) as refusal:
                raise DivergenceError(
                    f"Block {block.number}, log {event.log_index}: the pool refuses this "
                    f"{KINDS[type(event)]}. {refusal.sentence}"
                ) from refusal
    return tuple(calls)


KINDS: Final[Mapping[type, str]] = {
    PoolInitialized: "initialise",
    PoolSwapped: "swap",
    LiquidityMinted: "mint",
    LiquidityBurned: "burn",
    LiquidityCollected: "collect",
    PoolFlashed: "flash loan",
    FeeProtocolSet: "change of the protocol's share",
    PairSynced: "change of a pair's liquidity",
}
"""How a person calls an event."""


def call_behind(pool: Pool, event: PoolSwapped) -> SwapCall:
    """The call that gives a recorded swap on a pool; nothing is done yet.

    Tried in turn: exact input of what came in, exact output of what went out, the event's price as the limit. Where
    none gives the event, the walk imposes it (see `defai.amm.replay.forced_swap`).

    Raises:
        AmmRevert: 'LOK' before `initialize`.
    """
    pool.require_unlocked()
    said = SwapResult(event.amount0, event.amount1, event.sqrt_price_x96, event.liquidity, event.tick, 0, 0)
    zero = direction(pool, said)
    received, paid = (event.amount0, event.amount1) if zero else (event.amount1, event.amount0)
    guesses: tuple[tuple[int, int | None], ...] = (
        (max(received, 0), None),
        (min(paid, 0), None),
        (MOST_IN, event.sqrt_price_x96),
    )
    for amount, limit_x96 in guesses:
        walk = walk_or_none(pool, amount, limit_x96, zero_for_one=zero)
        if walk is not None and walk.result[:5] == said[:5]:
            return SwapCall(zero, amount, limit_x96, received, exact=True, walk=walk)
    imposed = forced_swap(pool, said)
    return SwapCall(zero, received, event.sqrt_price_x96, received, exact=False, walk=imposed)


def walk_or_none(pool: Pool, amount: int, limit_x96: int | None, *, zero_for_one: bool) -> SwapWalk | None:
    """A swap worked out but not done; None where the pool would refuse it."""
    try:
        limit = check_swap(pool, amount, limit_x96, zero_for_one=zero_for_one)
        return walk_swap(pool, amount, limit, zero_for_one=zero_for_one)
    except AmmRevert:
        return None


def apply_liquidity_event(pool: Pool, event: PoolEvent, timestamp: int) -> None:
    """Fold an event that is no swap into a pool.

    Raises:
        AmmRevert: where no pool in this state can have emitted it.
    """
    match event:
        case LiquidityMinted():
            pool.update_liquidity(event.tick_lower, event.tick_upper, event.liquidity, timestamp)
        case LiquidityBurned():
            if event.liquidity:
                pool.update_liquidity(event.tick_lower, event.tick_upper, -event.liquidity, timestamp)
        case PoolInitialized():
            pool.initialize(event.sqrt_price_x96, timestamp)
        case PoolFlashed():
            pool.flash(event.amount0, event.amount1, paid0=event.paid0, paid1=event.paid1)
        case FeeProtocolSet():
            pool.set_fee_protocol(event.fee_protocol0, event.fee_protocol1)
        case PairSynced():
            raise AmmRevert("", "Histories of Uniswap v2 pairs are not read.")
        case LiquidityCollected() | PoolSwapped():
            pass  # a collect pays out what was settled before; swaps are another function's
