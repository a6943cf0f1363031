"""Columns of integers, and formulas that were written down, give what Python's own integers give: however large."""

from collections.abc import Callable
from math import isqrt, log2
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.features.arithmetic import choose, larger, ratio, root, root_x16, smaller
from defai.features.column import Column, ColumnError, highest_of_last, narrow, running_sums
from defai.features.logarithm import log2_x16, mantissas
from defai.features.traced import Script, Traced

EDGES = [bound + step for bound in (0, 2**31, 2**53, 2**62, 2**63, 2**64) for step in (-1, 0, 1)]
numbers = st.one_of(
    st.integers(-1_000, 1_000),
    st.integers(-(2**63), 2**63),
    st.integers(-(2**200), 2**200),
    st.sampled_from([sign * edge for edge in EDGES for sign in (-1, 1)]),
)
columns = st.lists(numbers, min_size=1, max_size=8)
OPERATORS: list[Callable[[Any, Any], Any]] = [
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: (a > b) + (a == b) - (a < b) * 3,
    lambda a, b: -(a != b) + abs(a),
    lambda a, b: choose((a <= b) & (a >= -5) | (b < 0), a, b),
    lambda a, b: larger(a, b) - smaller(a, b),
    lambda a, b: ratio(a, b, 16),
    lambda a, b: ratio(b * b, a, 24),
    lambda a, b: 7 - a + b * 3,
    lambda a, b: (a**2 + b**3) >> 5,
    lambda a, b: (a << 40) - (b >> 3),
    lambda a, b: a // (abs(b) + 1),
    lambda a, b: a % (abs(b) + 1),
]


def column(values: list[int]) -> Column:
    return Column(narrow(np.array(values, dtype=object)))


def told(answer: object, count: int) -> list[int]:
    return (
        [int(value) for value in answer.values] if isinstance(answer, Column) else [int(str(answer))] * count
    )


@pytest.mark.parametrize("operator", OPERATORS)
@given(left=columns, right=columns, one=numbers)
def test_operators_are_those_of_integers(
    operator: Callable[[Any, Any], Any], left: list[int], right: list[int], one: int
) -> None:
    size = min(len(left), len(right))
    left, right = left[:size], right[:size]
    expected = [int(operator(a, b)) for a, b in zip(left, right, strict=True)]
    assert told(operator(column(left), column(right)), size) == expected
    assert told(operator(column(left), one), size) == [int(operator(a, one)) for a in left]


def run(operator: Callable[..., Any], *arguments: int) -> object:
    """What an operator's lines say, once it was asked of names."""
    script = Script()
    names = [f"argument{place}" for place in range(len(arguments))]
    said = script.take_down(operator, *(Traced(script, name) for name in names))
    scope = dict(zip(names, arguments, strict=True)) | {"isqrt": isqrt, "ratio": ratio, "log2_x16": log2_x16}
    exec("\n".join(script.lines), scope)  # noqa: S102  of the operators above
    return eval(str(said), scope)  # noqa: S307  a name


@pytest.mark.parametrize("operator", OPERATORS)
@given(a=numbers, b=numbers)
def test_lines_say_what_integers_do(operator: Callable[[Any, Any], Any], a: int, b: int) -> None:
    assert run(operator, a, b) == operator(a, b)
    assert run(lambda name: operator(name, b), a) == operator(a, b)


@given(st.integers(0, 2**140))
def test_lines_take_roots_and_logarithms(value: int) -> None:
    assert [run(one, value) for one in (root, root_x16, log2_x16)] == [
        isqrt(value),
        root_x16(value),
        log2_x16(value),
    ]


@given(st.lists(st.integers(0, 2**140), min_size=1, max_size=8))
def test_roots_are_rounded_down(values: list[int]) -> None:
    assert told(root(column(values)), 1) == [isqrt(value) for value in values]
    assert told(root_x16(column(values)), 1) == [root_x16(value) for value in values]


@given(st.integers(1, 2**31), st.integers(-2, 2))
def test_roots_near_squares_are_rounded_down(side: int, beside: int) -> None:
    """Where a float's root would be rounded up to the next integer."""
    value = max(side * side + beside, 0)
    assert told(root(column([value])), 1) == [isqrt(value)]
    assert told(root_x16(column([value])), 1) == [isqrt(value << 32)]


@given(st.lists(st.integers(-5, 2**140), min_size=1, max_size=8))
def test_logarithms_are_those_of_one_number(values: list[int]) -> None:
    logarithms = told(log2_x16(column(values)), 1)
    assert logarithms == [log2_x16(value) for value in values]
    for value, logarithm in zip(values, logarithms, strict=True):
        if value >= 1:
            assert -1e-6 < log2(value) * 65_536 - logarithm < 1 + 1e-4


def test_a_logarithm_steps_up_where_the_table_says_so() -> None:
    """Wherever a float may have guessed wrong: at every entry, and right below it."""
    least = mantissas()
    assert [log2_x16(one << 3) for one in least] == [(33 << 16) + place for place in range(len(least))]
    assert [log2_x16((one << 3) - 1) for one in least] == [
        (33 << 16) + place - 1 for place in range(len(least))
    ]


@given(st.lists(numbers, min_size=1, max_size=12), st.integers(1, 12))
def test_differences_of_running_sums_are_sums(values: list[int], count: int) -> None:
    count = min(count, len(values))
    sums = running_sums(column(values).values, count)
    totals = column([0]).values[:0] if not values else sums[count:] - sums[:-count]
    expected = [sum(values[i : i + count]) for i in range(len(values) - count + 1)]
    assert [int(total) for total in totals] == expected


@given(st.lists(numbers, min_size=1, max_size=12), st.integers(1, 12))
def test_the_highest_of_the_last(values: list[int], count: int) -> None:
    count = min(count, len(values))
    highest = highest_of_last(column(values).values, count)
    assert [int(value) for value in highest] == [
        max(values[i : i + count]) for i in range(len(values) - count + 1)
    ]


MISUSES: list[Callable[[Any], object]] = [
    bool,
    int,
    float,
    len,
    list,
    hash,
    lambda a: a[0],
    lambda a: a / 2,
    lambda a: 2 // a,
    lambda a: 1 if a > 2 else 0,
    lambda a: max(a, 3),
    isqrt,
    lambda a: {a: 1},
    lambda a: a**0.5,
    lambda a: 1 >> a,
    lambda a: 0.5 - a,
    str,
    lambda a: a * 0.5,
    lambda a: a == "text",
    lambda a: a.bit_length(),
    lambda a: f"{a:d}",
]
OF_COLUMNS: list[Callable[[Any], object]] = [
    lambda a: a >> a,
    lambda a: a << a,
    lambda a: a**a,
    lambda a: a // (a - a),
    lambda a: a.chosen(1, 2),
]


@pytest.mark.parametrize("misuse", [*MISUSES, *OF_COLUMNS])
def test_a_column_is_not_taken_for_a_number(misuse: Callable[[Any], object]) -> None:
    with pytest.raises(ColumnError):
        misuse(column([1, 2, 3]))


@pytest.mark.parametrize("misuse", MISUSES)
def test_a_name_is_not_taken_for_a_number(misuse: Callable[[Any], object]) -> None:
    """And whoever did so leaves no line behind."""
    script = Script()
    assert script.take_down(lambda name: misuse(name * 3 + 1), Traced(script, "argument")) is None
    assert script.lines == []
    assert script.let("argument * 3") == "x0"
