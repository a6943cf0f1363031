"""What can be done from everywhere: by key, by palette and by mouse."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.widgets import Input

from defai.domain.answers import BacktestProgressed, BacktestUpdate, BacktestWish, Verification
from defai.testing.answers import MadeUpControl
from defai.tui.actions import ACTS, DECISION, EVERYWHERE, MODES, TYPING, Act, bindings
from defai.tui.app import DefaiApp
from defai.tui.preferences import Preferences
from defai.tui.screens.decision import DecisionScreen
from defai.tui.screens.dialogs import Question
from defai.tui.screens.fleet import FleetScreen
from defai.tui.screens.frame import Frame
from defai.tui.screens.help import Help
from defai.tui.screens.places import screen_class
from defai.tui.themes import THEME_WORDS
from defai.tui.widgets.key_bar import KeyBar
from defai.tui.widgets.nav_bar import NavBar

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

PLACES: dict[str, Any] = {
    EVERYWHERE: DefaiApp,
    DECISION: DecisionScreen,
    TYPING: Frame,
    **{mode: screen_class(mode) for mode in DefaiApp.MODES},
}


@pytest.mark.parametrize("act", ACTS, ids=lambda act: f"{act.scope}-{act.action}")
def test_every_action_has_a_method_and_words(act: Act) -> None:
    name = act.action.partition("(")[0]
    assert callable(getattr(PLACES[act.scope], f"action_{name}"))
    assert act.help.endswith(".")
    assert act.label


@pytest.mark.parametrize("scope", PLACES)
def test_no_key_of_a_scope_means_two_things(scope: str) -> None:
    keys = [key for act in ACTS if act.scope in {scope, EVERYWHERE} for key in act.keys.split(",")]
    assert len(keys) == len(set(keys))
    assert len(bindings(scope)) == sum(act.scope == scope for act in ACTS)


def test_every_screen_has_a_number_and_the_numbers_are_in_order() -> None:
    keys = [key for key, _, _ in MODES.values()]
    assert keys == sorted(set(keys))
    assert set(MODES) == set(DefaiApp.MODES)


async def test_numbers_go_to_screens_and_escape_comes_back(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        trail = []
        for mode, (key, _, _) in MODES.items():
            await pilot.press(key)
            await theatre.until(lambda mode=mode: str(app.current_mode) == mode, pilot)
            trail.append(mode)
        for keys, scope in ((("4", "enter"), "decision"), (("1",), "fleet")):
            await pilot.press(*keys)
            await theatre.until(lambda scope=scope: app.screen.scope == scope, pilot)
        await pilot.press("escape")
        await theatre.until(lambda: app.screen.scope != "fleet", pilot)
        assert app.screen.scope == "decisions", "what was opened is closed when one goes elsewhere"
        while trail:
            await pilot.press("escape")
            before = trail.pop()
            await theatre.until(lambda before=before: app.current_mode == before, pilot)
        await pilot.press("escape", "escape")
        assert app.current_mode == "fleet"


async def test_the_mouse_does_what_the_bars_say(opened: Handed, theatre: Handed) -> None:
    async with opened() as (_, app, pilot):
        nav = app.screen.query_one(NavBar)
        at = next(first for first, _, mode in nav._spots if mode == "risk")
        await pilot.click(NavBar, offset=(at + 2, 0))
        await theatre.until(lambda: app.current_mode == "risk", pilot)
        bar = app.screen.query_one(KeyBar)
        at = next(first for first, _, act in bar._spots if act.action == "help")
        await pilot.click(KeyBar, offset=(at + 1, 0))
        await theatre.until(lambda: isinstance(app.screen, Help), pilot)


async def test_the_key_bar_offers_what_works_and_gives_way(opened: Handed, theatre: Handed) -> None:
    async with opened() as (stage, app, pilot):
        assert "esc back" not in theatre.seen(app).splitlines()[-1]
        await pilot.press("j", "p")
        await theatre.until(lambda: theatre.state_of(app, "reverter") == "paused", pilot)
        await theatre.settled(pilot, stage)
        assert "p resume" in theatre.seen(app).splitlines()[-1]
        await pilot.resize_terminal(70, 30)
        await pilot.press("8")
        await theatre.settled(pilot, stage)
        last = theatre.seen(app).splitlines()[-1]
        assert all(words in last for words in ("esc back", "h halt all", "? help"))
        assert "export" not in last


async def test_the_key_bar_offers_no_letters_where_letters_are_typed(opened: Handed, theatre: Handed) -> None:
    def keys(app: DefaiApp) -> list[str]:
        return [f"{act.key} {label}" for act, label in app.screen.query_one(KeyBar)._acts]

    typed = ["↵ done", "tab next", "esc back", "f1 help", "^p palette"]
    async with opened("slash") as (_, app, pilot):
        await theatre.until(lambda: keys(app) == typed, pilot)
        await pilot.press("escape", "7")
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("e")
        await theatre.until(lambda: keys(app) == ["↵ run", *typed[1:]], pilot)
        await pilot.press("escape", "escape", "h")
        await theatre.until(lambda: isinstance(app.screen, Question), pilot)
        await theatre.until(lambda: theatre.seen(app).splitlines()[-1].strip() == "esc back", pilot)


async def test_halting_asks_once_and_no_is_the_answer_unless_said_otherwise(
    opened: Handed, theatre: Handed
) -> None:
    async with opened() as (stage, app, pilot):
        for refusal in ("n", "escape", "enter"):
            await pilot.press("h")
            await theatre.until(lambda: isinstance(app.screen, Question), pilot)
            await theatre.stands(app, pilot, "market risk")
            await pilot.press(refusal)
            await theatre.until(lambda: isinstance(app.screen, FleetScreen), pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == []
        await pilot.press("8", "h", "y")
        await theatre.until(lambda: all(line.state == "paused" for line in app.fleet.agents.values()), pilot)
        assert stage.wishes == [("halt_all",)]
        await pilot.press("R", "n", "R")
        await theatre.stands(app, pilot, "Let 4 paused agents run again?", "stays stopped")
        await pilot.press("y")
        await theatre.until(
            lambda: not any(line.state == "paused" for line in app.fleet.agents.values()), pilot
        )
        assert stage.wishes[1:] == [("resume", name) for name in app.fleet.agents]
        await pilot.press("R")
        await theatre.settled(pilot, stage)
        assert not isinstance(app.screen, Question), "nobody is paused any more"


async def test_the_colours_change_come_round_and_are_found_again(opened: Handed, tmp_path: Path) -> None:
    path = tmp_path / "terminal.json"
    Preferences(path).put("theme", "defai-dark")
    async with opened(preferences=Preferences(path)) as (_, app, pilot):
        worn = []
        pictures = set()
        for _ in THEME_WORDS:
            await pilot.press("ctrl+t")
            await pilot.pause()
            worn.append(app.theme)
            pictures.add(app.export_screenshot())
        assert sorted(worn) == sorted(THEME_WORDS)
        assert len(pictures) == len(THEME_WORDS)
        assert app.theme == "defai-dark"
        await pilot.press("ctrl+t")
    async with opened(preferences=Preferences(path)) as (_, app, _):
        assert app.theme == "defai-light"


async def test_help_shows_every_key_of_here_first_and_closes(opened: Handed, theatre: Handed) -> None:
    async with opened("8", "question_mark") as (_, app, pilot):
        assert isinstance(app.screen, Help)
        text = " ".join(str(app.screen.query_one("#help-keys").render()).split())
        assert all(act.help in text for act in ACTS)
        assert text.startswith("Risk · here")
        await pilot.press("escape")
        await theatre.until(lambda: not isinstance(app.screen, Help), pilot)
        assert app.current_mode == "risk"


async def test_the_palette_does_what_the_keys_do(opened: Handed, theatre: Handed) -> None:
    async with opened("ctrl+p") as (stage, app, pilot):
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press("q", "h", "p")
        await theatre.until(lambda: app.focused.value == "qhp", pilot)
        assert (app.leaving, stage.wishes) == (False, [])
        await pilot.press(*["backspace"] * 3, *"pause the selected")
        await theatre.stands(app, pilot, "Pause the selected agent")
        await pilot.press("enter")
        await theatre.until(lambda: stage.wishes, pilot)
        assert stage.wishes == [("pause", "lp-wide")]
        await pilot.press("ctrl+p")
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press(*"open tiers")
        await theatre.stands(app, pilot, "The agent tiers")
        await pilot.press("enter")
        await theatre.until(lambda: app.current_mode == "agent", pilot)
        assert app.agent_name == "tiers"


class Broken(MadeUpControl):
    """A session with a defect."""

    async def pause(self, agent: str) -> None:
        raise ZeroDivisionError(agent)

    async def verify(self, digest: str) -> Verification:
        raise ZeroDivisionError(digest)

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        if wish:
            raise ZeroDivisionError(wish.strategy)
        yield BacktestProgressed("", None, 0.0)


async def test_a_defect_ends_what_was_asked_for(opened: Handed, theatre: Handed) -> None:
    async with opened("1", "p", control=Broken()) as (_, app, pilot):
        defect = "This is a defect in defai, not a mistake of yours: ZeroDivisionError: "
        await theatre.told(app, pilot, f"{defect}lp-wide")
        assert app.fleet.agents["lp-wide"].wish == ""
        await pilot.press("4", "v")
        line = app.screen.pointed
        await theatre.told(app, pilot, f"{defect}lp-wide", f"{defect}{line.decision.digest}")
        assert not line.verifying
        await pilot.press("7", "r")
        await theatre.stands(app, pilot, "ZeroDivisionError")
        assert not app.screen.desk.running
