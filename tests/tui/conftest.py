"""A stage for the terminal: a real queue, a session that answers wishes, a clock that stands still."""

import asyncio
import time
from collections.abc import AsyncIterable, Callable, Iterable
from typing import Any

import pytest
from textual.pilot import Pilot

from defai.agent.control import BareControl, Control
from defai.domain.stream import AgentStateChanged, SessionEnded, StreamEvent
from defai.testing.stream import demo_cards, demo_stream
from defai.tui.app import DefaiApp
from defai.tui.bridge import EventQueue

DEADLINE_S = 20.0


class Stage(BareControl):
    """A session as the terminal sees it: it plays events, and answers wishes with events of its own."""

    def __init__(self, events: Iterable[StreamEvent], *, settles: bool = True, agents: int = 4) -> None:
        self.queue = EventQueue()
        self.wishes: list[tuple[str, ...]] = []
        self.now = 100.0
        self.settles = settles
        self.names = [card.name for card in demo_cards(agents)]
        self.play(events)

    def play(self, events: Iterable[StreamEvent]) -> None:
        for event in events:
            self.queue.put_threadsafe(event)

    async def pause(self, agent: str) -> None:
        self.wishes.append(("pause", agent))
        self.play([AgentStateChanged(agent, "paused", "by its owner")])

    async def resume(self, agent: str) -> None:
        self.wishes.append(("resume", agent))
        self.play([AgentStateChanged(agent, "running", "")])

    async def halt_all(self) -> None:
        self.wishes.append(("halt_all",))
        self.play(AgentStateChanged(name, "paused", "all halted") for name in self.names)

    async def stop(self) -> None:
        self.wishes.append(("stop",))
        if self.settles:
            self.play([SessionEnded("It ended as asked.", "", 0)])

    def app(
        self,
        events: Callable[[], AsyncIterable[StreamEvent]] | None = None,
        *,
        leave_within_s: float = 15.0,
        control: Control | None = None,
    ) -> DefaiApp:
        def from_queue() -> AsyncIterable[StreamEvent]:
            return self.queue

        return DefaiApp(
            events or from_queue,
            control or self,
            clock=lambda: self.now,
            dropped=lambda: self.queue.dropped,
            leave_within_s=leave_within_s,
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
    return list(demo_stream(seed=7, blocks=60, end=False))


class Theatre:
    """What the tests of this folder share, as one fixture."""

    Stage = Stage
    until = staticmethod(until)
    settled = staticmethod(settled)
    seen = staticmethod(seen)
    state_of = staticmethod(state_of)
    demo_stream = staticmethod(demo_stream)


@pytest.fixture
def theatre() -> type[Theatre]:
    return Theatre
