"""Events as JSON, and back: flat records whose `kind` says which they are.

By msgspec, which needs nothing prepared: a terminal that attaches reads its first event a fifth of a second sooner than
by pydantic, most of which would be spent on importing it and on kinds that do not come.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Any, Final, Union, get_args, get_origin

import msgspec

from defai.domain.others_words import fit_to_show
from defai.domain.stream import StreamEvent

__all__ = ["Unreadable", "plain", "read", "read_event", "read_events", "write_event"]

Unreadable: Final = msgspec.MsgspecError
"""What is raised for a text, or a value, that is not what it was taken for."""


def write_event(event: StreamEvent) -> bytes:
    """An event as one line of JSON; Decimals become texts."""
    return msgspec.json.encode(event)


def plain(value: object) -> Any:  # noqa: ANN401  JSON has many types
    """A record, or what is made of records, as values that JSON has: dicts, lists, texts, numbers."""
    return msgspec.to_builtins(value)


def read_event(text: bytes | str) -> StreamEvent:
    """The reverse of `write_event`.

    Raises:
        Unreadable: where it is none.
    """
    (event,) = read_events([msgspec.json.decode(text)])
    return event


def read_events(raw: Iterable[Any]) -> Iterator[StreamEvent]:
    """Events, of values that JSON has, each read when it is its turn; whoever wrote them, their texts can be shown.

    Raises:
        Unreadable: where one of them is none.
    """
    return (fit_to_show(read(one, StreamEvent)) for one in raw)


def read(raw: object, wanted: Any) -> Any:  # noqa: ANN401  any type there is
    """A record of a type, of values that JSON has; of several types, the one that its `kind` names.

    Raises:
        Unreadable: where it is none.
    """
    kinds = _kinds(wanted)
    if kinds is None:
        return msgspec.convert(raw, wanted)
    kind = raw.get("kind") if isinstance(raw, Mapping) else None
    if not isinstance(kind, str) or kind not in kinds:
        raise msgspec.ValidationError(f"There is no record of the kind {kind!r:.40} here.")
    return msgspec.convert(raw, kinds[kind])


@cache
def _kinds(wanted: Any) -> Mapping[str, Any] | None:  # noqa: ANN401  any type there is
    """Of several types of records each by its kind; None of one type, which may be missing."""
    members = get_args(wanted) if get_origin(wanted) in {Union, UnionType} else ()
    if NoneType in members or not all(hasattr(one, "__dataclass_fields__") for one in members):
        return None
    return {one.__dataclass_fields__["kind"].default: one for one in members} or None
