"""What a strategy can ask for. An intent is data with a reason; nothing has happened yet.

Pools are named by their address, amounts are in the token's smallest unit.
"""

from dataclasses import dataclass
from typing import TypeAlias

from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Do nothing."""

    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Swap:
    """Sell `amount_in_raw` of token0 (`zero_for_one`) or of token1 in one pool."""

    pool: Address
    zero_for_one: bool
    amount_in_raw: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenPosition:
    """Provide at most these amounts of liquidity between two ticks; what does not fit stays in the vault."""

    pool: Address
    tick_lower: int
    tick_upper: int
    amount0_raw: int
    amount1_raw: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncreaseLiquidity:
    """Add at most these amounts to a position."""

    token_id: int
    amount0_raw: int
    amount1_raw: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DecreaseLiquidity:
    """Withdraw this much liquidity from a position and collect what it frees."""

    token_id: int
    liquidity: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectFees:
    """Collect what a position has earned."""

    token_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosePosition:
    """Withdraw everything from a position, collect it and burn the NFT."""

    token_id: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebalance:
    """Close the positions held in a pool, swap to the ratio the new band needs, open the band with all of it."""

    pool: Address
    tick_lower: int
    tick_upper: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """Several intents, all or nothing, in one transaction."""

    intents: tuple[
        "Swap | OpenPosition | IncreaseLiquidity | DecreaseLiquidity | CollectFees | ClosePosition", ...
    ]
    reason: str


Intent: TypeAlias = (
    Hold
    | Swap
    | OpenPosition
    | IncreaseLiquidity
    | DecreaseLiquidity
    | CollectFees
    | ClosePosition
    | Rebalance
    | Batch
)
