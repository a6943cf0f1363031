"""The compiled walk gives what the walk in Python gives, and nothing is loaded before it pays."""

import os
import pickle
import subprocess
import sys
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from defai.models import compiled_walk
from defai.models.ensemble import Ensemble, Linear, Tree
from defai.models.lightgbm import fit, predict_with_booster

FEATURES = 5
BANDS = (0, 1 << 20, 123_456_789)


def drawn_rows(count: int, seed: int) -> list[tuple[int, ...]]:
    draw = Random(seed)  # noqa: S311  draws test rows
    return [tuple(draw.randrange(-(1 << 20), 1 << 20) for _ in range(FEATURES)) for _ in range(count)]


@pytest.fixture(scope="module")
def fitted() -> tuple[Ensemble, str]:
    rows = drawn_rows(1_500, 1)
    labels = [(row[0] - row[1]) * 8 + abs(row[2]) * 4 for row in rows]
    settings = {"num_leaves": 31, "min_data_in_leaf": 3}
    made = fit(rows, labels, names=tuple("abcde"), parameters=settings, rounds=23, seed=1)
    return made.ensemble, made.text


def plain_span(ensemble: Ensemble, row: tuple[int, ...], band_x24: int) -> tuple[int, int, int]:
    total, said = ensemble.sum_x24(row), ensemble.forecast_x24
    return said(total), said(total - band_x24), said(total + band_x24)


def test_the_compiled_walk_equals_python_and_the_booster(fitted: tuple[Ensemble, str]) -> None:
    ensemble, text = fitted
    assert ensemble.compile()
    thresholds = [tree.threshold for tree in ensemble.trees]
    near = [tuple(threshold[k % len(threshold)] for k in range(FEATURES)) for threshold in thresholds]
    ends = [(2**31 - 1,) * FEATURES, (-(2**31),) * FEATURES, (0,) * FEATURES]
    rows = [*drawn_rows(2_000, 2), *near, *ends]
    ours = [ensemble.predict_x24(row) for row in rows]
    assert ours == [ensemble.sum_x24(row) for row in rows]
    assert ours == predict_with_booster(text, rows)
    assert len(set(ours)) > 1_000


def test_it_raises_two_to_a_power_like_python(fitted: tuple[Ensemble, str]) -> None:
    linear = Linear(((0, 1 << 20), (3, -77)), 20)
    small = tuple(
        replace(tree, leaf_x24=tuple(leaf // 64 for leaf in tree.leaf_x24)) for tree in fitted[0].trees
    )
    ensemble = Ensemble(3 << 24, small, linear, "exp2")
    assert ensemble.compile()
    for row in drawn_rows(300, 3):
        for band in BANDS:
            assert ensemble.span_x24(row, band) == plain_span(ensemble, row, band)


def test_every_power_of_two_and_its_neighbours() -> None:
    ensemble = Ensemble(0, (), Linear(((0, 1),), 0), "exp2")
    assert ensemble.compile()
    draw = Random(4)  # noqa: S311  draws test rows
    exponents = [(whole << 24) + beside for whole in range(-26, 18) for beside in (-1, 0, 1)]
    exponents += [draw.randint(-25 << 24, 16 << 24) for _ in range(2_000)]
    for exponent in exponents:
        assert ensemble.predict_x24((exponent,)) == ensemble.forecast_x24(exponent)


def test_a_forecast_within_a_forecast_has_a_row_of_its_own(fitted: tuple[Ensemble, str]) -> None:
    """As a thread would make it that takes over halfway."""
    ensemble, _ = fitted
    assert ensemble.compile()
    outer, inner = drawn_rows(2, 7)

    class Meanwhile:
        said = 0

        def __index__(self) -> int:
            self.said = ensemble.predict_x24(inner)
            return outer[-1]

    meanwhile: Any = Meanwhile()
    assert ensemble.predict_x24((*outer[:-1], meanwhile)) == ensemble.sum_x24(outer)
    assert meanwhile.said == ensemble.sum_x24(inner) != ensemble.sum_x24(outer)


def test_what_does_not_fit_a_word_is_walked_in_python() -> None:
    huge = Ensemble(1 << 70, (Tree((0,), (5,), (-1,), (-2,), (7, 9)),))
    assert huge.compile()
    assert huge.predict_x24((6,)) == (1 << 70) + 9
    wide = replace(huge, base_x24=0)
    assert wide.compile()
    assert wide.predict_x24((1 << 80,)) == 9
    with pytest.raises(IndexError):
        wide.predict_x24(())


def test_trees_that_do_not_fit_are_never_compiled() -> None:
    odd = Ensemble(0, (Tree((0,), (1 << 40,), (-1,), (-2,), (7, 9)),))
    assert not odd.compile()
    assert odd.predict_x24((1 << 41,)) == 9


def test_a_copy_leaves_its_machine_code_behind(fitted: tuple[Ensemble, str]) -> None:
    ensemble, _ = fitted
    assert ensemble.compile()
    copy = pickle.loads(pickle.dumps(ensemble))  # noqa: S301  made in the line itself
    assert copy == ensemble
    row = drawn_rows(1, 5)[0]
    assert copy.predict_x24(row) == ensemble.predict_x24(row)


def test_it_is_compiled_once_it_has_paid(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compiled_walk, "WORTH_LOADING", 100)
    monkeypatch.setattr(compiled_walk, "WORTH_USING", 50)
    walked = compiled_walk.Walked()
    assert [walked.worth_compiling(45) for _ in range(3)][-1]
    hopeless = compiled_walk.Walked(hopeless=True)
    assert not any(hopeless.worth_compiling(1_000) for _ in range(3))


def test_few_forecasts_load_neither_numpy_nor_a_compiler() -> None:
    """A fleet's first decision would wait for them."""
    code = (
        "import sys\n"
        "from defai.models.ensemble import Ensemble, Tree\n"
        "e = Ensemble(1, (Tree((0,), (5,), (-1,), (-2,), (7, 9)),) * 60)\n"
        "assert [e.predict_x24((4,)) for _ in range(1000)] == [421] * 1000\n"
        "sys.exit('numba' in sys.modules or 'numpy' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, check=False, timeout=600)
    assert done.returncode == 0
