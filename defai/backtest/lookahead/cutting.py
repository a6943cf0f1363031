"""A source's files as they were at a moment: what came later is taken away, or changed.

Changed means that each later row keeps its place (time, block, log index) and gets the rest of a row drawn at random.
So it stays readable, and what a strategy looks up in it is another day's.
"""

import csv
import gzip
import io
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from defai.backtest.sources.logged import seconds_of
from defai.backtest.sources.tables import head_of, read_content
from defai.errors import ConfigError
from defai.market.bars import MINUTE_S

Pairs: TypeAlias = Sequence[tuple[int, int]]
"""For each row to be written: the row that its place is from, and the row that all the rest is from."""

_TIMES: Final = ("block_timestamp", "timestamp", "time", "datetime", "date", "open_time", "unix")
_PLACES: Final = frozenset(
    {
        *_TIMES,
        *("block_number", "block", "number", "hash", "parent_hash", "block_hash"),
        *("pool_log_index", "log_index", "logIndex", "transaction_hash", "transaction_index"),
    }
)
_LARGEST_SECOND: Final = 10**11
"""A number above it counts milliseconds, or less."""


class Later(Enum):
    """What happens to the rows after a cut."""

    TAKEN = "taken away"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows of one file.

    Attributes:
        times: of each row, in seconds since 1970.
        write: writes some of the rows to a file.
    """

    times: Sequence[int]
    write: Callable[[Path, Pairs], None]


@dataclass(frozen=True, slots=True)
class Cuttable:
    """A source that can be cut at a time.

    Attributes:
        source: the file or folder, by its real path.
        sheets: its files with rows in time; None for those without, which every copy has as they are.
        lag_s: from a row's time until it is known: a bar is known when it has ended.
    """

    source: Path
    sheets: Mapping[Path, Sheet | None]
    lag_s: int

    def write(self, target: Path, moment: int, later: Later, seed: int) -> None:
        """Write the source as it was at a moment.

        Args:
            target: what the copy is called; nothing is there yet.
            moment: rows known by then are kept.
            later: what happens to the rest.
            seed: of what the rest is changed into.
        """
        draw = Random(seed)  # noqa: S311  no secret
        if target.exists() or target.is_symlink():
            raise FileExistsError(target)
        if self.source.is_dir():
            target.mkdir(parents=True)
        for path, sheet in self.sheets.items():
            place = target / path.relative_to(self.source)
            place.parent.mkdir(parents=True, exist_ok=True)
            if sheet is None:
                shutil.copyfile(path, place)
            else:
                sheet.write(place, _pairs(sheet.times, moment - self.lag_s, later, draw))


def read_cuttable(source: Path, kind: str) -> Cuttable:
    """Read a source's files in order to cut them.

    Args:
        source: a file or folder.
        kind: "events", "bars" or "prices".

    Raises:
        ConfigError: where a file cannot be read, or no file has rows in time.
    """
    real = source.resolve()
    paths = sorted(path for path in real.rglob("*") if path.is_file()) if real.is_dir() else [real]
    sheets = {path: _sheet(path) for path in paths}
    if not any(sheets.values()):
        raise ConfigError(f"{source} has no rows in time, so it cannot be cut at one.")
    return Cuttable(real, sheets, MINUTE_S if kind == "bars" else 0)


def _pairs(times: Sequence[int], last: int, later: Later, draw: Random) -> Pairs:
    if later is Later.TAKEN:
        return [(row, row) for row, time in enumerate(times) if time <= last]
    return [(row, row if time <= last else draw.randrange(len(times))) for row, time in enumerate(times)]


def _sheet(path: Path) -> Sheet | None:
    if path.name.endswith((".csv", ".csv.gz")):
        return _csv_sheet(path)
    if path.suffix == ".parquet":
        return _parquet_sheet(path)
    if path.suffix == ".jsonl":
        lines = read_content(path).decode().splitlines()
        return _record_sheet([json.loads(line) for line in lines if line.strip()], _as_lines)
    if path.suffix == ".json":
        content = json.loads(read_content(path))
        if isinstance(content, dict) and isinstance(content.get("events"), list):
            return _record_sheet(
                content["events"], lambda rows: json.dumps({**content, "events": list(rows)})
            )
    return None


def _time_column(names: Sequence[str]) -> str | None:
    by_name = {name.lower(): name for name in reversed(names)}
    return next((by_name[name] for name in _TIMES if name in by_name), None)


def _csv_sheet(path: Path) -> Sheet | None:
    names = head_of(path)
    column = _time_column(names)
    if column is None:
        return None
    lines = read_content(path).decode("utf-8-sig").splitlines(keepends=True)
    reader = csv.reader(lines)
    next(reader)
    begin = reader.line_num
    head, rows, raw = "".join(lines[:begin]), list[list[str]](), list[str]()
    for cells in reader:
        if cells:
            rows.append(cells)
            raw.append("".join(lines[begin : reader.line_num]))
        begin = reader.line_num
    place = [name in _PLACES or name == column for name in names]

    def mixed(at: int, content: int) -> str:
        if at == content:
            return raw[at]
        cells = [rows[at if fixed else content][index] for index, fixed in enumerate(place)]
        text = io.StringIO(newline="")
        csv.writer(text, lineterminator="\n").writerow(cells)
        return text.getvalue()

    def write(target: Path, pairs: Pairs) -> None:
        content = (head + "".join(mixed(*pair) for pair in pairs)).encode()
        target.write_bytes(gzip.compress(content, 1) if target.suffix == ".gz" else content)

    index = names.index(column)
    return Sheet([_seconds(path, cells[index]) for cells in rows], write)


def _record_sheet(
    rows: Sequence[Mapping[str, Any]], packed: Callable[[Iterable[Mapping[str, Any]]], str]
) -> Sheet | None:
    column = _time_column(list(rows[0])) if rows else None
    if column is None:
        return None

    def mixed(at: int, content: int) -> Mapping[str, Any]:
        place = {name: value for name, value in rows[at].items() if name in _PLACES}
        return rows[at] if at == content else {**rows[content], **place}

    def write(target: Path, pairs: Pairs) -> None:
        target.write_text(packed(mixed(*pair) for pair in pairs), encoding="utf-8")

    return Sheet([_seconds(Path(column), row[column]) for row in rows], write)


def _as_lines(rows: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)


def _parquet_sheet(path: Path) -> Sheet | None:
    import pyarrow.parquet as pq  # noqa: PLC0415  heavy, and only parquet files need it

    with pq.ParquetFile(path) as file:
        table = file.read()
    column = _time_column(table.column_names)
    if column is None:
        return None

    def write(target: Path, pairs: Pairs) -> None:
        mixed = table.take([at for at, _ in pairs])
        others = table.take([content for _, content in pairs])
        for index, name in enumerate(table.column_names):
            if name not in _PLACES and name != column:
                mixed = mixed.set_column(index, table.schema.field(name), others.column(name))
        pq.write_table(mixed, target)

    return Sheet([_seconds(path, value) for value in table.column(column).to_pylist()], write)


def _seconds(path: Path, value: object) -> int:
    """Seconds since 1970 of a cell: a number of seconds or of parts of them, or a date and time."""
    if isinstance(value, datetime):
        return int((value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp())
    try:
        number = int(value) if isinstance(value, int | float) else int(str(value).strip())
    except ValueError:
        try:
            return seconds_of(str(value).strip())
        except ValueError as error:
            raise ConfigError(f"{path.name}: '{str(value)[:40]}' is no date and time.") from error
    while abs(number) > _LARGEST_SECOND:
        number //= 1_000
    return number
