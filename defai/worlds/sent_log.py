"""What agents' keys sent, written down before it is sent: after a crash it is known what to look for on the chain."""

import json
import os
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, TextIO

from defai.errors import ConfigError, DefaiError

SENT: Final = "sent.jsonl"
_CHUNK: Final = 65_536


@dataclass(frozen=True, slots=True)
class SentLine:
    """A transaction of an agent's key to its vault.

    Attributes:
        number: of the agent's submissions, from 0; the same submission sent again for more gas has the same.
        upon: the newest block when it was sent.
        data: the call data.
    """

    agent: str
    number: int
    upon: int
    nonce: int
    hash: str
    data: str


class SentLog:
    """A file of lines, flushed one by one; None keeps nothing.

    Attributes:
        past: what an earlier process wrote, by agent and number.
    """

    def __init__(self, path: Path | None) -> None:
        self.past: dict[str, dict[int, list[SentLine]]] = defaultdict(lambda: defaultdict(list))
        self._path = path
        self._file: TextIO | None = None
        if path is None:
            return
        for raw in whole_lines(path):
            try:
                line = SentLine(**json.loads(raw))
            except (TypeError, ValueError) as error:
                raise ConfigError(f"{path} does not say what was sent.", "Name another directory.") from error
            self.past[line.agent][line.number].append(line)
        self._file = path.open("a", encoding="utf-8")

    def append(self, line: SentLine) -> None:
        """Write a line.

        Raises:
            DefaiError: where it cannot be written; then nothing must be sent either.
        """
        if self._file is None:
            return
        try:
            self._file.write(json.dumps(asdict(line), separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as error:
            raise DefaiError(
                f"{self._path} cannot be written: {os.strerror(error.errno or 0)}.",
                "Nothing is sent that cannot be kept: make room and start again.",
            ) from error

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()


def whole_lines(path: Path) -> list[str]:
    """The lines of a file that grows line by line; what a crash left of a last one is cut off first.

    Raises:
        ConfigError: where it cannot be read.
    """
    if not path.exists():
        return []
    try:
        cut_broken_line(path)
        return path.read_bytes().decode().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read.", "Name another directory.") from error


def cut_broken_line(path: Path) -> None:
    """Cut off what a crash left of a file's last line."""
    with path.open("rb+") as file:
        size = end = file.seek(0, os.SEEK_END)
        while end:
            start = max(0, end - _CHUNK)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                end = start + found + 1
                break
            end = start
        if end < size:
            file.truncate(end)
