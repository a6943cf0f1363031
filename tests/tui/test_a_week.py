"""A terminal that is kept open: a week of events leaves it as large as its first hours did."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import pytest

from defai.domain.stream import BlockArrived, HoldsAnchored, LogRecorded, StepCompleted, StreamEvent
from defai.testing.stream import demo_stream
from defai.tui import folds, lines, pools, series
from defai.tui.fleet import FleetState

WEEK = 7 * 24 * 3_600 // 12
"""Blocks of a week, at a block in twelve seconds."""
SESSION = 300
"""Blocks that are made up; a longer time is made of them, with digests and numbers of its own."""


def lived(events: Sequence[StreamEvent], blocks: int) -> Iterator[StreamEvent]:
    """So many blocks of a session. No two decisions and no two sentences of the log are the same."""
    first = next(at for at, event in enumerate(events) if isinstance(event, BlockArrived))
    yield from events[:first]
    for round_ in range(-(-blocks // SESSION)):
        for event in events[first:]:
            yield moved(event, round_)


def moved(event: StreamEvent, round_: int) -> StreamEvent:
    """An event as it would have been so many rounds later."""
    later = round_ * SESSION
    if isinstance(event, BlockArrived):
        return replace(event, number=event.number + later, timestamp=event.timestamp + later * 12)
    if isinstance(event, StepCompleted) and event.decision is not None:
        decision = replace(
            event.decision,
            digest=f"{event.decision.digest}/{round_}",
            sequence=event.decision.sequence + later,
            block_number=event.decision.block_number + later,
        )
        return replace(event, decision=decision, block_number=event.block_number + later)
    if isinstance(event, LogRecorded):
        return replace(event, text=f"{event.text} ({round_})")
    if isinstance(event, HoldsAnchored):
        return replace(event, first_sequence=event.first_sequence + later)
    changes = {name: getattr(event, name) + later for name in ("block_number",) if hasattr(event, name)}
    if hasattr(event, "digest"):
        changes["digest"] = f"{event.digest}/{round_}"
    return replace(event, **changes) if changes else event


def sizes(events: Iterable[StreamEvent], every: int, look: Callable[[FleetState], object]) -> list[int]:
    """Bytes held after every so many blocks, by everything that was allocated since before the first."""
    fleet, found, blocks = FleetState(), [], 0
    tracemalloc.start()
    try:
        for event in events:
            fleet.apply(event, 0.0)
            if isinstance(event, BlockArrived):
                blocks += 1
                if blocks % every == 0:
                    look(fleet)
                    gc.collect()
                    found.append(tracemalloc.get_traced_memory()[0])
    finally:
        tracemalloc.stop()
    return found


def looked_at(fleet: FleetState) -> None:
    """What the screens ask for, now and then."""
    for line in fleet.agents.values():
        line.equity.points()
        line.equity.sampled(16)
    for pool in fleet.pools.values():
        pool.prices.points()


def made_up(agents: int) -> list[StreamEvent]:
    """A session of so many agents."""
    return list(demo_stream(5, SESSION, agents, end=False))


def test_made_up_rounds_differ() -> None:
    digests = [
        event.decision.digest
        for event in lived(made_up(4), 2 * SESSION)
        if isinstance(event, StepCompleted) and event.decision is not None
    ]
    assert len(digests) == len(set(digests)) == 2 * SESSION * 4


def check_flat(session: Sequence[StreamEvent], blocks: int, full_after: int) -> None:
    """The lists fill up at first; then they stay; something kept of every event would be half as much again."""
    held = sizes(lived(session, blocks), SESSION, looked_at)
    full, rest = held[: full_after // SESSION], held[full_after // SESSION :]
    assert len(rest) >= 3
    assert max(rest) < max(full) * 1.2, [size // 1024 for size in held]


def test_half_a_day_of_a_terminal_that_keeps_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of everything that has a limit, so that they are reached in time for a test."""
    monkeypatch.setattr(folds, "LOG_LINES", folds.LOG_LINES // 10)
    monkeypatch.setattr(folds, "LINES_OF_ALL_AGENTS", 4 * lines.DECISIONS_PER_AGENT // 10)
    monkeypatch.setattr(folds, "POINTS_OF_ALL_AGENTS", 4 * series.RECENT // 10)
    monkeypatch.setattr(pools, "Series", partial(series.Series, recent=100, older=100))
    check_flat(made_up(4), 10 * SESSION, 7 * SESSION)


@pytest.mark.long
@pytest.mark.timeout(3_000)
def test_a_week() -> None:
    check_flat(made_up(20), WEEK, WEEK // 2)
