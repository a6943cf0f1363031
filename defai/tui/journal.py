"""What the session had to say: log records and notices, in one bounded list."""

from collections import deque
from dataclasses import field
from typing import Final

from defai.late_dataclass import dataclass

LOG_RECORDS: Final = 2_000
LEVELS: Final = ("info", "warning", "error")
"""From the least to the most urgent."""


@dataclass(slots=True)
class JournalLine:
    """One sentence.

    Attributes:
        time: seconds since 1970; None where nobody said.
        block: the newest block when it was said.
        seen: how often in a row.
    """

    key: str
    level: str
    logger: str
    text: str
    time: float | None
    block: int | None
    seen: int = 1
    version: int = 0

    @property
    def words(self) -> str:
        """What a filter searches."""
        return f"{self.level} {self.logger} {self.text}"


@dataclass(slots=True)
class JournalOfSession:
    """The list, oldest first; the same sentence again counts up the last line.

    Attributes:
        unread: errors that came since somebody looked.
    """

    lines: deque[JournalLine] = field(default_factory=lambda: deque(maxlen=LOG_RECORDS))
    unread: int = 0
    taken: int = 0

    def take(self, level: str, logger: str, text: str, time: float | None, block: int | None) -> None:
        """Take in a sentence."""
        last = self.lines[-1] if self.lines else None
        if last is not None and (last.level, last.logger, last.text) == (level, logger, text):
            last.seen, last.time, last.block = last.seen + 1, time, block
            last.version += 1
            return
        self.taken += 1
        self.unread += level == "error"
        self.lines.append(JournalLine(str(self.taken), level, logger, text, time, block))
