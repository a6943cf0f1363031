"""Reference prices from a file: CSV or parquet with a timestamp and a close; of OHLCV only the close is used."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Final

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.marketsim.price_tables import Cell, Table, head_of, read_table
from defai.marketsim.prices import RecordedPath

TIMESTAMP_NAMES: Final = (
    "timestamp",
    "time",
    "datetime",
    "date",
    "opentime",
    "blocktimestamp",
    "unix",
    "unixtime",
    "unixtimestamp",
    "ts",
    "closetime",
    "indexlevel0",
)
"""Names of the column with the time, the most trusted first; case, blanks, hyphens and underscores don't matter."""
CLOSE_NAMES: Final = ("close", "closeprice", "price", "last", "lastprice", "adjclose", "c")
"""Names of the column with the price, the most trusted first."""

_ENDINGS: Final = (".csv", ".csv.gz", ".tsv", ".txt", ".parquet", ".pq")
_LARGEST: Final = Decimal("1e18")
_SMALLEST: Final = Decimal("1e-18")
_NOT_TIME: Final = "a time is seconds or milliseconds since 1970, or ISO 8601 such as 2022-08-09T12:00:00Z"


def load(path: str | Path) -> RecordedPath:
    """Read a file of prices, in quote tokens for one base token.

    Timestamps are seconds, milliseconds, micro- or nanoseconds since 1970, or ISO 8601 (UTC where it doesn't say; a day
    may be YYYYMMDD); fractions of a second are cut off. Gaps are no error: they are counted in the path's `gaps` and
    told in its `warning`.

    Args:
        path: a CSV (comma, semicolon or tab, with a header) or a parquet file.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: naming file, row and cause where it is no table, lacks a column, is empty, or holds a price that
            is missing, no number, zero or negative, or a time that is unreadable, doubled or out of order.
    """
    path = Path(path)
    if not path.exists():
        raise NotFoundError(f"There is no prices file {path}.", "Check the path given with --prices.")
    table = read_table(path)
    _find(table, TIMESTAMP_NAMES, "timestamp")
    closes = table.column(_find(table, CLOSE_NAMES, "close"))
    if len(closes) < 2:
        count = "no rows" if not closes else "a single row"
        raise ConfigError(f"{path.name} has {count}; a price path needs at least two.")
    timestamps = timestamps_of(table)
    quote_per_base = [_close(table, row, cell) for row, cell in enumerate(closes)]
    gaps, warning = _gaps(path.name, timestamps)
    return RecordedPath(path.name, timestamps, quote_per_base, gaps=gaps, warning=warning)


def has_prices(path: Path) -> bool:
    """Whether a file is a table with a time and a close, as its head tells; what its rows hold is not looked at.

    Raises:
        ConfigError: where it is called a table and cannot be read as one.
    """
    if not path.name.lower().endswith(_ENDINGS):
        return False
    names = {_plain(name) for name in head_of(path)}
    return bool(names & set(TIMESTAMP_NAMES)) and bool(names & set(CLOSE_NAMES))


def timestamps_of(table: Table) -> list[int]:
    """The times of a table's rows, in seconds since 1970, rising.

    Raises:
        ConfigError: where there is no column of times, or naming the row whose time is unreadable, doubled or out of
            order.
    """
    times = table.column(_find(table, TIMESTAMP_NAMES, "timestamp"))
    if not times:
        return []
    divisor = _ticks_a_second(table, times)
    timestamps = [_timestamp(table, row, cell, divisor) for row, cell in enumerate(times)]
    _check_order(table, timestamps)
    return timestamps


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())


def _find(table: Table, wanted: Sequence[str], meaning: str) -> str:
    by_plain_name = {_plain(name): name for name in reversed(table.names)}
    for name in wanted:
        if name in by_plain_name:
            return by_plain_name[name]
    if not any(_plain(name).isidentifier() for name in table.names):
        raise ConfigError(
            f"{table.path.name} has no header: its first line reads {', '.join(table.names[:4])}.",
            "Write a first line that names the columns, for instance timestamp,close.",
        )
    near = did_you_mean(meaning, [_plain(name) for name in table.names])
    raise ConfigError(
        f"{table.path.name} has no column for the {meaning}; its columns are {', '.join(table.names)}.",
        near or f"Name the column {meaning}.",
    )


def _number(cell: Cell) -> Decimal | None:
    try:
        return Decimal(repr(cell) if isinstance(cell, float) else str(cell).strip())
    except InvalidOperation:
        return None


def _ticks_a_second(table: Table, times: Sequence[Cell]) -> int:
    """Whether numbers for times count seconds, milliseconds, micro- or nanoseconds: the first row's size tells."""
    number = None if isinstance(times[0], date) else _number(times[0])
    if number is None or not number.is_finite():
        return 1
    for digits, divisor in ((11, 1), (14, 1_000), (17, 1_000_000), (20, 1_000_000_000)):
        if 0 <= number < 10**digits:
            return divisor
    raise ConfigError(f"{table.place(0)}: {times[0]} is no time; {_NOT_TIME}.")


def _is_day(cell: Cell) -> bool:
    """Whether a cell reads as YYYYMMDD, which as a count of seconds would lie in 1970."""
    text = str(cell).strip()
    return len(text) == 8 and text.isdigit() and text[:2] in {"19", "20"}


def _timestamp(table: Table, row: int, cell: Cell, divisor: int) -> int:
    if cell is None or cell == "":
        raise ConfigError(f"{table.place(row)}: the timestamp is missing.")
    if isinstance(cell, date):
        return _seconds(cell)
    number = None if _is_day(cell) else _number(cell)
    if number is not None:
        if number.is_finite() and 0 <= number / divisor < 10**11:
            return int(number // divisor)
        raise ConfigError(f"{table.place(row)}: {cell} is no time; {_NOT_TIME}.")
    try:
        return _seconds(datetime.fromisoformat(str(cell).strip().removesuffix(" UTC")))
    except ValueError:
        raise ConfigError(f"{table.place(row)}: {cell!r} is no time; {_NOT_TIME}.") from None


def _seconds(moment: date) -> int:
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds())


def _close(table: Table, row: int, cell: Cell) -> Decimal:
    if cell is None or cell == "":
        raise ConfigError(f"{table.place(row)}: the close is missing.", "Drop the row; a gap is fine.")
    number = _number(cell)
    if number is None:
        raise ConfigError(f"{table.place(row)}: the close {cell!r} is no number.")
    if not number.is_finite():
        raise ConfigError(f"{table.place(row)}: the close is {number}.", "Drop the row; a gap is fine.")
    if number <= 0:
        kind = "zero" if number == 0 else f"negative ({cell})"
        raise ConfigError(f"{table.place(row)}: the close is {kind}; a price is positive.")
    if not _SMALLEST <= number <= _LARGEST:
        raise ConfigError(f"{table.place(row)}: the close {cell} lies beyond what a pool can hold.")
    return number


def _check_order(table: Table, timestamps: Sequence[int]) -> None:
    pairs = list(pairwise(timestamps))
    if all(after < before for before, after in pairs):
        raise ConfigError(f"{table.path.name} runs backwards, the newest row first.", "Sort it by time.")
    for row, (before, after) in enumerate(pairs, start=1):
        if after == before:
            raise ConfigError(
                f"{table.place(row)}: its time {_written(after)} is the same as the row's before.",
                "Each row needs a second of its own.",
            )
        if after < before:
            raise ConfigError(
                f"{table.place(row)}: its time {_written(after)} is before that of the row above, {_written(before)}.",
                "Sort the file by time.",
            )


def _written(timestamp: int) -> str:
    if timestamp > 253_402_300_799:  # the last second of the year 9999
        return f"{timestamp} s"
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _gaps(name: str, timestamps: Sequence[int]) -> tuple[int, str]:
    """Count the steps that are missing, given that the commonest step is the file's."""
    distances = [after - before for before, after in pairwise(timestamps)]
    step = min(Counter(distances).most_common(), key=lambda item: (-item[1], item[0]))[0]
    missing = [(distance + step // 2) // step - 1 for distance in distances]
    gaps = sum(count for count in missing if count > 0)
    if not gaps:
        return 0, ""
    widest = max(range(len(missing)), key=missing.__getitem__)
    return gaps, (
        f"{name} lacks {gaps:,} of {len(timestamps) + gaps:,} steps of {step:,} s; the widest gap is "
        f"{missing[widest]:,} steps after {_written(timestamps[widest])}. Blocks go straight across."
    )
