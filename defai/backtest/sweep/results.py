"""A sweep's directory: the plan, and results that are whole or absent, whatever happens to the process.

- plan.json: what was asked for; a directory with another plan in it is left alone
- parts/*.parquet: rows as they came in, a second's worth to a file
- results.parquet: all rows, once the sweep has come to an end; then there are no parts any more
"""

import fcntl
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

from defai.backtest.run_files import read_columns, write_columns
from defai.errors import ConfigError, DefaiError

Row = Mapping[str, Any]

PLAN, PARTS, RESULTS, LOCK, SCRATCH = "plan.json", "parts", "results.parquet", ".lock", ".workers-"
_FLUSH_S: Final = 1.0
_MOST_PARTS: Final = 500
"""More are put together: a sweep of days is not a folder of a hundred thousand files."""


class ResultFolder:
    """Keeps the rows of runs by their number; the latest of a number counts.

    Args:
        folder: the sweep's directory.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.rows: dict[int, Row] = {}
        self._waiting: list[Row] = []
        self._written = 0.0
        self._parts = 0
        self._lock = threading.RLock()
        self._timer: threading.Timer | None = None

    @classmethod
    def opened(cls, folder: Path, plan: Mapping[str, Any]) -> "ResultFolder":
        """Begin in a new directory, or go on in one that was begun with the same plan.

        Raises:
            ConfigError: where there is something else, or another plan.
            DefaiError: where it cannot be written.
        """
        if folder.exists() and not folder.is_dir():
            raise ConfigError(f"{folder} is a file.", "Name a directory.")
        if not (folder / PLAN).is_file():
            if folder.exists() and any(path.name != LOCK for path in folder.iterdir()):
                raise ConfigError(
                    f"{folder} is not empty.", "Name a new directory, or one of a sweep to go on."
                )
            with _in_words(folder):
                folder.mkdir(parents=True, exist_ok=True)
            write_whole(folder / PLAN, (json.dumps(plan, indent=2, ensure_ascii=False) + "\n").encode())
        _refuse_another(folder, plan)
        kept = cls(folder)
        kept._read()
        return kept

    def has(self, number: int) -> bool:
        """Whether a run is done; one that failed is not, since what made it fail may have been mended."""
        row = self.rows.get(number)
        return row is not None and row["error"] is None

    def add(self, row: Row) -> None:
        """Keep a row; it is on the disk within a second.

        Raises:
            DefaiError: where it, or one before it, cannot be written.
        """
        with self._lock:
            self.rows[int(row["run"])] = row
            self._waiting.append(row)
            left = self._written + _FLUSH_S - time.monotonic()
            if left <= 0:
                self.flush()
            elif self._timer is None:
                self._timer = threading.Timer(left, self._flush_by_itself)
                self._timer.daemon = True
                self._timer.start()

    def flush(self) -> None:
        """Write what waits.

        Raises:
            DefaiError: where it cannot be written.
        """
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            if not self._waiting:
                return
            with _in_words(self.folder):
                (self.folder / PARTS).mkdir(exist_ok=True)
                _write_rows(self.folder / PARTS / f"{self._parts:06}.parquet", self._waiting)
            self._waiting = []
            self._parts += 1
            self._written = time.monotonic()
            if self._parts >= _MOST_PARTS:
                self.close()

    def close(self) -> None:
        """Put all rows into one file, by number, and remove the parts.

        Raises:
            DefaiError: where it cannot be written; the parts are there still.
        """
        with self._lock:
            self.flush()
            if not self.rows:
                return
            with _in_words(self.folder):
                _write_rows(self.folder / RESULTS, [self.rows[number] for number in sorted(self.rows)])
                shutil.rmtree(self.folder / PARTS, ignore_errors=True)
            self._parts = 0

    def _flush_by_itself(self) -> None:
        with suppress(DefaiError):  # what could not be written waits still: the next row says so
            self.flush()

    def _read(self) -> None:
        for left in self.folder.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)  # of workers that were killed
        for draft in (*self.folder.glob("*.draft"), *(self.folder / PARTS).glob("*.draft")):
            draft.unlink(missing_ok=True)
        parts = sorted((self.folder / PARTS).glob("*.parquet"))
        whole = self.folder / RESULTS
        for path in ([whole] if whole.is_file() else []) + parts:
            for row in read_rows(path):
                self.rows[int(row["run"])] = row
        self._parts = max((int(path.stem) for path in parts), default=-1) + 1


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep everyone else out of a directory; the lock goes with the process, however that ends.

    Raises:
        ConfigError: where somebody is at work in it.
        DefaiError: where it cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file.", "Name a directory.")
    with _in_words(folder):
        folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(folder / LOCK, os.O_CREAT | os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        hint = "Wait for it, or name another directory."
        raise ConfigError(f"Another sweep is at work in {folder}.", hint) from error
    try:
        yield
    finally:
        (folder / LOCK).unlink(missing_ok=True)
        with suppress(OSError):
            folder.rmdir()  # where nothing came of it
        os.close(handle)


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a file.

    Raises:
        ConfigError: where it cannot be read.
    """
    columns = read_columns(path)
    return [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]


def _refuse_another(folder: Path, plan: Mapping[str, Any]) -> None:
    try:
        before = json.loads((folder / PLAN).read_text(encoding="utf-8"))
        other = next((name for name in {**plan, **before} if plan.get(name) != before.get(name)), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{folder / PLAN} cannot be read: it is damaged, or not a sweep's.") from error
    if other is not None:
        raise ConfigError(
            f"{folder} was begun with another plan: its '{other}' is not the same.",
            "Name a new directory, or say what was said before to go on.",
        )


def _write_rows(path: Path, rows: Sequence[Row]) -> None:
    names = dict.fromkeys(name for row in rows for name in row)
    draft = path.with_name(f"{path.name}.draft")
    write_columns(draft, {name: _alike([row.get(name) for row in rows]) for name in names})
    _settle(draft, path)


def _alike(values: list[Any]) -> list[Any]:
    """Values of one kind, as a column has to be: text where they are of several."""
    kinds = {type(value) for value in values} - {type(None)}
    if len(kinds) <= 1 or kinds <= {int, float}:
        return values
    return [None if value is None else str(value) for value in values]


def write_whole(path: Path, content: bytes) -> None:
    """Write a file whole, or not at all.

    Raises:
        DefaiError: where it cannot be written.
    """
    draft = path.with_name(f"{path.name}.draft")
    with _in_words(path.parent):
        draft.write_bytes(content)
        _settle(draft, path)


def _settle(draft: Path, path: Path) -> None:
    """Give a file its name once it is on the disk."""
    for place, last in ((draft, False), (path.parent, True)):
        handle = os.open(place, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if not last:
            draft.replace(path)


@contextmanager
def _in_words(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise DefaiError(
            f"Nothing more can be written to {folder}: {reason}.",
            "What was written before is whole: make room, and say the same again to go on.",
        ) from error
