"""Running a session from the command line, headless."""

import asyncio
import signal
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from defai.cli.serving import attachable
from defai.errors import ConfigError

if TYPE_CHECKING:
    from defai.config import Settings
    from defai.domain.stream import StreamEvent
    from defai.session.choice import WorldBuilder
    from defai.session.session import Session
    from defai.worlds.permits import LivePermit

Observer: TypeAlias = "Callable[[StreamEvent], None]"

INTERRUPTED = 130


def run_headless(
    settings: "Settings",
    *,
    blocks: int | None,
    as_json: bool,
    record: Path | None = None,
    keep_chain: bool = False,
    port: int | None = None,
    permit: "LivePermit | None" = None,
) -> int:
    """Run a session without a terminal; ctrl-c settles and ends it.

    Args:
        settings: what to run.
        blocks: how many blocks; None until it is stopped.
        as_json: print the summary as one JSON object and nothing else.
        record: a folder that the blocks are written to; None writes none.
        keep_chain: when it is done, let the chain stand until ctrl-c.
        port: where others can attach, 0 for any; None for nowhere.
        permit: to trade live; None where the network is another one.

    Returns:
        The exit code: 130 where it was interrupted before the blocks were through.
    """
    from defai.cli.output import print_json  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.cli.summary import counted_blocks, narrate, print_summary  # noqa: PLC0415  the same

    show = print_json if as_json else print_summary
    keep = _Keeping(show) if keep_chain else None
    make = partial(make_session, settings, blocks=blocks, record=record, permit=permit)
    summary, interrupted, set_up = asyncio.run(_run_headless(make, None if as_json else narrate, keep, port))
    if summary is None:
        sentence = "Stopped while setting up: nothing was decided, nothing is left behind."
        if set_up:
            sentence = (
                "Stopped at once, before everything was settled: the run directory has what was decided."
            )
        click.echo(sentence, err=True)
        return INTERRUPTED
    if keep is None or not keep.is_begun:
        show(summary)
    if interrupted and blocks is not None:
        click.echo(f"Stopped after {counted_blocks(summary['blocks'])}; everything is settled.", err=True)
        return INTERRUPTED
    return 0


class _Keeping:
    """Shows a session's summary and lets its chain stand until it is told to end.

    Attributes:
        is_begun: whether the session is over and the chain waits for visitors.
    """

    def __init__(self, show: "Callable[[dict[str, Any]], None]") -> None:
        self.is_begun = False
        self._show = show
        self._over = asyncio.Event()

    async def stand(self, session: "Session", summary: dict[str, Any]) -> None:
        """Show the summary, open the chain for others' transactions, and wait."""
        from defai.agent.ports import PublicWorld  # noqa: PLC0415  loads on use, so that --help is quick
        from defai.chain.rpc import Rpc  # noqa: PLC0415  the same

        world: object = session.world
        if not isinstance(world, PublicWorld):
            return
        self.is_begun = True
        async with Rpc(world.rpc_url) as rpc:
            await rpc.call("evm_setAutomine", True)
        self._show(summary)
        sys.stdout.flush()
        where = f"--rpc {world.rpc_url} --contract {summary['audit_contract']}"
        click.echo(
            f"The chain stands until ctrl-c. Verify it from elsewhere:\n  defai audit verify --all {where}",
            err=True,
        )
        await self._over.wait()

    def end(self) -> None:
        """Let the chain go."""
        self._over.set()


async def _run_headless(
    make: "Callable[[], Session]",
    tell: "Observer | None",
    keep: _Keeping | None,
    port: int | None,
) -> tuple[dict[str, Any] | None, bool, bool]:
    session = make()
    if keep is not None:
        session.afterwards = partial(keep.stand, session)
    if tell is not None:
        session.bus.tap(tell)
    with attachable(session, port):
        return await _interruptible(session, keep)


async def _interruptible(
    session: "Session", keep: _Keeping | None
) -> tuple[dict[str, Any] | None, bool, bool]:
    running = asyncio.ensure_future(session.run())
    interrupted = False

    def interrupt() -> None:
        nonlocal interrupted
        if keep is not None and keep.is_begun:
            keep.end()
            return
        if interrupted or not session.is_set_up:
            running.cancel()
        interrupted = True
        session.request_stop()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, interrupt)
    try:
        return await running, interrupted, True
    except asyncio.CancelledError:
        return None, True, session.is_set_up


def make_session(
    settings: "Settings",
    *,
    blocks: int | None,
    record: Path | None = None,
    permit: "LivePermit | None" = None,
) -> "Session":
    """A session with its journal in a run directory, and its blocks in a folder where one is given."""
    from defai.agent.bus import Bus  # noqa: PLC0415  heavy: the terminal paints before this is imported
    from defai.session.choice import build_live, build_recorded, build_world  # noqa: PLC0415  the same
    from defai.session.run_directory import Journal, run_directory  # noqa: PLC0415  the same
    from defai.session.session import Session  # noqa: PLC0415  the same

    journal = Journal(run_directory(settings), settings)
    if journal.is_old and record is not None:
        raise ConfigError(
            "A run that is taken up again cannot be recorded from its beginning.",
            "Record it with `defai record`.",
        )
    build: WorldBuilder = build_world if permit is None else partial(build_live, permit)
    if record is not None:
        build = partial(build_recorded, record, build)
    return Session(settings, Bus(), blocks=blocks, journal=journal, build=build)
