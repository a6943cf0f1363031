"""What the terminal is handed of a session that runs elsewhere: its events and a control."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

from defai.agent.passing_on import PassingControl
from defai.domain.stream import SessionEnded, StreamEvent
from defai.errors import NotRunningError
from defai.tui.app import run

if TYPE_CHECKING:
    from defai.server.client import RemoteSession


def show(url: str | None, opening: str) -> int:
    """Run the terminal on a session until the person leaves.

    Args:
        url: of the session; None for the one that serves.
        opening: what the screen says is being done until the session is heard.

    Returns:
        The exit code.
    """
    attached = Attached(url)
    return asyncio.run(run(attached.events, attached, opening=opening))


class Attached(PassingControl):
    """The control and the events of a session elsewhere, for a terminal that paints before it connects."""

    def __init__(self, url: str | None) -> None:
        self._url = url
        self._remote: RemoteSession | None = None

    async def events(self) -> AsyncIterator[StreamEvent]:
        """The session's events, and how the connection is; at the end, that the terminal was left."""
        self._remote = remote = await asyncio.to_thread(_remote, self._url)
        async with aclosing(remote.events()) as events:
            async for event in events:
                yield event
                if isinstance(event, SessionEnded):
                    return
        yield SessionEnded("You have left; the session goes on.", "", 0)

    async def stop(self) -> None:
        """Leave; the session goes on."""
        if self._remote is not None:
            await self._remote.detach()

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  what the method takes and gives
        """Have the session asked."""
        return await self._there().ask(method, **arguments)

    async def follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """One part after the other."""
        async for part in self._there().follow(method, **arguments):
            yield part

    def _there(self) -> "RemoteSession":
        if self._remote is None:
            raise NotRunningError("The session is not connected yet.")
        return self._remote


def _remote(url: str | None) -> "RemoteSession":
    from defai.server.client import RemoteSession  # noqa: PLC0415  the screen paints before this is imported
    from defai.server.places import find  # noqa: PLC0415  the same

    return RemoteSession(lambda: find(url))
