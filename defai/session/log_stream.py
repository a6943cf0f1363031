"""The log as events: what is worth knowing, without secrets, and never so much that it drowns the rest."""

import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from defai.domain.stream import LogRecorded, StreamEvent
from defai.redaction import redacted

LONGEST: Final = 2_000
LINES: Final = 100
"""Lines within `SECONDS` that are told; the rest are counted, and the file has them."""
SECONDS: Final = 10.0


class StreamHandler(logging.Handler):
    """Hands log records to the loop of a session, from whichever thread they come.

    Args:
        publish: told each line on the loop.
        loop: the session's.
    """

    def __init__(self, publish: Callable[[StreamEvent], None], loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(logging.INFO)
        self._publish, self._loop = publish, loop
        self._since, self._told, self._left_out = 0.0, 0, 0

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, unless there were too many just now or the session is over."""
        if record.created - self._since >= SECONDS:
            if self._left_out:
                self._hand_over(
                    self._line(record, f"{self._left_out} lines left out: the log's file has them")
                )
            self._since, self._told, self._left_out = record.created, 0, 0
        if self._told >= LINES:
            self._left_out += 1
            return
        self._told += 1
        self._hand_over(self._line(record, redacted(record.getMessage())))

    @staticmethod
    def _line(record: logging.LogRecord, text: str) -> LogRecorded:
        level = "info" if record.levelno < logging.WARNING else "warning"
        level = "error" if record.levelno >= logging.ERROR else level
        short = text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
        return LogRecorded(level, record.name, short, record.created)

    def _hand_over(self, line: LogRecorded) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._publish, line)


@contextmanager
def logged_to(publish: Callable[[StreamEvent], None]) -> Iterator[None]:
    """Tell log lines while this lasts; on a running loop."""
    handler = StreamHandler(publish, asyncio.get_running_loop())
    root = logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
