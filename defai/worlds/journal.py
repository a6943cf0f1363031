"""The journal of a download: what was fetched so far, a line each, so that a killed download goes on where it was.

A line is written whole or it is not there: one that a crash has cut short is dropped when the journal is opened again.
Only one process writes at a time.
"""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

from defai.chain.download.spans import Header, RawLog, Span
from defai.errors import ConfigError, DefaiError

JOURNAL: Final = "download.journal"
SPAN: Final = "span"


class _Place(NamedTuple):
    """Where a span's line begins, and what has to be known of it without reading it."""

    offset: int
    last: Header
    logs: int


class Journal:
    """An open journal; a context manager.

    Args:
        folder: made where it is missing.

    Attributes:
        notes: what was noted besides spans, by kind; the latest of each.
        logs: how many logs its spans have.

    Raises:
        DefaiError: where another process has it open.
        ConfigError: where the file is no journal.
    """

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / JOURNAL
        self._file = self.path.open("a+b")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise DefaiError(f"Another process is writing to {folder}.", "Wait for it, or end it.") from error
        self.notes: dict[str, Mapping[str, Any]] = {}
        self.logs = 0
        self._spans: list[_Place] = []
        try:
            self._load()
        except (KeyError, TypeError, ValueError) as error:
            self._file.close()
            raise ConfigError(
                f"{self.path} is no journal of a download.", "Delete it, to begin anew."
            ) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self.notes and not self._spans:
            self.path.unlink(missing_ok=True)
            with suppress(OSError):  # it may hold something else
                self.path.parent.rmdir()
        self._file.close()

    @property
    def last(self) -> Header | None:
        """Header of the last block that is there; None before the first span."""
        return self._spans[-1].last if self._spans else None

    def note(self, kind: str, facts: Mapping[str, Any]) -> None:
        """Keep something besides spans."""
        self._write({"kind": kind, **facts})
        self.notes[kind] = facts

    def append(self, span: Span) -> None:
        """Keep a span: the one after the last."""
        offset = self._write({"kind": SPAN, "first": span.first, "headers": span.headers, "logs": span.logs})
        self._keep(_Place(offset, span.headers[-1], len(span.logs)))

    def drop_last(self) -> None:
        """Forget the last span, and what was noted after it."""
        dropped = self._spans.pop()
        self.logs -= dropped.logs
        self._file.truncate(dropped.offset)

    def spans(self) -> Iterator[Span]:
        """The spans in order."""
        with self.path.open("rb") as file:
            for place in self._spans:
                file.seek(place.offset)
                yield _span(json.loads(file.readline()))

    def remove(self) -> None:
        """Delete the file: all of it stands elsewhere now."""
        self.path.unlink()

    def _write(self, line: Mapping[str, Any]) -> int:
        offset = self._file.seek(0, os.SEEK_END)
        self._file.write(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        return offset

    def _keep(self, place: _Place) -> None:
        self._spans.append(place)
        self.logs += place.logs

    def _load(self) -> None:
        self._file.seek(0)
        offset = 0
        for line in self._file:
            if not line.endswith(b"\n"):
                self._file.truncate(offset)
                break
            raw = json.loads(line)
            if raw["kind"] == SPAN:
                self._keep(_Place(offset, Header(*raw["headers"][-1]), len(raw["logs"])))
            else:
                self.notes[raw["kind"]] = {name: value for name, value in raw.items() if name != "kind"}
            offset += len(line)


def read_notes(path: Path) -> tuple[dict[str, Mapping[str, Any]], int | None]:
    """A journal's notes and its last block, without locking it: somebody may be writing.

    Raises:
        ConfigError: where it is none.
    """
    notes: dict[str, Mapping[str, Any]] = {}
    last: int | None = None
    try:
        with path.open("rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                raw = json.loads(line)
                if raw["kind"] == SPAN:
                    last = int(raw["headers"][-1][0])
                else:
                    notes[raw["kind"]] = raw
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(f"{path} is no journal of a download.") from error
    return notes, last


def _span(raw: Mapping[str, Any]) -> Span:
    headers = tuple(Header(*header) for header in raw["headers"])
    logs = tuple(RawLog(log[0], log[1], log[2], log[3], tuple(log[4]), log[5]) for log in raw["logs"])
    return Span(raw["first"], headers[-1].number, headers, logs)
