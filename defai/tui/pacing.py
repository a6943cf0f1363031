"""How often a part of the screen is painted: at once after a rest, in a flood no more often than it is worth."""

import time
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from types import MappingProxyType
from typing import Any, Final

from textual.app import App

SHORTEST_S: Final = 1 / 10
"""Between two paints of anything."""
PACES: Final[Mapping[str, float]] = MappingProxyType(
    {
        "agents": 1.0,
        "chart": 2.0,
        "card": 2.0,
        "log": 1.0,
        "pools": 0.5,
        "approvals": 0.5,
        "risk": 0.25,
        "models": 0.25,
        "backtest": 0.25,
        "journal": 0.25,
    }
)
"""Seconds between two paints of the parts that are dear to draw, or scroll away faster than anybody reads."""
PUT_OFF: Final = frozenset({"chart", "card", "log"})
"""What is painted half as often in a flood: not the fleet's table, for whose sake one looks."""


class Pacing:
    """Remembers when each part was painted last.

    Args:
        paces: seconds between two paints, by part; those not named have the shortest.
        clock: seconds.
    """

    def __init__(self, paces: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self._paces, self._clock = paces, clock
        self.flooded = False
        """Whether so much comes that some is painted half as often."""
        self._painted: dict[str, float] = {}

    def wait_s(self, parts: AbstractSet[str]) -> float:
        """How long until the first of these may be painted; never less than a moment, so that more can come along."""
        now = self._clock()
        return max(0.01, min((self._rest_s(part, now) for part in parts), default=0.0))

    def take(self, parts: AbstractSet[str]) -> set[str]:
        """Those whose turn it is, and those whose turn comes a moment later; they count as painted now."""
        now = self._clock()
        ready = {part for part in parts if self._rest_s(part, now) <= 0.002}  # a timer may be that early
        if ready:  # a paint costs something by itself: better one than two
            ready |= {part for part in parts if self._rest_s(part, now) <= SHORTEST_S / 2}
        self._painted.update(dict.fromkeys(ready, now))
        return ready

    def _rest_s(self, part: str, now: float) -> float:
        pace = self._paces.get(part, SHORTEST_S)
        if self.flooded and part in PUT_OFF:
            pace *= 2
        return self._painted.get(part, -1e9) + pace - now


def in_turn(app: App[Any], callback: Callable[[], None]) -> None:
    """Call as if a message had brought it, which would cost as much as a small paint: errors are said, and the end."""
    with app._context():  # noqa: SLF001  Textual offers no other way
        try:
            callback()
        except Exception as error:  # noqa: BLE001  as Textual does with a message's
            app._handle_exception(error)  # noqa: SLF001  the same
