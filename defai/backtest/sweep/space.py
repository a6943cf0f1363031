"""What a sweep varies: `--param half_width=100,200,400`, `50:400:50`, and for a search `50:400` or `50:400:log`."""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeAlias

from defai.errors import ConfigError, did_you_mean
from defai.strategy.api import Strategy
from defai.strategy.parameters import Parameter, parameters_of

MOST_VALUES: Final = 10_000
_NUMBERS: Final = frozenset({"int", "float", "decimal"})
_NUMBER: Final = r"[+-]?(?:\d[\d_]*(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE: Final = re.compile(rf"({_NUMBER}):({_NUMBER})(?::({_NUMBER}|log))?")


@dataclass(frozen=True, slots=True)
class Choices:
    """Values to try, one by one, as they were written."""

    values: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.values)


@dataclass(frozen=True, slots=True)
class Span:
    """Everything between two numbers, both included.

    Attributes:
        step: only every so much, from the lower one on; None for all there is in between.
        log: whether a tenfold matters as much at one end as at the other.
    """

    low: Decimal
    high: Decimal
    step: Decimal | None = None
    log: bool = False

    def __str__(self) -> str:
        step = ", by its logarithm" if self.log else f" by {self.step}" if self.step is not None else ""
        return f"{self.low} to {self.high}{step}"


Axis: TypeAlias = Choices | Span
Axes: TypeAlias = Mapping[str, Axis]


def parse_axes(pairs: Sequence[str]) -> dict[str, Axis]:
    """`name=1,2,3`, `name=50:400:50`, `name=50:400`, `name=50:400:log`, by name.

    Raises:
        ConfigError: for a text that is none of them, a range that is empty, or a name that is there twice.
    """
    axes: dict[str, Axis] = {}
    for pair in pairs:
        name, equals, text = (part.strip() for part in pair.partition("="))
        if not equals or not name:
            raise ConfigError(f"'{pair}' is not a parameter.", "Write --param name=1,2,3 or name=50:400:50.")
        if name in axes:
            raise ConfigError(f"The parameter '{name}' is there twice.", "Write its values into one --param.")
        axes[name] = _axis(name, text)
    return axes


def _axis(name: str, text: str) -> Axis:
    match = _RANGE.fullmatch(text)
    if match is None:
        values = tuple(value.strip() for value in text.split(",")) if text else ()
        if not all(values) or not values:
            raise ConfigError(f"--param {name}={text} has a value with nothing in it.", "Write 50,100,200.")
        return Choices(tuple(dict.fromkeys(values)))
    low, high = Decimal(match[1]), Decimal(match[2])
    log = match[3] == "log"
    step = None if log or match[3] is None else Decimal(match[3])
    if high < low:
        raise ConfigError(f"--param {name}={text} is an empty range: it ends before it begins.")
    if step is not None and step <= 0:
        raise ConfigError(f"--param {name}={text} never gets anywhere: a step is above zero.")
    if log and low <= 0:
        raise ConfigError(f"--param {name}={text}: only what is above zero has a logarithm.")
    return Span(low, high, step, log)


def values_of(name: str, axis: Axis) -> tuple[str, ...]:
    """The values of a grid's axis.

    Raises:
        ConfigError: where there is no end of them.
    """
    if isinstance(axis, Choices):
        return axis.values
    written = f"--param {name}={axis.low}:{axis.high}"
    if axis.step is None:
        raise ConfigError(
            f"{written} has no step, and a grid needs one.",
            f"Write {name}={axis.low}:{axis.high}:STEP, or let `defai hyperopt` search.",
        )
    count = int((axis.high - axis.low) / axis.step) + 1
    if count > MOST_VALUES:
        raise ConfigError(f"{written}:{axis.step} has {count:,} values; at most {MOST_VALUES:,} can be.")
    return tuple(format((axis.low + index * axis.step).normalize(), "f") for index in range(count))


def refuse_unknown(names: Sequence[str], strategy: type[Strategy]) -> None:
    """Check that a strategy has these parameters.

    Raises:
        ConfigError: naming the first that it has not.
    """
    known = list(strategy.model_fields)
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or f"It has: {', '.join(known) or 'none'}."
            raise ConfigError(f"{strategy.__name__} has no parameter '{name}'.", hint)


def search_axes(
    strategy: type[Strategy], given: Axes, *, is_all: bool = True
) -> tuple[dict[str, Axis], dict[str, str]]:
    """What a search varies, and what it leaves as it is said.

    Args:
        strategy: its fields are searched within their bounds, where nothing else is said.
        given: ranges and choices that were said; one single choice is no search.
        is_all: whether nothing else is searched.

    Returns:
        The axes, in the order of the fields, and the single values by name.

    Raises:
        ConfigError: naming a parameter that it has not, or that has no bounds; or where nothing is left to search.
    """
    refuse_unknown(list(given), strategy)
    axes: dict[str, Axis] = {}
    fixed: dict[str, str] = {}
    for parameter in parameters_of(strategy):
        name = parameter.name
        axis = given.get(name) or _bounds(strategy, parameter)
        if isinstance(axis, Choices) and len(axis.values) == 1:
            fixed[name] = axis.values[0]
        else:
            axes[name] = axis
    if not axes and is_all:
        raise ConfigError(f"There is nothing to search: {strategy.__name__} has no parameter left to vary.")
    return axes, fixed


def is_whole(strategy: type[Strategy], name: str) -> bool:
    """Whether a parameter is a whole number."""
    return any(parameter.kind == "int" for parameter in parameters_of(strategy) if parameter.name == name)


def _bounds(strategy: type[Strategy], parameter: Parameter) -> Axis:
    """The axis that a parameter's own bounds make."""
    if parameter.choices:
        return Choices(tuple(sorted(parameter.choices)) if parameter.kind == "bool" else parameter.choices)
    name, bounds = parameter.name, parameter.bounds
    if bounds.low is None or bounds.high is None or parameter.kind not in _NUMBERS:
        raise ConfigError(
            f"The parameter '{name}' of {strategy.__name__} has no bounds to search within.",
            f"Give it some, --param {name}=50:400, or a value, --param {name}={parameter.default}.",
        )
    low, high = bounds.low, bounds.high
    if bounds.low_is_open:
        low = _next_to(low, math.inf)
    if bounds.high_is_open:
        high = _next_to(high, -math.inf)
    if bounds.step is not None:
        low = math.ceil(low / bounds.step) * bounds.step
    return Span(low, high, bounds.step)


def _next_to(bound: Decimal, towards: float) -> Decimal:
    return Decimal(str(math.nextafter(float(bound), towards)))
