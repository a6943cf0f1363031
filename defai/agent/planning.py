"""From an intent to operations: every amount and bound worked out against exact replicas of the pools.

A plan is carried out a block later, when the price has moved. So what a withdrawal gives and a swap returns is
counted at the worst within the slippage limit, and what is offered to a new band never exceeds it: a plan within
its limits does not revert for lack of a few wei. One plan may: an offer of one token in a band beside the price is
refused by the pool, whole, where the price has moved into the band.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import isqrt

from defai.agent.band_swap import swap_into_band
from defai.amm import AmmRevert, Pool, amounts_for_liquidity, get_sqrt_ratio_at_tick, liquidity_for_amounts
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.operations import (
    AddLiquidity,
    BurnPosition,
    CollectOwed,
    MintPosition,
    Operation,
    RemoveLiquidity,
    SwapExactInput,
    SwapInPair,
)
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.errors import DefaiError
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import contents, owed_by
from defai.units import BPS


class PlanError(DefaiError):
    """An intent that cannot be worked out: more than there is, an unknown position, a range that is none."""


@dataclass(slots=True)
class Ledger:
    """Balances while a plan is being worked out: what is certain to be there at each step."""

    amounts: dict[Address, int]

    def take(self, token: Address, amount: int, what: str) -> None:
        """Spend an amount.

        Raises:
            PlanError: where there is not that much, or less than nothing is asked for.
        """
        held = self.amounts.get(token, 0)
        if amount < 0:
            raise PlanError(f"{what} asks for {amount} of a token: less than nothing")
        if amount > held:
            raise PlanError(f"{what} asks for {amount} of a token of which the vault has {held}")
        self.amounts[token] = held - amount

    def add(self, token: Address, amount: int) -> None:
        """Receive an amount."""
        self.amounts[token] = self.amounts.get(token, 0) + amount


@dataclass(frozen=True, slots=True)
class PlannedSwap:
    """A swap of a plan with what it was quoted: for the guard to measure."""

    operation: SwapExactInput
    amount_out: int
    impact_bps: float


class Planner:
    """Works intents out for one agent at one block.

    Args:
        pools: replicas of the pools; read, never changed.
        keys: what the pools are.
        portfolio: what the agent has.
        max_slippage_bps: how far the price may move before a plan reverts.
    """

    def __init__(
        self,
        pools: Mapping[Address, Pool],
        keys: Mapping[Address, PoolKey],
        portfolio: Portfolio,
        max_slippage_bps: int,
    ) -> None:
        self._pools = dict(pools)
        self._keys = keys
        self._positions = {position.token_id: position for position in portfolio.positions}
        self._ledger = Ledger(dict(portfolio.balances))
        self._slippage_bps = max_slippage_bps
        self.swaps: list[PlannedSwap] = []
        self.liquidity_moved: list[tuple[Address, int, int]] = []
        self._copied: set[Address] = set()
        self._grown: set[int] = set()

    def plan(self, intent: Intent) -> tuple[Operation, ...]:
        """The operations that carry an intent out, in order.

        Raises:
            PlanError: where it cannot be carried out, with the reason.
        """
        try:
            operations = self._plan(intent)
        except AmmRevert as refusal:
            raise PlanError(refusal.sentence) from refusal
        if not operations and not isinstance(intent, Hold):
            raise PlanError("the intent asks for nothing")
        return operations

    def _plan(self, intent: Intent) -> tuple[Operation, ...]:
        match intent:
            case Hold():
                return ()
            case Swap():
                return (
                    self._swap(intent.pool, zero_for_one=intent.zero_for_one, amount_in=intent.amount_in_raw),
                )
            case OpenPosition(tick_lower=lower, tick_upper=upper):
                return (self._mint(intent.pool, lower, upper, intent.amount0_raw, intent.amount1_raw),)
            case IncreaseLiquidity():
                return (self._increase(intent),)
            case DecreaseLiquidity():
                return self._decrease(self._position(intent.token_id), intent.liquidity)
            case CollectFees():
                return self._collect(self._position(intent.token_id))
            case ClosePosition():
                return self._close(self._position(intent.token_id))
            case Rebalance():
                return self._rebalance(intent)
            case Batch():
                return tuple(operation for part in intent.intents for operation in self._plan(part))

    def _position(self, token_id: int) -> Position:
        position = self._positions.get(token_id)
        if position is None:
            raise PlanError(f"position {token_id} is not one of the vault's")
        return position

    def _pool(self, address: Address) -> tuple[Pool, PoolKey]:
        if address not in self._keys:
            raise PlanError(f"pool {address} is not one the agent watches")
        return self._pools[address], self._keys[address]

    def _own_pool(self, address: Address) -> Pool:
        """A copy of a pool that this plan may change, so that later operations see earlier ones' effect."""
        if address not in self._copied:
            self._pools[address] = self._pools[address].copy()
            self._copied.add(address)
        return self._pools[address]

    def _swap(self, address: Address, *, zero_for_one: bool, amount_in: int) -> SwapExactInput:
        _, key = self._pool(address)
        if amount_in <= 0:
            raise PlanError("a swap needs a positive amount")
        self._ledger.take(key.token(zero=zero_for_one).address, amount_in, "a swap")
        pool = self._own_pool(address)
        before = pool.sqrt_price_x96
        result = pool.swap(zero_for_one=zero_for_one, amount_specified=amount_in)
        paid, got = (result.amount0, -result.amount1) if zero_for_one else (result.amount1, -result.amount0)
        if paid < amount_in:
            raise PlanError(f"{key.name} has liquidity for {paid} of the {amount_in} to be sold")
        fair = _at_spot(before, amount_in - result.fee_amount, zero_for_one=zero_for_one)
        minimum = fair * (BPS - self._slippage_bps) // BPS
        impact = (fair - got) * BPS / fair if fair else 0.0
        kind = SwapInPair if key.is_pair else SwapExactInput
        operation = kind(address, zero_for_one, amount_in, minimum)
        self.swaps.append(PlannedSwap(operation, got, impact))
        self._ledger.add(key.token(zero=not zero_for_one).address, min(got, minimum))
        return operation

    def _mint(self, address: Address, lower: int, upper: int, amount0: int, amount1: int) -> MintPosition:
        pool, key = self._pool(address)
        _check_range(key, lower, upper)
        self._ledger.take(key.token0.address, amount0, "a new position")
        self._ledger.take(key.token1.address, amount1, "a new position")
        minimum0, minimum1 = self._worst_mint(pool, lower, upper, amount0, amount1)
        self.liquidity_moved.append((address, amount0, amount1))
        return MintPosition(address, lower, upper, amount0, amount1, minimum0, minimum1)

    def _increase(self, intent: IncreaseLiquidity) -> AddLiquidity:
        position = self._position(intent.token_id)
        pool, key = self._pool(position.pool)
        amounts = (intent.amount0_raw, intent.amount1_raw)
        self._ledger.take(key.token0.address, amounts[0], "adding liquidity")
        self._ledger.take(key.token1.address, amounts[1], "adding liquidity")
        minimum0, minimum1 = self._worst_mint(pool, position.tick_lower, position.tick_upper, *amounts)
        self.liquidity_moved.append((position.pool, *amounts))
        self._grown.add(position.token_id)
        return AddLiquidity(position.token_id, *amounts, minimum0, minimum1)

    def _decrease(self, position: Position, liquidity: int) -> tuple[Operation, ...]:
        if not 0 < liquidity <= position.liquidity:
            raise PlanError(
                f"position {position.token_id} has {position.liquidity} liquidity, not {liquidity}"
            )
        minimum0, minimum1 = self._receive(position, liquidity)
        return (
            RemoveLiquidity(position.token_id, liquidity, minimum0, minimum1),
            CollectOwed(position.token_id),
        )

    def _collect(self, position: Position) -> tuple[Operation, ...]:
        self._receive(position, 0)
        return (CollectOwed(position.token_id),)

    def _close(self, position: Position) -> tuple[Operation, ...]:
        if position.token_id in self._grown:
            raise PlanError(
                f"position {position.token_id} grows in this plan: how much there is to close is open"
            )
        removed = (
            self._decrease(position, position.liquidity) if position.liquidity else self._collect(position)
        )
        del self._positions[position.token_id]
        return (*removed, BurnPosition(position.token_id))

    def _rebalance(self, intent: Rebalance) -> tuple[Operation, ...]:
        _, key = self._pool(intent.pool)
        _check_range(key, intent.tick_lower, intent.tick_upper)
        held = [position for position in self._positions.values() if position.pool == intent.pool]
        closing = [operation for position in held for operation in self._close(position)]
        token0, token1 = key.token0.address, key.token1.address
        pool = self._own_pool(intent.pool)
        amounts = self._ledger.amounts.get(token0, 0), self._ledger.amounts.get(token1, 0)
        choice = swap_into_band(pool, intent.tick_lower, intent.tick_upper, *amounts)
        swapping: list[Operation] = []
        if choice is not None:
            swapping = [self._swap(intent.pool, zero_for_one=choice.zero_for_one, amount_in=choice.amount_in)]
        left = self._ledger.amounts.get(token0, 0), self._ledger.amounts.get(token1, 0)
        return (*closing, *swapping, self._mint(intent.pool, intent.tick_lower, intent.tick_upper, *left))

    def _receive(self, position: Position, liquidity: int) -> tuple[int, int]:
        """Credit a withdrawal at its worst within the slippage; fees owed come on top as they are."""
        pool, key = self._pool(position.pool)
        owed0, owed1 = owed_by(pool, position)
        minimum0, minimum1 = contents(pool, position) if liquidity else (0, 0)
        for sqrt_price in self._extremes(pool):
            amount0, amount1 = amounts_for_liquidity(
                sqrt_price,
                get_sqrt_ratio_at_tick(position.tick_lower),
                get_sqrt_ratio_at_tick(position.tick_upper),
                liquidity,
            )
            minimum0, minimum1 = min(minimum0, amount0), min(minimum1, amount1)
        if liquidity:
            own = self._own_pool(position.pool)
            own.update_liquidity(position.tick_lower, position.tick_upper, -liquidity)
            self.liquidity_moved.append((position.pool, minimum0, minimum1))
        self._ledger.add(key.token0.address, minimum0 + owed0)
        self._ledger.add(key.token1.address, minimum1 + owed1)
        self._positions[position.token_id] = _after_collecting(pool, position, liquidity)
        return minimum0, minimum1

    def _worst_mint(self, pool: Pool, lower: int, upper: int, amount0: int, amount1: int) -> tuple[int, int]:
        """The least that minting would take of each token while the price stays within the slippage.

        Liquidity is rounded down before it is turned back into amounts, so at a price in between a mint may take as
        little as one unit of liquidity less than at the extremes.
        """
        sqrt_lower, sqrt_upper = get_sqrt_ratio_at_tick(lower), get_sqrt_ratio_at_tick(upper)
        used = []
        for sqrt_price in (pool.sqrt_price_x96, *self._extremes(pool)):
            liquidity = liquidity_for_amounts(sqrt_price, sqrt_lower, sqrt_upper, amount0, amount1)
            if sqrt_price == pool.sqrt_price_x96 and liquidity == 0:
                raise PlanError(f"the amounts give no liquidity between {lower} and {upper}")
            used.append(amounts_for_liquidity(sqrt_price, sqrt_lower, sqrt_upper, max(liquidity - 1, 0)))
        return min(first for first, _ in used), min(second for _, second in used)

    def _extremes(self, pool: Pool) -> tuple[int, int]:
        below = isqrt(pool.sqrt_price_x96**2 * (BPS - self._slippage_bps) // BPS)
        above = isqrt(pool.sqrt_price_x96**2 * (BPS + self._slippage_bps) // BPS) + 1
        return below, above


def _check_range(key: PoolKey, lower: int, upper: int) -> None:
    if key.is_pair:
        raise PlanError(f"{key.name} is a pair of Uniswap v2: there are no positions in it, only swaps")
    if lower >= upper or lower % key.tick_spacing or upper % key.tick_spacing:
        raise PlanError(
            f"{lower}..{upper} is not a range of {key.name}, whose tick spacing is {key.tick_spacing}"
        )


def _after_collecting(pool: Pool, position: Position, liquidity: int) -> Position:
    """A position once liquidity was taken out of it and all it was owed was paid: nothing is counted twice."""
    inside0, inside1 = pool.fee_growth_inside(position.tick_lower, position.tick_upper)
    return replace(
        position,
        liquidity=position.liquidity - liquidity,
        fee_growth_inside0_x128=inside0,
        fee_growth_inside1_x128=inside1,
        tokens_owed0=0,
        tokens_owed1=0,
    )


def _at_spot(sqrt_price_x96: int, amount_in: int, *, zero_for_one: bool) -> int:
    """What an amount is worth in the other token at a square-root price, no fee and no impact."""
    square = sqrt_price_x96 * sqrt_price_x96
    return (amount_in * square) >> 192 if zero_for_one else (amount_in << 192) // square
