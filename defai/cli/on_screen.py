"""Running a session behind the terminal: the screen in this thread, the session in one of its own."""

import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from defai.cli.terminal import opened, require_terminal

if TYPE_CHECKING:
    from defai.cli.session_thread import SessionThread
    from defai.config import Settings
    from defai.session.session import Session
    from defai.worlds.permits import LivePermit

HUNG_UP = 129
SETTLE_SECONDS = 15.0
WATCH_SECONDS = 1.0


def run_terminal(
    settings: "Callable[[], Settings]", *, blocks: int | None, permit: "LivePermit | None" = None
) -> int:
    """Run a session behind the terminal: the screen paints at once, the session starts in a thread of its own.

    Args:
        settings: gives what to run; asked in the session's thread, once the screen stands.
        blocks: how many blocks; None until the person leaves.
        permit: to trade live; None where the network is another one.
    """
    require_terminal("Add --headless to run without one.")
    with opened() as doing:
        return _run(settings, blocks, permit, doing)


def _run(
    settings: "Callable[[], Settings]", blocks: int | None, permit: "LivePermit | None", opening: str
) -> int:
    import asyncio  # noqa: PLC0415  the first words stand before all this is imported

    from defai.cli.session_thread import SessionThread  # noqa: PLC0415  the same
    from defai.tui.app import run  # noqa: PLC0415  the same
    from defai.tui.bridge import EventQueue  # noqa: PLC0415  the same

    queue = EventQueue()

    def make() -> "Session":
        from defai.cli.running import make_session  # noqa: PLC0415  the session's thread imports it

        return make_session(settings(), blocks=blocks, permit=permit)

    thread = SessionThread(make, queue.put_threadsafe)

    def begin() -> EventQueue:
        thread.start()  # once the frame stands: what a session imports would hold the first paint up
        return queue

    threading.Thread(target=_leave_with_terminal, args=(thread,), name="terminal watch", daemon=True).start()
    try:
        code = asyncio.run(run(begin, thread, dropped=lambda: queue.dropped, opening=opening))
    finally:
        thread.end()
    return code


def _leave_with_terminal(session: "SessionThread") -> None:
    """End the process when its terminal is gone: not every terminal says so with a signal when it closes."""
    while os.isatty(0) or os.environ.get("TEXTUAL_DRIVER"):
        time.sleep(WATCH_SECONDS)
    session.ask_to_stop()
    if session.is_alive():
        session.join(SETTLE_SECONDS)
    os._exit(HUNG_UP)  # the screen's loop may be stuck on a terminal that is not there
