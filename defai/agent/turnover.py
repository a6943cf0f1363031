"""What an agent swapped within a day, as far as it counts against its limit."""

from collections import deque
from collections.abc import Iterable

DAY_S = 86_400


class Turnover:
    """Timestamp and worth of each swap of the last day.

    Args:
        swaps: those that count already, the newest last.

    Attributes:
        is_swapping: whether the plan that moved last swaps.
    """

    def __init__(self, swaps: Iterable[tuple[int, int]] = (), *, is_swapping: bool = False) -> None:
        self._swaps = deque(swaps)
        self.is_swapping = is_swapping

    @property
    def swaps(self) -> tuple[tuple[int, int], ...]:
        """Timestamp and worth of each, the newest last."""
        return tuple(self._swaps)

    def move(self, timestamp: int, worths: Iterable[int]) -> None:
        """Count a plan's swaps; a plan may have none."""
        before = len(self._swaps)
        self._swaps.extend((timestamp, worth) for worth in worths)
        self.is_swapping = len(self._swaps) > before

    def take_back(self) -> None:
        """What was moved last never reached a block: it does not count."""
        if self.is_swapping and self._swaps:
            latest = self._swaps[-1][0]
            while self._swaps and self._swaps[-1][0] == latest:
                self._swaps.pop()
        self.is_swapping = False

    def raw(self, now: int) -> int:
        """Worth of the swaps of the day before a moment."""
        while self._swaps and self._swaps[0][0] <= now - DAY_S:
            self._swaps.popleft()
        return sum(worth for _, worth in self._swaps)
