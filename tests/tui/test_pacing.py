import time
from typing import Any, TypeAlias

from defai.domain.stream import BlockArrived
from defai.testing.stream import demo_stream
from defai.tui.pacing import SHORTEST_S, Pacing
from defai.tui.screens.fleet import FleetScreen
from defai.tui.widgets.decision_card import DecisionCard
from defai.tui.widgets.text_view import TextView

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


async def test_what_was_put_off_is_painted_once_the_flood_is_over(theatre: Handed) -> None:
    stage = theatre.Stage([])
    pace = 1.0
    app = stage.app(paces={"chart": pace, "card": pace, "log": 0.2})
    charts = 0
    async with app.run_test(size=(120, 40)) as pilot:
        screen = app.screen
        assert isinstance(screen, FleetScreen)
        inner = screen._paint_chart

        def count() -> None:
            nonlocal charts
            charts += 1
            inner()

        screen._paint_chart = count  # type: ignore[method-assign]  # counted, and done all the same
        blocks, started = 0, time.monotonic()
        for event in demo_stream(5, 40, 8, end=False):
            stage.play([event])
            if isinstance(event, BlockArrived):
                blocks += 1
                await pilot.pause()
        await theatre.settled(pilot, stage)
        assert 0 < charts <= (time.monotonic() - started) / pace + 5, "five: the screen itself as it opens"
        assert charts < blocks
        last = app.fleet.block
        assert last is not None
        assert f"{round(last.pools[0].price, 2):,}" in theatre.seen(app)
        assert app.fleet.acted is not None
        title = screen.query_one(DecisionCard).border_title
        assert f"{app.fleet.acted.decision.sequence} of {app.fleet.acted.agent}" in str(title)
        app.exit()


async def test_a_text_of_the_same_length_needs_no_layout(opened: Handed) -> None:
    from rich.text import Text

    async with opened() as (_, app, pilot):
        view = app.screen.query_one(DecisionCard).query_one(TextView)
        laid_out: list[bool] = []
        inner = view.update

        def update(content: Any, *, layout: bool = True) -> None:  # noqa: ANN401  as `Static.update` takes it
            laid_out.append(layout)
            inner(content, layout=layout)

        view.update = update
        for words in ("one\ntwo", "three\nfour", "three\nfour", "five"):
            view.display_text(Text(words))
        await pilot.pause()
        assert laid_out[1:] == [False, True]
