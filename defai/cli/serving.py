"""Letting others attach to a session that runs here."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from defai.session.session import Session

LET_DECIDE_S: Final = 0.03
"""From an event to its sending: two threads share an interpreter, and the agents come first."""


@contextmanager
def attachable(session: "Session", port: int | None) -> Iterator[None]:
    """Serve a session on the running loop while this lasts; not at all where there is no port.

    Args:
        session: before it runs.
        port: 0 for one that is free, None for no server.
    """
    if port is None:
        yield
        return
    from defai.agent.passing_on import OnLoop  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.server.backlog import Backlog  # noqa: PLC0415  the same
    from defai.server.places import announced, new_token  # noqa: PLC0415  the same
    from defai.server.serving import served  # noqa: PLC0415  the same
    from defai.session.steering import Steering  # noqa: PLC0415  the same

    loop = asyncio.get_running_loop()
    token, backlog = new_token(), Backlog(later=partial(loop.call_later, LET_DECIDE_S))
    session.bus.tap(backlog.append)
    control = OnLoop(loop, Steering(session))
    run = session.run_directory
    with (
        served(backlog, control, token, port) as server,
        announced(server.url, token, str(run) if run else None),
    ):
        click.echo(f"serving at {server.url}; `defai attach {server.url}` shows it", err=True)
        yield


def port_of(*, serve: bool, port: int | None) -> int | None:
    """The port that options mean: 0 for any, None for no server."""
    if port is not None and not serve:
        raise click.UsageError("--port goes with --serve.")
    return (port or 0) if serve else None
