"""Events and answers with the texts of others made fit to be shown: whoever shows them shows texts as they are.

It is done where they come from: as a session publishes them, and as they are read from a socket or a file.
"""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from decimal import Decimal
from functools import cache
from types import NoneType
from typing import Any, Final, TypeVar, cast

from defai.domain.stream import StepCompleted, StreamEvent
from defai.harmless import harmless

T = TypeVar("T")
FIGURES: Final = frozenset({int, float, bool, Decimal, NoneType})


def fit_to_show(event: StreamEvent) -> StreamEvent:
    """An event whose texts are harmless; the same one where they are, as nearly always."""
    if type(event) is StepCompleted:  # thousands a second: the rest of it is figures and words of our own
        one = event.decision
        words = "".join([name for name, _ in event.portfolio.balances])
        if one is not None:
            words = f"{words}{one.text}{one.reason}{one.verdict_reason}"
        if words.isprintable():
            return event
    return made_harmless(event)


def made_harmless(value: T) -> T:
    """A record, or what is made of records, with harmless texts; the same object where all of them are."""
    return cast("T", _made_harmless(value))


def _made_harmless(value: Any) -> Any:  # noqa: ANN401  whatever a record may hold
    if type(value) in FIGURES:
        return value
    if isinstance(value, str):
        return harmless(value)
    if isinstance(value, tuple | list):
        parts = [_made_harmless(one) for one in value]
        same = all(one is other for one, other in zip(parts, value, strict=True))
        return value if same else type(value)(parts)
    if isinstance(value, Mapping):
        pairs = {_made_harmless(key): _made_harmless(one) for key, one in value.items()}
        return value if all(value.get(key) is one for key, one in pairs.items()) else pairs
    if is_dataclass(value) and not isinstance(value, type):
        changed = {}
        for name in _names(type(value)):
            before = getattr(value, name)
            after = _made_harmless(before)
            if after is not before:
                changed[name] = after
        return replace(value, **changed) if changed else value
    return value


@cache
def _names(kind: type[Any]) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind) if one.init)
