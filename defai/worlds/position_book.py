"""The position manager in memory: NFT positions on exact pools, as NonfungiblePositionManager keeps them.

Every position of every owner stands in the pool under the manager's own address, so fees are shared out by the
manager's checkpoints. Reverts carry the contract's words. https://github.com/Uniswap/v3-periphery is the source of
the behaviour.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from defai.amm import AmmRevert, Pool, get_sqrt_ratio_at_tick, liquidity_for_amounts
from defai.chain.mainnet import POSITION_MANAGER
from defai.domain.chain_events import LiquidityBurned, LiquidityCollected, LiquidityMinted, PoolEvent
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.errors import DefaiError
from defai.units import Q128

Emit = Callable[[PoolEvent], None]
_MAX_UINT128: Final = (1 << 128) - 1
_MAX_UINT256: Final = (1 << 256) - 1


class SimRevertError(DefaiError):
    """What the chain would have reverted with."""


class PositionBook:
    """All NFT positions on some pools.

    Args:
        pools: the pools by address; they are changed.
    """

    def __init__(self, pools: dict[Address, Pool]) -> None:
        self.pools = pools
        self.positions: dict[int, Position] = {}
        self.next_id = 1

    def mint(
        self,
        pool: Address,
        ticks: tuple[int, int],
        desired: tuple[int, int],
        minimum: tuple[int, int],
        block: tuple[int, int],
        emit: Emit,
    ) -> tuple[Position, int, int]:
        """Open a position.

        Args:
            pool: its address.
            ticks: lower and upper tick.
            desired: the most of token0 and token1.
            minimum: the least of them.
            block: number and timestamp of the block.
            emit: takes the pool's event.

        Returns:
            The position, and token0 and token1 paid.

        Raises:
            SimRevertError: with the contract's reason.
        """
        liquidity, amount0, amount1 = self._add(pool, ticks, desired, minimum, block[1], emit)
        inside0, inside1 = self.pools[pool].fee_growth_inside(*ticks)
        position = Position(self.next_id, pool, *ticks, liquidity, inside0, inside1, 0, 0, block[0])
        self.positions[position.token_id] = position
        self.next_id += 1
        return position, amount0, amount1

    def increase(
        self, token_id: int, desired: tuple[int, int], minimum: tuple[int, int], timestamp: int, emit: Emit
    ) -> tuple[Position, int, int]:
        """Add to a position; its fees so far are settled.

        Returns:
            The position, and token0 and token1 paid.
        """
        held = self._held(token_id)
        ticks = (held.tick_lower, held.tick_upper)
        liquidity, amount0, amount1 = self._add(held.pool, ticks, desired, minimum, timestamp, emit)
        settled = self._settle(held)
        self.positions[token_id] = replace(settled, liquidity=held.liquidity + liquidity)
        return self.positions[token_id], amount0, amount1

    def decrease(
        self, token_id: int, liquidity: int, minimum: tuple[int, int], timestamp: int, emit: Emit
    ) -> tuple[Position, int, int]:
        """Take liquidity out; what it frees and the fees so far are owed to the position.

        Returns:
            The position, and token0 and token1 freed.
        """
        held = self._held(token_id)
        if not 0 < liquidity <= held.liquidity:
            raise SimRevertError("Not enough liquidity")
        amount0, amount1 = self._burn(held, liquidity, timestamp, emit)
        if amount0 < minimum[0] or amount1 < minimum[1]:
            raise SimRevertError("Price slippage check")
        settled = self._settle(held)
        self.positions[token_id] = replace(
            settled,
            liquidity=held.liquidity - liquidity,
            tokens_owed0=settled.tokens_owed0 + amount0,
            tokens_owed1=settled.tokens_owed1 + amount1,
        )
        return self.positions[token_id], amount0, amount1

    def collect(
        self, token_id: int, timestamp: int, recipient: Address, emit: Emit
    ) -> tuple[Position, int, int]:
        """Pay out all that a position is owed, be it nothing.

        Returns:
            The position, and token0 and token1 paid out.
        """
        held = self._held(token_id)
        if held.liquidity:
            self._burn(held, 0, timestamp, emit)
            held = self._settle(held)
        pool, ticks = self.pools[held.pool], (held.tick_lower, held.tick_upper)
        owed = (min(held.tokens_owed0, _MAX_UINT128), min(held.tokens_owed1, _MAX_UINT128))
        paid0, paid1 = pool.collect(POSITION_MANAGER, *ticks, *owed)
        emit(LiquidityCollected(held.pool, POSITION_MANAGER, recipient, *ticks, paid0, paid1, 0, ""))
        self.positions[token_id] = replace(held, tokens_owed0=0, tokens_owed1=0)
        return self.positions[token_id], paid0, paid1

    def burn(self, token_id: int) -> None:
        """Destroy an empty position."""
        held = self._held(token_id)
        if held.liquidity or held.tokens_owed0 or held.tokens_owed1:
            raise SimRevertError("Not cleared")
        del self.positions[token_id]

    def _held(self, token_id: int) -> Position:
        position = self.positions.get(token_id)
        if position is None:
            raise SimRevertError("Invalid token ID")
        return position

    def _add(
        self,
        address: Address,
        ticks: tuple[int, int],
        desired: tuple[int, int],
        minimum: tuple[int, int],
        timestamp: int,
        emit: Emit,
    ) -> tuple[int, int, int]:
        pool = self.pools[address]
        try:
            bounds = get_sqrt_ratio_at_tick(ticks[0]), get_sqrt_ratio_at_tick(ticks[1])
            liquidity = liquidity_for_amounts(pool.sqrt_price_x96, *bounds, *desired)
            amount0, amount1 = pool.mint(POSITION_MANAGER, *ticks, liquidity, timestamp)
        except AmmRevert as error:
            raise SimRevertError(str(error)) from error
        if amount0 < minimum[0] or amount1 < minimum[1]:
            raise SimRevertError("Price slippage check")
        emit(LiquidityMinted(address, POSITION_MANAGER, *ticks, liquidity, amount0, amount1, 0, ""))
        return liquidity, amount0, amount1

    def _burn(self, held: Position, liquidity: int, timestamp: int, emit: Emit) -> tuple[int, int]:
        ticks = (held.tick_lower, held.tick_upper)
        try:
            amount0, amount1 = self.pools[held.pool].burn(POSITION_MANAGER, *ticks, liquidity, timestamp)
        except AmmRevert as error:
            raise SimRevertError(str(error)) from error
        emit(LiquidityBurned(held.pool, POSITION_MANAGER, *ticks, liquidity, amount0, amount1, 0, ""))
        return amount0, amount1

    def _settle(self, held: Position) -> Position:
        """Credit the fees since the last checkpoint, on the liquidity the position had, and move the checkpoint.

        The checkpoint is the pool's record of the manager's range: after the last liquidity has left, the ticks are
        gone and nothing else remembers the growth inside.
        """
        state = self.pools[held.pool].positions[POSITION_MANAGER, held.tick_lower, held.tick_upper]
        inside0, inside1 = state.fee_growth_inside0_last_x128, state.fee_growth_inside1_last_x128
        grown0 = (inside0 - held.fee_growth_inside0_x128) & _MAX_UINT256
        grown1 = (inside1 - held.fee_growth_inside1_x128) & _MAX_UINT256
        return replace(
            held,
            fee_growth_inside0_x128=inside0,
            fee_growth_inside1_x128=inside1,
            tokens_owed0=held.tokens_owed0 + grown0 * held.liquidity // Q128,
            tokens_owed1=held.tokens_owed1 + grown1 * held.liquidity // Q128,
        )
