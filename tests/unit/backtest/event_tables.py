"""Event files as others write them, made from blocks."""

import csv
import gzip
import io
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from defai.backtest.sources.logged import TICK_COLUMNS
from defai.domain.chain_events import (
    Block,
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PoolEvent,
    PoolSwapped,
)

Rows = list[dict[str, Any]]
NAME = "ethereum-0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640-2023-11-10.tick.csv"
RAW_NAME = NAME.replace(".tick.", ".raw.")
_KINDS = {
    PoolSwapped: "SWAP",
    LiquidityMinted: "MINT",
    LiquidityBurned: "BURN",
    LiquidityCollected: "COLLECT",
}
_TOPICS = {
    PoolSwapped: "0xc42079f94a6350d7e6235f29174924f928cc2ac818eb64fed8004e115fbcca67",
    LiquidityMinted: "0x7a53080ba414158be7ec69b987b5fb7d07dee101fe85488f0853ae16239d0bde",
    LiquidityBurned: "0x0c396cd989a39f4459b5fa1aed6a9a8dcdbc45908acfd67e028cd568da98982c",
    LiquidityCollected: "0x70935338e69775456a85ddef226c395fb668b63fa0115f5f20610b388e6ca9c0",
}
SOMEBODY = "0x" + "ab" * 20


def tick_rows(blocks: Iterable[Block]) -> Rows:
    """Rows of a `.tick.csv`, ticks written as floats, as a data frame does."""
    return [
        {**dict.fromkeys(TICK_COLUMNS, ""), **_place(block, index), **_tick_row(event)}
        for block in blocks
        for index, event in enumerate(block.events)
    ]


def raw_rows(blocks: Iterable[Block]) -> Rows:
    """Rows of a `.raw.csv`."""
    return [
        {**_place(block, index), "transaction_hash": "0x1", **_raw_row(event)}
        for block in blocks
        for index, event in enumerate(block.events)
    ]


def write_csv(path: Path, rows: Rows) -> Path:
    """Write rows; gzipped where the name says so."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def _place(block: Block, index: int) -> dict[str, Any]:
    time = datetime.fromtimestamp(block.timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return {"block_number": block.number, "block_timestamp": time, "pool_log_index": index}


def _tick_row(event: PoolEvent) -> Mapping[str, Any]:
    row: dict[str, Any] = {"tx_type": _KINDS[type(event)], "sender": SOMEBODY}
    match event:
        case PoolSwapped():
            row |= {"amount0": event.amount0, "amount1": event.amount1, "sqrtPriceX96": event.sqrt_price_x96}
            row |= {"current_tick": f"{event.tick}.0", "total_liquidity": event.liquidity}
        case LiquidityMinted() | LiquidityBurned() | LiquidityCollected():
            row |= {"tick_lower": f"{event.tick_lower}.0", "tick_upper": f"{event.tick_upper}.0"}
            row |= {"amount0": event.amount0, "amount1": event.amount1}
            if not isinstance(event, LiquidityCollected):
                row["liquidity"] = event.liquidity
        case _:
            raise TypeError(event)
    return row


def _raw_row(event: PoolEvent) -> Mapping[str, Any]:
    topics = [_TOPICS[type(event)], _word(int(SOMEBODY, 16))]
    match event:
        case PoolSwapped():
            topics.append(_word(int(SOMEBODY, 16)))
            words = [event.amount0, event.amount1, event.sqrt_price_x96, event.liquidity, event.tick]
        case LiquidityMinted() | LiquidityBurned():
            topics += [_word(event.tick_lower), _word(event.tick_upper)]
            minted = [int(SOMEBODY, 16)] if isinstance(event, LiquidityMinted) else []
            words = [*minted, event.liquidity, event.amount0, event.amount1]
        case LiquidityCollected():
            topics += [_word(event.tick_lower), _word(event.tick_upper)]
            words = [int(SOMEBODY, 16), event.amount0, event.amount1]
        case _:
            raise TypeError(event)
    return {"pool_topics": str(topics), "pool_data": "0x" + "".join(_word(word)[2:] for word in words)}


def _word(value: int) -> str:
    return f"0x{value % (1 << 256):064x}"
