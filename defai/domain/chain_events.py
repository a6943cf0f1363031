"""Blocks and the pool events in them, decoded.

Amounts in v3 events are the pool's deltas: positive is what the pool received.
"""

from dataclasses import dataclass
from typing import TypeAlias

from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True)
class PoolInitialized:
    """`Initialize(uint160,int24)`."""

    pool: Address
    sqrt_price_x96: int
    tick: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class PoolSwapped:
    """`Swap(address,address,int256,int256,uint160,uint128,int24)`; the state is the one after the swap."""

    pool: Address
    sender: Address
    recipient: Address
    amount0: int
    amount1: int
    sqrt_price_x96: int
    liquidity: int
    tick: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class LiquidityMinted:
    """`Mint(address,address,int24,int24,uint128,uint256,uint256)`."""

    pool: Address
    owner: Address
    tick_lower: int
    tick_upper: int
    liquidity: int
    amount0: int
    amount1: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class LiquidityBurned:
    """`Burn(address,int24,int24,uint128,uint256,uint256)`."""

    pool: Address
    owner: Address
    tick_lower: int
    tick_upper: int
    liquidity: int
    amount0: int
    amount1: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class LiquidityCollected:
    """`Collect(address,address,int24,int24,uint128,uint128)`."""

    pool: Address
    owner: Address
    recipient: Address
    tick_lower: int
    tick_upper: int
    amount0: int
    amount1: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class PoolFlashed:
    """`Flash(address,address,uint256,uint256,uint256,uint256)`: what was lent, and what was paid beyond it."""

    pool: Address
    sender: Address
    recipient: Address
    amount0: int
    amount1: int
    paid0: int
    paid1: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class FeeProtocolSet:
    """`SetFeeProtocol(uint8,uint8,uint8,uint8)`: the protocol takes one n-th of the fees from now on, none for 0."""

    pool: Address
    fee_protocol0_before: int
    fee_protocol1_before: int
    fee_protocol0: int
    fee_protocol1: int
    log_index: int
    transaction_hash: str


@dataclass(frozen=True, slots=True)
class PairSynced:
    """`Sync(uint112,uint112)` of a Uniswap v2 pair that no swap of it follows: liquidity came or went.

    A swap in a pair is a `PoolSwapped` like any other: its price, liquidity and tick are those of the reserves then.
    """

    pool: Address
    reserve0: int
    reserve1: int
    log_index: int
    transaction_hash: str


PoolEvent: TypeAlias = (
    PoolInitialized
    | PoolSwapped
    | LiquidityMinted
    | LiquidityBurned
    | LiquidityCollected
    | PoolFlashed
    | FeeProtocolSet
    | PairSynced
)


@dataclass(frozen=True, slots=True)
class Block:
    """A block: its header's fields that we use, and the events of the pools we watch, in log order."""

    number: int
    hash: str
    parent_hash: str
    timestamp: int
    base_fee_wei: int
    events: tuple[PoolEvent, ...] = ()
