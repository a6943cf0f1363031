"""Dataclasses whose methods are written on first use: what they do is what the standard library's do."""

import copy
import dataclasses
import pickle
import time
from collections.abc import Callable
from typing import Any

import pytest
from pydantic import TypeAdapter

from defai.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Late:
    """Frozen."""

    number: int
    words: tuple[str, ...] = ()
    more: dict[str, int] = dataclasses.field(default_factory=dict)

    @property
    def twice(self) -> int:
        """A property stays what it is."""
        return self.number * 2


@dataclass(slots=True)
class Changing:
    """Not frozen."""

    number: int
    seen: list[int] = dataclasses.field(default_factory=list, compare=False)


@dataclass(frozen=True, slots=True)
class Hashed:
    """With a method of its own."""

    number: int

    def __repr__(self) -> str:
        return "mine"


def fresh(decorator: Callable[[type], Any], name: str = "One") -> Any:  # noqa: ANN401  a class made here
    body = {"__annotations__": {f"f{index}": int for index in range(8)}, "__doc__": "Some.", "f7": 7}
    return decorator(type(name, (), body))


def test_it_is_made_compared_and_shown_as_the_standard_library_has_it() -> None:
    one, same, other = Late(1, ("a",)), Late(number=1, words=("a",)), Late(2)
    assert repr(one) == "Late(number=1, words=('a',), more={})"
    assert one == same
    assert one != other
    assert one.more is not same.more
    assert one.twice == 2
    assert dataclasses.replace(one, number=3) == Late(3, ("a",))
    assert dataclasses.asdict(one) == {"number": 1, "words": ("a",), "more": {}}
    assert Late.__match_args__ == ("number", "words", "more")
    assert not hasattr(one, "__dict__")
    with pytest.raises(TypeError, match="number"):
        Late()  # type: ignore[call-arg]  # that is what is wrong


def test_comparing_hashing_and_showing_may_come_first() -> None:
    plain = fresh(dataclasses.dataclass(frozen=True, slots=True))
    for first in (hash, repr, lambda one: one == one):  # noqa: PLR0124  that it equals itself is what is asked
        made = fresh(dataclass(frozen=True, slots=True))
        one = object.__new__(made)
        for index in range(8):
            object.__setattr__(one, f"f{index}", index)
        assert first(one) == first(plain(*range(8)))


def test_what_is_frozen_stays_and_travels() -> None:
    one = Late(1, ("a",))
    with pytest.raises(dataclasses.FrozenInstanceError, match="number"):
        one.number = 2  # type: ignore[misc]  # that is what is wrong
    with pytest.raises(dataclasses.FrozenInstanceError, match="number"):
        del one.number
    assert pickle.loads(pickle.dumps(one)) == one  # noqa: S301  written a moment ago
    assert copy.deepcopy(one) == one
    assert TypeAdapter(Late).validate_json(TypeAdapter(Late).dump_json(one)) == one


def test_what_is_not_frozen_changes_and_has_no_hash() -> None:
    one = Changing(1)
    one.number = 2
    one.seen.append(1)
    assert one == Changing(2)
    assert pickle.loads(pickle.dumps(one)).seen == [1]  # noqa: S301  written a moment ago
    with pytest.raises(TypeError, match="unhashable"):
        hash(one)


def test_what_a_class_says_itself_stands() -> None:
    assert repr(Hashed(1)) == "mine"
    assert Hashed(1) == Hashed(1)
    assert {Hashed(1)} == {Hashed(1)}


def test_without_slots_it_is_not_for_this() -> None:
    with pytest.raises(TypeError, match="slots"):
        dataclass(slots=False)


def test_making_the_classes_takes_a_fraction() -> None:
    def seconds(decorator: Callable[[type], Any]) -> float:
        started = time.process_time()
        for index in range(20):
            fresh(decorator, f"Class{index}")
        return time.process_time() - started

    late = min(seconds(dataclass(frozen=True, slots=True)) for _ in range(3))
    usual = min(seconds(dataclasses.dataclass(frozen=True, slots=True)) for _ in range(3))
    assert late < usual / 3, f"{late / usual:.2f} of the standard library's"
