"""The bytes of an ensemble: back and forth, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.errors import DefaiError
from defai.models.blob import pack, unpack
from defai.models.ensemble import LEAF_LIMIT_X24, Ensemble, Linear, Tree
from defai.models.trained import TrainedModel

INT32 = st.integers(-(2**31), 2**31 - 1)
LEAVES = st.integers(-LEAF_LIMIT_X24 - 1, LEAF_LIMIT_X24)


@st.composite
def trees(draw: st.DrawFn, most_nodes: int = 12) -> Tree:
    """A tree that grows as LightGBM's do: a leaf is split, its number stays with the left child."""
    count = draw(st.integers(1, most_nodes))
    left: list[int] = []
    right: list[int] = []
    for node in range(count):
        if node:
            split = draw(st.integers(0, node))
            for children in (left, right):
                if ~split in children:
                    children[children.index(~split)] = node
        else:
            split = 0
        left.append(~split)
        right.append(~(node + 1))
    return Tree(
        tuple(draw(st.lists(st.integers(0, 5), min_size=count, max_size=count))),
        tuple(draw(st.lists(INT32, min_size=count, max_size=count))),
        tuple(left),
        tuple(right),
        tuple(draw(st.lists(LEAVES, min_size=count + 1, max_size=count + 1))),
    )


LINEAR = st.builds(
    Linear,
    st.lists(st.tuples(st.integers(0, 5), st.integers(-(2**63), 2**63 - 1)), min_size=1, max_size=4).map(
        tuple
    ),
    st.integers(0, 255),
)
ENSEMBLES = st.builds(
    Ensemble,
    st.integers(-(2**60), 2**60),
    st.lists(trees(), max_size=4).map(tuple),
    st.none() | LINEAR,
)


@given(ENSEMBLES, st.lists(INT32, min_size=6, max_size=6))
def test_what_was_packed_comes_back(ensemble: Ensemble, row: list[int]) -> None:
    again = unpack(pack(ensemble))
    assert again == ensemble
    assert again.predict_x24(row) == ensemble.predict_x24(row)
    assert Ensemble.from_json(ensemble.to_json()) == ensemble


@given(ENSEMBLES, st.data())
def test_a_byte_less_or_more_is_refused(ensemble: Ensemble, data: st.DataObject) -> None:
    blob = pack(ensemble)
    cut = data.draw(st.integers(0, len(blob) - 1))
    for wrong in (blob[:cut], blob + b"\0", blob[:cut] + blob[cut + 1 :] + b"\x55\x55"):
        with pytest.raises(DefaiError):
            unpack(wrong)


def test_a_tree_without_nodes_becomes_part_of_the_base() -> None:
    constant = Tree((), (), (), (), (77,))
    node = Tree((0,), (5,), (-1,), (-2,), (1, 2))
    assert unpack(pack(Ensemble(100, (constant, node)))) == Ensemble(177, (node,))


def test_a_real_model_comes_back(volatility_model: TrainedModel) -> None:
    blob = pack(volatility_model.ensemble)
    assert unpack(blob) == volatility_model.ensemble


@pytest.mark.parametrize(
    ("at", "value"),
    [(0, 3), (1, 0), (1, 5), (3, 9), (5, 0), (14, 1), (15, 1), (22, 0), (22, 1), (22, 130), (23, 200)],
    ids=str,
)
def test_bytes_that_are_no_ensemble_are_refused(at: int, value: int) -> None:
    """A version, a width, counts, and children that lead backwards or out of the tree."""
    blob = bytearray(pack(Ensemble(0, (Tree((0,), (5,), (-1,), (-2,), (1 << 24, 2)),))))
    assert (blob[22], blob[23]) == (128, 129)
    blob[at] = value
    with pytest.raises(DefaiError):
        unpack(bytes(blob))


def test_the_linear_part_rounds_down() -> None:
    """As the EVM's arithmetic shift does."""
    linear = Linear(((0, 3), (1, -5)), 1)
    assert [linear.predict_x24(row) for row in ((1, 0), (-1, 0), (1, 1), (2, -1))] == [1, -2, -1, 5]
    assert Ensemble(10, (), linear).predict_x24((-1, 0)) == 8
