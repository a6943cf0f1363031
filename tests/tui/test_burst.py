"""The observer never slows the observed, and never loses its way either."""

import threading
import tracemalloc
from itertools import count
from typing import Any, TypeAlias

from defai.domain.stream import AgentStateChanged, BlockArrived, SessionEnded, StreamEvent
from defai.testing.stream import demo_stream
from defai.tui.fleet import FleetState
from defai.tui.screens.dialogs import Farewell

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_after_a_burst_from_another_thread_the_last_state_stands(theatre: Handed) -> None:
    events = list(demo_stream(5, 80, 24, end=False))
    stage = theatre.Stage([], capacity=1_024)
    assert len(events) > 2 * 1_024
    app = stage.app()

    def session() -> None:
        for event in events:
            stage.queue.put_threadsafe(event)
        stage.queue.put_threadsafe(AgentStateChanged("tiers", "paused", "by its owner"))

    async with app.run_test(size=(120, 40)) as pilot:
        thread = threading.Thread(target=session)
        thread.start()
        await theatre.until(lambda: not thread.is_alive(), pilot)
        await theatre.settled(pilot, stage)
        last = next(event for event in reversed(events) if isinstance(event, BlockArrived))
        assert app.fleet.block == last
        assert len(app.fleet.agents) == 24
        assert app.fleet.agents["tiers"].state == "paused"
        assert app.fleet.events + stage.queue.dropped == len(events) + 1
        await theatre.stands(app, pilot, f"block {last.number:,}")
        app.exit()


async def test_while_the_terminal_is_stuck_the_session_goes_on_and_memory_does_not_grow(
    theatre: Handed,
) -> None:
    stage = theatre.Stage([], capacity=1_024)
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        for event in demo_stream(5, 300, 8, end=False):
            stage.queue.put_threadsafe(event)  # nobody reads meanwhile: it would wait for ever if it waited
        assert len(stage.queue) == 1_024
        assert stage.queue.dropped > 0
        await theatre.settled(pilot, stage)
        assert app.fleet.started is not None
        assert app.fleet.block is not None
        assert app.fleet.block.number == 1_065 + 299
        await theatre.stands(app, pilot, "events skipped")
        stage.play([SessionEnded("It broke.", "", 1)])
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        app.exit()


def test_a_long_run_stays_as_large_as_a_short_one() -> None:
    fleet = FleetState()
    sizes: list[int] = []
    source: list[StreamEvent] = list(demo_stream(3, 2_200, 2, end=False))
    tracemalloc.start()
    for number, event in zip(count(), source, strict=False):
        fleet.apply(event, float(number))
        if number in {len(source) * 95 // 100, len(source) - 1}:
            sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert sizes[1] < sizes[0] * 1.1
