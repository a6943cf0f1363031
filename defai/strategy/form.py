"""A strategy's parameters as a form: type, bounds, unit and meaning, all from the one declaration of its fields."""

from collections.abc import Sequence
from typing import Final

from defai.domain.views import ParameterCard
from defai.strategy.api import Strategy
from defai.strategy.parameters import Parameter, parameters_of, values_of

_UNITS: Final = (
    ("_bps", "bp"),
    ("_ticks", "ticks"),
    ("_blocks", "blocks"),
    ("_usd", "USD"),
    ("_s", "s"),
    ("_seconds", "s"),
    ("_hours", "h"),
)
"""Units that a parameter's name tells, where its author does not say one."""
_TYPES: Final = {
    "int": "integer",
    "float": "number",
    "decimal": "number",
    "bool": "boolean",
    "choice": "choice",
}


def form_of(strategy: Strategy) -> tuple[ParameterCard, ...]:
    """The parameters of a strategy, in its author's order."""
    values = values_of(strategy)
    return tuple(_card(parameter, values[parameter.name]) for parameter in parameters_of(type(strategy)))


def declared_form(parameters: Sequence[Parameter]) -> tuple[ParameterCard, ...]:
    """The same of a strategy that is not loaded, with its defaults."""
    return tuple(
        _card(parameter, "" if parameter.is_required else parameter.default) for parameter in parameters
    )


def _card(parameter: Parameter, value: object) -> ParameterCard:
    bounds = parameter.bounds
    suffix = next((unit for end, unit in _UNITS if parameter.name.endswith(end)), "")
    return ParameterCard(
        name=parameter.name,
        type=_TYPES.get(parameter.kind, "text"),
        value=text_of(value),
        default=None if parameter.is_required else text_of(parameter.default),
        minimum=bounds.low,
        maximum=bounds.high,
        excludes_minimum=bounds.low_is_open,
        excludes_maximum=bounds.high_is_open,
        choices=parameter.choices if parameter.kind == "choice" else (),
        unit=parameter.unit or suffix,
        description=parameter.description,
    )


def text_of(value: object) -> str:
    """A parameter's value as a person types it."""
    return str(value).lower() if isinstance(value, bool) else str(value)
