import asyncio
import webbrowser
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from textual.widgets import Input

from defai.agent.control import BareControl
from defai.domain.answers import (
    BacktestDone,
    BacktestProgressed,
    BacktestUpdate,
    BacktestWish,
    SourceCard,
    StrategyCard,
)
from defai.errors import NotRunningError
from defai.testing.answers import MadeUpControl
from defai.testing.made_up_backtest import made_up_result
from defai.tui.browsing import has_windows
from defai.tui.screens.backtest import BacktestScreen

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


class Slow(MadeUpControl):
    """A backtest that goes on until it is told to end, and remembers how it did."""

    def __init__(self, report: Path | None = None) -> None:
        super().__init__()
        self.wish: BacktestWish | None = None
        self.go_on, self.closed = asyncio.Event(), False
        self.report = report

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        self.wish = wish
        try:
            yield BacktestProgressed("replaying bars", 0.45, 0.3, 13_608, 41_000.0, 19_800.5)
            await self.go_on.wait()
            done = made_up_result(wish)
            yield BacktestDone(
                done.title,
                done.fidelity,
                60,
                done.rows,
                0.7,
                report=str(self.report or ""),
                command=done.command,
            )
        finally:
            self.closed = True


class Odd(Slow):
    """A strategy's parameters are called as its author likes: like something of ours, or in Greek."""

    async def strategies(self) -> tuple[StrategyCard, ...]:
        first, *_ = await super().strategies()
        return (replace(first, form=tuple(replace(first.form[0], name=name, type="text") for name in ODD)),)


ODD = ("days", "state", "equity", "\N{GREEK SMALL LETTER SIGMA}")


async def test_any_name_does_for_a_parameter(opened: Handed, theatre: Handed) -> None:
    control = Odd()
    async with opened("7", control=control) as (_, app, pilot):
        form = app.screen.form
        await theatre.until(lambda: len(form.boxes) == len(ODD) and form.boxes[ODD[-1]].is_mounted, pilot)
        app.screen.query_one("#backtest-days", Input).value = "20260101-20260102"
        for name in ODD[1:]:
            form.boxes[name].value = f"{name}!"
        await pilot.press("r")
        await theatre.until(lambda: control.wish is not None, pilot)
        wish = control.wish
        assert wish is not None
        assert wish.parameters == {name: f"{name}!" for name in ODD[1:]}
        assert wish.timerange == "20260101-20260102"
        control.go_on.set()


async def test_what_is_chosen_and_typed_is_run_and_told_as_it_goes(opened: Handed, theatre: Handed) -> None:
    control = Slow()
    async with opened("7", control=control) as (stage, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("down")
        await theatre.stands(app, pilot, "Settings of mean_reversion")
        await pilot.press("enter", "down", "enter")
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press(*"20260101-20260102", "tab", "tab", *"5WETH")
        await theatre.until(lambda: len(app.screen.query("#backtest-parameters Input")) > 0, pilot)
        box = app.screen.query("#backtest-parameters Input").first(Input)
        usual, name = box.value, next(name for name, one in app.screen.form.boxes.items() if one is box)
        box.focus()
        await pilot.press("end", "1", "enter")
        await theatre.stands(app, pilot, "45 %", "0.3 s", "41,000 a second", "19,800.50 USD")
        stage.now += 7
        await theatre.stands(app, pilot, "so far 7.0 s")
        assert control.wish == BacktestWish(
            "mean_reversion",
            "data/usdc-weth-events",
            {name: f"{usual}1"},
            "20260101-20260102",
            ("5WETH",),
        )
        control.go_on.set()
        told = (
            "Result",
            "+151.70 USD against the best baseline, static ±1000",
            "minute bars: fees are estimated",
        )
        await theatre.stands(app, pilot, *told, "full range", "hold", "+6.46 %", "18,951.09")


async def test_what_a_parameter_cannot_be_is_said_as_it_is_typed_and_not_sent(
    opened: Handed, theatre: Handed
) -> None:
    control = Slow()
    async with opened("7", control=control, size=(80, 24)) as (_, app, pilot):
        await theatre.stands(app, pilot, "Settings of volatility_band")
        form = app.screen.form
        await theatre.until(
            lambda: "floor_ticks" in form.boxes and form.boxes["floor_ticks"].is_mounted, pilot
        )
        await pilot.press("e", *["tab"] * 4, "end", *["backspace"] * 3, "9")
        await theatre.stands(app, pilot, "✗ 10 … 20000 ticks")
        await pilot.press("tab", "enter")
        refusal = "floor_ticks has to be 10 … 20000 ticks, not 9."
        await theatre.told(app, pilot, refusal)
        assert not app.screen.desk.running
        await theatre.until(lambda: app.focused is form.boxes["floor_ticks"], pilot)
        await pilot.press("9")
        await theatre.gone(app, pilot, "✗ 10 … 20000 ticks")
        await pilot.press("enter")
        await theatre.until(lambda: control.wish is not None, pilot)
        assert control.wish is not None
        assert control.wish.parameters == {"floor_ticks": "99"}
        control.go_on.set()


async def test_a_run_is_ended_by_the_key_that_began_it(opened: Handed, theatre: Handed) -> None:
    control = Slow()
    async with opened("7", control=control) as (_, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("r")
        await theatre.stands(app, pilot, "end the run")
        await pilot.press("r")
        await theatre.until(lambda: control.closed, pilot)
        await theatre.stands(app, pilot, "was ended before it was through")
        control.go_on.set()
        await pilot.press("r")
        await theatre.stands(app, pilot, "Against its baselines", "+6.46 %")


async def test_it_goes_on_behind_other_screens_and_says_when_it_is_through(
    opened: Handed, theatre: Handed
) -> None:
    control = Slow()
    async with opened("7", control=control) as (_, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("r", "1")
        control.go_on.set()
        await theatre.told(app, pilot, "Backtest: volatility_band is through")
        await pilot.press("7")
        await theatre.stands(app, pilot, "+6.46 %")


async def test_the_report_is_opened_and_its_path_is_shown(
    opened: Handed, theatre: Handed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "r.html").write_text("a report")
    control = Slow(tmp_path / "r.html")
    urls: list[str] = []
    monkeypatch.setattr("defai.tui.screens.backtest.has_windows", lambda: True)
    async with opened("7", control=control, size=(200, 60)) as (_, app, pilot):
        app.open_url = lambda url, **_: urls.append(url)
        await theatre.stands(app, pilot, "Buy what has fallen")
        control.go_on.set()
        await pilot.press("r")
        await theatre.stands(app, pilot, "open report", "r.html")
        await pilot.press("o", "c")
        await theatre.until(lambda: urls and app.clipboard, pilot)
        assert urls == [(tmp_path / "r.html").as_uri()]
        assert app.clipboard.startswith("defai backtest -s volatility_band")


async def test_where_no_browser_is_the_reports_path_is_told_and_copied(
    opened: Handed, theatre: Handed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "r.html"
    control = Slow(path)
    monkeypatch.setattr("defai.tui.screens.backtest.has_windows", lambda: False)
    async with opened("7", control=control) as (_, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        control.go_on.set()
        await pilot.press("r")
        await theatre.stands(app, pilot, "open report")
        await pilot.press("o")
        elsewhere = f"It lies on the session's machine: {path}"
        await theatre.told(app, pilot, elsewhere)
        path.write_text("a report")
        await pilot.press("o")
        here = f"There is no browser here. Copied where the report is: {path}"
        await theatre.told(app, pilot, elsewhere, here)
        assert app.clipboard == str(path)


@pytest.mark.parametrize(("words", "answer"), [("", False), ("w3m %s", False), ("firefox %s &", True)])
def test_a_browser_that_draws_in_the_terminal_is_none(
    monkeypatch: pytest.MonkeyPatch, words: str, answer: bool
) -> None:
    def found() -> webbrowser.BaseBrowser:
        if not words:
            raise webbrowser.Error("could not locate runnable browser")
        kind = webbrowser.BackgroundBrowser if words.endswith("&") else webbrowser.GenericBrowser
        return kind(words.split())

    monkeypatch.setattr(webbrowser, "get", found)
    assert has_windows() is answer


async def test_a_session_that_runs_none_says_so_and_a_refusal_is_told(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("7", control=BareControl()) as (stage, app, pilot):
        text = await theatre.stands(app, pilot, "cannot be listed here")
        assert "r run" not in text
        await pilot.press("r")
        await theatre.settled(pilot, stage)
        assert not app.screen.desk.running

    class Refusing(MadeUpControl):
        async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
            if wish:
                raise NotRunningError("The session is gone.")
            yield BacktestProgressed("", None, 0.0)

    async with opened("7", control=Refusing()) as (_, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("e", "down", "up", "down", "x", "enter")
        await theatre.stands(app, pilot, "The session is gone.")
        screen = app.screen
        assert isinstance(screen, BacktestScreen)
        assert not screen.desk.running
        await theatre.until(lambda: app.focused is screen.query_one("#backtest-path"), pilot)


async def test_a_path_can_be_typed_where_no_history_is_known(opened: Handed, theatre: Handed) -> None:
    class Bare(Slow):
        async def sources(self) -> tuple[SourceCard, ...]:
            return ()

    control = Bare()
    async with opened("7", control=control) as (_, app, pilot):
        await theatre.stands(app, pilot, "defai download-data gets one")
        await pilot.press("r")
        await theatre.told(app, pilot, "A history has to be chosen, or its path typed.")
        assert not app.screen.desk.running
        await pilot.press("e", "tab", *"bars.csv", "enter")
        await theatre.until(lambda: control.wish, pilot)
        assert control.wish is not None
        assert app.screen.desk.running
        assert control.wish.source == "bars.csv"


async def test_escape_leaves_the_settings_before_the_screen(opened: Handed, theatre: Handed) -> None:
    async with opened("7") as (_, app, pilot):
        await theatre.stands(app, pilot, "Buy what has fallen")
        await pilot.press("e")
        await theatre.until(lambda: isinstance(app.focused, Input), pilot)
        await pilot.press("escape")
        await theatre.until(lambda: not isinstance(app.focused, Input), pilot)
        assert app.current_mode == "backtest"
        await pilot.press("escape")
        await theatre.until(lambda: app.current_mode == "fleet", pilot)
