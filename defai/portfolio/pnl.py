"""What a portfolio is worth, and what holding would have been worth: integers in the numeraire's smallest unit."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from defai.amm import Pool, amounts_for_liquidity, get_sqrt_ratio_at_tick
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.portfolio.ledger import Portfolio
from defai.units import Q128

Worth: TypeAlias = Callable[[Address, int], int]
"""Worth of an amount of a token, in the numeraire's smallest unit."""

_MASK_256 = (1 << 256) - 1


@dataclass(frozen=True, slots=True)
class PositionValue:
    """A position's contents: what its liquidity holds, and what it is owed, fees up to now included."""

    position: Position
    amount0: int
    amount1: int
    owed0: int
    owed1: int
    value_raw: int
    owed_raw: int


@dataclass(frozen=True, slots=True)
class Valued:
    """A portfolio valued at one moment.

    Attributes:
        equity_raw: idle tokens, positions and what they are owed, less all gas paid.
        hodl_raw: what the initial balances would be worth now, untouched.
        base_raw: the part of the equity that is not held in the numeraire.
        fees_raw: fees earned so far, collected or owed, at present prices.
    """

    equity_raw: int
    hodl_raw: int
    base_raw: int
    fees_raw: int
    gas_raw: int
    positions: tuple[PositionValue, ...]


def owed_by(pool: Pool, position: Position) -> tuple[int, int]:
    """Tokens a position could collect now, as NonfungiblePositionManager.collect settles them.

    Returns:
        token0 and token1 in smallest units: tokensOwed plus L x growth since the last settlement, rounded down.
    """
    inside0, inside1 = pool.fee_growth_inside(position.tick_lower, position.tick_upper)
    grown0 = (inside0 - position.fee_growth_inside0_x128) & _MASK_256
    grown1 = (inside1 - position.fee_growth_inside1_x128) & _MASK_256
    return (
        position.tokens_owed0 + grown0 * position.liquidity // Q128,
        position.tokens_owed1 + grown1 * position.liquidity // Q128,
    )


def contents(pool: Pool, position: Position) -> tuple[int, int]:
    """Tokens a position's liquidity would give if withdrawn now, rounded down as the pool does."""
    return amounts_for_liquidity(
        pool.sqrt_price_x96,
        get_sqrt_ratio_at_tick(position.tick_lower),
        get_sqrt_ratio_at_tick(position.tick_upper),
        position.liquidity,
    )


def value(
    portfolio: Portfolio,
    pools: Mapping[Address, Pool],
    keys: Mapping[Address, PoolKey],
    worth: Worth,
    numeraire: Address,
) -> Valued:
    """Value a portfolio at the present state of the pools."""
    positions = tuple([_value_position(pools[p.pool], keys[p.pool], p, worth) for p in portfolio.positions])
    held = hodl = fees = owed = 0  # sums in loops: this runs at every block
    for token, amount in portfolio.balances.items():
        held += worth(token, amount)
    cash = portfolio.balances.get(numeraire, 0)
    for position in positions:
        held += position.value_raw + position.owed_raw
        owed += position.owed_raw
        key = keys[position.position.pool]
        if key.token0.address == numeraire:
            cash += position.amount0 + position.owed0
        elif key.token1.address == numeraire:
            cash += position.amount1 + position.owed1
    for token, amount in portfolio.fees_collected.items():
        fees += worth(token, amount)
    for token, amount in portfolio.initial.items():
        hodl += worth(token, amount)
    gas = portfolio.gas_numeraire_raw
    return Valued(held - gas, hodl, held - cash, fees + owed, gas, positions)


def _value_position(pool: Pool, key: PoolKey, position: Position, worth: Worth) -> PositionValue:
    amount0, amount1 = contents(pool, position)
    owed0, owed1 = owed_by(pool, position)
    token0, token1 = key.token0.address, key.token1.address
    value_raw = worth(token0, amount0) + worth(token1, amount1)
    owed_raw = worth(token0, owed0) + worth(token1, owed1)
    return PositionValue(position, amount0, amount1, owed0, owed1, value_raw, owed_raw)
