"""demeter-fetch's minute CSV: read strictly, and pad what its days lack at their beginning.

Columns: timestamp, netAmount0, netAmount1, closeTick, openTick, lowestTick, highestTick, inAmount0, inAmount1,
currentLiquidity, in any order, in the tokens' smallest units; ticks may be written as floats.
"""

import csv
import hashlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from defai.amm import MAX_TICK, MIN_TICK
from defai.backtest.sources.days import begins_at, day_of, without_a_gap
from defai.backtest.sources.tables import head_of, read_content, text_of
from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.market.bars import LARGEST_AMOUNT, MINUTE_S, Column, Limbs, MinuteBars, Ticks, to_limbs

COLUMNS: Final = (
    "timestamp",
    "netAmount0",
    "netAmount1",
    "closeTick",
    "openTick",
    "lowestTick",
    "highestTick",
    "inAmount0",
    "inAmount1",
    "currentLiquidity",
)
_TICKS: Final = ("openTick", "closeTick", "lowestTick", "highestTick")
_AMOUNTS: Final = ("inAmount0", "inAmount1", "currentLiquidity")
_NAME: Final = re.compile(r"(?P<chain>[a-z0-9]+)-(?P<pool>0x[0-9a-fA-F]{40})")
_DAY_S: Final = 86_400
_PARTS: Final = 16
WIDEST_GAP_S: Final = 3_600
"""Files that leave out more than this are not padded: nobody knows where the price was. But for the beginning of a day:
a day's file begins with its first swap, so that the price stood still from the end of the day before."""


_Number = TypeVar("_Number", np.int32, np.uint64)


@dataclass(slots=True)
class _Rows:
    """What was read so far: a few columns a file."""

    timestamps: list[Column] = field(default_factory=list)
    ticks: list[Ticks] = field(default_factory=list)
    amounts: list[Limbs] = field(default_factory=list)
    padded: int = 0

    def append(self, timestamps: Column, ticks: Column | Ticks, amounts: Limbs) -> None:
        """Add rows, shapes (n,), (n, 4) and (n, 3, 2), and fill the minutes that lack before or between them."""
        if self.timestamps:
            timestamps = np.concatenate([self.timestamps[-1][-1:], timestamps])
            ticks = np.concatenate([self.ticks[-1][-1:], ticks])
            amounts = np.concatenate([self.amounts[-1][-1:], amounts])
        steps = (timestamps - timestamps[0]) // MINUTE_S
        wanted = np.arange(steps[-1] + 1)
        source = np.searchsorted(steps, wanted, side="right") - 1
        missing = wanted != steps[source]
        ticks, amounts = ticks[source], amounts[source]
        ticks[missing] = ticks[missing, 1:2]
        amounts[missing, :2] = 0
        skip = bool(self.timestamps)
        self.timestamps.append(timestamps[0] + wanted[skip:] * MINUTE_S)
        self.ticks.append(ticks[skip:].astype(np.int32))
        self.amounts.append(amounts[skip:])
        self.padded += int(missing.sum())
        if len(self.timestamps) > _PARTS:
            self._join()

    def _join(self) -> None:
        """Make one part of all: many small ones leave holes in the memory."""
        self.timestamps = [np.concatenate(self.timestamps)]
        self.ticks = [np.concatenate(self.ticks)]
        self.amounts = [np.concatenate(self.amounts)]


def minute_files(source: Path) -> tuple[Path, ...]:
    """The minute files of a source: itself, or those of a folder, in the order of their names; may be none.

    They are called `.minute.csv`; a CSV by another name is one if it has their columns.

    Raises:
        ConfigError: where a file is called a CSV and cannot be read as one.
    """
    paths = sorted(source.iterdir()) if source.is_dir() else [source]
    named = tuple(path for path in paths if path.name.endswith(_NAMED))
    return named or tuple(path for path in paths if path.name.endswith(_ENDINGS) and _has_bars(path))


def _has_bars(path: Path) -> bool:
    return path.is_file() and set(COLUMNS) <= set(head_of(path))


_ENDINGS: Final = (".csv", ".csv.gz")
_NAMED: Final = (".minute.csv", ".minute.csv.gz")


def pool_of(path: Path) -> tuple[str, str] | None:
    """Chain and pool address that a file's name gives; None where it gives none."""
    match = _NAME.match(path.name)
    return (match["chain"], match["pool"]) if match else None


def read_bars(source: Path, first: int | None = None, last: int | None = None) -> MinuteBars:
    """Read a file, or all minute files of a folder, as one run of consecutive minutes.

    Args:
        source: a `.minute.csv` (`.gz` too), or a folder of them, all of one pool.
        first: leave out minutes that begin before this moment (seconds since 1970).
        last: leave out minutes that begin at this moment or later.

    Raises:
        NotFoundError: where there is no such file, or nothing within the window.
        ConfigError: naming file, line and cause, where a file cannot be used.
    """
    if not source.exists():
        raise NotFoundError(f"There is no file or folder {source}.")
    files = [path for path in minute_files(source) if _may_hold(path, first, last)]
    pools = {found for path in files if (found := pool_of(path))}
    if len(pools) > 1:
        names = " and ".join(sorted(f"{pool[:8]}… on {chain}" for chain, pool in pools))
        raise ConfigError(
            f"{source} has minute bars of several pools: {names}.", "Keep one pool to a folder."
        )
    rows, hashed = _Rows(), hashlib.sha256()
    for path in files:
        content = read_content(path)
        hashed.update(content)
        _read_file(path, content, rows, (first, last))
    if not rows.timestamps:
        what = "within the time range" if files and (first is not None or last is not None) else "to read"
        raise NotFoundError(
            f"{source} has no minute bars {what}.", "Minute files are called *.minute.csv or *.minute.csv.gz."
        )
    return _as_columns(rows, "0x" + hashed.hexdigest(), tuple(path.name for path in files))


def _may_hold(path: Path, first: int | None, last: int | None) -> bool:
    day = day_of(path)
    if day is None:
        return True
    begins = begins_at(day)
    return (first is None or begins + _DAY_S > first) and (last is None or begins < last)


def _read_file(path: Path, content: bytes, rows: _Rows, window: tuple[int | None, int | None]) -> None:
    lines, cells = _cells(path, content)
    if not lines:
        return
    timestamps = _timestamps(cells[0], path, lines)
    for name, texts in zip(COLUMNS[1:3], cells[1:3], strict=True):
        _integers(texts, name, path, lines)
    ticks = np.stack(
        [_ticks(t, name, path, lines) for t, name in zip(cells[3:7], _TICKS, strict=True)], axis=1
    )
    amounts = np.stack(
        [_amounts(t, name, path, lines) for t, name in zip(cells[7:], _AMOUNTS, strict=True)], axis=1
    )
    for row in np.flatnonzero(ticks[:, 2] > ticks[:, 3])[:1]:
        low, high = ticks[row, 2:]
        raise ConfigError(f"{path.name}, line {lines[row]}: lowestTick {low} is above highestTick {high}.")
    first, last = window
    kept = np.ones(len(lines), dtype=bool)
    if first is not None:
        kept &= timestamps >= first
    if last is not None:
        kept &= timestamps < last
    if kept.any():
        before = rows.timestamps[-1][-1:] if rows.timestamps else timestamps[:0]
        _check_order(np.concatenate([before, timestamps[kept]]), path, np.array(lines)[kept])
        rows.append(timestamps[kept], ticks[kept], amounts[kept])


def _cells(path: Path, content: bytes) -> tuple[Sequence[int], Sequence[Sequence[str]]]:
    """Line numbers, and the cells column by column: timestamp, net amounts, ticks, amounts in, liquidity."""
    reader = csv.reader(io.StringIO(text_of(path, content), newline=""))
    names = [name.strip() for name in next(reader, [])]
    if not names:
        raise ConfigError(f"{path.name} is empty.")
    order = [_index(path, names, name) for name in ("timestamp", *COLUMNS[1:3], *_TICKS, *_AMOUNTS)]
    lines, rows = [], []
    for cells in reader:
        if not cells:
            continue
        if len(cells) != len(names):
            raise ConfigError(
                f"{path.name}, line {reader.line_num}: {len(cells)} cells under {len(names)} column names.",
                "The file is cut short or damaged: fetch it again.",
            )
        lines.append(reader.line_num)
        rows.append(cells)
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return lines, [columns[index] for index in order]


def _index(path: Path, names: Sequence[str], name: str) -> int:
    if name not in names:
        raise ConfigError(f"{path.name} has no column '{name}'.", did_you_mean(name, list(names)))
    return names.index(name)


def _check_order(timestamps: Column, path: Path, lines: NDArray[np.int64]) -> None:
    """Check that every minute comes after the one before it, and not long after."""
    steps = np.diff(timestamps)
    offset = len(lines) - len(steps)
    late = steps > WIDEST_GAP_S
    late[:1] &= not (offset == 0 and _is_next_day(*timestamps[:2]))
    for step in np.flatnonzero((steps <= 0) | late)[:1]:
        place = f"{path.name}, line {lines[step + offset]}"
        before, now = _text(timestamps[step]), _text(timestamps[step + 1])
        if steps[step] == 0:
            raise ConfigError(f"{place}: the minute {now} is there twice.")
        if steps[step] < 0:
            raise ConfigError(f"{place}: {now} comes after {before}: the rows are not in order.")
        raise ConfigError(
            f"{place}: there are no bars between {before} and {now}.",
            without_a_gap(minute_files(path.parent)),
        )


def _is_next_day(end: int, beginning: int) -> bool:
    """Whether a moment is the last minute of a day, and another one on the day after."""
    return (end + MINUTE_S) % _DAY_S == 0 and end < beginning < end + MINUTE_S + _DAY_S


def _timestamps(texts: Sequence[str], path: Path, lines: Sequence[int]) -> Column:
    seconds = np.empty(len(texts), dtype=np.int64)
    for row, text in enumerate(texts):
        try:
            moment = datetime.fromisoformat(text)
        except ValueError as error:
            raise ConfigError(
                f"{path.name}, line {lines[row]}: the timestamp '{_shown(text)}' is no date and time."
            ) from error
        seconds[row] = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        if moment.second or moment.microsecond:
            raise ConfigError(
                f"{path.name}, line {lines[row]}: the timestamp '{text}' is not at the beginning of a minute."
            )
    return seconds


def _ticks(texts: Sequence[str], name: str, path: Path, lines: Sequence[int]) -> Column:
    try:
        values = [int(text) for text in texts]
    except ValueError:
        values = [
            _whole_tick(text, name, f"{path.name}, line {line}")
            for text, line in zip(texts, lines, strict=True)
        ]
    for line, value in zip(lines, values, strict=True):
        if not MIN_TICK <= value <= MAX_TICK:
            raise ConfigError(
                f"{path.name}, line {line}: {name} {value} is impossible: ticks end at ±{MAX_TICK}."
            )
    return np.array(values, dtype=np.int64)


def _whole_tick(text: str, name: str, place: str) -> int:
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value.is_integer():
        raise ConfigError(f"{place}: {name} '{_shown(text)}' is not a whole number.")
    return int(value)


def _amounts(texts: Sequence[str], name: str, path: Path, lines: Sequence[int]) -> Limbs:
    values = _integers(texts, name, path, lines)
    try:
        return to_limbs(values)
    except OverflowError as error:
        wrong = next(row for row, value in enumerate(values) if not 0 <= value <= LARGEST_AMOUNT)
        below = "below zero" if values[wrong] < 0 else "beyond the 128 bits that a pool holds"
        raise ConfigError(
            f"{path.name}, line {lines[wrong]}: {name} {_shown(texts[wrong])} is {below}."
        ) from error


def _integers(texts: Sequence[str], name: str, path: Path, lines: Sequence[int]) -> list[int]:
    values: list[int] = []
    try:
        values.extend(map(int, texts))
    except ValueError as error:
        text = texts[len(values)]
        cause = f"is no whole number: '{_shown(text)}'" if text.strip() else "is missing"
        raise ConfigError(
            f"{path.name}, line {lines[len(values)]}: {name} {cause}.",
            "Amounts are written in full, in the token's smallest unit.",
        ) from error
    return values


def _shown(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:37]}…"


def _text(timestamp: int) -> str:
    return f"{datetime.fromtimestamp(int(timestamp), UTC):%Y-%m-%d %H:%M}"


def _as_columns(rows: _Rows, digest: str, origin: tuple[str, ...]) -> MinuteBars:
    ticks = _taken(rows.ticks)
    open_tick, close_tick, lowest_tick, highest_tick = (ticks[:, column].copy() for column in range(4))
    del ticks
    amounts = _taken(rows.amounts)
    amount0_in, amount1_in, liquidity = (amounts[:, column].copy() for column in range(3))
    return MinuteBars(
        timestamps=np.concatenate(rows.timestamps),
        open_tick=open_tick,
        close_tick=close_tick,
        lowest_tick=lowest_tick,
        highest_tick=highest_tick,
        amount0_in=amount0_in,
        amount1_in=amount1_in,
        liquidity=liquidity,
        padded=rows.padded,
        digest=digest,
        origin=origin,
    )


def _taken(parts: list[NDArray[_Number]]) -> NDArray[_Number]:
    """The parts as one, not kept twice."""
    whole = np.concatenate(parts)
    parts.clear()
    return whole
