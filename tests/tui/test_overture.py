"""The first screen waits for what it is to show where that comes at once, and never for long."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeAlias

import pytest

from defai.domain.stream import Notice, SessionEnded, StepCompleted, StreamEvent
from defai.errors import NotRunningError
from defai.tui.app import DefaiApp
from defai.tui.screens.fleet import FleetScreen

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""
FOR_EVER = 3_600.0


class Session:
    """A stream that notes how much of it had been taken when the first screen was put together."""

    def __init__(self, theatre: Handed, events: Sequence[StreamEvent], within_s: float = FOR_EVER) -> None:
        self.events, self.taken, self.goes_on = events, 0, True
        self.app: DefaiApp = theatre.Stage([]).app(self.stream, opening="connecting", first_within_s=within_s)

    async def stream(self) -> AsyncIterator[StreamEvent]:
        for event in self.events:
            self.taken += 1
            yield event
        while self.goes_on:
            await asyncio.Event().wait()


@pytest.fixture
def composed(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """For each time the fleet's screen is put together, whether it was known then what the fleet owns."""
    known: list[bool] = []
    real = FleetScreen.compose_body

    def noting(screen: FleetScreen) -> Any:  # noqa: ANN401  what it composes
        known.append(screen.fleet.equity_usd is not None)
        return real(screen)

    monkeypatch.setattr(FleetScreen, "compose_body", noting)
    return known


async def test_the_first_screen_is_drawn_with_what_the_fleet_owns(
    theatre: Handed, session: list[StreamEvent], composed: list[bool]
) -> None:
    one = Session(theatre, session)
    async with one.app.run_test(size=(120, 40)) as pilot:
        await theatre.stands(one.app, pilot, "lp-wide", "reverter", "tiers")
        await theatre.until(lambda: one.app.fleet.events == len(session), pilot)
        one.app.exit()
    assert composed == [True]


async def test_no_more_is_read_before_it_stands_than_it_needs(
    theatre: Handed, session: list[StreamEvent], monkeypatch: pytest.MonkeyPatch
) -> None:
    one = Session(theatre, session)
    taken: list[int] = []
    stands = one.app._overture.screen_stands

    def noting() -> None:
        taken.append(one.taken)
        stands()

    monkeypatch.setattr(one.app._overture, "screen_stands", noting)
    async with one.app.run_test(size=(120, 40)) as pilot:
        await theatre.until(lambda: one.app.fleet.events == len(session), pilot)
        one.app.exit()
    steps = [at for at, event in enumerate(session, start=1) if isinstance(event, StepCompleted)]
    assert taken == [steps[3]], "four agents"


async def test_a_session_that_says_nothing_is_not_waited_for(
    theatre: Handed, session: list[StreamEvent], composed: list[bool]
) -> None:
    begun = asyncio.Event()

    async def late() -> AsyncIterator[StreamEvent]:
        await begun.wait()
        for event in session:
            yield event
        await asyncio.Event().wait()

    app: DefaiApp = theatre.Stage([]).app(late, opening="connecting to it", first_within_s=0.01)
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.stands(app, pilot, "connecting to it")
        begun.set()
        await theatre.stands(app, pilot, "lp-wide", "reverter")
        app.exit()
    assert composed == [False]


async def test_what_is_said_before_there_is_a_screen_is_said_on_it(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    one = Session(theatre, [Notice("warning", "Read this."), *session])
    async with one.app.run_test(size=(120, 40)) as pilot:
        await theatre.told(one.app, pilot, "Read this.")
        await theatre.stands(one.app, pilot, "lp-wide")
        one.app.exit()


@pytest.mark.parametrize(
    ("events", "words"),
    [
        ([SessionEnded("It is over.", "Read the log.", 0)], "It is over."),
        ([], "The session stopped without saying why."),
    ],
)
async def test_an_end_before_there_is_a_screen_is_said_on_it(
    theatre: Handed, events: list[StreamEvent], words: str
) -> None:
    one = Session(theatre, events)
    one.goes_on = False
    async with one.app.run_test(size=(120, 40)) as pilot:
        await theatre.stands(one.app, pilot, words)
        one.app.exit()


async def test_a_session_that_cannot_be_reached_is_said_on_it(theatre: Handed) -> None:
    async def broken() -> AsyncIterator[StreamEvent]:
        if not theatre.seed:
            yield Notice("info", "Never.")
        raise NotRunningError("Nobody answers there.")

    app: DefaiApp = theatre.Stage([]).app(broken, first_within_s=FOR_EVER)
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.stands(app, pilot, "Nobody answers there.")
        app.exit()
