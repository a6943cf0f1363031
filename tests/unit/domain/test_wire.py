"""Every event goes through JSON and comes back the same; what an older journal lacks has its usual value."""

import json
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields, is_dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest

from defai.domain import answers
from defai.domain.stream import StreamEvent
from defai.domain.wire import Unreadable, plain, read, read_event, read_events, write_event
from defai.testing.stream import demo_stream

KINDS = get_args(StreamEvent)


def sample(hint: Any) -> Any:  # noqa: ANN401  any type there is
    """A value of a type that an event may have; JSON makes something else of it where it is not spelled out."""
    origin, inner = get_origin(hint), get_args(hint)
    if is_dataclass(hint):
        assert isinstance(hint, type)
        return hint(**{field.name: sample(get_type_hints(hint)[field.name]) for field in fields(hint)})
    if origin is Literal:
        return inner[0]
    if origin in {Union, UnionType}:
        return sample(next(part for part in inner if part is not NoneType))
    if origin is tuple:
        parts = inner[:1] * 2 if inner[-1] is Ellipsis else inner
        return tuple(sample(part) for part in parts)
    if origin is dict:
        return {"a": sample(inner[1]), "b": sample(inner[1])}
    return {str: "word ✓", int: 2**200 + 1, float: 0.1, bool: True, Decimal: Decimal("1234.567890")}[hint]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_event_comes_back_as_it_went(kind: type[StreamEvent]) -> None:
    event = sample(kind)
    assert read_event(write_event(event)) == event


def test_no_two_events_share_a_kind() -> None:
    kinds = [kind.kind for kind in map(sample, KINDS)]
    assert len(set(kinds)) == len(kinds)


def optional(kind: type[Any]) -> Iterator[Field[Any]]:
    return (field for field in fields(kind) if field.default is not MISSING and field.name != "kind")


def test_a_journal_of_before_is_still_read() -> None:
    """Whatever was added later has a default, so that events without it are events all the same."""
    for event in demo_stream(blocks=3):
        raw = json.loads(write_event(event))
        for field in optional(type(event)):
            raw.pop(field.name)
        for part in (raw.get("portfolio"), *raw.get("agents", ())):
            for late in ("parts", "drawdown", "high_water_usd", "form"):
                if isinstance(part, dict):
                    part.pop(late, None)
        (read_again,) = read_events([raw])
        assert type(read_again) is type(event)


@pytest.mark.parametrize(
    "kind", [kind for kind in vars(answers).values() if is_dataclass(kind)], ids=lambda kind: kind.__name__
)
def test_every_answer_comes_back_as_it_went(kind: type[Any]) -> None:
    answer = sample(kind)
    assert read(json.loads(json.dumps(plain(answer))), kind) == answer


def test_an_update_of_a_backtest_is_what_its_kind_says() -> None:
    for update in map(sample, get_args(answers.BacktestUpdate)):
        assert read(json.loads(json.dumps(plain(update))), answers.BacktestUpdate) == update


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"[]",
        b"5",
        b"{}",
        b'{"kind":5}',
        b'{"kind":"unheard_of"}',
        b'{"kind":"notice"}',
        b'{"kind":"notice","level":"info","sentence":5}',
        b'{"kind":"holds_anchored","agent":"a","first_sequence":"1","count":1,"root":"","block_number":1}',
    ],
)
def test_what_is_no_event_is_not_taken_for_one(text: bytes) -> None:
    with pytest.raises(Unreadable):
        read_event(text)
