"""Figures worked out by hand, and what must hold for any path."""

from math import inf, sqrt

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from defai.backtest import metrics
from defai.backtest.metrics import HeldBand, Series, Times

PRICES = st.lists(st.floats(50, 5_000), min_size=2, max_size=60)
WORTHS = st.lists(st.floats(1, 1e6), min_size=3, max_size=60)


def series(*values: float) -> Series:
    return np.array(values, dtype=np.float64)


def minutes(count: int, step: int = 60) -> Times:
    return np.arange(count, dtype=np.int64) * step


@st.composite
def banded_paths(draw: st.DrawFn) -> tuple[Series, HeldBand]:
    path = series(*draw(PRICES))
    lower = draw(st.floats(10, 4_000))
    upper = draw(st.one_of(st.just(inf), st.floats(1.001, 10).map(lambda wide: lower * wide)))
    return path, HeldBand(0, len(path) - 1, draw(st.floats(0.1, 1e6)), lower, upper)


FULL = HeldBand(0, 2, 1.0, 0.0, inf)


def test_a_constant_product_there_and_back_by_hand() -> None:
    """L = 1 from 100 to 121 and back: V = 2 sqrt(p), x = 1 / sqrt(p); LVR = (2.1 - 2) + (2 - 21/11)."""
    path = series(100, 121, 100)
    assert FULL.worth(path) == pytest.approx([20, 22, 20])
    assert FULL.base(path) == pytest.approx([0.1, 1 / 11, 0.1])
    assert metrics.impermanent_loss(path, [FULL]) == pytest.approx(0, abs=1e-12)
    lvr = metrics.loss_versus_rebalancing(minutes(3), path, [FULL], 60)
    assert lvr == pytest.approx(0.1 + 1 / 11)
    assert metrics.impermanent_loss(path[:2], [HeldBand(0, 1, 1.0, 0.0, inf)]) == pytest.approx(0.1)


def test_the_interval_of_lvr_matters() -> None:
    path = series(100, 121, 100)
    assert metrics.loss_versus_rebalancing(minutes(3), path, [FULL], 120) == pytest.approx(0)
    assert metrics.loss_versus_rebalancing(minutes(3), path, [FULL]) == pytest.approx(0)


def test_a_band_by_hand() -> None:
    """Between 81 and 121 with L = 10, at 100: base 10 (1/10 - 1/11), numeraire 10 (10 - 9)."""
    band = HeldBand(0, 1, 10.0, 81.0, 121.0)
    assert band.base(series(64, 81, 100, 121, 144)) == pytest.approx(
        [10 * (1 / 9 - 1 / 11), 10 * (1 / 9 - 1 / 11), 10 * (1 / 10 - 1 / 11), 0, 0]
    )
    assert band.worth(series(100)) == pytest.approx([100 * 10 * (1 / 10 - 1 / 11) + 10])
    assert band.worth(series(144, 200)) == pytest.approx([20, 20])


def test_several_bands_add_up() -> None:
    path, times = series(100, 110, 121, 100), minutes(4)
    first, second = HeldBand(0, 1, 2.0, 50.0, 200.0), HeldBand(1, 3, 3.0, 90.0, 130.0)
    losses = [metrics.impermanent_loss(path, bands) or 0 for bands in ([first], [second], [first, second])]
    rebalanced = [
        metrics.loss_versus_rebalancing(times, path, bands, 60) or 0
        for bands in ([first], [second], [first, second])
    ]
    assert losses[0] + losses[1] == pytest.approx(losses[2])
    assert rebalanced[0] + rebalanced[1] == pytest.approx(rebalanced[2])
    assert losses[2] > 0


@given(banded_paths())
def test_lvr_and_impermanent_loss_are_never_gains(drawn: tuple[Series, HeldBand]) -> None:
    path, band = drawn
    slack = 1e-9 * float(np.max(band.worth(path)) + np.max(path) * np.max(band.base(path)))
    lvr = metrics.loss_versus_rebalancing(minutes(len(path)), path, [band], 60)
    loss = metrics.impermanent_loss(path, [band])
    assert lvr is not None
    assert loss is not None
    assert lvr >= -slack
    assert loss >= -slack


@given(banded_paths())
def test_lvr_over_one_interval_is_the_impermanent_loss(drawn: tuple[Series, HeldBand]) -> None:
    path, band = drawn
    one = metrics.loss_versus_rebalancing(minutes(len(path)), path, [band], 60 * len(path))
    scale = float(np.max(band.worth(path)) + np.max(path) * np.max(band.base(path)))
    assert one == pytest.approx(metrics.impermanent_loss(path, [band]), abs=1e-9 * scale)


@given(banded_paths())
def test_worth_is_concave_and_its_slope_is_the_base(drawn: tuple[Series, HeldBand]) -> None:
    path, band = drawn
    for other in path[1:]:
        begin, end = series(path[0]), series(other)
        tangent = band.worth(begin) + band.base(begin) * (end - begin)
        assert band.worth(end)[0] <= tangent[0] + 1e-9 * (abs(tangent[0]) + band.worth(begin)[0])


@given(PRICES, st.floats(0, 100), st.floats(0, 1e5), st.integers(60, 3_600))
def test_holding_gains_nothing_once_hedged(path: list[float], base: float, cash: float, step: int) -> None:
    prices = series(*path)
    owned = np.full(len(prices), base)
    made = metrics.delta_hedged_pnl(minutes(len(path)), cash + owned * prices, owned, prices, step)
    assert made == pytest.approx(0, abs=1e-9 * (cash + base * 5_000 + 1))


def test_a_hedged_position_loses_its_lvr_and_keeps_its_fees() -> None:
    path, fees = series(100, 121, 100), series(0, 3, 5)
    made = metrics.delta_hedged_pnl(minutes(3), FULL.worth(path) + fees, FULL.base(path), path, 60)
    assert made == pytest.approx(5 - (0.1 + 1 / 11))


@given(WORTHS)
def test_a_drawdown_is_a_share_and_does_not_know_the_currency(values: list[float]) -> None:
    equity = series(*values)
    fall = metrics.max_drawdown(equity)
    assert fall is not None
    assert 0 <= fall < 1
    assert metrics.max_drawdown(equity * 7.5) == pytest.approx(fall)
    assert metrics.max_drawdown(np.maximum.accumulate(equity)) == 0
    assert metrics.max_drawdown(np.append(equity, equity[-1] * 2)) == fall


@given(WORTHS, st.floats(0.01, 100))
def test_ratios_do_not_know_the_currency_and_have_the_sign_of_the_mean(
    values: list[float], scale: float
) -> None:
    equity = series(*values)
    made = metrics.returns(equity)
    assert made is not None
    assume(np.std(made) > 1e-6)
    sharpe, sortino = metrics.sharpe_ratio(equity, 60), metrics.sortino_ratio(equity, 60)
    assert sharpe == pytest.approx(metrics.sharpe_ratio(equity * scale, 60), rel=1e-6, abs=1e-6)
    assert sharpe is not None
    if sortino is not None:
        assert np.sign(sharpe) == np.sign(sortino)


def test_ratios_by_hand() -> None:
    """Returns of +10 %, -5 %, +10 %: mean 0.05, deviation sqrt(0.0075), downside sqrt(0.0025 / 3)."""
    equity = series(100, 110, 104.5, 114.95)
    yearly = sqrt(365)
    assert metrics.sharpe_ratio(equity, 86_400) == pytest.approx(0.05 / sqrt(0.0075) * yearly)
    assert metrics.sortino_ratio(equity, 86_400) == pytest.approx(0.05 / sqrt(0.0025 / 3) * yearly)
    assert metrics.sharpe_ratio(equity, 60) == pytest.approx(0.05 / sqrt(0.0075) * sqrt(525_600))
    assert metrics.max_drawdown(series(100, 120, 90, 150, 140)) == pytest.approx(0.25)


def test_time_in_range_is_weighted_by_time() -> None:
    times = np.array([0, 60, 180, 240], dtype=np.int64)
    band = HeldBand(0, 3, 1.0, 90.0, 110.0)
    assert metrics.in_range_ratio(times, series(100, 120, 100, 50), [band]) == pytest.approx(120 / 240)
    upper_edge = series(110, 110, 110, 110)
    assert metrics.in_range_ratio(times, upper_edge, [band]) == 1
    assert metrics.in_range_ratio(times, upper_edge - 20, [band]) == 0


def test_a_grid_takes_the_latest_row_at_or_before_each_step() -> None:
    times = np.array([0, 10, 899, 901, 1_800, 1_950], dtype=np.int64)
    assert metrics.sample_rows(times, 900).tolist() == [0, 2, 4, 5]
    assert metrics.sample_rows(times[:1], 900).tolist() == [0]


def test_what_cannot_be_measured_is_none() -> None:
    flat, two = series(100, 100, 100), series(100, 101)
    assert metrics.sharpe_ratio(flat, 60) is None
    assert metrics.sharpe_ratio(two, 60) is None
    assert metrics.sharpe_ratio(series(100, 110, 121), 60) is None, "a constant return does not vary"
    assert metrics.sortino_ratio(series(100, 110, 130), 60) is None, "nothing fell"
    assert metrics.sharpe_ratio(series(100, 0, 100), 60) is None
    assert metrics.max_drawdown(series()) is None
    assert metrics.max_drawdown(series(0, 1)) is None
    assert metrics.impermanent_loss(two, []) is None
    assert metrics.loss_versus_rebalancing(minutes(2), two, []) is None
    assert metrics.delta_hedged_pnl(minutes(1), two[:1], two[:1], two[:1]) is None
    assert metrics.in_range_ratio(minutes(2), two, []) is None
    assert metrics.in_range_ratio(minutes(2), two, [HeldBand(1, 1, 1.0, 1.0, 2.0)]) is None
    assert metrics.turnover_ratio(1.0, series()) is None
    assert metrics.turnover_ratio(50.0, series(100, 100)) == 0.5
    assert metrics.mean_and_standard_error([]) is None
    assert metrics.mean_and_standard_error([3.0]) == (3.0, None)
    assert metrics.mean_and_standard_error([1.0, 3.0]) == pytest.approx((2.0, 1.0))
