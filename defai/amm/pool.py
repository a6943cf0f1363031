"""A Uniswap v3 pool, exact to the last unit (UniswapV3Pool, without the tokens).

Balances are not kept: a `Pool` says what is to be paid in and out, and trusts that it happens.
"""

from collections.abc import Mapping
from operator import index
from types import MappingProxyType

from defai.amm.errors import AmmRevert, PoolStateError
from defai.amm.full_math import MAX_INT128, MAX_UINT128, to_uint128
from defai.amm.modify_position import (
    modify_position,
    range_fee_growth,
)
from defai.amm.position import EMPTY_POSITION, PositionState
from defai.amm.replay import ReplayingPool
from defai.amm.swap import SwapResult, check_swap, commit_swap, walk_swap
from defai.amm.tick import EMPTY_TICK, TickState
from defai.amm.tick_map import TickMap
from defai.amm.tick_math import get_tick_at_sqrt_ratio


class Pool(ReplayingPool):
    """A pool: swaps, liquidity, fees and the oracle, in the contract's own integers.

    A refusal raises `AmmRevert` with the contract's reason and leaves the pool as it was. Operations take the block's
    time in seconds; None means that no time has passed since the latest one.
    """

    __slots__ = ()

    @classmethod
    def from_state(
        cls,
        *,
        fee_pips: int,
        tick_spacing: int,
        sqrt_price_x96: int,
        tick: int,
        liquidity: int,
        fee_growth_global0_x128: int,
        fee_growth_global1_x128: int,
        ticks: Mapping[int, TickState],
        fee_protocol: int = 0,
        timestamp: int = 0,
    ) -> "Pool":
        """A pool that stands as some pool on a chain stands. Its oracle begins to remember at `timestamp`.

        Raises:
            PoolStateError: where a tick is off the spacing, or the tick and the price contradict each other.
            AmmRevert: 'R' where the price lies outside the range that ticks cover.
        """
        pool = cls(fee_pips=fee_pips, tick_spacing=tick_spacing)
        if get_tick_at_sqrt_ratio(sqrt_price_x96) - tick not in {0, 1}:
            raise PoolStateError(f"Tick {tick} is not that of the square-root price {sqrt_price_x96}.")
        pool.tick_states = {key: state for key, state in ticks.items() if state.liquidity_gross}
        for key in pool.tick_states:
            if key % tick_spacing:
                raise PoolStateError(f"Tick {key} is no multiple of the tick spacing {tick_spacing}.")
        pool.tick_map = TickMap(tick_spacing, pool.tick_states)
        pool.sqrt_price_x96, pool.tick, pool.liquidity = sqrt_price_x96, tick, liquidity
        pool.fee_growth_global0_x128 = fee_growth_global0_x128
        pool.fee_growth_global1_x128 = fee_growth_global1_x128
        pool.fee_protocol = fee_protocol
        pool.timestamp = timestamp
        pool.oracle.initialize(timestamp)
        return pool

    @property
    def ticks(self) -> Mapping[int, TickState]:
        """The initialised ticks, to read; in no particular order."""
        return MappingProxyType(self.tick_states)

    @property
    def positions(self) -> Mapping[tuple[str, int, int], PositionState]:
        """The positions by owner, lower and upper tick, to read; emptied ones included."""
        return MappingProxyType(self.position_states)

    def initialize(self, sqrt_price_x96: int, timestamp: int = 0) -> int:
        """Set the first price.

        Returns:
            The tick.

        Raises:
            AmmRevert: 'AI' the second time, 'R' where the price lies outside the range that ticks cover.
        """
        if self.sqrt_price_x96:
            raise AmmRevert("AI")
        self.tick = get_tick_at_sqrt_ratio(sqrt_price_x96)
        self.sqrt_price_x96 = sqrt_price_x96
        self.timestamp = timestamp
        self.oracle.initialize(timestamp)
        return self.tick

    def swap(
        self,
        *,
        zero_for_one: bool,
        amount_specified: int,
        sqrt_price_limit_x96: int | None = None,
        timestamp: int | None = None,
    ) -> SwapResult:
        """Swap.

        Args:
            zero_for_one: whether token0 comes in and token1 goes out.
            amount_specified: positive, what comes in at most; negative, what goes out at most.
            sqrt_price_limit_x96: the swap stops at this price, filled or not; None means no limit.
            timestamp: the block's time in seconds.

        Raises:
            AmmRevert: 'AS' for a zero amount, 'LOK' before `initialize`, 'SPL' for a limit on the wrong side.
        """
        now = self.advance(timestamp)
        amount = index(amount_specified)
        limit = check_swap(self, amount, sqrt_price_limit_x96, zero_for_one=zero_for_one)
        walk = walk_swap(self, amount, limit, zero_for_one=zero_for_one)
        commit_swap(self, walk, now)
        return walk.result

    def quote(
        self, *, zero_for_one: bool, amount_specified: int, sqrt_price_limit_x96: int | None = None
    ) -> SwapResult:
        """What `swap` would do and raise with the same arguments; nothing changes."""
        amount = index(amount_specified)
        limit = check_swap(self, amount, sqrt_price_limit_x96, zero_for_one=zero_for_one)
        return walk_swap(self, amount, limit, zero_for_one=zero_for_one).result

    def mint(
        self, owner: str, tick_lower: int, tick_upper: int, liquidity: int, timestamp: int | None = None
    ) -> tuple[int, int]:
        """Add liquidity to a position.

        Returns:
            Token0 and token1 to be paid in, rounded up.

        Raises:
            AmmRevert: 'LOK' before `initialize`, 'TLU', 'TLM', 'TUM' for bad bounds, 'LO' where a tick is full, ''
                for zero liquidity or bounds off the tick spacing.
        """
        now = self.advance(timestamp)
        self.require_unlocked()
        size = index(liquidity)
        if not 0 < size <= MAX_INT128:
            raise AmmRevert("", f"A liquidity of {size} can't be minted.")
        return modify_position(self, (owner, tick_lower, tick_upper), size, now)

    def burn(
        self, owner: str, tick_lower: int, tick_upper: int, liquidity: int, timestamp: int | None = None
    ) -> tuple[int, int]:
        """Take liquidity from a position; the tokens wait for `collect`. With zero, only settle the fees.

        Returns:
            Token0 and token1 owed for the liquidity, rounded down; fees are owed besides and not in here.

        Raises:
            AmmRevert: 'LOK' before `initialize`, 'NP' where there is no position, 'LS' where it has less liquidity.
        """
        now = self.advance(timestamp)
        self.require_unlocked()
        size = index(liquidity)
        if not 0 <= size <= MAX_INT128:
            raise AmmRevert("", f"A liquidity of {size} can't be burnt.")
        key = (owner, tick_lower, tick_upper)
        amount0, amount1 = modify_position(self, key, -size, now)
        if amount0 or amount1:
            position = self.position_states[key]
            self.position_states[key] = position._replace(
                tokens_owed0=(position.tokens_owed0 - amount0) & MAX_UINT128,
                tokens_owed1=(position.tokens_owed1 - amount1) & MAX_UINT128,
            )
        return -amount0, -amount1

    def collect(
        self, owner: str, tick_lower: int, tick_upper: int, amount0_requested: int, amount1_requested: int
    ) -> tuple[int, int]:
        """Pay out what a position is owed, at most what is requested. Fees are owed once `burn` has settled them.

        Returns:
            Token0 and token1 paid out.

        Raises:
            AmmRevert: 'LOK' before `initialize`.
        """
        self.require_unlocked()
        key = (owner, tick_lower, tick_upper)
        position = self.position_states.get(key, EMPTY_POSITION)
        amount0 = min(to_uint128(amount0_requested), position.tokens_owed0)
        amount1 = min(to_uint128(amount1_requested), position.tokens_owed1)
        if amount0 or amount1:
            self.position_states[key] = position._replace(
                tokens_owed0=position.tokens_owed0 - amount0, tokens_owed1=position.tokens_owed1 - amount1
            )
        return amount0, amount1

    def fee_growth_inside(self, tick_lower: int, tick_upper: int) -> tuple[int, int]:
        """Fees per liquidity grown inside a range, token0 and token1, in Q128.128; only differences mean anything."""
        bounds = self.tick_states.get(tick_lower, EMPTY_TICK), self.tick_states.get(tick_upper, EMPTY_TICK)
        return range_fee_growth(self, tick_lower, tick_upper, bounds)
