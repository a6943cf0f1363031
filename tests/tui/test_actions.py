"""Every action, by key, by palette and by mouse, on the real screens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from defai.domain.stream import StreamEvent
from defai.tui.actions import ACTS, AGENT, DECISION, EVERYWHERE, FLEET, Act, bindings
from defai.tui.app import DefaiApp
from defai.tui.screens.agent import AgentScreen
from defai.tui.screens.decision import DecisionScreen
from defai.tui.screens.dialogs import Help, Question
from defai.tui.screens.fleet import FleetScreen
from defai.tui.widgets.chart import LineChart
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.fleet_table import FleetTable
from defai.tui.widgets.record_panel import RecordList

SIZE = (120, 40)
Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""
Opened = tuple[Handed, DefaiApp, Pilot[None]]


@pytest.fixture
def opened(theatre: Handed, session: list[StreamEvent]) -> Handed:
    """Opens the terminal on the demo session; gives the stage, the app and the pilot."""

    @asynccontextmanager
    async def open_it(size: tuple[int, int] = SIZE) -> AsyncIterator[Opened]:
        stage = theatre.Stage(session)
        app = stage.app()
        async with app.run_test(size=size) as pilot:
            await theatre.settled(pilot, stage)
            yield stage, app, pilot
            app.exit()

    return open_it


SCREENS = {FLEET: FleetScreen, AGENT: AgentScreen, DECISION: DecisionScreen, EVERYWHERE: DefaiApp}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.scope}-{act.action}")
def test_every_action_has_a_method_and_words(act: Act) -> None:
    name = act.action.partition("(")[0]
    assert callable(getattr(SCREENS[act.scope], f"action_{name}"))
    assert act.help.endswith(".")
    assert act.label


@pytest.mark.parametrize("scope", SCREENS)
def test_no_key_of_a_scope_means_two_things(scope: str) -> None:
    keys = [key for act in ACTS if act.scope in {scope, EVERYWHERE} for key in act.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert len(bindings(scope)) == sum(act.scope == scope for act in ACTS)


async def test_arrows_and_letters_move_the_cursor(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        table = app.screen.query_one(FleetTable)
        for key, row in (
            ("down", 1),
            ("j", 2),
            ("up", 1),
            ("k", 0),
            ("k", 0),
            ("G", 3),
            ("j", 3),
            ("g", 0),
            ("end", 3),
        ):
            await pilot.press(key)
            assert table.cursor == row, key
        await pilot.press("home", "pagedown")
        assert table.cursor == 3
        await pilot.press("pageup")
        assert table.cursor == 0


async def test_enter_opens_the_agent_and_escape_goes_back(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("down", "enter")
        assert isinstance(app.screen, AgentScreen)
        assert app.screen.agent == "reverter"
        await pilot.pause()
        assert all(words in theatre.seen(app) for words in ("mean_reversion", "edge_bps", "Balances", "WETH"))
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)


async def test_the_agents_neighbours_are_a_key_away(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("enter")
        names = []
        for key in ("right", "right", "left", "left", "left"):
            await pilot.press(key)
            names.append(app.screen.agent)
        assert names == ["reverter", "tiers", "reverter", "lp-wide", "hold"]


async def test_a_decision_opens_from_the_log_the_agent_and_its_record(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("3", "down", "enter")
        assert isinstance(app.screen, DecisionScreen)
        from_log = app.screen.line
        await pilot.press("escape")
        log = app.screen.query_one(DecisionLog)
        assert log.selected is from_log
        record = next(one for one in reversed(app.fleet.records) if one.minted)
        await pilot.press("4")
        app.screen.query_one(RecordList).select(record.key)
        await pilot.press("enter")
        assert isinstance(app.screen, DecisionScreen)
        assert app.screen.line.decision.digest == record.digest
        await pilot.pause()
        text = theatre.seen(app)
        assert record.key in text
        assert "- integrity" in text
        assert "unverified" in text
        assert "✓ integrity" not in text
        await pilot.press("escape", "1", "enter", "enter")
        assert isinstance(app.screen, DecisionScreen)


async def test_a_decisions_neighbours_are_a_key_away(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("enter", "enter")
        first = app.screen.line
        await pilot.press("left")
        assert app.screen.line.decision.sequence < first.decision.sequence
        assert app.screen.line.agent == first.agent
        await pilot.press("right")
        assert app.screen.line is first
        await pilot.press("right")
        assert app.screen.line is first


async def test_pause_toggles_the_selected_agent(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        await pilot.press("j", "p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "paused", pilot)
        await theatre.settled(pilot, stage)
        assert "‖" in theatre.seen(app)
        await pilot.press("p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "running", pilot)
        await pilot.press("enter", "p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "paused", pilot)
        assert stage.wishes == [("pause", "reverter"), ("resume", "reverter"), ("pause", "reverter")]


async def test_halting_asks_once_and_no_is_the_answer_unless_said_otherwise(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        for refusal in ("n", "escape", "enter"):
            await pilot.press("h")
            assert isinstance(app.screen, Question)
            await pilot.pause()
            assert "market risk" in theatre.seen(app)
            await pilot.press(refusal)
            assert isinstance(app.screen, FleetScreen)
        assert stage.wishes == []
        await pilot.press("h", "y")
        await theatre.until(lambda: all(line.state == "paused" for line in app.fleet.agents.values()), pilot)
        assert stage.wishes == [("halt_all",)]


async def test_copying_takes_what_the_cursor_is_on(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("c")
        assert app.clipboard == app.fleet.agents["lp-wide"].card.vault
        await pilot.press("3", "down", "c")
        selected = app.screen.query_one(DecisionLog).selected
        assert app.clipboard == selected.decision.digest
        await pilot.press("4", "c")
        assert app.clipboard == app.screen.query_one(RecordList).selected.digest
        await pilot.press("1", "enter", "c")
        assert app.clipboard == app.fleet.agents["lp-wide"].log[-1].decision.digest
        await pilot.press("enter", "left", "t")
        assert app.clipboard == app.screen.line.execution.transaction_hash
        await pilot.press("c")
        assert app.clipboard == app.screen.line.decision.digest


async def test_numbers_and_tab_go_from_panel_to_panel(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        for key, name in (("2", "chart"), ("3", "log"), ("4", "records"), ("1", "table"), ("tab", "chart")):
            await pilot.press(key)
            await pilot.pause()
            assert app.focused.id == name
        await pilot.press("shift+tab")
        assert app.focused.id == "table"


async def test_in_a_small_terminal_the_numbers_bring_back_what_gave_way(opened: Handed) -> None:
    async with opened((80, 24)) as (_, app, pilot):
        chart, log, records = (app.screen.query_one(kind) for kind in (LineChart, DecisionLog, RecordList))
        assert [one.region.area > 0 for one in (chart, log, records)] == [False, True, False]
        for key, wanted in (
            ("2", [True, False, False]),
            ("4", [False, False, True]),
            ("3", [False, True, False]),
        ):
            await pilot.press(key)
            await pilot.pause()
            assert [one.region.area > 0 for one in (chart, log, records)] == wanted


async def test_the_chart_shows_a_longer_or_a_shorter_time(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        before = theatre.seen(app)
        await pilot.press("minus")
        await pilot.pause()
        longer = theatre.seen(app)
        await pilot.press("plus")
        await pilot.pause()
        assert before == theatre.seen(app) != longer


async def test_the_theme_changes_and_back(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        dark = app.export_screenshot()
        await pilot.press("ctrl+t")
        await pilot.pause()
        light = app.export_screenshot()
        assert app.theme == "defai-light"
        await pilot.press("ctrl+t")
        await pilot.pause()
        assert "#0d1219" in dark
        assert "#0d1219" not in light
        assert app.theme == "defai-dark"


async def test_help_shows_every_key_and_closes(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        text = str(app.screen.query_one("#help-keys").render())
        assert all(act.help in text for act in ACTS)
        await pilot.press("escape")
        assert isinstance(app.screen, FleetScreen)


async def test_the_palette_does_what_the_keys_do(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        await pilot.press("ctrl+p")
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press(*"pause the selected")
        await theatre.until(lambda: "Pause the selected agent" in theatre.seen(app), pilot)
        await pilot.press("enter")
        await theatre.until(lambda: stage.wishes, pilot)
        assert stage.wishes == [("pause", "lp-wide")]


async def test_letters_typed_into_the_palette_do_nothing_else(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        await pilot.press("ctrl+p")
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press("q", "h", "p")
        assert app.focused.value == "qhp"
        assert not app.leaving
        assert stage.wishes == []


async def test_the_mouse_selects_and_a_double_click_opens(opened: Handed) -> None:
    async with opened() as (_, app, pilot):
        table = app.screen.query_one(FleetTable)
        await pilot.click(FleetTable, offset=(10, 4))
        assert table.cursor == 2
        assert isinstance(app.screen, FleetScreen)
        await pilot.click(FleetTable, offset=(10, 0))
        await pilot.click(FleetTable, offset=(10, 1))
        assert table.cursor == 2
        await pilot.click(FleetTable, offset=(10, 4), times=2)
        await pilot.pause()
        assert isinstance(app.screen, AgentScreen)
        assert app.screen.agent == "tiers"


async def test_the_cursor_stays_on_its_decision_while_newer_ones_come(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        log = app.screen.query_one(DecisionLog)
        await pilot.press("3", "down", "down")
        chosen, at = log.selected, log.cursor
        later = list(theatre.demo_stream(seed=7, blocks=90, end=False))
        stage.play(later[app.fleet.events :])
        await theatre.settled(pilot, stage)
        assert log.selected is chosen
        assert log.cursor > at


async def test_the_band_drawn_is_the_selected_agents(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        chart = app.screen.query_one(LineChart)
        assert chart._picture.band_name == "lp-wide"
        assert chart._picture.bands
        await pilot.press("down")
        await theatre.settled(pilot, stage)
        assert chart._picture.band_name == "reverter"
        assert not chart._picture.bands
