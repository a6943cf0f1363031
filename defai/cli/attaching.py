"""What the terminal is handed of a session that runs elsewhere: its events and a control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any, Final

from defai.agent.passing_on import PassingControl
from defai.domain.stream import SessionEnded, StreamEvent
from defai.server.client import RemoteSession
from defai.server.places import find

GREETED_WITHIN_S: Final = 0.02
"""So long the terminal is not imported, for the session to be greeted; it answers meanwhile, however busy it is."""
FIRST_WITHIN_S: Final = 0.25


def show(url: str | None, opening: str) -> int:
    """Run the terminal on a session until the person leaves.

    Args:
        url: of the session; None for the one that serves.
        opening: what the screen says is being done until the session is heard.

    Returns:
        The exit code.
    """
    return asyncio.run(_show(url, opening))


async def _show(url: str | None, opening: str) -> int:
    attached = Attached(url)
    await attached.connect()
    from defai.tui.app import run  # noqa: PLC0415  a session is greeted before this is imported

    return await run(attached.events, attached, opening=opening, first_within_s=FIRST_WITHIN_S)


class Attached(PassingControl):
    """The control and the events of a session elsewhere."""

    def __init__(self, url: str | None) -> None:
        self._remote = RemoteSession(lambda: find(url))
        self._events = self._remote.events()
        self._first: asyncio.Future[StreamEvent | None] | None = None

    async def connect(self) -> None:
        """Have the session greeted; what comes of it is told by its events."""
        self._first = asyncio.ensure_future(anext(self._events, None))
        await asyncio.wait({self._first}, timeout=GREETED_WITHIN_S)

    async def events(self) -> AsyncIterator[StreamEvent]:
        """The session's events, and how the connection is; at the end, that the terminal was left."""
        async with aclosing(self._events) as events:
            first = await self._first if self._first is not None else None
            if first is not None:
                yield first
            async for event in events:
                yield event
                if isinstance(event, SessionEnded):
                    return
        yield SessionEnded("You have left; the session goes on.", "", 0)

    async def stop(self) -> None:
        """Leave; the session goes on."""
        await self._remote.detach()

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  what the method takes and gives
        """Have the session asked."""
        return await self._remote.ask(method, **arguments)

    async def follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """One part after the other."""
        async for part in self._remote.follow(method, **arguments):
            yield part
