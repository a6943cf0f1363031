"""`defai attach`: the terminal, on a session that runs elsewhere on this machine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import click

from defai.agent.passing_on import PassingControl
from defai.cli.terminal import require_terminal
from defai.domain.stream import SessionEnded, StreamEvent
from defai.errors import NotRunningError

if TYPE_CHECKING:
    from defai.server.client import RemoteSession


@click.command("attach")
@click.argument("url", required=False)
def command(*, url: str | None) -> int:
    """Show the terminal of a session that serves; leaving it lets the session go on.

    Where the connection breaks, the terminal says so and comes back by itself. URL can be left out where one session
    serves. The token is found by itself, or taken from DEFAI_TOKEN.
    """
    require_terminal("`defai status` says how the session stands.")
    from defai.server.places import find  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.tui.app import run  # noqa: PLC0415  the same

    find(url)  # before the screen: what is not there is said in a line
    attached = Attached(url)
    return asyncio.run(run(attached.events, attached))


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
