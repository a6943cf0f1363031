"""The demo in a terminal, started a second time: when it first paints, and when its agents have decided."""

import fcntl
import os
import pty
import re
import select
import signal
import statistics
import struct
import subprocess
import termios
import time
from collections.abc import Mapping
from typing import Final, Self

from figures import Figure
from homes import DEFAI, second_start

STARTS: Final = 3
PATIENCE_S: Final = 90.0
LEAVE_S: Final = 10.0
ROWS: Final = 50
COLUMNS: Final = 160
FIRST_PAINT_S: Final = 1.0
FIRST_DECISIONS_S: Final = 8.0

PAINTED: Final = re.compile(rb"can prove every decision")
WHOLE: Final = re.compile(rb"Approvals")
"""What the first words bring, and what comes with the whole screen alone."""
DECIDED: Final = re.compile(rb"decided in\s+\d")
_ESCAPES: Final = re.compile(
    rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b[@-Z\\-_=>]",
    re.DOTALL,
)
_TAIL: Final = 65_536


class Terminal:
    """A program in a pseudo-terminal. A context manager: leaving it ends the program and what it started."""

    def __init__(self, command: list[str], environment: Mapping[str, str]) -> None:
        self.started = time.perf_counter()
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env={**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"},
            start_new_session=True,
        )
        os.close(slave)
        self._seen = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._press(b"q")
        deadline = time.perf_counter() + LEAVE_S
        while self._process.poll() is None and time.perf_counter() < deadline:
            self._read(0.05)  # a program that nobody reads cannot leave
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        os.close(self._master)

    def until(self, wanted: re.Pattern[bytes]) -> float:
        """Seconds from the start until something stands on the screen.

        Raises:
            TimeoutError: where it never does.
        """
        while not wanted.search(_ESCAPES.sub(b"", self._seen)):
            if time.perf_counter() - self.started > PATIENCE_S or not self._read(1.0):
                shown = _ESCAPES.sub(b" ", self._seen)[-600:].decode(errors="replace")
                raise TimeoutError(f"{wanted.pattern!r} was never shown; the last was: {shown}")
        return time.perf_counter() - self.started

    def _read(self, seconds: float) -> bool:
        """Take what the program shows; whether it still runs."""
        if select.select([self._master], [], [], seconds)[0]:
            try:
                self._seen = (self._seen + os.read(self._master, _TAIL))[-_TAIL:]
            except OSError:  # the program has closed its end
                return False
        return self._process.poll() is None

    def _press(self, key: bytes) -> None:
        if self._process.poll() is None:
            os.write(self._master, key)


def measure() -> list[Figure]:
    """Medians over a few starts, after one that does not count: set-up has compiled what a start imports."""
    painted, whole, decided = [], [], []
    with second_start() as environment:
        for _ in range(1 + STARTS):
            with Terminal([DEFAI, "demo"], environment) as terminal:
                painted.append(terminal.until(PAINTED))
                whole.append(terminal.until(WHOLE))
                decided.append(terminal.until(DECIDED))
    return [
        Figure(
            what="`make demo` again: first words",
            value=statistics.median(painted[1:]),
            unit="s",
            headline=True,
            note="They say what it does; wall time from the start of the process, set up before; "
            f"median of {STARTS} starts in a terminal.",
        ),
        Figure(
            what="`make demo` again: the whole screen",
            value=statistics.median(whole[1:]),
            unit="s",
            most=FIRST_PAINT_S,
            headline=True,
        ),
        Figure(
            what="`make demo` again: first decisions",
            value=statistics.median(decided[1:]),
            unit="s",
            most=FIRST_DECISIONS_S,
            headline=True,
        ),
    ]
