"""What features contribute adds up to the forecast, exactly as Shapley's axioms say."""

from itertools import permutations

import pytest

from defai.models.attribution import MOST_FEATURES, contributions_x24
from defai.models.ensemble import Ensemble, Linear, Tree

TREES = Ensemble(
    1_000,
    (
        Tree((0, 1), (5, 2), (1, ~1), (~0, ~2), (10, 400, -30)),
        Tree((2,), (0,), (~0,), (~1,), (7, -90)),
    ),
    Linear(((1, 12), (3, 5)), 0),
)
HERE, THERE = (9, 1, 4, 2), (1, 3, -2, 2)


def test_contributions_are_the_average_over_all_orders() -> None:
    told = contributions_x24(TREES, HERE, THERE)
    assert told is not None
    sums = [0.0] * 4
    orders = list(permutations(range(4)))
    for order in orders:
        row = list(THERE)
        for i in order:
            before = TREES.predict_x24(row)
            row[i] = HERE[i]
            sums[i] += TREES.predict_x24(row) - before
    assert told == pytest.approx([total / len(orders) for total in sums])
    assert sum(told) == pytest.approx(TREES.predict_x24(HERE) - TREES.predict_x24(THERE))
    assert told[3] == 0


def test_a_row_like_the_other_owes_nothing_to_anything() -> None:
    assert contributions_x24(TREES, HERE, HERE) == (0.0,) * 4


def test_too_many_features_are_not_tried() -> None:
    wide = MOST_FEATURES + 1
    assert contributions_x24(Ensemble(0, ()), (1,) * wide, (0,) * wide) is None
    assert contributions_x24(Ensemble(0, ()), (1,) * wide, (0, *(1,) * (wide - 1))) is not None
