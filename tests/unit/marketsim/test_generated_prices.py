"""Generated prices have the statistics their module states, and are the same everywhere."""

from decimal import Decimal
from itertools import islice
from math import log

import numpy as np
import pytest

from defai.marketsim.generated_prices import SECONDS_A_YEAR, GeneratedPath, PathShape, Regime, generate

BLOCKS = 60_000
SEEDS = (1, 2, 3)
PINNED = ["2000.000000000", "1999.916371229", "2031.468182251", "2021.975703867"]
"""Seed 7 at blocks 0, 1, 1,024 and 5,000."""


@pytest.fixture(scope="module")
def returns() -> np.ndarray:
    prices = np.array(
        [[float(point.quote_per_base) for point in islice(generate(seed), BLOCKS)] for seed in SEEDS]
    )
    return np.diff(np.log(prices), axis=1)


@pytest.fixture(scope="module")
def regimes() -> np.ndarray:
    paths = [generate(seed) for seed in SEEDS]
    return np.array([[path.regime(index).value for index in range(1, BLOCKS)] for path in paths])


def _annual(deviation: float, block_seconds: int = 12) -> float:
    return float(deviation * (SECONDS_A_YEAR / block_seconds) ** 0.5)


def _autocorrelation(rows: np.ndarray, lag: int) -> float:
    return float(np.mean([np.corrcoef(row[:-lag], row[lag:])[0, 1] for row in rows]))


@pytest.mark.parametrize(
    ("regime", "volatility", "share"),
    [(Regime.CALM, 0.49, 0.65), (Regime.TREND, 0.64, 0.23), (Regime.TURBULENT, 1.48, 0.12)],
)
def test_each_regime_has_its_volatility_and_its_share_of_time(
    returns: np.ndarray, regimes: np.ndarray, regime: Regime, volatility: float, share: float
) -> None:
    inside = regimes == regime.value
    assert _annual(returns[inside].std()) == pytest.approx(volatility, rel=0.1)
    assert inside.mean() == pytest.approx(share, rel=0.3)


def test_tails_are_heavy(returns: np.ndarray) -> None:
    standard = (returns - returns.mean()) / returns.std()
    assert 8 < (standard**4).mean() < 30


def test_volatility_clusters_and_fades(returns: np.ndarray) -> None:
    near, middle, far = (_autocorrelation(returns**2, lag) for lag in (1, 10, 50))
    assert near > 0.1
    assert near > middle > far > 0.01


def test_returns_are_nearly_unpredictable(returns: np.ndarray) -> None:
    assert abs(_autocorrelation(returns, 1)) < 0.02
    assert abs(returns.mean()) < 4 * returns.std() / returns.size**0.5


def test_volatility_clusters_within_a_regime_too(returns: np.ndarray, regimes: np.ndarray) -> None:
    calm = np.where(regimes == Regime.CALM.value, returns**2, np.nan)
    before, after = calm[:, :-1].ravel(), calm[:, 1:].ravel()
    both = ~(np.isnan(before) | np.isnan(after))
    moderate = both & (before < np.nanquantile(before, 0.999)) & (after < np.nanquantile(after, 0.999))
    assert np.corrcoef(before[moderate], after[moderate])[0, 1] > 0.05


def test_volatility_scales_with_the_time_between_blocks() -> None:
    hourly = np.array(
        [float(point.quote_per_base) for point in islice(generate(4, block_seconds=600), 30_000)]
    )
    assert _annual(np.diff(np.log(hourly)).std(), 600) == pytest.approx(0.72, rel=0.25)


def test_the_same_seed_gives_the_same_path_and_another_another() -> None:
    first, again, other = (list(islice(generate(seed), 3_000)) for seed in (7, 7, 8))
    assert first == again
    assert first[0] == other[0]
    assert sum(a.quote_per_base == b.quote_per_base for a, b in zip(first, other, strict=True)) < 10


def test_a_path_is_what_it_was_on_another_machine() -> None:
    path = generate(7)
    assert [str(path[index].quote_per_base) for index in (0, 1, 1_024, 5_000)] == PINNED


def test_points_can_be_read_in_any_order() -> None:
    straight = [point.quote_per_base for point in islice(generate(5), 20_000)]
    path = generate(5)
    for index in (19_999, 3, 12_345, 1_023, 1_024, 0, 19_998):
        assert path[index].quote_per_base == straight[index]


def test_memory_stays_small() -> None:
    path = generate(5)
    for index in range(0, 60_000, 512):
        path[index]
    assert len(path._chunks) <= 8


def test_timestamps_and_length() -> None:
    path = generate(1, Decimal("0.00042"), 60, length=5, start_timestamp=1_000)
    assert [point.timestamp for point in path] == [1_000, 1_060, 1_120, 1_180, 1_240]
    assert path[0].quote_per_base == Decimal("0.00042")
    assert abs(log(float(path[4].quote_per_base) / 0.00042)) < 0.1


@pytest.mark.parametrize(("start", "seconds"), [(Decimal(0), 12), (Decimal(-1), 12), (Decimal(1), 0)])
def test_a_path_needs_a_positive_start_and_step(start: Decimal, seconds: int) -> None:
    with pytest.raises(ValueError, match="positive"):
        generate(1, start, seconds)


def test_a_shape_may_not_explode() -> None:
    with pytest.raises(ValueError, match="below one"):
        PathShape(arch=0.2, persistence=0.8)


def test_typical_move_is_that_of_calm() -> None:
    path = generate(1)
    assert isinstance(path, GeneratedPath)
    moves = sorted(path.move_pips(index) for index in range(1, 20_000) if path.regime(index) is Regime.CALM)
    assert path.typical_move_pips == pytest.approx(moves[len(moves) // 2], rel=0.15)
