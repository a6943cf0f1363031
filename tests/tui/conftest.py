"""A stage for the terminal: a real queue, a session that answers wishes, a clock that stands still."""

import asyncio
import time
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from defai.agent.control import Control
from defai.domain.stream import StreamEvent
from defai.testing.answers import MadeUpControl
from defai.testing.stream import demo_stream
from defai.tui.app import DefaiApp
from defai.tui.bridge import CAPACITY, EventQueue
from defai.tui.preferences import Preferences
from tests.tui.stillness import DEADLINE_S, MOMENT_S, at_rest, at_rest_for_good, wait_for_idle

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
        first_within_s: float = 0.0,
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
            first_within_s=first_within_s,
        )


@pytest.fixture(autouse=True)
def _only_what_happens_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here no time is too short: rest is told by what is left to do, no cursor blinks, and no notice goes by itself."""
    for module in ("app", "pilot"):
        monkeypatch.setattr(f"textual.{module}.wait_for_idle", wait_for_idle)
    monkeypatch.setattr(Input, "_toggle_cursor", lambda _: None)
    monkeypatch.setattr(DefaiApp, "NOTIFICATION_TIMEOUT", 3_600)


async def until(condition: Callable[[], object], pilot: Pilot[Any] | None = None) -> None:
    """Wait for something to become true; with a pilot it is asked of what has been drawn to the end."""
    deadline = time.monotonic() + DEADLINE_S
    while True:
        if pilot is not None:
            await at_rest(pilot.app)
        if condition():
            return
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(MOMENT_S)


async def settled(pilot: Pilot[Any], stage: Stage) -> None:
    """Wait until everything played has been read, and painted, and answered."""
    app = pilot.app
    assert isinstance(app, DefaiApp)
    await at_rest_for_good(app, lambda: not len(stage.queue) and app.is_painted)


def seen(app: DefaiApp) -> str:
    """What stands on the screen, line by line."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


async def stands(app: DefaiApp, pilot: Pilot[Any], *words: str) -> str:
    """Wait until all of these words stand on the screen; gives what stands there then."""
    try:
        await until(lambda: not missing(app, words), pilot)
    except AssertionError:
        pytest.fail(f"missing: {missing(app, words)}\n{seen(app)}")
    return seen(app)


async def gone(app: DefaiApp, pilot: Pilot[Any], *words: str) -> str:
    """Wait until none of these words stands on the screen; gives what stands there then."""
    try:
        await until(lambda: len(missing(app, words)) == len(words), pilot)
    except AssertionError:
        pytest.fail(f"still there: {sorted(set(words) - set(missing(app, words)))}\n{seen(app)}")
    return seen(app)


async def told(app: DefaiApp, pilot: Pilot[Any], *sentences: str) -> None:
    """Wait until exactly these have been said as notices, oldest first."""

    def said() -> list[str]:
        return [one.message for one in app._notifications]

    try:
        await until(lambda: said() == list(sentences), pilot)
    except AssertionError:
        pytest.fail(f"wanted: {list(sentences)}\nsaid: {said()}")


def missing(app: DefaiApp, words: Iterable[str]) -> list[str]:
    """Those words that are not on the screen, wherever its lines break."""
    text = seen(app)
    flowing = " ".join(text.replace("│", " ").split())
    return [one for one in words if one not in text and one not in flowing]


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
    stands = staticmethod(stands)
    gone = staticmethod(gone)
    told = staticmethod(told)
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
