"""Folding on-chain events into a pool: exactly where they can be reproduced, by force where not."""

from collections.abc import Iterator

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_INT256
from defai.amm.modify_position import apply_liquidity, check_ticks, updated_bounds
from defai.amm.protocol import ProtocolPool
from defai.amm.state import PoolState
from defai.amm.swap import SwapResult, SwapWalk, check_swap, commit_swap, walk_swap
from defai.amm.tick import EMPTY_TICK
from defai.amm.tick_math import get_tick_at_sqrt_ratio
from defai.units import PIPS


class ReplayingPool(ProtocolPool):
    """A pool's state that follows a pool on a chain, event by event."""

    __slots__ = ()

    def replay_swap(
        self,
        *,
        amount0: int,
        amount1: int,
        sqrt_price_x96: int,
        liquidity: int,
        tick: int,
        timestamp: int | None = None,
    ) -> bool:
        """Fold an on-chain Swap event in.

        Tried in turn: exact input of the positive amount, exact output of the negative one, the event's price as the
        limit. Where none reproduces the event, price, tick and liquidity are set to the event's and the fee is
        estimated (see `forced_swap`).

        Returns:
            Whether the event was reproduced exactly.

        Raises:
            AmmRevert: 'LOK' before `initialize`, 'R' for a price outside the range that ticks cover.
        """
        now = self.advance(timestamp)
        self.require_unlocked()
        get_tick_at_sqrt_ratio(sqrt_price_x96)  # refuses what no pool can have emitted
        event = SwapResult(amount0, amount1, sqrt_price_x96, liquidity, tick, 0, 0)
        walk = reproduce_swap(self, event)
        commit_swap(self, walk or forced_swap(self, event), now)
        return walk is not None

    def update_liquidity(
        self, tick_lower: int, tick_upper: int, liquidity_delta: int, timestamp: int | None = None
    ) -> tuple[int, int]:
        """Fold an on-chain Mint or Burn event in: like `mint` and `burn`, but whose position it is doesn't matter.

        Args:
            tick_lower: the range's lower tick.
            tick_upper: the range's upper tick.
            liquidity_delta: the liquidity added, or, negative, taken away; zero does nothing.
            timestamp: the block's time in seconds.

        Returns:
            Token0 and token1: positive what the pool received, negative what it owes.

        Raises:
            AmmRevert: 'LOK' before `initialize`, 'TLU', 'TLM', 'TUM' for bad bounds, 'LO' where a tick is full, '' off
                the tick spacing, 'LS' where the ticks hold less (`replay_liquidity` puts up with that).
        """
        now = self.advance(timestamp)
        self.require_unlocked()
        check_ticks(tick_lower, tick_upper)
        bounds = updated_bounds(self, tick_lower, tick_upper, liquidity_delta, now)
        return apply_liquidity(self, tick_lower, tick_upper, liquidity_delta, now, bounds)

    def replay_liquidity(
        self, *, tick_lower: int, tick_upper: int, liquidity_delta: int, timestamp: int | None = None
    ) -> bool:
        """Fold a Mint or Burn event into a pool of which not all ticks are known.

        Where a burn takes more from the ticks than is known to be there, what is known is taken; they held liquidity
        from before the known history.

        Returns:
            Whether the ticks were known, so that the change is exact.

        Raises:
            AmmRevert: what `update_liquidity` raises, 'LS' excepted.
        """
        try:
            self.update_liquidity(tick_lower, tick_upper, liquidity_delta, timestamp)
        except AmmRevert as revert:
            if revert.reason != "LS":
                raise
        else:
            return True
        in_range = tick_lower <= self.tick < tick_upper
        remaining = max(self.liquidity + liquidity_delta, 0) if in_range else self.liquidity
        for tick, sign in ((tick_lower, 1), (tick_upper, -1)):
            known = self.tick_states.get(tick, EMPTY_TICK)
            gross = known.liquidity_gross + liquidity_delta
            if gross > 0:
                net = known.liquidity_net + sign * liquidity_delta
                self.tick_states[tick] = known._replace(liquidity_gross=gross, liquidity_net=net)
            elif known.liquidity_gross:
                del self.tick_states[tick]
                self.tick_map.flip(tick)
        self.timestamp = self.advance(timestamp)
        self.liquidity = remaining
        return False


def reproduce_swap(pool: PoolState, event: SwapResult) -> SwapWalk | None:
    """Find the call that gives exactly this event.

    A Swap event doesn't say what was asked for. Tried in turn: exact input of the amount that came in, exact output of
    the amount that went out, and any amount at all with the event's price as the limit.

    Args:
        pool: the pool before the swap.
        event: amounts, price, liquidity and tick; the other fields don't count.

    Returns:
        The swap, not yet done, or None where none of the three gives the event.
    """
    zero_for_one = direction(pool, event)
    for amount_specified, limit_x96 in _guesses(event, zero_for_one=zero_for_one):
        try:
            limit = check_swap(pool, amount_specified, limit_x96, zero_for_one=zero_for_one)
            walk = walk_swap(pool, amount_specified, limit, zero_for_one=zero_for_one)
        except AmmRevert:
            continue  # a wrong guess may well be refused; the next one is tried
        if walk.result[:5] == event[:5]:
            return walk
    return None


def forced_swap(pool: PoolState, event: SwapResult) -> SwapWalk:
    """The move to an event's state that no call reproduces, with the fee estimated.

    Price, tick and liquidity are the event's. Known ticks between the old and the new price are crossed, so that fee
    growth inside ranges stays consistent. The fee is taken to be the pool's share of the amount that came in, and to
    have gone to the liquidity in range afterwards: an estimate, good where the liquidity changed little.
    """
    zero_for_one = direction(pool, event)
    fee = max(event.amount0 if zero_for_one else event.amount1, 0) * pool.fee_pips // PIPS
    protocol = pool.fee_protocol & 15 if zero_for_one else pool.fee_protocol >> 4
    share = fee // protocol if protocol else 0
    growth_x128 = pool.fee_growth_global0_x128 if zero_for_one else pool.fee_growth_global1_x128
    if event.liquidity:
        growth_x128 = (growth_x128 + ((fee - share) << 128) // event.liquidity) % (1 << 256)
    low, high = sorted((pool.tick, event.tick))
    crossings = [(tick, growth_x128) for tick in pool.tick_states if low < tick <= high]
    result = event._replace(ticks_crossed=len(crossings), fee_amount=fee)
    return SwapWalk(zero_for_one, result, growth_x128, share, crossings)


def direction(pool: PoolState, event: SwapResult) -> bool:
    """Whether token0 came in; where no amount moved, whether the price fell."""
    if event.amount0 > 0 or event.amount1 < 0:
        return True
    if event.amount1 > 0 or event.amount0 < 0:
        return False
    return event.sqrt_price_x96 < pool.sqrt_price_x96


def _guesses(event: SwapResult, *, zero_for_one: bool) -> Iterator[tuple[int, int | None]]:
    received, paid = (event.amount0, event.amount1) if zero_for_one else (event.amount1, event.amount0)
    if received > 0:
        yield received, None
    if paid < 0:
        yield paid, None
    yield MAX_INT256, event.sqrt_price_x96
