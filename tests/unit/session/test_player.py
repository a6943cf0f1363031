"""A run that is played back tells what was told then; a leap leads to the same screen as having watched."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import pytest

from defai.domain.stream import (
    AgentStateChanged,
    BlockArrived,
    EventsDropped,
    ExecutionSettled,
    HoldsAnchored,
    Notice,
    PlaybackMoved,
    RiskMeasured,
    SessionEnded,
    StepCompleted,
    StreamEvent,
    StreamRestarted,
)
from defai.domain.wire import write_event
from defai.errors import ConfigError, NotFoundError
from defai.session.player import PAST_BLOCKS, Player
from defai.testing.stream import demo_stream
from tests.unit.server.stage import until

FIRST_BLOCK = next(event.number for event in demo_stream(blocks=1) if isinstance(event, BlockArrived))
LAST = FIRST_BLOCK + 19


def kept(folder: Path, events: list[StreamEvent], tail: bytes = b"") -> Path:
    (folder / "events.jsonl").write_bytes(b"".join(write_event(event) + b"\n" for event in events) + tail)
    return folder


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return kept(tmp_path, list(demo_stream(blocks=20)))


@asynccontextmanager
async def played(player: Player) -> AsyncIterator[list[StreamEvent]]:
    heard: list[StreamEvent] = []

    async def listen() -> None:
        async with aclosing(player.events()) as events:
            async for event in events:
                heard.append(event)  # noqa: PERF401  read while it grows

    task = asyncio.create_task(listen())
    yield heard
    await player.stop()
    await asyncio.wait_for(task, 60)


def place(heard: list[StreamEvent]) -> PlaybackMoved | None:
    return next((event for event in reversed(heard) if isinstance(event, PlaybackMoved)), None)


def is_at_end(heard: list[StreamEvent]) -> bool:
    return (here := place(heard)) is not None and here.at_end and not here.playing


def told(heard: list[StreamEvent]) -> list[StreamEvent]:
    return [event for event in heard if not isinstance(event, PlaybackMoved)]


def since_the_leap(heard: list[StreamEvent]) -> list[StreamEvent]:
    leaps = [at for at, event in enumerate(heard) if isinstance(event, StreamRestarted)]
    return told(heard[leaps[-1] + 1 :])


async def test_a_run_is_told_again_and_stands_at_its_end(run: Path) -> None:
    events = list(demo_stream(blocks=20))
    async with played(Player(run, 1_000)) as heard:
        await until(lambda: is_at_end(heard))
        assert told(heard)[:-1] == events[:-1]
        end, ended = told(heard)[-1], events[-1]
        assert isinstance(ended, SessionEnded)
        assert end == Notice("info", ended.sentence), "the run's end does not end the replay"
    assert isinstance(heard[-1], SessionEnded)
    assert heard[-1].exit_code == 0


async def test_a_leap_tells_what_leads_there(run: Path) -> None:
    events = list(demo_stream(blocks=20))
    player = Player(run, 1_000)
    async with played(player) as heard:
        await until(lambda: is_at_end(heard))
        await player.hold()
        await player.seek(FIRST_BLOCK + 7)
        await until(lambda: (here := place(heard)) is not None and here.block_number == FIRST_BLOCK + 7)
        following = next(
            at for at, e in enumerate(events) if isinstance(e, BlockArrived) and e.number == FIRST_BLOCK + 8
        )
        assert since_the_leap(heard) == events[:following]
        here = place(heard)
        assert here is not None
        assert (here.playing, here.at_end, here.first_block, here.last_block) == (
            False,
            False,
            FIRST_BLOCK,
            LAST,
        )
        await player.play()
        await until(lambda: is_at_end(heard))
        assert since_the_leap(heard)[:-1] == events[:-1], "it goes on from there, nothing twice"
        await player.play()
        await until(lambda: sum(isinstance(event, StreamRestarted) for event in heard) == 2)


@pytest.mark.parametrize(("goal", "block"), [(0, FIRST_BLOCK), (10**9, LAST)])
async def test_a_leap_out_of_the_run_ends_at_its_edge(run: Path, goal: int, block: int) -> None:
    player = Player(run, 0.1)
    async with played(player) as heard:
        await player.hold()
        await player.seek(goal)
        await until(lambda: any(isinstance(event, StreamRestarted) for event in heard))
        await until(lambda: (here := place(heard)) is not None and here.block_number == block)


async def test_it_holds_and_changes_its_speed(run: Path) -> None:
    player = Player(run, 0.1)
    async with played(player) as heard:
        await until(lambda: place(heard) is not None)
        await player.set_speed(500)
        await until(lambda: is_at_end(heard))
        with pytest.raises(ConfigError, match="not played"):
            await player.set_speed(0)


async def test_a_leap_in_a_long_run_plays_a_bounded_past(tmp_path: Path) -> None:
    events = list(demo_stream(blocks=PAST_BLOCKS + 100, agents=1, end=False))
    state = AgentStateChanged("lp-wide", "paused", "early")
    events.insert(40, state)
    player = Player(kept(tmp_path, events), 0.1)
    async with played(player) as heard:
        await player.hold()
        await player.seek(10**9)
        await until(lambda: is_at_end(heard))
        after = since_the_leap(heard)
    assert state in after, "what still holds is told"
    assert len([event for event in after if isinstance(event, BlockArrived)]) == PAST_BLOCKS + 1
    assert [event.count for event in after if isinstance(event, EventsDropped)] == [99]
    assert after[-1] == events[-1]


async def test_what_cannot_be_read_is_left_out(tmp_path: Path) -> None:
    events = list(demo_stream(blocks=3))
    run = kept(tmp_path, events, b'{"kind":"of a later version"}\n{"kind":"no')
    async with played(Player(run, 1_000)) as heard:
        await until(lambda: is_at_end(heard))
    warnings = [event for event in heard if isinstance(event, Notice) and event.level == "warning"]
    assert len(warnings) == 1


def test_what_is_no_run_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="no journal"):
        Player(tmp_path)
    with pytest.raises(ConfigError, match="no block"):
        Player(kept(tmp_path, list(demo_stream(blocks=3))[:3]))


async def test_it_opens_where_something_was_decided_first(tmp_path: Path) -> None:
    events = [one for one in demo_stream(blocks=20) if not of_the_warm_up(one)]
    opens = FIRST_BLOCK + 8
    player = Player(kept(tmp_path, events), 0.1)
    async with played(player) as heard:
        await until(lambda: (here := place(heard)) is not None and here.block_number == opens)
        assert place(heard) == next(one for one in heard if isinstance(one, PlaybackMoved)), (
            "nobody waits for it"
        )
        following = next(
            at for at, e in enumerate(events) if isinstance(e, BlockArrived) and e.number == opens + 1
        )
        assert told(heard) == events[:following]
        await player.seek(FIRST_BLOCK + 2)
        await until(lambda: (here := place(heard)) is not None and here.block_number == FIRST_BLOCK + 2)


def of_the_warm_up(event: StreamEvent) -> bool:
    """Whether an event tells of what agents did before they would have joined the market."""
    if isinstance(event, StepCompleted | ExecutionSettled | HoldsAnchored | RiskMeasured):
        return event.block_number < FIRST_BLOCK + 8
    return False
