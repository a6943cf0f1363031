"""How fast the chain's clock goes beside a person's: a chain of our own may live ten minutes in ten seconds."""

from collections import deque

SETTLE_S = 1.0
"""Who comes late is told the past in one go: what comes so soon after the first block says nothing of the pace."""
APART_S = 1.0
"""Of fast blocks one a second is looked at."""
SEEN, ENOUGH = 15, 3
ALIKE = 2.0
"""Up to so many times faster or slower the clocks are taken for the same one: blocks come early and late."""


class ChainClock:
    """Sees blocks arrive, and says what a time of the chain's is here.

    Attributes:
        pace: seconds of the chain in one here, in the middle of what the last blocks had; None while too few were seen.
    """

    __slots__ = ("_due", "_last", "_paces", "pace")

    def __init__(self) -> None:
        self.pace: float | None = None
        self._last: tuple[float, int] | None = None
        self._due: float | None = None
        self._paces: deque[float] = deque(maxlen=SEEN)

    def saw(self, now: float, timestamp: int) -> None:
        """Take note of a block of this timestamp, seen at a time of the terminal's clock."""
        if self._due is None:
            self._due = now + SETTLE_S
        if now < self._due:
            return
        if self._last is not None:
            self._paces.append((timestamp - self._last[1]) / (now - self._last[0]))
            if len(self._paces) >= ENOUGH:
                self.pace = sorted(self._paces)[len(self._paces) // 2]
        self._last, self._due = (now, timestamp), now + APART_S

    def here_s(self, chain_s: float) -> float | None:
        """Seconds that a time of the chain's is likely to take here; None where it is about the same, or unknown."""
        if self.pace is None or self.pace <= 0 or 1 / ALIKE <= self.pace <= ALIKE:
            return None
        return chain_s / self.pace
