import time
from typing import Any, TypeAlias

import pytest

from defai.domain.stream import BlockArrived
from defai.testing.stream import demo_stream
from defai.tui.pacing import SHORTEST_S, Pacing
from defai.tui.screens.dialogs import Settling
from defai.tui.screens.fleet import FleetScreen
from defai.tui.widgets.decision_card import DecisionCard

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


def test_after_a_rest_all_is_painted_and_in_a_flood_each_part_at_its_pace() -> None:
    now = 100.0
    pacing = Pacing({"chart": 1.0}, lambda: now)
    assert pacing.wait_s({"chart", "status"}) < SHORTEST_S
    assert pacing.take({"chart", "status"}) == {"chart", "status"}
    painted = {"chart": 0, "status": 0}
    for _ in range(200):
        now += 0.01
        for part in pacing.take({"chart", "status"}):
            painted[part] += 1
    assert painted["chart"] in {1, 2}
    assert 15 <= painted["status"] <= 25
    now += 5
    assert pacing.take({"chart"}) == {"chart"}


def test_who_waits_is_told_when_the_first_part_may_be_painted() -> None:
    now = 100.0
    pacing = Pacing({"chart": 1.0}, lambda: now)
    pacing.take({"chart"})
    now += 0.4
    assert abs(pacing.wait_s({"chart"}) - 0.6) < 0.01
    assert pacing.wait_s({"chart", "status"}) < SHORTEST_S
    assert pacing.take({"chart"}) == set()


class Clock:
    """Goes as clocks do, but for a flood, in which it goes as far as it is told: no machine is too slow for that."""

    def __init__(self) -> None:
        self.ahead = 0.0
        self.stands: float | None = None

    def __call__(self) -> float:
        return time.monotonic() + self.ahead if self.stands is None else self.stands

    def go_on(self) -> None:
        if self.stands is not None:
            self.ahead, self.stands = self.stands - time.monotonic(), None


async def test_what_was_put_off_is_painted_once_the_flood_is_over(theatre: Handed) -> None:
    stage = theatre.Stage([])
    pace, clock = 1.0, Clock()
    paces = {"chart": pace, "card": pace, "log": 0.2}
    app = stage.app(paces=paces)
    app._pacing = Pacing(paces, clock)
    charts = 0
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, FleetScreen)
        inner = screen._paint_chart

        def count() -> None:
            nonlocal charts
            charts += 1
            inner()

        flood = demo_stream(5, 40, 8, end=False)
        for event in flood:
            stage.play([event])
            if isinstance(event, BlockArrived):
                break
        await theatre.settled(pilot, stage)  # the screen has opened, and the chart has found its size
        screen._paint_chart = count  # type: ignore[method-assign]  # counted, and done all the same
        blocks, between = 0, 0.2
        clock.stands = clock()
        for event in flood:
            stage.play([event])
            if isinstance(event, BlockArrived):
                blocks += 1
                clock.stands += between
                await pilot.pause()
        before = charts
        assert before <= blocks * between / pace + 1 < blocks, "at its pace"
        clock.go_on()
        await theatre.settled(pilot, stage)
        assert 0 < charts <= before + 2, "what was put off, and what came of it"
        last = app.fleet.block
        assert last is not None
        await theatre.stands(app, pilot, f"{round(last.pools[0].price, 2):,}")
        assert app.fleet.acted is not None
        title = screen.query_one(DecisionCard).border_title
        assert f"{app.fleet.acted.decision.sequence} of {app.fleet.acted.agent}" in str(title)
        app.exit()


async def test_a_text_that_gets_longer_is_not_laid_out_anew(opened: Handed) -> None:
    from rich.text import Text

    async with opened() as (_, app, pilot):
        card = app.screen.query_one(DecisionCard)
        laid_out = 0
        inner = app.screen._refresh_layout

        def count(*given: Any, **named: Any) -> None:  # noqa: ANN401  as it is called
            nonlocal laid_out
            laid_out += 1
            inner(*given, **named)

        app.screen._refresh_layout = count
        card.display_text(Text("\n".join(f"line {number}" for number in range(100))))
        await pilot.pause()
        laid_out = 0
        card.display_text(Text("\n".join(f"another line {number}" for number in range(120))))
        await pilot.pause()
        assert "another line 1" in str(card.render_line(1).text)
        assert (card.virtual_size.height, laid_out) == (120, 0)


def test_in_a_flood_the_log_is_painted_half_as_often_and_the_table_as_ever() -> None:
    now = [0.0]
    pacing = Pacing({"log": 1.0, "agents": 1.0}, lambda: now[0])
    pacing.flooded = True
    pacing.take({"log", "agents", "status"})
    now[0] = 1.0
    assert pacing.take({"log", "agents", "status"}) == {"agents", "status"}
    now[0] = 2.0
    assert "log" in pacing.take({"log", "agents", "status"})


async def test_the_first_line_is_drawn_with_its_paint_unless_other_things_are_to_be_drawn(
    theatre: Handed, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = theatre.Stage(list(demo_stream(5, 3, 4, end=False)))
    app, drawn = stage.app(), list[Any]()
    monkeypatch.setattr(app, "_display", lambda _, update: drawn.append(update))
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        drawn.clear()
        board = app.board()
        assert board is not None
        app.leaving = True
        board.paint_bars({"status"})
        assert "settling" in drawn.pop().render_segments(app.console)
        await theatre.settled(pilot, stage)
        assert not drawn, "and not once more"
        board.refresh(layout=True)
        app.leaving = False
        board.paint_bars({"status"})
        assert not drawn, "the layout draws it"
        await theatre.settled(pilot, stage)
        assert drawn


async def test_behind_a_dialog_the_first_line_goes_on(theatre: Handed) -> None:
    stage = theatre.Stage(list(demo_stream(5, 3, 4, end=False)))
    app = stage.app()
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        board = app.board()
        assert board is not None
        app.push_screen(Settling())
        await theatre.settled(pilot, stage)
        app.leaving = True
        board.paint_bars({"status"})
        await theatre.until(lambda: "settling" in app.screen._compositor.render_strips()[0].text, pilot)
