"""How a stream is read: much at once where it is there, and in a flood no sooner than what it changes can be seen."""

import asyncio
import time
from collections.abc import Callable
from typing import Final

from defai.tui.pacing import SHORTEST_S, Pacing

IN_ONE_GO: Final = 64
"""So many events are read before one looks up."""
GOES: Final = 4
"""So often that is done before keys and paints get their turn: one or two milliseconds."""
TRICKLE_S: Final = 0.01
"""Events that take longer to come were not there already: to be woken by each of them costs more than to take it in."""
FLOOD_S: Final = 0.25
"""Where one go takes no longer to come it is a flood: more than 256 events a second."""
AHEAD_S: Final = 0.01
"""So long before a paint what has come is read, to be in it."""


class Breath:
    """Between two goes of reading: lets others have their turn, or waits for more where nobody would see any sooner.

    Args:
        pacing: of the paints; told whether events come faster than anybody reads.
        clock: seconds; what it says does not matter, but what goes by.
    """

    def __init__(self, pacing: Pacing, clock: Callable[[], float]) -> None:
        self._pacing, self._clock, self._since, self._goes = pacing, clock, clock(), 0

    async def draw(self, due: float) -> None:
        """Wait as long as is good.

        Args:
            due: when the next paint is, on the monotonic clock; 0 where nothing is to be painted.
        """
        self._goes += 1
        took = self._clock() - self._since
        if took > TRICKLE_S:
            self._pacing.flooded = took < FLOOD_S
            await asyncio.sleep(min(max(0.0, due - AHEAD_S - time.monotonic()), SHORTEST_S))
        elif self._goes % GOES == 0:
            await asyncio.sleep(0)
        self._since = self._clock()
