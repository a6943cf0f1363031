"""Loading, empty, disconnected, waiting, ended, too small: each state is designed, and leaving works from all."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from defai.agent.control import BareControl
from defai.domain.stream import (
    AgentStateChanged,
    ConnectionChanged,
    Notice,
    SessionEnded,
    SessionStarted,
    StreamEvent,
)
from defai.errors import NotRunningError
from defai.testing.stream import SETUP, demo_setup
from defai.tui.screens.dialogs import Farewell, Settling
from defai.tui.widgets.chart import LineChart
from defai.tui.widgets.fleet_table import FleetTable

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_the_frame_stands_and_progress_shows_before_there_is_a_market(theatre: Handed) -> None:
    stage = theatre.Stage([])
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.stands(app, pilot, "starting", "setting up")
        steps = list(demo_setup())
        for number, step in enumerate(steps, start=1):
            stage.play([step])
            now = (f"step {number} of {len(SETUP)}", f"… {SETUP[number - 1]}")
            await theatre.stands(app, pilot, *now, *(f"✓ {done}" for done in SETUP[: number - 1]))
        app.exit()


async def test_nothing_is_invented_between_the_start_and_the_first_block(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    started = next(index for index, event in enumerate(session) if isinstance(event, SessionStarted))
    stage = theatre.Stage(session[: started + 1])
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        nothing = ("waiting for a block", "No decisions yet", "Nothing was decided yet")
        text = await theatre.stands(app, pilot, *nothing)
        rows = [line for line in text.splitlines() if line.startswith("│") and "lp-wide" in line]
        assert len(rows) == 1
        assert not any(character.isdigit() for character in rows[0])
        assert rows[0].count(" - ") >= 6
        app.exit()


async def test_old_figures_are_called_old_until_a_block_comes(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    stage = theatre.Stage(session)
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        assert "No block for" not in theatre.seen(app)
        stage.now += 42
        app._tick()
        await theatre.stands(app, pilot, "No block for 42s. The figures are those of block 1,124.")
        later = list(theatre.demo_stream(theatre.seed, blocks=61, end=False))
        stage.play(later[len(session) :])
        await theatre.gone(app, pilot, "No block for")
        app.exit()


@pytest.mark.parametrize(("size", "said"), [((120, 40), "? waits for you"), ((60, 20), "? │")])
async def test_what_waits_for_the_owner_stands_out(
    theatre: Handed, session: list[StreamEvent], size: tuple[int, int], said: str
) -> None:
    stage = theatre.Stage([*session, AgentStateChanged("tiers", "waiting", "above 5,000 USD")])
    app = stage.app()
    async with app.run_test(size=size) as pilot:
        await theatre.settled(pilot, stage)
        await theatre.stands(app, pilot, "1 waiting", said)
        app.exit()


@pytest.mark.parametrize("size", [(80, 24), (50, 12)])
async def test_an_error_is_said_and_stays_until_one_leaves_and_gives_the_exit_code(
    theatre: Handed, session: list[StreamEvent], size: tuple[int, int]
) -> None:
    ended = SessionEnded(
        "The chain on port 8545 stopped answering.", "Start it again with defai chain start.", 3
    )
    stage = theatre.Stage([*session, ended])
    app = stage.app()
    async with app.run_test(size=size) as pilot:
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await theatre.stands(app, pilot, ended.sentence, ended.hint, "exit code 3")
        await pilot.press(*"typed on")
        assert isinstance(app.screen, Farewell), "what is typed on leaves nothing"
        await pilot.press("escape")
        await theatre.until(lambda: not isinstance(app.screen, Farewell), pilot)
        assert app.is_running
        await pilot.press("q")
    assert app.return_code == 3
    assert stage.wishes == []


async def test_a_session_that_is_done_says_so_and_leaves_with_zero(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    stage = theatre.Stage([*session, SessionEnded("All 60 blocks are done.", "", 0)])
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await theatre.stands(app, pilot, "All 60 blocks are done.")
        await pilot.click(offset=(20, 12))
    assert app.return_code == 0


async def test_an_error_during_set_up_is_said_as_well(theatre: Handed) -> None:
    stage = theatre.Stage(
        [*list(demo_setup())[:2], SessionEnded("npm is not installed.", "Install node.", 2)]
    )
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await theatre.stands(app, pilot, "It could not begin", "npm is not installed.")
        await pilot.press("enter")
    assert app.return_code == 2


async def test_a_stream_that_breaks_is_an_error_with_a_sentence(theatre: Handed) -> None:
    async def broken() -> AsyncIterator[StreamEvent]:
        for event in demo_setup():
            yield event
        raise NotRunningError("The server closed the connection.", "Is the session still running?")

    app = theatre.Stage([]).app(broken)
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await theatre.stands(app, pilot, "The server closed the connection.", "Is the session still running?")
        await pilot.press("escape")
    assert app.return_code == NotRunningError.exit_code


async def test_a_stream_that_just_stops_is_an_error_too(theatre: Handed) -> None:
    stage = theatre.Stage(demo_setup())
    stage.queue.close()
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await pilot.press("escape")
    assert app.return_code == 3


async def test_too_small_a_terminal_says_what_it_needs_and_recovers(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    stage = theatre.Stage(session)
    app = stage.app()
    async with app.run_test(size=(59, 30)) as pilot:
        await theatre.settled(pilot, stage)
        words = " ".join(theatre.seen(app).split())
        assert words == "defai needs a terminal of at least 60 x 16; this one is 59 x 30."
        await pilot.resize_terminal(120, 40)
        await theatre.stands(app, pilot, "lp-wide")
        assert app.screen.query_one(FleetTable).region.area > 0
        assert app.screen.query_one(LineChart).region.area > 0
        await pilot.resize_terminal(60, 16)
        await theatre.stands(app, pilot, "lp-wide")
        app.exit()


async def test_a_notice_is_said_once_however_often_it_comes(theatre: Handed) -> None:
    stage = theatre.Stage([Notice("warning", "The base fee is high.", "Swaps wait.")] * 5)
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)
        await theatre.told(app, pilot, "The base fee is high. Swaps wait.")
        stage.now += 11
        stage.play([Notice("warning", "The base fee is high.", "Swaps wait.")])
        await theatre.told(app, pilot, *["The base fee is high. Swaps wait."] * 2)
        app.exit()


class Refusing(BareControl):
    """A session that grants nothing."""

    async def pause(self, agent: str) -> None:
        raise NotRunningError(f"{agent} cannot be paused.", "The session is gone.")

    async def stop(self) -> None:
        raise NotRunningError("Nothing can be stopped.")


async def test_a_wish_that_fails_is_said_and_the_screen_stays(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    stage = theatre.Stage(session)
    app = stage.app(control=Refusing())
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press("p")
        await theatre.told(app, pilot, "lp-wide cannot be paused. The session is gone.")
        assert app.fleet.agents["lp-wide"].wish == ""
        await pilot.press("q")
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await pilot.press("q")
    assert app.return_code == NotRunningError.exit_code


@pytest.mark.parametrize("key", ["q", "ctrl+c", "ctrl+q"])
async def test_quitting_stops_the_session_and_leaves_when_it_has_settled(
    theatre: Handed, session: list[StreamEvent], key: str
) -> None:
    stage = theatre.Stage(session)
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press(key)
        await theatre.until(lambda: app.return_code is not None)
    assert app.return_code == 0
    assert stage.wishes == [("stop",)]


async def test_quitting_during_set_up_works(theatre: Handed) -> None:
    stage = theatre.Stage(list(demo_setup())[:2])
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("ctrl+c")
        await theatre.until(lambda: app.return_code is not None)
    assert stage.wishes == [("stop",)]


@pytest.mark.parametrize("dialog", ["h", "question_mark", "ctrl+p"])
async def test_ctrl_c_works_in_front_of_any_dialog(
    theatre: Handed, session: list[StreamEvent], dialog: str
) -> None:
    stage = theatre.Stage(session)
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press(dialog, "ctrl+c")
        await theatre.until(lambda: app.return_code is not None)
    assert stage.wishes == [("stop",)]


async def test_a_session_that_does_not_settle_is_left_after_the_deadline(theatre: Handed) -> None:
    stage = theatre.Stage(demo_setup(), settles=False)
    app = stage.app(leave_within_s=3_600)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q")
        await theatre.until(lambda: isinstance(app.screen, Settling), pilot)
        await theatre.stands(app, pilot, "settling…")
        (deadline,) = [timer for timer in app._timers if timer._interval == 3_600]
        await deadline._tick(next_timer=0.0, count=1)  # the hour is over
        await theatre.until(lambda: app.return_code is not None)
    assert app.return_code == 0


async def test_q_again_leaves_at_once(theatre: Handed) -> None:
    stage = theatre.Stage(demo_setup(), settles=False)
    app = stage.app(leave_within_s=3_600)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.press("q", "q")
        await theatre.until(lambda: app.return_code is not None)
    assert app.return_code == 0


async def test_an_error_while_settling_is_still_said(theatre: Handed, session: list[StreamEvent]) -> None:
    stage = theatre.Stage(session, settles=False)
    app = stage.app()
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press("q")
        stage.play([SessionEnded("The last batch of holds was not anchored.", "Run defai audit list.", 1)])
        await theatre.until(lambda: isinstance(app.screen, Farewell), pilot)
        await pilot.press("q")
    assert app.return_code == 1


async def test_a_connection_that_is_lost_is_said_above_everything(
    theatre: Handed, session: list[StreamEvent]
) -> None:
    lost = ConnectionChanged("connecting", "ws://127.0.0.1:8600", "connection refused.", 3, 2.0)
    stage = theatre.Stage([*session, lost])
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        said = "The session at ws://127.0.0.1:8600 cannot be heard: connection refused. Tried 3 times, trying on."
        await theatre.stands(app, pilot, said, "The figures are those of block 1,124.")
        stage.play([replace(lost, reason="Nobody answers at ws://127.0.0.1:8600.", attempt=4)])
        once = "The session cannot be heard: Nobody answers at ws://127.0.0.1:8600. Tried 4 times, trying on."
        await theatre.stands(app, pilot, once)
        stage.play([ConnectionChanged("connected", "ws://127.0.0.1:8600")])
        await theatre.gone(app, pilot, "cannot be heard")
        app.exit()
