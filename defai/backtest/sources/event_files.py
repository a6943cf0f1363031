"""Sources of kind `events`: logs of a pool's swaps, mints, burns and collects, as an `EventHistory`.

What can be read: demeter-fetch's `.tick.csv` and `.raw.csv` (gzipped too), parquet with the columns of either, a
pool's whole life as one JSON object (`config` with the first price, `events`), recordings (`opening.json`), and data
sets (`manifest.json`).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Final

from defai.amm import AmmRevert, Pool
from defai.backtest.sources.arithmetic import require_pool_arithmetic
from defai.backtest.sources.datasets import data_set_of, history_of_data_set
from defai.backtest.sources.days import begins_at, day_of, without_a_gap
from defai.backtest.sources.known_pools import CHAINS, Place, find_pool, find_token, place_of
from defai.backtest.sources.logged import Logged, is_raw_table, is_tick_table, read_events, seconds_of
from defai.backtest.sources.reconstruction import follow_known, reconstruct
from defai.backtest.sources.tables import Row, head_of, read_content, read_table
from defai.chain.codec import checksum
from defai.domain.chain_events import (
    Block,
    LiquidityBurned,
    LiquidityMinted,
    PoolEvent,
    PoolInitialized,
    PoolSwapped,
)
from defai.domain.pool import PoolKey
from defai.errors import ConfigError, NotFoundError
from defai.worlds.event_history import EventHistory, SwapCall, follow
from defai.worlds.recording import BLOCKS, OPENING, read_recording

_ENDINGS: Final = (".csv", ".csv.gz", ".parquet", ".json")
_BORN: Final = "exact: the pool's whole life, from its first price"


def read_event_history(
    source: Path, *, traded: str | None = None, first_time: int | None = None, end_time: int | None = None
) -> EventHistory:
    """Read a history of events.

    Args:
        source: a file, a folder of one pool's files, or a recording's folder.
        traded: what the pool trades, where we don't know it: `USDC:6/WETH:18@500`.
        first_time: the first moment that matters; days before it are read too, unless a gap lies between.
        end_time: what happened from this moment on is left out; nothing is learnt from it, not even about before.

    Raises:
        NotFoundError: where there is nothing to read.
        ConfigError: naming file, line and cause, where a file cannot be used.
    """
    if (data_set := data_set_of(source)) is not None:
        return history_of_data_set(data_set, end_time)
    if (source / OPENING).is_file():
        return _from_recording(source, end_time)
    files = [path for path in event_files(source) if end_time is None or _begins_before(path, end_time)]
    if not files:
        raise NotFoundError(f"{source} has no events to read.")
    if files[0].suffix == ".json":
        return _from_whole_life(files[0], traded, end_time)
    return _from_tables(source, _without_gaps(source, files, first_time), traded, end_time)


def event_files(source: Path) -> tuple[Path, ...]:
    """The event files of a source, oldest first; of a day's `.tick.csv` and `.raw.csv` the former."""
    if not source.is_dir():
        return (source,) if has_events(source) else ()
    found = sorted(path for path in source.iterdir() if has_events(path))
    decoded = {path.name.replace(".tick.csv", "") for path in found if ".tick.csv" in path.name}
    return tuple(path for path in found if path.name.replace(".raw.csv", "") not in decoded)


def has_events(path: Path) -> bool:
    """Whether a file is one of events, as its beginning tells."""
    if not (path.is_file() and path.name.endswith(_ENDINGS)):
        return False
    if path.suffix == ".json":
        with path.open("rb") as file:
            beginning = file.read(4096)
        return b'"config"' in beginning and b"sqrt_price" in beginning
    columns = head_of(path)
    return is_tick_table(columns) or is_raw_table(columns)


def _begins_before(path: Path, end_time: int) -> bool:
    day = day_of(path)
    return day is None or begins_at(day) < end_time


def _from_tables(
    source: Path, files: Sequence[Path], traded: str | None, end_time: int | None
) -> EventHistory:
    places = {place_of(path) for path in files}
    if len(places) > 1:
        names = " and ".join(sorted(place.pool or "an unnamed pool" for place in places))
        raise ConfigError(f"{source} has events of several pools: {names}.", "Keep one pool to a folder.")
    place = places.pop()
    key = find_pool(place, traded)
    hashed, events = hashlib.sha256(), list[Logged]()
    for path in files:
        table = read_table(path)
        hashed.update(table.content)
        events += read_events(table, key)
    if not events:
        raise NotFoundError(f"{source} has no events to read.")
    _refuse_disorder(events)
    require_pool_arithmetic(key, events)
    events = _before(source, events, end_time)
    digest = "0x" + hashed.hexdigest()
    if isinstance(events[0].event, PoolInitialized):
        unborn = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
        calls = follow_known(unborn, events)
        return _history(key, place.chain_id, (unborn, events, calls), _BORN, digest, source)
    known = reconstruct(key, events)
    if not known.rest:
        raise NotFoundError(f"{source} has nothing after its first swap, whose end is the first price known.")
    fidelity = (
        f"reconstructed: the state before the first event is not recorded; {len(known.opening.ticks)} ticks are known, "
        f"{known.ticks_learnt} of them from the swaps that crossed them"
    )
    return _history(key, place.chain_id, (known.opening, known.rest, known.calls), fidelity, digest, source)


def _before(source: Path, events: list[Logged], end_time: int | None) -> list[Logged]:
    """The events before a moment; there must be some."""
    kept = events if end_time is None else [one for one in events if one.timestamp < end_time]
    if not kept:
        raise NotFoundError(f"{source} has nothing within the time range.")
    return kept


def _history(
    key: PoolKey,
    chain_id: int,
    known: tuple[Pool, Sequence[Logged], tuple[SwapCall, ...]],
    fidelity: str,
    digest: str,
    source: Path,
) -> EventHistory:
    opening, events, calls = known
    blocks = _as_blocks(key, events)
    exact = sum(call.exact for call in calls)
    return EventHistory(
        keys=(key,),
        chain_id=chain_id,
        head=Block(blocks[0].number - 1, blocks[0].parent_hash, blocks[0].parent_hash, opening.timestamp, 0),
        opening={key.address: opening},
        blocks=blocks,
        calls=calls,
        reconstructed=fidelity is not _BORN,
        priced_gas=False,
        fidelity=f"{fidelity}; {exact:,} of {len(calls):,} swaps come out to the last unit",
        sha256=digest,
        source=str(source),
    )


def _as_blocks(key: PoolKey, events: Iterable[Logged]) -> tuple[Block, ...]:
    """Events by block. The files have no block hashes: a block is known by its pool, number and time instead."""
    blocks: list[Block] = []
    parent = "0x" + "00" * 32
    for (number, timestamp), logged in groupby(events, key=lambda one: (one.block_number, one.timestamp)):
        digest = "0x" + hashlib.sha256(f"{key.address}:{number}:{timestamp}".encode()).hexdigest()
        blocks.append(Block(number, digest, parent, timestamp, 0, tuple(one.event for one in logged)))
        parent = digest
    return tuple(blocks)


def _refuse_disorder(events: Sequence[Logged]) -> None:
    """Check that logs come in the chain's order, each once."""
    last = events[0]
    for logged in events[1:]:
        file, line = logged.place
        at, before = ((one.block_number, one.event.log_index, one.timestamp) for one in (logged, last))
        if at[:2] == before[:2]:
            raise ConfigError(
                f"{file}, line {line}: log {at[1]} of block {at[0]} is there twice, first in line {last.place[1]}."
            )
        if at[:2] < before[:2]:
            raise ConfigError(
                f"{file}, line {line}: log {at[1]} of block {at[0]} comes after log {before[1]} of block "
                f"{before[0]}: the rows are not in the chain's order."
            )
        if at[2] < before[2] or (at[0] == before[0] and at[2] != before[2]):
            raise ConfigError(
                f"{file}, line {line}: the time of block {at[0]} does not go with the row before it."
            )
        last = logged


def _without_gaps(source: Path, files: Sequence[Path], first_time: int | None) -> Sequence[Path]:
    """The files from the last gap on that lies before the first moment wanted; no gap may lie after it."""
    kept = list(files)
    for before, after in pairwise(files):
        days = day_of(before), day_of(after)
        if days[0] is None or days[1] is None or days[1] - days[0] <= timedelta(days=1):
            continue
        if first_time is None or not _begins_before(after, first_time + 1):
            raise ConfigError(
                f"{source} has no events between {days[0]} and {days[1]}: what happened to the pool there is unknown.",
                without_a_gap(files),
            )
        kept = list(files[files.index(after) :])
    return kept


def _from_recording(source: Path, end_time: int | None) -> EventHistory:
    recording = read_recording(source)
    blocks = tuple(
        arrival.block
        for arrival in recording.arrivals()
        if end_time is None or arrival.block.timestamp < end_time
    )
    if not blocks and end_time is not None:
        raise NotFoundError(f"{source} has nothing within the time range.")
    if not blocks:
        raise NotFoundError(f"{source} has no blocks to read.")
    hashed = hashlib.sha256(read_content(source / OPENING) + read_content(source / BLOCKS))
    calls = follow(recording.pools, blocks)
    exact = sum(call.exact for call in calls)
    return EventHistory(
        keys=recording.keys,
        chain_id=recording.chain_id,
        head=recording.head,
        opening=recording.pools,
        blocks=blocks,
        calls=calls,
        reconstructed=False,
        priced_gas=True,
        fidelity=f"exact: recorded from a known state; {exact:,} of {len(calls):,} swaps come out to the last unit",
        sha256="0x" + hashed.hexdigest(),
        source=str(source),
    )


def _from_whole_life(path: Path, traded: str | None, end_time: int | None) -> EventHistory:
    content = read_content(path)
    try:
        life = json.loads(content)
        config, rows = life["config"], life["events"]
        key = _key_of_life(life, traded)
        first_x96, begins = int(config["initial_sqrt_price_X96"]), seconds_of(rows[0]["date"])
        columns = {name: index for index, name in enumerate(_LIFE)}
        events = [
            _lived(Row(path.name, number, [row.get(name) for name in _LIFE], columns), key)
            for number, row in enumerate(rows, 1)
        ]
    except (KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        said = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ConfigError(f"{path.name} is no pool's life: {said}.", "Is the file whole?") from error
    _refuse_disorder(events)
    require_pool_arithmetic(key, events, first_x96)
    events = _before(path, events, end_time)
    opening = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
    try:
        opening.initialize(first_x96, begins)
    except AmmRevert as refusal:
        raise ConfigError(
            f"{path.name}: no pool can begin at the square-root price {first_x96}."
        ) from refusal
    known = (opening, events, follow_known(opening, events))
    digest = "0x" + hashlib.sha256(content).hexdigest()
    return _history(key, CHAINS.get(life.get("chain", ""), 0), known, _BORN, digest, path)


def _key_of_life(life: Mapping[str, Any], traded: str | None) -> PoolKey:
    """The pool of a whole life, which tells everything but symbols and decimals."""
    config = life["config"]
    address0, address1 = checksum(config["token0"]), checksum(config["token1"])
    pool, fee, spacing = checksum(life["pool"]), int(config["fee"]), int(config["tick_spacing"])
    if traded is None:
        return PoolKey(pool, find_token(address0), find_token(address1), fee, spacing)
    said = find_pool(Place(0, pool), traded)
    token0, token1 = replace(said.token0, address=address0), replace(said.token1, address=address1)
    return PoolKey(pool, token0, token1, fee, spacing)


_LIFE: Final = (
    *("kind", "msg_sender", "recipient", "amount0", "amount1", "sqrt_price_x96", "liquidity", "tick"),
    *("tick_lower", "tick_upper", "block_number", "log_index", "date"),
)


def _lived(row: Row, key: PoolKey) -> Logged:
    """An event of a pool's life; lines are counted by event."""
    number, log_index = row.integer("block_number", 64), row.integer("log_index", 64)
    kind, who = row.text("kind"), (row.text("msg_sender"), row.text("recipient"))
    event: PoolEvent
    if kind == "SWAP":
        amounts = row.integer("amount0", signed=True), row.integer("amount1", signed=True)
        state = row.integer("sqrt_price_x96", 160), row.integer("liquidity", 128), row.tick("tick")
        event = PoolSwapped(key.address, *who, *amounts, *state, log_index, "")
    elif kind in {"MINT", "BURN"}:
        changed = LiquidityMinted if kind == "MINT" else LiquidityBurned
        ticks = row.tick("tick_lower", key.tick_spacing), row.tick("tick_upper", key.tick_spacing)
        amounts = row.integer("amount0"), row.integer("amount1")
        event = changed(
            key.address, who[1] or who[0], *ticks, row.integer("liquidity", 128), *amounts, log_index, ""
        )
    else:
        row.refuse(f"there is no event '{kind}'")
    return Logged(number, seconds_of(row.text("date")), event, (row.file, row.line))
