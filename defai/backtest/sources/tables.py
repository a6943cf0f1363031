"""Tables of a source, row by row: CSV, gzipped CSV or parquet, with the place of each row for whoever reads them."""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from defai.amm import MAX_TICK, MIN_TICK
from defai.errors import ConfigError, did_you_mean

_EXACT_FLOAT = 1 << 53
"""Up to here a float names one integer."""


@dataclass(frozen=True, slots=True)
class Table:
    """A table that was read whole.

    Attributes:
        columns: the names in its head.
        rows: line in the file and cells of each row.
        content: the file's bytes, unpacked where it was gzipped: what it is known by.
    """

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[tuple[int, Sequence[Any]]]
    content: bytes

    def require(self, names: Sequence[str]) -> None:
        """Check that columns are there.

        Raises:
            ConfigError: naming the first that is not.
        """
        for name in names:
            if name not in self.columns:
                hint = did_you_mean(name, list(self.columns)) or f"It has: {', '.join(self.columns)}."
                raise ConfigError(f"{self.path.name} has no column '{name}'.", hint)

    def __iter__(self) -> Iterator["Row"]:
        index = {name: place for place, name in enumerate(self.columns)}
        return (Row(self.path.name, line, cells, index) for line, cells in self.rows)


class Row:
    """One row of a table: reads cells as what they have to be, and says file, line and column where they aren't."""

    __slots__ = ("_cells", "_index", "file", "line")

    def __init__(self, file: str, line: int, cells: Sequence[Any], index: Mapping[str, int]) -> None:
        self.file = file
        self._cells = cells
        self._index = index
        self.line = line

    def text(self, name: str) -> str:
        """A cell as it is written; empty where it is empty or there is no such column."""
        place = self._index.get(name)
        value = None if place is None else self._cells[place]
        return "" if value is None else str(value)

    def integer(self, name: str, bits: int = 256, *, signed: bool = False) -> int:
        """A whole number of at most so many bits.

        Raises:
            ConfigError: where it is none, was written as a float that lost digits, or does not fit.
        """
        value = self._whole(name)
        low, high = (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)
        if not low <= value <= high:
            if value < 0 <= low:
                self.refuse(f"{name} is {_short(value)}, below zero")
            self.refuse(f"{name} is {_short(value)}, beyond the {bits} bits that the contract has for it")
        return value

    def tick(self, name: str, spacing: int = 1) -> int:
        """A tick, one that a position can end at where a spacing is given.

        Raises:
            ConfigError: where there can be no such tick.
        """
        value = self._whole(name)
        if not MIN_TICK <= value <= MAX_TICK:
            self.refuse(f"{name} {_short(value)} is impossible: ticks end at ±{MAX_TICK}")
        if value % spacing:
            self.refuse(f"{name} {value} is impossible: the pool's ticks are {spacing} apart")
        return value

    def refuse(self, cause: str) -> NoReturn:
        """Say what is wrong with this row.

        Raises:
            ConfigError: always.
        """
        raise ConfigError(f"{self.file}, line {self.line}: {cause}.")

    def _whole(self, name: str) -> int:
        value = self._cells[self._index[name]]
        try:
            return int(value) if isinstance(value, str) else self._number(name, value)
        except ValueError:
            return self._from_float(name, str(value))

    def _number(self, name: str, value: object) -> int:
        if isinstance(value, int):
            return value
        return self._from_float(name, "" if value is None else repr(value))

    def _from_float(self, name: str, text: str) -> int:
        """An integer that a data frame has written as a float, as long as no digit can be lost."""
        if not text.strip():
            self.refuse(f"{name} is missing")
        try:
            value = float(text)
        except ValueError:
            self.refuse(f"{name} is no whole number: '{text if len(text) <= 40 else text[:37] + '…'}'")
        if not value.is_integer():
            self.refuse(f"{name} is no whole number: '{text}'")
        if abs(value) > _EXACT_FLOAT:
            self.refuse(f"{name} was written as a float, '{text}', and has lost digits")
        return int(value)


def read_table(path: Path) -> Table:
    """Read a table whole.

    Raises:
        ConfigError: where the file cannot be read, is cut short, or has rows that do not fit its head.
    """
    return _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path)


def read_content(path: Path) -> bytes:
    """A file's bytes, unpacked where it is gzipped.

    Raises:
        ConfigError: where it cannot be read, or is cut short.
    """
    try:
        content = path.read_bytes()
        return gzip.decompress(content) if path.suffix == ".gz" else content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ConfigError(f"{path.name} is cut short or no gzip file: {error}.", "Fetch it again.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error


def text_of(path: Path, content: bytes) -> str:
    """A file's bytes as text.

    Raises:
        ConfigError: naming the line, where they are none.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, odd = content.count(b"\n", 0, error.start) + 1, content[error.start]
        raise ConfigError(
            f"{path.name}, line {line}: this is no text, there is a byte 0x{odd:02x} in it.",
            "The file is damaged, or packed: fetch it again, or unpack it.",
        ) from error


def head_of(path: Path) -> tuple[str, ...]:
    """The names of a table's columns, without reading the rest.

    Raises:
        ConfigError: where the file cannot be read.
    """
    try:
        if path.suffix == ".parquet":
            from pyarrow.parquet import read_schema  # noqa: PLC0415  heavy, and few need it

            return tuple(read_schema(path).names)
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            first = file.readline().decode("utf-8-sig")
        return tuple(name.strip() for name in next(csv.reader([first]), []))
    except gzip.BadGzipFile as error:
        raise ConfigError(
            f"{path.name} is no gzip file, whatever its name says.", "Fetch it again."
        ) from error
    except (OSError, EOFError, UnicodeDecodeError, ValueError, zlib.error) as error:
        raise ConfigError(f"{path.name} cannot be read as a table: {str(error).rstrip('.')}.") from error


def _read_csv(path: Path) -> Table:
    content = read_content(path)
    text = text_of(path, content)
    reader = csv.reader(io.StringIO(text, newline=""))
    columns = tuple(name.strip() for name in next(reader, []))
    if not columns:
        raise ConfigError(f"{path.name} is empty.")
    rows: list[tuple[int, Sequence[str]]] = []
    for cells in reader:
        if len(cells) != len(columns):
            if not cells:
                continue
            raise ConfigError(
                f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(columns)} column names.",
                "The file is cut short or damaged: fetch it again.",
            )
        rows.append((reader.line_num, cells))
    return Table(path, columns, rows, content)


def _read_parquet(path: Path) -> Table:
    from pyarrow import ArrowException  # noqa: PLC0415  heavy, and few need it
    from pyarrow.parquet import read_table as read_arrow  # noqa: PLC0415  the same

    try:
        arrow = read_arrow(path)
    except (OSError, ArrowException) as error:
        raise ConfigError(f"{path.name} is cut short or no parquet file.", "Fetch it again.") from error
    columns = tuple(arrow.column_names)
    cells = zip(*(column.to_pylist() for column in arrow.columns), strict=True)
    return Table(path, columns, list(enumerate(cells, 1)), path.read_bytes())


def _short(value: int) -> str:
    text = str(value) if value.bit_length() < 10_000 else f"a number of {value.bit_length()} bits"
    return text if len(text) <= 40 else f"{text[:18]}…{text[-18:]}"
