"""A strategy's parameters as a form: type, bounds, unit and meaning, all from the one declaration of its fields."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from defai.domain.views import ParameterCard
from defai.strategy.api import Strategy

_UNITS: Final = (
    ("_bps", "bp"),
    ("_ticks", "ticks"),
    ("_blocks", "blocks"),
    ("_usd", "USD"),
    ("_s", "s"),
    ("_seconds", "s"),
    ("_hours", "h"),
)
_TYPES: Final = {"integer": "integer", "number": "number", "boolean": "boolean"}


def form_of(strategy: Strategy) -> tuple[ParameterCard, ...]:
    """The parameters of a strategy, in its author's order."""
    schema = type(strategy).model_json_schema()["properties"] if type(strategy).model_fields else {}
    values = strategy.model_dump(mode="json")
    return tuple(_card(name, schema[name], values[name]) for name in type(strategy).model_fields)


def _card(name: str, schema: Mapping[str, Any], value: object) -> ParameterCard:
    choices = tuple(str(choice) for choice in schema.get("enum", ()))
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    suffix = next((unit for end, unit in _UNITS if name.endswith(end)), "")
    return ParameterCard(
        name=name,
        type="choice" if choices else _TYPES.get(schema.get("type", ""), "text"),
        value=text_of(value),
        default=text_of(schema["default"]) if "default" in schema else None,
        minimum=_bound(low if low is not None else above),
        maximum=_bound(high if high is not None else below),
        excludes_minimum=low is None and above is not None,
        excludes_maximum=high is None and below is not None,
        choices=choices,
        unit=str(schema.get("unit", suffix)),
        description=str(schema.get("description", "")),
    )


def text_of(value: object) -> str:
    """A parameter's value as a person types it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _bound(value: object) -> Decimal | None:
    return None if value is None else Decimal(str(value))
