"""Logs into records, cut by hand: 10 µs a log where a general decoder takes 300."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, TypeAlias

from defai.amm import AmmRevert, PairPool
from defai.chain import mainnet
from defai.chain.codec import address_at, checksum, signed, topic, unhex, unsigned
from defai.domain.chain_events import (
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
from defai.domain.tokens import Address
from defai.errors import DivergenceError

Log: TypeAlias = Mapping[str, Any]
"""A log as the node gives it in JSON."""


@dataclass(frozen=True, slots=True)
class PositionIncreased:
    """The position manager's `IncreaseLiquidity(uint256,uint128,uint256,uint256)`: also upon a mint."""

    token_id: int
    liquidity: int
    amount0: int
    amount1: int
    log_index: int


@dataclass(frozen=True, slots=True)
class PositionDecreased:
    """`DecreaseLiquidity(uint256,uint128,uint256,uint256)`: the amounts are owed now, not paid yet."""

    token_id: int
    liquidity: int
    amount0: int
    amount1: int
    log_index: int


@dataclass(frozen=True, slots=True)
class PositionCollected:
    """The position manager's `Collect(uint256,address,uint256,uint256)`: what was paid, and to whom."""

    token_id: int
    recipient: Address
    amount0: int
    amount1: int
    log_index: int


@dataclass(frozen=True, slots=True)
class NftTransferred:
    """ERC-721 `Transfer(address,address,uint256)`: from the zero address upon a mint, to it upon a burn."""

    contract: Address
    sender: Address
    recipient: Address
    token_id: int
    log_index: int


@dataclass(frozen=True, slots=True)
class TokenTransferred:
    """ERC-20 `Transfer(address,address,uint256)`."""

    token: Address
    sender: Address
    recipient: Address
    amount_raw: int
    log_index: int


ReceiptEvent: TypeAlias = (
    PositionIncreased | PositionDecreased | PositionCollected | NftTransferred | TokenTransferred
)

INITIALIZE: Final = "Initialize(uint160,int24)"
SWAP: Final = "Swap(address,address,int256,int256,uint160,uint128,int24)"
MINT: Final = "Mint(address,address,int24,int24,uint128,uint256,uint256)"
BURN: Final = "Burn(address,int24,int24,uint128,uint256,uint256)"
COLLECT: Final = "Collect(address,address,int24,int24,uint128,uint128)"
FLASH: Final = "Flash(address,address,uint256,uint256,uint256,uint256)"
SET_FEE_PROTOCOL: Final = "SetFeeProtocol(uint8,uint8,uint8,uint8)"
PAIR_SYNC: Final = "Sync(uint112,uint112)"
PAIR_SWAP: Final = "Swap(address,uint256,uint256,uint256,uint256,address)"
INCREASE: Final = "IncreaseLiquidity(uint256,uint128,uint256,uint256)"
DECREASE: Final = "DecreaseLiquidity(uint256,uint128,uint256,uint256)"
COLLECT_POSITION: Final = "Collect(uint256,address,uint256,uint256)"
TRANSFER: Final = "Transfer(address,address,uint256)"


def pool_topics() -> list[str]:
    """First topics of the pool events that are decoded, as a log filter wants them."""
    return [topic(event) for event in (INITIALIZE, SWAP, MINT, BURN, COLLECT, FLASH, SET_FEE_PROTOCOL)]


def pair_topics() -> list[str]:
    """The same of the events of Uniswap v2's pairs."""
    return [topic(event) for event in (PAIR_SYNC, PAIR_SWAP)]


def decode_pool_logs(logs: Iterable[Log]) -> tuple[PoolEvent, ...]:
    """The pool events among logs, in log order; other logs are passed over.

    Raises:
        DivergenceError: where a log is too short to be the event its topic says.
    """
    decoders, pair_swap = _pool_decoders(), topic(PAIR_SWAP)
    events: list[PoolEvent] = []
    swaps = []
    for log in logs:
        first = log["topics"][0] if log["topics"] else ""
        if first == pair_swap:
            swaps.append(log)
        elif (decoder := decoders.get(first)) is not None:
            events.append(_decoded(decoder, log))
    if swaps:
        synced = {(one.pool, one.log_index): one for one in events if isinstance(one, PairSynced)}
        swapped = [_decoded(partial(_pair_swapped, synced), log) for log in swaps]
        told = {(one.pool, one.log_index - 1) for one in swapped}
        events = [*(one for one in events if (one.pool, one.log_index) not in told), *swapped]
    events.sort(key=lambda event: event.log_index)
    return tuple(events)


def decode_receipt_logs(logs: Iterable[Log]) -> tuple[ReceiptEvent, ...]:
    """The position manager's events and the token transfers among a receipt's logs, in log order.

    Transfers are anybody's: look at the contract before believing one.

    Raises:
        DivergenceError: where a log is too short to be the event its topic says.
    """
    manager = {
        topic(INCREASE): _increased,
        topic(DECREASE): _decreased,
        topic(COLLECT_POSITION): _position_collected,
    }
    events: list[ReceiptEvent] = []
    for log in logs:
        first = log["topics"][0] if log["topics"] else ""
        if first == topic(TRANSFER):
            events += _transferred(log)
        elif first in manager and checksum(log["address"]) == mainnet.POSITION_MANAGER:
            events.append(_decoded(manager[first], log))
    return tuple(events)


def _pool_decoders() -> Mapping[str, Callable[[Log, bytes], PoolEvent]]:
    return {
        topic(SWAP): _swapped,
        topic(MINT): _minted,
        topic(BURN): _burned,
        topic(COLLECT): _collected,
        topic(INITIALIZE): _initialized,
        topic(FLASH): _flashed,
        topic(SET_FEE_PROTOCOL): _fee_protocol_set,
        topic(PAIR_SYNC): _pair_synced,
    }


def _decoded(decoder: "Callable[[Log, bytes], Any]", log: Log) -> Any:  # noqa: ANN401  each decoder has its own record
    try:
        return decoder(log, unhex(log["data"]))
    except (IndexError, ValueError) as error:
        raise DivergenceError(
            f"The node gave a log of {log['address']} in {log['transactionHash']} that is not what its topic says."
        ) from error


def _at(data: bytes, length: int) -> bytes:
    if len(data) != length * 32:
        raise ValueError("a log of the wrong length")
    return data


def _address_topic(log: Log, index: int) -> Address:
    return checksum("0x" + log["topics"][index][26:])


def _tick_topic(log: Log, index: int) -> int:
    return signed(unhex(log["topics"][index]))


def _initialized(log: Log, data: bytes) -> PoolInitialized:
    data = _at(data, 2)
    return PoolInitialized(
        checksum(log["address"]),
        unsigned(data),
        signed(data, 1),
        int(log["logIndex"], 16),
        log["transactionHash"],
    )


def _swapped(log: Log, data: bytes) -> PoolSwapped:
    data = _at(data, 5)
    return PoolSwapped(
        pool=checksum(log["address"]),
        sender=_address_topic(log, 1),
        recipient=_address_topic(log, 2),
        amount0=signed(data),
        amount1=signed(data, 1),
        sqrt_price_x96=unsigned(data, 2),
        liquidity=unsigned(data, 3),
        tick=signed(data, 4),
        log_index=int(log["logIndex"], 16),
        transaction_hash=log["transactionHash"],
    )


def _pair_synced(log: Log, data: bytes) -> PairSynced:
    data = _at(data, 2)
    return PairSynced(
        checksum(log["address"]),
        unsigned(data),
        unsigned(data, 1),
        int(log["logIndex"], 16),
        log["transactionHash"],
    )


def _pair_swapped(synced: Mapping[tuple[Address, int], PairSynced], log: Log, data: bytes) -> PoolSwapped:
    """A pair says right before a swap what its reserves are after it (UniswapV2Pair._update)."""
    data = _at(data, 4)
    pool, index = checksum(log["address"]), int(log["logIndex"], 16)
    before = synced.get((pool, index - 1))
    if before is None:
        raise ValueError("a pair's swap without its sync")
    try:
        pair = PairPool(before.reserve0, before.reserve1)
    except AmmRevert as refusal:
        raise ValueError("reserves of no pair in use") from refusal
    return PoolSwapped(
        pool=pool,
        sender=_address_topic(log, 1),
        recipient=_address_topic(log, 2),
        amount0=unsigned(data) - unsigned(data, 2),
        amount1=unsigned(data, 1) - unsigned(data, 3),
        sqrt_price_x96=pair.sqrt_price_x96,
        liquidity=pair.liquidity,
        tick=pair.tick,
        log_index=index,
        transaction_hash=log["transactionHash"],
    )


def _minted(log: Log, data: bytes) -> LiquidityMinted:
    data = _at(data, 4)  # the sender comes first; the owner is a topic
    return LiquidityMinted(
        pool=checksum(log["address"]),
        owner=_address_topic(log, 1),
        tick_lower=_tick_topic(log, 2),
        tick_upper=_tick_topic(log, 3),
        liquidity=unsigned(data, 1),
        amount0=unsigned(data, 2),
        amount1=unsigned(data, 3),
        log_index=int(log["logIndex"], 16),
        transaction_hash=log["transactionHash"],
    )


def _burned(log: Log, data: bytes) -> LiquidityBurned:
    data = _at(data, 3)
    return LiquidityBurned(
        pool=checksum(log["address"]),
        owner=_address_topic(log, 1),
        tick_lower=_tick_topic(log, 2),
        tick_upper=_tick_topic(log, 3),
        liquidity=unsigned(data),
        amount0=unsigned(data, 1),
        amount1=unsigned(data, 2),
        log_index=int(log["logIndex"], 16),
        transaction_hash=log["transactionHash"],
    )


def _collected(log: Log, data: bytes) -> LiquidityCollected:
    data = _at(data, 3)  # the recipient comes first; the owner is a topic
    return LiquidityCollected(
        pool=checksum(log["address"]),
        owner=_address_topic(log, 1),
        recipient=address_at(data),
        tick_lower=_tick_topic(log, 2),
        tick_upper=_tick_topic(log, 3),
        amount0=unsigned(data, 1),
        amount1=unsigned(data, 2),
        log_index=int(log["logIndex"], 16),
        transaction_hash=log["transactionHash"],
    )


def _flashed(log: Log, data: bytes) -> PoolFlashed:
    data = _at(data, 4)
    return PoolFlashed(
        checksum(log["address"]),
        _address_topic(log, 1),
        _address_topic(log, 2),
        unsigned(data),
        unsigned(data, 1),
        unsigned(data, 2),
        unsigned(data, 3),
        int(log["logIndex"], 16),
        log["transactionHash"],
    )


def _fee_protocol_set(log: Log, data: bytes) -> FeeProtocolSet:
    data = _at(data, 4)
    return FeeProtocolSet(
        checksum(log["address"]),
        unsigned(data),
        unsigned(data, 1),
        unsigned(data, 2),
        unsigned(data, 3),
        int(log["logIndex"], 16),
        log["transactionHash"],
    )


def _increased(log: Log, data: bytes) -> PositionIncreased:
    return PositionIncreased(*_position_amounts(log, data))


def _decreased(log: Log, data: bytes) -> PositionDecreased:
    return PositionDecreased(*_position_amounts(log, data))


def _position_amounts(log: Log, data: bytes) -> tuple[int, int, int, int, int]:
    data = _at(data, 3)
    token_id = int(log["topics"][1], 16)
    return token_id, unsigned(data), unsigned(data, 1), unsigned(data, 2), int(log["logIndex"], 16)


def _position_collected(log: Log, data: bytes) -> PositionCollected:
    data = _at(data, 3)
    return PositionCollected(
        int(log["topics"][1], 16),
        address_at(data),
        unsigned(data, 1),
        unsigned(data, 2),
        int(log["logIndex"], 16),
    )


def _transferred(log: Log) -> list[NftTransferred | TokenTransferred]:
    if len(log["topics"]) not in {3, 4}:
        return []  # some contract's own event of that name
    contract = checksum(log["address"])
    sender, recipient = _address_topic(log, 1), _address_topic(log, 2)
    index = int(log["logIndex"], 16)
    if len(log["topics"]) == 4:
        return [NftTransferred(contract, sender, recipient, int(log["topics"][3], 16), index)]
    return [TokenTransferred(contract, sender, recipient, unsigned(unhex(log["data"])), index)]
