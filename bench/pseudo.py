"""A program on a pseudo-terminal that is read as fast as it writes."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import threading
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Final, Self

COLUMNS: Final = 120
ROWS: Final = 40


class OnTerminal:
    """Runs a command as if somebody sat before it.

    Args:
        command: the program and its arguments.
        take: called with whatever it writes, as it comes, in a thread of its own.
        environment: of the process, beside the terminal's own variables.
    """

    def __init__(
        self,
        command: Sequence[str],
        take: Callable[[bytes], None] = lambda _: None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        variables = {**(environment or os.environ), "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._take = take
        self.process = subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, env=variables, start_new_session=True
        )
        os.close(theirs)
        self._reader = threading.Thread(target=self._drain, daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait(self, patience_s: float) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(timeout=patience_s)

    def close(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(timeout=10)
        os.close(self._ours)

    def _drain(self) -> None:
        while True:
            try:
                chunk = os.read(self._ours, 1 << 16)
            except OSError:  # the other end is closed: that is how a pseudo-terminal says so
                return
            if not chunk:
                return
            self._take(chunk)
