"""Names and reasons are whatever others wrote: orders to the terminal, or markup. They are shown, and do nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, TypeAlias

from defai.domain.stream import (
    AgentStateChanged,
    ApprovalRequested,
    ConnectionChanged,
    ExecutionSettled,
    HoldsAnchored,
    Notice,
    RiskMeasured,
    SessionStarted,
    StepCompleted,
    StreamEvent,
)
from defai.domain.wire import read_event, write_event
from defai.testing.stream import demo_stream

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

EVIL = "calm\x1b[2J\x1b]52;c;ZGVmYWk=\x07 [/b][red]x[/] \u202eflip\nsecond"
NAME = "[/][#a=\\[(b"


def written_by_others() -> Iterator[StreamEvent]:
    for event in demo_stream(3, blocks=30, end=False):
        if isinstance(event, SessionStarted):
            agents = tuple(replace(card, name=card.name + NAME) for card in event.agents)
            pools = tuple(replace(card, name=card.name + NAME) for card in event.pools)
            yield replace(event, agents=agents, pools=pools)
        elif isinstance(event, StepCompleted) and event.decision is not None:
            decision = replace(event.decision, reason=EVIL, verdict_reason=EVIL)
            yield replace(event, agent=event.agent + NAME, decision=decision)
        elif isinstance(event, ExecutionSettled | HoldsAnchored | RiskMeasured | ApprovalRequested):
            yield replace(event, agent=event.agent + NAME)
        else:
            yield event
    yield Notice("warning", EVIL, EVIL)
    yield AgentStateChanged("lp-wide" + NAME, "stopped", EVIL)


def as_read(event: StreamEvent) -> StreamEvent:
    """As it comes from a session's socket or a run's file; a session of this very process publishes the same."""
    return read_event(write_event(event))


async def test_no_screen_obeys_what_others_wrote(theatre: Handed) -> None:
    stage = theatre.Stage(map(as_read, written_by_others()))
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        for key in (*"123", "4", "enter", "escape", *"56789"):
            await pilot.press(key)
            await theatre.settled(pilot, stage)
            assert theatre.seen(app).replace("\n", "").isprintable(), key
        stage.play([ConnectionChanged("disconnected", "ws://127.0.0.1:1", "no [/] way", 1, 2.0)])
        await theatre.stands(app, pilot, "no [/] way")
        await pilot.press("4", "ctrl+p", *"Open")
        await theatre.stands(app, pilot, "Open lp-wide(/)(#a=")
        app.exit()
