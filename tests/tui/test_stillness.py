"""The tests' own patience: they look at nothing before it is done, and say what they missed."""

import sys
from typing import Any, ClassVar, TypeAlias

import pytest
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.widgets import Static

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


class Roundabout(App[None]):
    """Takes many turns of its loop, one asked for by the last, until it shows what a key was pressed for."""

    BINDINGS: ClassVar[list[BindingType]] = [("g", "go(2_000)", "go")]

    def compose(self) -> ComposeResult:
        yield Static("not yet")

    def action_go(self, turns: int) -> None:
        if turns:
            self.call_later(self.action_go, turns - 1)
        else:
            self.query_one(Static).update("arrived")


async def test_whatever_a_key_begins_is_over_before_anybody_looks(theatre: Handed) -> None:
    app = Roundabout()
    async with app.run_test(size=(40, 5)) as pilot:
        assert "not yet" in theatre.seen(app)
        await pilot.press("g")
        assert "arrived" in theatre.seen(app)


async def test_what_is_missing_is_named_and_the_screen_is_shown(
    theatre: Handed, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = Roundabout()
    async with app.run_test(size=(40, 5)) as pilot:
        monkeypatch.setattr(sys.modules[theatre.__module__], "DEADLINE_S", 0.0)
        assert await theatre.stands(app, pilot, "not", "yet") == theatre.seen(app)
        with pytest.raises(pytest.fail.Exception, match=r"missing: \['arrived'\]\nnot yet"):
            await theatre.stands(app, pilot, "not", "arrived")
        await theatre.gone(app, pilot, "arrived")
        with pytest.raises(pytest.fail.Exception, match=r"still there: \['yet'\]\nnot yet"):
            await theatre.gone(app, pilot, "arrived", "yet")
        with pytest.raises(pytest.fail.Exception, match=r"said: \[\]$"):
            await theatre.told(app, pilot, "a sentence")
