"""A data set: what happened to some pools between two blocks, as it was fetched from a chain.

A folder of four files. `manifest.json` says what it is and what each file's SHA-256 is; it is written last, so a folder
without it is not finished. `opening.json` has the pools' whole state before the first block, as a recording has it.
`blocks.parquet` has a row a block, `logs.parquet` a row a log, undecoded, in the chain's order:

    blocks.parquet   number, hash, parent_hash, timestamp (seconds since 1970), base_fee_wei
    logs.parquet     block_number, block_timestamp, pool_log_index, pool, transaction_hash, pool_topics, pool_data
"""

import hashlib
import json
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from defai import whole_file
from defai.amm import Pool
from defai.chain.codec import checksum, topic
from defai.chain.decode import (
    BURN,
    COLLECT,
    FLASH,
    INITIALIZE,
    MINT,
    SET_FEE_PROTOCOL,
    SWAP,
    decode_pool_logs,
)
from defai.chain.download.spans import Header, RawLog, Span
from defai.domain.chain_events import Block
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, NotFoundError
from defai.market.state import MarketState
from defai.worlds.recording import OPENING, opening_text, read_recording

FORMAT: Final = 1
"""Raised when an older reader would misread a data set."""
MANIFEST: Final = "manifest.json"
BLOCK_TABLE: Final = "blocks.parquet"
LOG_TABLE: Final = "logs.parquet"
ROWS_AT_ONCE: Final = 65_536
"""Rows of a row group: the same whatever the spans were, so that the files come out the same."""

_LOG_COLUMNS: Final = (
    *("block_number", "block_timestamp", "pool_log_index", "pool"),
    *("transaction_hash", "pool_topics", "pool_data"),
)
_EVENTS: Final = (
    *(INITIALIZE, SWAP, MINT, BURN, COLLECT, FLASH, SET_FEE_PROTOCOL),
    "CollectProtocol(address,address,uint128,uint128)",
    "IncreaseObservationCardinalityNext(uint16,uint16)",
)


@dataclass(frozen=True, slots=True)
class DataSet:
    """A data set, its blocks not read yet.

    Attributes:
        manifest: as it stands in the file.
        head: the block before the first.
        opening: the pools after it; one that was not initialised yet has no price.
    """

    folder: Path
    manifest: Mapping[str, Any]
    chain_id: int
    keys: tuple[PoolKey, ...]
    head: Block
    opening: Mapping[Address, Pool]

    @property
    def sha256(self) -> str:
        """Of all files, by the digests of the manifest."""
        digests = "".join(self.manifest["files"][name]["sha256"] for name in sorted(self.manifest["files"]))
        return "0x" + hashlib.sha256(digests.encode()).hexdigest()

    def blocks(self) -> Iterator[Block]:
        """The blocks in order, with their events.

        Raises:
            ConfigError: naming file and cause, where one is cut short, was changed, or does not fit the other.
        """
        from pyarrow.parquet import read_table  # noqa: PLC0415  heavy, and few need it

        for name in (BLOCK_TABLE, LOG_TABLE):
            _check_digest(self.folder / name, self.manifest)
        rows = read_table(self.folder / BLOCK_TABLE).to_pylist()
        logs = read_table(self.folder / LOG_TABLE).to_pylist()
        by_number = groupby(logs, key=lambda row: row["block_number"])
        at, its_logs = next(by_number, (None, iter(())))
        for row in rows:
            header = Header(**row)
            raw: tuple[RawLog, ...] = ()
            if at == header.number:
                raw = tuple(_raw(log) for log in its_logs)
                at, its_logs = next(by_number, (None, iter(())))
            yield decoded(header, raw)
        if at is not None:
            raise ConfigError(f"{self.folder / LOG_TABLE} has logs of block {at}, which is not in order.")


def decoded(header: Header, logs: Iterable[RawLog]) -> Block:
    """A block with the events that its logs are of; logs of no event that changes a pool's replay are passed over.

    Raises:
        DivergenceError: where a log is not what its topic says.
    """
    events = decode_pool_logs(
        {
            "address": log.pool,
            "topics": list(log.topics),
            "data": log.data,
            "logIndex": hex(log.log_index),
            "transactionHash": log.transaction_hash,
        }
        for log in logs
    )
    return Block(
        header.number, header.hash, header.parent_hash, header.timestamp, header.base_fee_wei, events
    )


def blocks_of(span: Span) -> Iterator[Block]:
    """A span's blocks with their events."""
    by_number = {number: tuple(logs) for number, logs in groupby(span.logs, key=lambda log: log.block_number)}
    for header in span.headers:
        yield decoded(header, by_number.get(header.number, ()))


def is_data_set(folder: Path) -> bool:
    """Whether a folder holds a finished data set."""
    return (folder / MANIFEST).is_file() and (folder / LOG_TABLE).is_file()


def read_manifest(folder: Path) -> Mapping[str, Any]:
    """What a data set says of itself.

    Raises:
        NotFoundError: where there is none.
        ConfigError: where it cannot be read.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        version = manifest["format"]
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no data set in {folder}: {MANIFEST} is missing.") from error
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is no manifest of a data set.", "Is the file whole?") from error
    if version != FORMAT:
        raise ConfigError(f"{path} is of format {version}; this version reads format {FORMAT}.")
    return dict(manifest)


def read_data_set(folder: Path) -> DataSet:
    """Open a data set; its blocks are read when they are asked for.

    Raises:
        NotFoundError: where there is none.
        ConfigError: where a file is cut short or was changed.
    """
    manifest = read_manifest(folder)
    _check_digest(folder / OPENING, manifest)
    recording = read_recording(folder)
    return DataSet(folder, manifest, recording.chain_id, recording.keys, recording.head, recording.pools)


class Tables:
    """Writes a data set's tables, span by span; a context manager, and there is nothing where it was left by an error.

    Args:
        folder: where they come to stand.

    Attributes:
        counts: how many logs there are of each event.
        headers: how many blocks there are.
    """

    def __init__(self, folder: Path) -> None:
        self.counts: dict[str, int] = {}
        self.headers = 0
        self._names = {topic(event): event.partition("(")[0] for event in _EVENTS}
        self._folder = folder
        self._scratch = tempfile.TemporaryDirectory(dir=folder, prefix=".writing-")
        scratch = Path(self._scratch.name)
        self._blocks = _Table(scratch / BLOCK_TABLE, _block_schema())
        self._logs = _Table(scratch / LOG_TABLE, _log_schema())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._scratch.cleanup()

    def add(self, span: Span) -> None:
        """Write a span's rows."""
        for header in span.headers:
            self._blocks.add(header)
        self.headers += len(span.headers)
        times = {header.number: header.timestamp for header in span.headers}
        for log in span.logs:
            name = self._names.get(log.topics[0] if log.topics else "", "unknown")
            self.counts[name] = self.counts.get(name, 0) + 1
            place = (log.block_number, times[log.block_number], log.log_index)
            self._logs.add((*place, checksum(log.pool), log.transaction_hash, list(log.topics), log.data))

    def finish(
        self, chain_id: int, keys: Iterable[PoolKey], opening: Mapping[Address, Pool], head: Header
    ) -> dict[str, dict[str, Any]]:
        """Put tables and opening in place.

        Returns:
            Size and SHA-256 of each file, by name.
        """
        self._blocks.close()
        self._logs.close()
        before = Block(head.number, head.hash, head.parent_hash, head.timestamp, head.base_fee_wei)
        scratch = Path(self._scratch.name)
        text = opening_text(chain_id, MarketState(keys, opening, before))
        (scratch / OPENING).write_text(text, encoding="utf-8")
        files: dict[str, dict[str, Any]] = {}
        for name in (BLOCK_TABLE, LOG_TABLE, OPENING):
            content = (scratch / name).read_bytes()
            files[name] = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        (self._folder / MANIFEST).unlink(missing_ok=True)
        for name in files:
            (scratch / name).replace(self._folder / name)
        return files


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Write what a data set says of itself: the last thing to be written."""
    whole_file.put(folder / MANIFEST, (json.dumps(manifest, indent=1) + "\n").encode())


class _Table:
    """A parquet file that rows are added to."""

    def __init__(self, path: Path, schema: Any) -> None:  # noqa: ANN401  pyarrow has no types
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415  heavy, and few need it

        self._schema = schema
        self._writer = ParquetWriter(path, schema, compression="zstd")
        self._rows: list[tuple[Any, ...]] = []

    def add(self, row: tuple[Any, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) == ROWS_AT_ONCE:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def _flush(self) -> None:
        from pyarrow import array, table  # noqa: PLC0415  heavy, and few need it

        columns = list(zip(*self._rows, strict=True)) or [()] * len(self._schema)
        arrays = [array(column, field.type) for column, field in zip(columns, self._schema, strict=True)]
        self._writer.write_table(table(arrays, schema=self._schema), row_group_size=ROWS_AT_ONCE)
        self._rows = []


def _block_schema() -> Any:  # noqa: ANN401  pyarrow has no types
    from pyarrow import int64, schema, string  # noqa: PLC0415  heavy, and few need it

    kinds = (int64(), string(), string(), int64(), int64())
    return schema(list(zip(Header._fields, kinds, strict=True)))


def _log_schema() -> Any:  # noqa: ANN401  pyarrow has no types
    from pyarrow import int64, list_, schema, string  # noqa: PLC0415  heavy, and few need it

    kinds = (int64(), int64(), int64(), string(), string(), list_(string()), string())
    return schema(list(zip(_LOG_COLUMNS, kinds, strict=True)))


def _raw(row: Mapping[str, Any]) -> RawLog:
    return RawLog(
        row["block_number"],
        row["pool_log_index"],
        row["pool"],
        row["transaction_hash"],
        tuple(row["pool_topics"]),
        row["pool_data"],
    )


def _check_digest(path: Path, manifest: Mapping[str, Any]) -> None:
    try:
        content = path.read_bytes()
        wanted = manifest["files"][path.name]["sha256"]
    except FileNotFoundError as error:
        raise NotFoundError(f"{path.parent} lacks {path.name}.", "Download it again.") from error
    except (KeyError, TypeError) as error:
        raise ConfigError(f"The manifest of {path.parent} says nothing of {path.name}.") from error
    if hashlib.sha256(content).hexdigest() != wanted:
        raise ConfigError(
            f"{path} is cut short or was changed: its SHA-256 is not the manifest's.", "Download it again."
        )
