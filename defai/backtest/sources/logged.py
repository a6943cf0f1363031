"""Rows of a table as pool events: demeter-fetch's `.tick.csv` and `.raw.csv`, and parquet with the same columns."""

import ast
import math
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

from defai.backtest.sources.tables import Row, Table
from defai.chain.decode import decode_pool_logs
from defai.domain.chain_events import (
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PoolEvent,
    PoolSwapped,
)
from defai.domain.pool import PoolKey
from defai.errors import DivergenceError
from defai.units import Q96

TICK_COLUMNS: Final = (
    *("block_number", "block_timestamp", "tx_type", "pool_log_index", "sender", "receipt"),
    *("amount0", "amount1", "total_liquidity", "sqrtPriceX96", "current_tick"),
    *("tick_lower", "tick_upper", "liquidity"),
)
RAW_COLUMNS: Final = (
    *("block_number", "block_timestamp", "transaction_hash", "pool_log_index", "pool_topics", "pool_data"),
)
_LOG_OF_TICK: Final = math.log(1.0001)


class Logged(NamedTuple):
    """An event with its place on the chain and in its file."""

    block_number: int
    timestamp: int
    event: PoolEvent
    place: tuple[str, int]


def is_tick_table(columns: Iterable[str]) -> bool:
    """Whether a table is one of decoded events."""
    return {"tx_type", "sqrtPriceX96"} <= set(columns)


def is_raw_table(columns: Iterable[str]) -> bool:
    """Whether a table is one of raw logs."""
    return {"pool_topics", "pool_data"} <= set(columns)


def read_events(table: Table, key: PoolKey) -> Iterator[Logged]:
    """The events of a table, each checked by itself.

    Raises:
        ConfigError: naming file, line and cause.
    """
    raw = is_raw_table(table.columns)
    table.require(RAW_COLUMNS if raw else TICK_COLUMNS)
    decode: Callable[[Row, PoolKey], PoolEvent] = _from_log if raw else _from_tick_row
    for row in table:
        number = row.integer("block_number", 64)
        timestamp = _timestamp(row)
        if row.text("removed").lower() in {"true", "1"}:
            row.refuse("the log was removed by a reorganisation: it never happened")
        event = decode(row, key)
        if isinstance(event, PoolSwapped):
            _check_swap(row, event)
        yield Logged(number, timestamp, event, (table.path.name, row.line))


def _from_tick_row(row: Row, key: PoolKey) -> PoolEvent:
    kind = row.text("tx_type").upper()
    log_index, transaction = row.integer("pool_log_index", 64), row.text("transaction_hash")
    if kind == "SWAP":
        return PoolSwapped(
            key.address,
            row.text("sender"),
            row.text("receipt"),
            row.integer("amount0", signed=True),
            row.integer("amount1", signed=True),
            row.integer("sqrtPriceX96", 160),
            row.integer("total_liquidity", 128),
            row.tick("current_tick"),
            log_index,
            transaction,
        )
    if kind not in {"MINT", "BURN", "COLLECT"}:
        row.refuse(f"there is no event '{row.text('tx_type')}'")
    ticks = row.tick("tick_lower", key.tick_spacing), row.tick("tick_upper", key.tick_spacing)
    if ticks[0] >= ticks[1]:
        row.refuse(f"the range {ticks[0]}..{ticks[1]} is impossible")
    amounts = row.integer("amount0"), row.integer("amount1")
    if kind == "COLLECT":
        sender, recipient = row.text("sender"), row.text("receipt")
        return LiquidityCollected(key.address, sender, recipient, *ticks, *amounts, log_index, transaction)
    changed = LiquidityMinted if kind == "MINT" else LiquidityBurned
    liquidity = row.integer("liquidity", 128)
    return changed(key.address, row.text("sender"), *ticks, liquidity, *amounts, log_index, transaction)


def _from_log(row: Row, key: PoolKey) -> PoolEvent:
    log = {
        "address": key.address,
        "topics": _topics(row),
        "data": row.text("pool_data"),
        "logIndex": hex(row.integer("pool_log_index", 64)),
        "transactionHash": row.text("transaction_hash"),
    }
    try:
        events = decode_pool_logs([log])
    except DivergenceError:
        row.refuse("the log is not what its topic says: it is cut short or too long")
    if not events:
        row.refuse("the log is of no event that a pool emits")
    event = events[0]
    if isinstance(event, LiquidityMinted | LiquidityBurned | LiquidityCollected):
        for tick in (event.tick_lower, event.tick_upper):
            if tick % key.tick_spacing:
                row.refuse(f"tick {tick} is impossible: the pool's ticks are {key.tick_spacing} apart")
    return event


def _topics(row: Row) -> list[str]:
    text = row.text("pool_topics")
    try:
        topics = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        topics = None
    if not (isinstance(topics, list) and topics and all(isinstance(topic, str) for topic in topics)):
        row.refuse("pool_topics is no list of topics")
    return list(topics)


def _check_swap(row: Row, swap: PoolSwapped) -> None:
    """Price and tick have to go together: the tick is the price's, or one below it right after a crossing."""
    if swap.sqrt_price_x96:
        at = 2 * math.log(swap.sqrt_price_x96 / Q96) / _LOG_OF_TICK
        if swap.tick - 0.001 <= at <= swap.tick + 1.001:
            return
    row.refuse(f"the tick {swap.tick} is not that of the square-root price {swap.sqrt_price_x96}")


def _timestamp(row: Row) -> int:
    text = row.text("block_timestamp")
    try:
        return int(text) if text.isdigit() else seconds_of(text)
    except ValueError:
        row.refuse(f"block_timestamp is no date and time: '{text[:40]}'")


@lru_cache(maxsize=1024)
def seconds_of(text: str) -> int:
    """Seconds since 1970 of a date and time; UTC where it names no zone.

    Raises:
        ValueError: where it is none.
    """
    moment = datetime.fromisoformat(text)
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
