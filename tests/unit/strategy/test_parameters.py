"""A strategy's parameters, all from one declaration."""

from decimal import Decimal
from typing import Literal

import pytest

from defai.strategy.api import Annotated, Context, Field, Hold, Intent, Strategy, unit
from defai.strategy.parameters import Parameter, parameters_of, values_of
from defai.strategy.registry import list_names, load


class Everything(Strategy):
    """One parameter of each kind."""

    ticks: Annotated[int, Field(gt=0, lt=401, description="half the width"), unit("ticks")] = 200
    share: Annotated[float, Field(gt=0, le=1)] = 0.2
    usd: Annotated[Decimal, Field(ge=0, multiple_of=Decimal("0.5"))] = Decimal("1.5")
    often: bool = True
    side: Literal["buy", "sell"] = "buy"
    label: str
    most: Annotated[int, Field(ge=3)] | None = None

    def decide(self, ctx: Context) -> Intent:  # noqa: ARG002  it does nothing
        """Hold."""
        return Hold(reason="")


def parameter(name: str) -> Parameter:
    return next(one for one in parameters_of(Everything) if one.name == name)


@pytest.mark.parametrize(
    ("name", "kind", "default", "allowed"),
    [
        ("ticks", "int", 200, "1 to 400"),
        ("share", "float", 0.2, "above 0 to 1"),
        ("usd", "decimal", "1.5", "at least 0"),
        ("often", "bool", True, "true or false"),
        ("side", "choice", "buy", "buy or sell"),
        ("label", "str", None, ""),
        ("most", "int", None, "at least 3"),
    ],
)
def test_a_declaration_says_all_there_is_to_know(name: str, kind: str, default: object, allowed: str) -> None:
    found = parameter(name)
    assert (found.kind, found.default, found.allowed()) == (kind, default, allowed)


def test_units_and_what_may_be_left_out() -> None:
    assert parameter("ticks").unit == "ticks"
    assert parameter("ticks").description == "half the width"
    assert [one.name for one in parameters_of(Everything) if one.is_required] == ["label"]
    assert [one.name for one in parameters_of(Everything) if one.is_optional] == ["most"]
    assert parameter("usd").bounds.step == Decimal("0.5")


def test_as_json_a_parameter_is_numbers_and_text() -> None:
    assert parameter("ticks").to_json() == {
        "name": "ticks", "type": "int", "default": 200, "required": False, "low": 1, "high": 400,
        "low_is_open": False, "high_is_open": False, "step": None, "choices": [], "unit": "ticks",
        "description": "half the width", "optional": False,
    }  # fmt: skip
    assert parameter("share").to_json()["low_is_open"] is True


def test_values_are_those_of_the_digest() -> None:
    assert values_of(Everything(label="x", usd=Decimal(2)))["usd"] == "2"


def test_a_unit_changes_neither_validation_nor_digest() -> None:
    assert Everything(label="x", ticks="300").ticks == 300


@pytest.mark.parametrize("name", [entry.name for entry in list_names() if not entry.installed])
def test_every_shipped_parameter_is_described_and_bounded(name: str) -> None:
    for one in parameters_of(type(load(name).strategy)):
        assert one.description, one.name
        assert one.allowed() or one.kind == "str", one.name
