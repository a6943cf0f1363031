from dataclasses import replace
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeAlias

import pytest
from pydantic import ValidationError

from defai.domain.stream import ParameterCard
from defai.strategy.api import Context, Field, Hold, Intent, Strategy
from defai.strategy.form import form_of
from defai.testing.stream import demo_cards
from defai.tui.lines import AgentLine
from defai.tui.screens.agent import set_by
from defai.tui.screens.parameters import ParameterForm
from defai.tui.widgets.bounds import bounds, misfit

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""


async def test_the_form_says_what_would_change_and_changes_it_upon_enter(
    opened: Handed, theatre: Handed
) -> None:
    async with opened("2", "e") as (stage, app, pilot):
        assert isinstance(app.screen, ParameterForm)
        await pilot.press(*["backspace"] * 3, *"99")
        await theatre.stands(app, pilot, "✗ has to be > 0 … 20")
        await pilot.press("enter")
        await theatre.settled(pilot, stage)
        assert stage.wishes == [], "what does not fit is not sent"
        await pilot.press(*["backspace"] * 2, "5", "tab", "tab", "backspace", *"13", "enter")
        await theatre.stands(app, pilot, "✗ brings bad luck")
        await theatre.settled(pilot, stage)
        assert stage.wishes == [], "nor what does not fit for reasons of its author's"
        await pilot.press(*["backspace"] * 2, "3")
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


@pytest.mark.parametrize("size", [(60, 16), (80, 24)])
async def test_what_would_change_is_in_sight_however_many_parameters_there_are(
    opened: Handed, theatre: Handed, size: tuple[int, int]
) -> None:
    async with opened("2", size=size) as (_, app, pilot):
        line = app.fleet.agents["lp-wide"]
        more = tuple(replace(line.card.form[1], name=f"more_{at}") for at in range(9))
        line.card = replace(line.card, form=(*line.card.form, *more))
        await pilot.press("e", *["backspace"] * 3, "5")
        await theatre.stands(
            app, pilot, "sigmas", "changes sigmas 3.0 → 5", "now it is hold", "enter puts them in"
        )
        await pilot.press("up")
        await theatre.stands(app, pilot, "more_8", "changes sigmas 3.0 → 5")


def test_bounds_say_what_a_parameter_may_be() -> None:
    card = ParameterCard("a", "number", "1", None, Decimal(0), Decimal(20), excludes_minimum=True, unit="bp")
    assert bounds(card) == "> 0 … 20 bp"
    assert bounds(ParameterCard("a", "choice", "x", choices=("x", "y"))) == "x | y"
    assert bounds(ParameterCard("a", "text", "x")) == "text"
    assert bounds(ParameterCard("a", "integer", "1")) == "a whole number"
    assert bounds(replace(card, maximum=None)) == "> 0 bp"
    assert bounds(replace(card, maximum=None, excludes_minimum=False)) == "≥ 0 bp"
    assert bounds(replace(card, minimum=None)) == "≤ 20 bp"


SHARE = ParameterCard("a", "number", "1", None, Decimal(0), Decimal(20), excludes_minimum=True, unit="bp")
COUNT = ParameterCard("a", "integer", "1", None, Decimal(1), Decimal(9))


@pytest.mark.parametrize(
    ("card", "text", "need"),
    [
        *((SHARE, text, "") for text in ("20", "0.001", "1e1", "1_0")),
        *((SHARE, text, "> 0 … 20 bp") for text in ("0", "-1", "20.01", "inf")),
        *((SHARE, text, "a number") for text in ("x", "1,5", "nan")),
        *((COUNT, text, "") for text in ("1", "9", "9.0")),
        *((COUNT, text, "1 … 9") for text in ("0", "10")),
        *((COUNT, text, "a whole number") for text in ("1.5", "x", "inf", "1e0")),
        (replace(COUNT, maximum=None), "100", ""),
        (replace(SHARE, maximum=Decimal(1), excludes_maximum=True), "1", "> 0 … < 1 bp"),
        (ParameterCard("a", "choice", "x", choices=("x", "y")), "y", ""),
        (ParameterCard("a", "choice", "x", choices=("x", "y")), "z", "x | y"),
        (ParameterCard("a", "boolean", "true"), "Yes", ""),
        (ParameterCard("a", "boolean", "true"), "2", "true | false"),
        (ParameterCard("a", "text", "x"), "anything", ""),
    ],
)
def test_what_does_not_fit_is_told_what_it_has_to_be(card: ParameterCard, text: str, need: str) -> None:
    assert misfit(card, text) == need


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


class Ruled(Strategy):
    """Has a parameter of each kind."""

    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    edge: Annotated[Decimal, Field(ge=-1, le=20)] = Decimal(1)
    count: Annotated[int, Field(ge=2, lt=9)] = 3
    most: Annotated[int, Field(gt=0)] = 3
    side: Literal["buy", "sell"] = "sell"
    eager: bool = False

    def decide(self, ctx: Context) -> Intent:  # noqa: ARG002  the author's API
        """Nothing."""
        return Hold(reason="none")


def test_what_fits_here_is_what_the_strategy_takes() -> None:
    texts = ("0", "1", "0.99", "-1", "-1.01", "20", "20.5", "2", "8", "9", "9.0", "1_0", "1e1", "1.5")
    for card in form_of(Ruled()):
        for text in (*texts, "x", "nan", "inf", "-inf", "true", "Yes", "buy", "hold"):
            try:
                Ruled.model_validate({card.name: text})
            except ValidationError:
                assert misfit(card, text), (card.name, text)
            else:
                assert not misfit(card, text), (card.name, text)
