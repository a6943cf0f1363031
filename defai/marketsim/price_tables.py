"""A file as a table of cells: CSV or parquet, read into columns, with a name for every place in it."""

import csv
import gzip
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Final, TextIO, TypeAlias

from defai.errors import ConfigError

Cell: TypeAlias = str | int | float | Decimal | date | None
"""What stands in a cell: text from a CSV, a value from a parquet file; None where nothing does."""

_PARQUET_MARK: Final = b"PAR1"
_GZIP_MARK: Final = b"\x1f\x8b"
_DELIMITERS: Final = (",", ";", "\t")


@dataclass(frozen=True, slots=True)
class Table:
    """The columns of a file, and where its rows stand in it.

    Attributes:
        read_column: gives the cells of the column at an index, from the first row to the last.
        lines: the line of each row in a CSV; empty for a parquet file, where rows are numbered from 1.
    """

    path: Path
    names: tuple[str, ...]
    read_column: Callable[[int], Sequence[Cell]]
    lines: Sequence[int] = ()

    def column(self, name: str) -> Sequence[Cell]:
        """The cells of a column, from the first row to the last."""
        return self.read_column(self.names.index(name))

    def place(self, row: int) -> str:
        """How a person finds a row (counted from 0): "prices.csv, line 17"."""
        return (
            f"{self.path.name}, line {self.lines[row]}" if self.lines else f"{self.path.name}, row {row + 1}"
        )


def read_table(path: Path) -> Table:
    """Read a CSV or a parquet file; what it is shows in its first bytes, or else in its name.

    Raises:
        ConfigError: where it can't be read, is empty, or is no table.
    """
    try:
        with path.open("rb") as file:
            mark = file.read(len(_PARQUET_MARK))
    except OSError as error:
        raise ConfigError(f"{path} can't be read: {(error.strerror or str(error)).lower()}.") from error
    if not mark:
        raise ConfigError(f"{path.name} is empty.")
    if mark == _PARQUET_MARK or path.suffix.lower() in {".parquet", ".pq"}:
        return _read_parquet(path)
    return _read_csv(path)


def head_of(path: Path) -> tuple[str, ...]:
    """The names of a table's columns, without reading the rest.

    Raises:
        ConfigError: where the file can't be read as a table.
    """
    try:
        if path.suffix.lower() in {".parquet", ".pq"}:
            import pyarrow.parquet as pq  # noqa: PLC0415  a tenth of a second that only parquet files have to pay

            return tuple(pq.read_schema(path).names)
        with _open_text(path) as file:
            delimiter = _delimiter(file)
            return tuple(name.strip() for name in next(csv.reader(file, delimiter=delimiter), ()))
    except (OSError, EOFError, ValueError, zlib.error, csv.Error) as error:
        raise ConfigError(
            f"{path.name} can't be read as a table: it is damaged, cut short, or something else."
        ) from error


def _open_text(path: Path) -> TextIO:
    """A CSV to read, unpacked where it is gzipped."""
    with path.open("rb") as file:
        packed = file.read(len(_GZIP_MARK)) == _GZIP_MARK
    if packed:
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _delimiter(file: TextIO) -> str:
    """What stands between a table's cells, told by its first line; the file is at its beginning again."""
    first = file.readline()
    file.seek(0)
    return max(_DELIMITERS, key=first.count)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa  # noqa: PLC0415  a tenth of a second that only parquet files have to pay
    import pyarrow.parquet as pq  # noqa: PLC0415  as above

    try:
        with pq.ParquetFile(path) as file:
            content = file.read()
    except (pa.ArrowException, OSError, ValueError) as error:
        raise ConfigError(
            f"{path.name} can't be read as parquet: it is damaged, cut short, or something else.",
            "Fetch or write it again.",
        ) from error
    return Table(path, tuple(content.column_names), lambda index: _cells(pa, content.column(index)))


def _cells(pa, column) -> Sequence[Cell]:  # type: ignore[no-untyped-def]  # noqa: ANN001  pyarrow has no types
    if pa.types.is_timestamp(column.type):
        seconds = pa.timestamp("s", tz=column.type.tz)
        column = column.cast(seconds, safe=False).cast(pa.int64())
    cells: list[Cell] = column.to_pylist()
    return cells


def _read_csv(path: Path) -> Table:
    try:
        with _open_text(path) as file:
            delimiter = _delimiter(file)
            reader = csv.reader(file, delimiter=delimiter)
            names = tuple(name.strip() for name in next(reader, ()))
            if len(names) < 2:
                raise ConfigError(
                    f"{path.name} is not a table: its first line has no comma, semicolon or tab.",
                    "A prices file has a header and two columns at least, for instance timestamp,close.",
                )
            rows, lines = [], []
            for cells in reader:
                if not cells:
                    continue
                if len(cells) != len(names):
                    raise ConfigError(
                        f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(names)} column names."
                    )
                rows.append(cells)
                lines.append(reader.line_num)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"{path.name} is cut short or no gzip file.", "Fetch it again.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"{path.name} is not a table: it is neither text nor parquet.", "Give a CSV or a parquet file."
        ) from error
    return Table(path, names, lambda index: [cells[index] for cells in rows], lines)
