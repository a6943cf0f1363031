"""A stage for the terminal: a real queue, a session that answers wishes, a clock that stands still."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot

from defai.agent.control import Control
from defai.domain.stream import StreamEvent
from defai.testing.answers import MadeUpControl
from defai.testing.stream import demo_stream
from defai.tui.app import DefaiApp
from defai.tui.bridge import CAPACITY, EventQueue
from defai.tui.preferences import Preferences

DEADLINE_S = 20.0
SEED = 3
"""A session with a bit of everything in its first sixty blocks."""


def in_the_dark() -> Preferences:
    """The dark colours, whatever the terminal that runs the tests can show."""
    preferences = Preferences()
    preferences.put("theme", "defai-dark")
    return preferences


class Stage(MadeUpControl):
    """A session as the terminal sees it: it plays events, and answers wishes with events of its own."""

    def __init__(
        self, events: Iterable[StreamEvent], *, settles: bool = True, capacity: int = CAPACITY
    ) -> None:
        self.queue = EventQueue(capacity)
        super().__init__(self.queue.put_threadsafe)
        self.now = 100.0
        self.settles = settles
        self.play(events)

    def play(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            self.hear([event])
            self.queue.put_threadsafe(event)

    async def stop(self) -> None:
        if self.settles:
            await super().stop()
        else:
            self.wishes.append(("stop",))

    def app(
        self,
        events: Callable[[], AsyncIterable[StreamEvent]] | None = None,
        *,
        leave_within_s: float = 15.0,
        control: Control | None = None,
        preferences: Preferences | None = None,
        folder: Path | None = None,
        paces: Mapping[str, float] | None = None,
        opening: str = "starting",
    ) -> DefaiApp:
        def from_queue() -> AsyncIterable[StreamEvent]:
            return self.queue

        return DefaiApp(
            events or from_queue,
            control or self,
            clock=lambda: self.now,
            dropped=lambda: self.queue.dropped,
            leave_within_s=leave_within_s,
            preferences=preferences or in_the_dark(),
            folder=folder,
            paces=paces or {},
            opening=opening,
        )


async def until(condition: Callable[[], object], pilot: Pilot[Any] | None = None) -> None:
    """Wait for something to become true, twenty seconds at most."""
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        if pilot is None:
            await asyncio.sleep(0.01)
        else:
            await pilot.pause(0.01)


async def settled(pilot: Pilot[Any], stage: Stage) -> None:
    """Wait until everything played has been read and painted."""
    app = pilot.app
    assert isinstance(app, DefaiApp)
    await until(lambda: not len(stage.queue) and app.is_painted, pilot)
    await pilot.pause()


def seen(app: DefaiApp) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


def state_of(app: DefaiApp, agent: str) -> str:
    return app.fleet.agents[agent].state


@pytest.fixture(scope="session")
def session() -> list[StreamEvent]:
    """A session of sixty blocks that goes on."""
    return list(demo_stream(SEED, blocks=60, end=False))


class Theatre:
    """What the tests of this folder share, as one fixture."""

    Stage = Stage
    until = staticmethod(until)
    settled = staticmethod(settled)
    seen = staticmethod(seen)
    state_of = staticmethod(state_of)
    demo_stream = staticmethod(demo_stream)
    seed = SEED


@pytest.fixture
def theatre() -> type[Theatre]:
    return Theatre


Opened: TypeAlias = AbstractAsyncContextManager[tuple[Stage, DefaiApp, Pilot[None]]]


@pytest.fixture
def opened(session: list[StreamEvent]) -> Callable[..., Opened]:
    """Opens the terminal on the made-up session; gives the stage, the app and the pilot."""

    @asynccontextmanager
    async def open_it(
        *keys: str,
        size: tuple[int, int] = (120, 40),
        more: Iterable[StreamEvent] = (),
        **options: Any,  # noqa: ANN401  as `Stage.app` takes them
    ) -> AsyncIterator[tuple[Stage, DefaiApp, Pilot[None]]]:
        stage = Stage([*session, *more])
        app = stage.app(**options)
        async with app.run_test(size=size) as pilot:
            await settled(pilot, stage)
            if keys:
                await pilot.press(*keys)
                await settled(pilot, stage)
            yield stage, app, pilot
            app.exit()

    return open_it
