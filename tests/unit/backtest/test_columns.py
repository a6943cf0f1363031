"""Columns hold integers of any size, and give them back."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.backtest.columns import IntColumn

INTEGERS = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**127), 2**127 - 1))


def words_of(values: list[int]) -> np.ndarray:
    content = b"".join(value.to_bytes(16, "little", signed=True) for value in values)
    return np.frombuffer(content, dtype="<u8").reshape(-1, 2).astype(np.uint64)


@given(one=st.lists(INTEGERS), many=st.lists(INTEGERS))
def test_a_column_is_the_list_of_what_was_added(one: list[int], many: list[int]) -> None:
    column = IntColumn(one)
    column.extend_words(words_of(many))
    whole = one + many
    assert list(column) == whole
    assert len(column) == len(whole)
    assert list(column[1:-1]) == whole[1:-1]
    assert [column[at] for at in range(-len(whole), len(whole))] == whole + whole
    assert column.over(10**6).tolist() == [value / 10**6 for value in whole]
    assert column == IntColumn(whole)
    assert (column.shared_with(IntColumn(whole)) is column) is False


def test_a_column_grows_from_whole_arrays_too() -> None:
    column = IntColumn([5])
    column.reserve(200)
    column.extend_array(np.arange(100))
    column.extend_array(np.arange(1_000))
    assert list(column) == [5, *range(100), *range(1_000)]
    assert column.as_array().dtype == np.int64
    column.append(2**70)
    column.extend_array(np.arange(3))
    assert list(column[-4:]) == [2**70, 0, 1, 2]
    with pytest.raises(OverflowError):
        column.as_array()
    with pytest.raises(TypeError, match="no hash"):
        hash(column)
    assert column != [5]
