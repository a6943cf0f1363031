from dataclasses import replace
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from defai.domain.stream import ParameterCard
from defai.testing.stream import demo_cards
from defai.tui.lines import AgentLine
from defai.tui.screens.agent import set_by
from defai.tui.screens.parameters import ParameterForm
from defai.tui.widgets.bounds import bounds

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_the_form_says_what_would_change_and_changes_it_upon_enter(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("2", "e") as (stage, app, pilot):
        assert isinstance(app.screen, ParameterForm)
        await pilot.press(*["backspace"] * 3, *"99")
        await theatre.stands(app, pilot, "at most 20 is wanted")
        await pilot.press("enter")
        await theatre.settled(pilot, stage)
        assert stage.wishes == [], "what does not fit is not sent"
        await pilot.press(*["backspace"] * 2, "5")
        await theatre.stands(app, pilot, "3.0 → 5", "rebalance to 199,700…200,120")
        await pilot.press("enter")
        await theatre.until(lambda: app.fleet.agents["lp-wide"].card.parameters["sigmas"] == "5", pilot)
        assert stage.wishes == [("set_parameters", "lp-wide", "sigmas=5")]
        await theatre.until(lambda: not isinstance(app.screen, ParameterForm), pilot)


async def test_escape_leaves_all_as_it_is(opened: Handed, theatre: Handed) -> None:
    async with opened("2", "e") as (stage, app, pilot):
        await pilot.press("9", "escape")
        await theatre.until(lambda: not isinstance(app.screen, ParameterForm), pilot)
        await theatre.settled(pilot, stage)
        assert stage.wishes == []
        assert app.fleet.agents["lp-wide"].card.parameters["sigmas"] == "3.0"
        await pilot.press("e")
        await theatre.until(lambda: isinstance(app.screen, ParameterForm), pilot)
        assert app.screen.boxes["sigmas"].value == "3.0"


def test_bounds_say_what_a_parameter_may_be() -> None:
    card = ParameterCard("a", "number", "1", None, Decimal(0), Decimal(20), excludes_minimum=True, unit="bp")
    assert bounds(card) == "> 0 … 20 bp"
    assert bounds(ParameterCard("a", "choice", "x", choices=("x", "y"))) == "x | y"
    assert bounds(ParameterCard("a", "text", "x")) == "text"


async def test_any_name_does_for_a_parameter(opened: Handed, theatre: Handed) -> None:
    async with opened("2") as (_, app, pilot):
        line = app.fleet.agents["lp-wide"]
        form = tuple(replace(card, name="\N{GREEK SMALL LETTER SIGMA}") for card in line.card.form[:1])
        line.card = replace(line.card, form=form)
        await pilot.press("e", "end", "9")
        await theatre.until(lambda: list(app.screen.values) == ["\N{GREEK SMALL LETTER SIGMA}"], pilot)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 60)])
async def test_how_an_agent_is_set_stands_where_it_is_seen(
    opened: Handed, theatre: Handed, size: tuple[int, int]
) -> None:
    async with opened("2", size=size) as (_, app, pilot):
        await theatre.stands(app, pilot, "─ sigmas 3.0 · floor_ticks 120 · patience 3 ─")


def test_of_many_parameters_as_many_are_told_as_fit() -> None:
    (card,) = demo_cards(1)
    line = AgentLine(card)
    assert set_by(line, 42) == "sigmas 3.0 · floor_ticks 120 · patience 3"
    assert set_by(line, 40) == "sigmas 3.0 · floor_ticks 120 · 1 more"
    assert set_by(line, 30) == "sigmas 3.0 · 2 more"
    assert set_by(line, 5) == ""
