"""A strategy's parameters, as whoever sets or searches them needs to know them: all from the one declaration.

half_width: Annotated[int, Field(ge=10, le=20_000, description="half the band's width"), unit("ticks")] = 600
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Self, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python


@dataclass(frozen=True, slots=True)
class Unit:
    """What one of a parameter stands for."""

    name: str


def unit(name: str) -> Unit:
    """Say a parameter's unit, beside its `Field`: "ticks", "bps", "blocks", "usd", "share of equity"."""
    return Unit(name)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Which values of a number are allowed.

    Attributes:
        low, high: the least and the largest, None where there is no bound.
        low_is_open, high_is_open: whether the bound itself is not allowed; never so for whole numbers.
        step: values are multiples of it; None where they are not held to any.
    """

    low: Decimal | None = None
    high: Decimal | None = None
    step: Decimal | None = None
    low_is_open: bool = False
    high_is_open: bool = False

    def __str__(self) -> str:
        """In words: "1 to 400", "above 0", "at most 1"; empty where there are none."""
        low = "" if self.low is None else f"{'above ' if self.low_is_open else ''}{_plain(self.low)}"
        high = "" if self.high is None else f"{'below ' if self.high_is_open else ''}{_plain(self.high)}"
        if low and high:
            return f"{low} to {high}"
        if low:
            return low if self.low_is_open else f"at least {low}"
        return high if self.high_is_open or not high else f"at most {high}"


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter of a strategy.

    Attributes:
        kind: "int", "float", "decimal", "bool", "choice", "str", or its annotation where it is none of them.
        default: JSON-able; None also where a value has to be given, see `is_required`.
        choices: the values allowed, as they are written, of "choice" and "bool".
        unit: what one of it stands for, as the author says it; empty where he does not.
        is_optional: whether it may be nothing at all.
    """

    name: str
    kind: str
    default: Any
    is_required: bool
    bounds: Bounds
    choices: tuple[str, ...]
    unit: str
    description: str
    is_optional: bool

    def allowed(self) -> str:
        """What is allowed, in words; empty where anything of its kind is."""
        return " or ".join(self.choices) or str(self.bounds)

    def to_json(self) -> dict[str, Any]:
        """As JSON-able values."""
        bounds = self.bounds
        return {
            "name": self.name,
            "type": self.kind,
            "default": self.default,
            "required": self.is_required,
            "low": _number(bounds.low),
            "high": _number(bounds.high),
            "low_is_open": bounds.low_is_open,
            "high_is_open": bounds.high_is_open,
            "step": _number(bounds.step),
            "choices": list(self.choices),
            "unit": self.unit,
            "description": self.description,
            "optional": self.is_optional,
        }

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> Self:
        """The reverse of `to_json`.

        Raises:
            LookupError, TypeError, ValueError: where it is no such thing.
        """
        low, high, step = (
            None if said[name] is None else _said(said[name]) for name in ("low", "high", "step")
        )
        return cls(
            name=str(said["name"]),
            kind=str(said["type"]),
            default=said["default"],
            is_required=bool(said["required"]),
            bounds=Bounds(low, high, step, bool(said["low_is_open"]), bool(said["high_is_open"])),
            choices=tuple(str(choice) for choice in said["choices"]),
            unit=str(said["unit"]),
            description=str(said["description"]),
            is_optional=bool(said["optional"]),
        )


_KINDS: Final[Mapping[Any, str]] = {bool: "bool", int: "int", float: "float", Decimal: "decimal", str: "str"}


def parameters_of(strategy: type[BaseModel]) -> tuple[Parameter, ...]:
    """The parameters of a strategy's class, in the order they are declared.

    Args:
        strategy: the class; one of its instances has the values.
    """
    declared: tuple[Parameter, ...] | None = getattr(strategy, "declared", None)
    if declared is not None:  # of a class whose fields are in another process
        return declared
    return tuple(_parameter(name, field) for name, field in strategy.model_fields.items())


def values_of(strategy: BaseModel) -> dict[str, Any]:
    """The values of a strategy's parameters, JSON-able, as its digest has them."""
    return strategy.model_dump(mode="json")


def _parameter(name: str, field: FieldInfo) -> Parameter:
    types, rules = types_of(field.annotation), _rules(field.annotation, field.metadata)
    kind = next((text for of, text in _KINDS.items() if of in types), "")
    choices = tuple(str(value) for of in types if get_origin(of) is Literal for value in get_args(of))
    if choices:
        kind = "choice"
    elif kind == "bool":
        choices = ("true", "false")
    default = None if field.is_required() else field.get_default(call_default_factory=True)
    units = [rule.name for rule in rules if isinstance(rule, Unit)]
    return Parameter(
        name=name,
        kind=kind or getattr(field.annotation, "__name__", str(field.annotation)),
        default=to_jsonable_python(default),
        is_required=field.is_required(),
        bounds=_bounds(rules, whole=kind == "int"),
        choices=choices,
        unit=units[-1] if units else "",
        description=field.description or "",
        is_optional=NoneType in _members(field.annotation),
    )


def types_of(annotation: object) -> set[Any]:
    """The types a field may have: those of a union each, without None."""
    if get_origin(annotation) is Literal or not get_args(annotation):
        return {annotation}
    if get_origin(annotation) is Annotated:
        return types_of(get_args(annotation)[0])
    return {kind for one in get_args(annotation) for kind in types_of(one)} - {NoneType}


def _members(annotation: object) -> tuple[Any, ...]:
    return get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)


def _rules(annotation: object, metadata: Sequence[Any]) -> list[Any]:
    """What is said of a field: beside it, and beside the members of its union."""
    found = list(metadata)
    for member in _members(annotation):
        if get_origin(member) is Annotated:
            for rule in get_args(member)[1:]:
                found += rule.metadata if isinstance(rule, FieldInfo) else [rule]
    return found


def _bounds(rules: Sequence[Any], *, whole: bool) -> Bounds:
    found = Bounds()
    for rule in rules:
        match rule:
            case annotated_types.Ge():
                found = replace(found, low=_exactly(rule.ge), low_is_open=False)
            case annotated_types.Gt():
                low = _exactly(rule.gt)
                found = replace(found, low=low + 1 if whole else low, low_is_open=not whole)
            case annotated_types.Le():
                found = replace(found, high=_exactly(rule.le), high_is_open=False)
            case annotated_types.Lt():
                high = _exactly(rule.lt)
                found = replace(found, high=high - 1 if whole else high, high_is_open=not whole)
            case annotated_types.MultipleOf():
                found = replace(found, step=_exactly(rule.multiple_of))
            case _:
                pass
    return found


def _exactly(bound: object) -> Decimal:
    return Decimal(str(bound))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():,f}"


def _said(number: object) -> Decimal:
    if not isinstance(number, int | float):
        raise TypeError(f"{number!r} is no number")
    return Decimal(repr(number))


def _number(number: Decimal | None) -> int | float | None:
    if number is None:
        return None
    return int(number) if number == number.to_integral_value() else float(number)
