"""What the market's people do: five kinds of action, as data. Amounts are in the tokens' smallest units.

`actor` is a stable name ("arbitrageur", "lp-narrow"); a world gives each actor an account of its own and all the tokens
it needs. `pool` is the pool's address.
"""

from dataclasses import dataclass
from typing import TypeAlias

from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True)
class MarketInitialize:
    """Create the pool if it isn't there, and set its first square-root price."""

    actor: str
    pool: Address
    sqrt_price_x96: int


@dataclass(frozen=True, slots=True)
class MarketSwap:
    """Sell at most `amount_in`, stopping where the pool's square-root price reaches the limit.

    A swap whose limit the price has passed already reverts on the chain ('SPL'), and moves nothing in memory.

    A pair of Uniswap v2 knows no such limit: there all of the amount is sold, or nothing where it would be sold at an
    average price worse than the limit.
    """

    actor: str
    pool: Address
    zero_for_one: bool
    amount_in: int
    sqrt_price_limit_x96: int


@dataclass(frozen=True, slots=True)
class MarketMint:
    """Provide as much liquidity between two ticks as both amounts pay for, as the position manager computes it."""

    actor: str
    pool: Address
    tick_lower: int
    tick_upper: int
    amount0: int
    amount1: int


@dataclass(frozen=True, slots=True)
class MarketBurn:
    """Withdraw all that the actor has provided between two ticks, and collect it with its fees."""

    actor: str
    pool: Address
    tick_lower: int
    tick_upper: int


@dataclass(frozen=True, slots=True)
class MarketProvide:
    """Provide liquidity to a pair of Uniswap v2, as much of both amounts as keeps its price; create it if need be."""

    actor: str
    pool: Address
    amount0: int
    amount1: int


MarketAction: TypeAlias = MarketInitialize | MarketSwap | MarketMint | MarketBurn | MarketProvide
