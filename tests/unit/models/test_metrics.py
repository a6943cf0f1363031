"""Metrics by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.models.bootstrap import saved_share
from defai.models.metrics import Floats, losses, mean_interval, measure, qlike, r_squared, rank_ic
from defai.models.targets import Target


def floats(*values: float) -> Floats:
    return np.array(values, dtype=np.float64)


def test_qlike_is_nothing_for_a_perfect_forecast_and_known_for_a_doubled_one() -> None:
    loss = qlike(floats(10, 20, 0.2), floats(10, 10, 0.5))
    assert loss == pytest.approx([0, 0.25 - np.log(0.25) - 1, 0])


@given(st.floats(1, 1e4), st.floats(1, 1e4))
def test_qlike_is_lowest_at_the_outcome(forecast: float, outcome: float) -> None:
    assert qlike(floats(forecast), floats(outcome))[0] >= -1e-12


def test_r2_of_the_mean_is_zero_and_of_the_truth_one() -> None:
    outcome = floats(1, 2, 6)
    assert r_squared(floats(3, 3, 3), outcome) == pytest.approx(0)
    assert r_squared(outcome, outcome) == 1
    assert r_squared(floats(1, 2), floats(4, 4)) is None


def test_rank_ic_with_ties() -> None:
    assert rank_ic(floats(1, 5, 9), floats(-3, 0, 100)) == pytest.approx(1)
    assert rank_ic(floats(1, 5, 9), floats(3, 2, 1)) == pytest.approx(-1)
    assert rank_ic(floats(1, 1, 2, 3), floats(1, 2, 3, 4)) == pytest.approx(4.5 / np.sqrt(4.5 * 5))
    assert rank_ic(floats(0, 0), floats(1, 2)) is None


def test_each_target_has_its_loss() -> None:
    forecast, outcome = floats(2, 4), floats(4, 4)
    assert losses(Target("return", 1), forecast, outcome) == pytest.approx([4, 0])
    assert list(measure(Target("return", 1), forecast, outcome)) == ["squared error", "mae", "r2", "rank_ic"]
    assert next(iter(measure(Target("volatility", 1), forecast, outcome))) == "qlike"


def test_the_interval_is_about_as_wide_as_theory_has_it() -> None:
    values = np.random.default_rng(1).normal(0.5, 1.0, 4_000)
    low, high = mean_interval(values, block_length=1, resamples=2_000, seed=1)
    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / np.sqrt(4_000), rel=0.1)


def test_longer_blocks_see_dependence() -> None:
    """Each value repeated twenty times: blocks must not take them for twenty observations."""
    values = np.repeat(np.random.default_rng(2).normal(0.0, 1.0, 300), 20)
    naive = mean_interval(values, block_length=1, resamples=500, seed=1)
    honest = mean_interval(values, block_length=100, resamples=500, seed=1)
    assert honest[1] - honest[0] > 3 * (naive[1] - naive[0])


def test_the_interval_is_the_same_for_the_same_seed() -> None:
    values = np.arange(100, dtype=np.float64)
    first = mean_interval(values, block_length=200, resamples=50, seed=3)
    assert first == mean_interval(values, block_length=200, resamples=50, seed=3)
    assert first != mean_interval(values, block_length=10, resamples=50, seed=3)


def test_a_share_of_losses_that_hardly_ever_happen_has_no_interval() -> None:
    theirs = np.zeros(400)
    theirs[7] = 1.0
    mine = theirs / 2
    share, low, high = saved_share(mine, theirs, block_length=4, resamples=200, seed=1)
    assert (share, low, high) == (0.5, None, None)
    often = np.ones(400)
    _, low, high = saved_share(often / 4, often, block_length=4, resamples=200, seed=1)
    assert low is not None
    assert high is not None
    assert low <= 0.75 <= high
