"""A session in a thread of its own: what is asked of it when it ends is answered all the same."""

import asyncio
import threading
from types import SimpleNamespace
from typing import Any, cast

import pytest

from defai.agent.bus import Bus
from defai.agent.control import BareControl, Control
from defai.cli.session_thread import SessionThread
from defai.domain.answers import Explanation
from defai.errors import NotRunningError


class Slow(BareControl):
    """Whoever asks it is not answered."""

    def __init__(self) -> None:
        self.was_asked, self.was_let_go = threading.Event(), threading.Event()

    async def explain(self, digest: str) -> Explanation:
        self.was_asked.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.was_let_go.set()
        raise AssertionError(digest)


class Thread(SessionThread):
    """Runs until it is told to stop, and nothing else."""

    def __init__(self) -> None:
        self.control, self.is_there = Slow(), threading.Event()
        over = asyncio.Event()

        async def run() -> None:
            self.is_there.set()
            await over.wait()

        session = SimpleNamespace(bus=Bus(), run=run, is_set_up=True, request_stop=over.set)
        super().__init__(lambda: cast("Any", session), lambda _: None)

    def _there(self) -> tuple[asyncio.AbstractEventLoop, Control]:
        loop, _ = super()._there()
        return loop, self.control


async def test_who_waits_for_an_answer_is_told_that_the_session_is_over() -> None:
    thread = Thread()
    thread.start()
    await asyncio.to_thread(thread.is_there.wait, 60)
    asking = asyncio.ensure_future(thread.explain("0x12"))
    await asyncio.to_thread(thread.control.was_asked.wait, 60)
    thread.ask_to_stop()
    with pytest.raises(NotRunningError, match="The session is over"):
        await asyncio.wait_for(asking, 60)
    assert thread.control.was_let_go.is_set()
    await asyncio.to_thread(thread.join, 60)
