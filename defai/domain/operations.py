"""What a vault will do, fully specified: every amount, bound and position is a number.

A plan of operations is what a guard judges, what a decision commits to, and what an executor carries out: the
in-memory pool runs them as they are, the chain as calls of Uniswap's routers.
"""

from dataclasses import dataclass
from typing import TypeAlias

from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True)
class SwapExactInput:
    """Sell an exact amount in one pool, for at least `amount_out_minimum`."""

    pool: Address
    zero_for_one: bool
    amount_in: int
    amount_out_minimum: int


@dataclass(frozen=True, slots=True)
class SwapInPair(SwapExactInput):
    """The same in a pair of Uniswap v2: a call of the router, which has to be allowed to take the amount first."""


@dataclass(frozen=True, slots=True)
class MintPosition:
    """Open a position with at most the desired and at least the minimum amounts."""

    pool: Address
    tick_lower: int
    tick_upper: int
    amount0_desired: int
    amount1_desired: int
    amount0_minimum: int
    amount1_minimum: int


@dataclass(frozen=True, slots=True)
class AddLiquidity:
    """Add to a position."""

    token_id: int
    amount0_desired: int
    amount1_desired: int
    amount0_minimum: int
    amount1_minimum: int


@dataclass(frozen=True, slots=True)
class RemoveLiquidity:
    """Take liquidity out of a position; the amounts are owed to it until collected."""

    token_id: int
    liquidity: int
    amount0_minimum: int
    amount1_minimum: int


@dataclass(frozen=True, slots=True)
class CollectOwed:
    """Pay all that a position is owed to the vault."""

    token_id: int


@dataclass(frozen=True, slots=True)
class BurnPosition:
    """Destroy the NFT of an empty position."""

    token_id: int


Operation: TypeAlias = (
    SwapExactInput | MintPosition | AddLiquidity | RemoveLiquidity | CollectOwed | BurnPosition
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a vault: no ether goes with it."""

    target: Address
    data: bytes
