"""What is read before the first screen is drawn: where a session answers at once, it is drawn once, with all of it.

Drawn without, and then again with everything, it would stand a good part of a second later.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

from defai.domain.stream import StreamEvent
from defai.tui.fleet import FleetState

SAID = frozenset({"notice", "session_ended"})
"""Kinds of events that are said aloud: on a screen, which has to be there."""


class Overture:
    """Reads a stream until every agent has said what it owns, then waits for the screen to stand.

    Args:
        within_s: the screen waits so long at most; 0 for a stream that takes its time, which is read once it stands.
    """

    def __init__(self, within_s: float) -> None:
        self.within_s = within_s
        self._heard, self._stands = asyncio.Event(), asyncio.Event()

    async def heard(self) -> None:
        """Wait until enough has been read for a first screen, or for too long."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._heard.wait(), self.within_s)

    def screen_stands(self) -> None:
        """Let the stream be read on."""
        self._stands.set()

    async def read(
        self, events: AsyncIterator[StreamEvent], fleet: FleetState, clock: Callable[[], float]
    ) -> StreamEvent | None:
        """Fold what comes first, and wait for the screen.

        Args:
            events: of the session; iterated no further than that.
            fleet: what they are folded into.
            clock: seconds, on the terminal's.

        Returns:
            The first event that has to be said aloud, which is yet to be folded; None where nothing has.
        """
        said = None
        try:
            while not self._stands.is_set() and (event := await anext(events, None)) is not None:
                if event.kind in SAID:
                    said = event
                    break
                fleet.apply(event, clock())
                if event.kind == "step_completed" and fleet.equity_usd is not None:
                    break
        finally:
            self._heard.set()
        await self._stands.wait()
        return said
