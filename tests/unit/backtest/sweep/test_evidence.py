"""What the best of many is worth."""

from statistics import NormalDist

import numpy as np
import pytest

from defai.backtest.metrics import moments_of_returns
from defai.backtest.sweep.evidence import (
    Sharpe,
    deflated_sharpe_ratio,
    evidence_of,
    expected_largest,
    warning,
)
from defai.backtest.sweep.ranking import ranked, refuse_unknown_objective
from defai.errors import ConfigError


def test_the_papers_own_example_comes_out() -> None:
    """Bailey and Lopez de Prado (2014): 100 trials of variance 1/2 a year, 1,250 days, SR 2.5 a year."""
    spread = (0.5 / 250) ** 0.5
    threshold = expected_largest([-spread / 2**0.5, spread / 2**0.5], 100)
    assert threshold == pytest.approx(0.1132, abs=5e-5)
    best = Sharpe(ratio=2.5 / 250**0.5, returns=1_250, skewness=-3, kurtosis=10)
    assert deflated_sharpe_ratio(best, 0.1132) == pytest.approx(0.9004, abs=5e-4)


def test_the_best_of_noise_is_as_large_as_expected() -> None:
    draws = np.random.default_rng(5).normal(0, 0.1, (400, 50))
    expected = [expected_largest(list(row), 50) for row in draws]
    assert np.mean(draws.max(axis=1)) == pytest.approx(np.mean(np.array(expected, dtype=float)), rel=0.03)


def test_moments_are_those_of_the_returns() -> None:
    made = np.random.default_rng(1).normal(0.001, 0.01, 20_000)
    moments = moments_of_returns(np.cumprod(np.append(1.0, 1 + made)))
    assert moments is not None
    assert moments[0] == 20_000
    assert moments[1] == pytest.approx(float(np.mean(made) / np.std(made, ddof=1)))
    assert moments[2] == pytest.approx(0, abs=0.06)
    assert moments[3] == pytest.approx(3, abs=0.12)
    assert moments_of_returns(np.ones(10)) is None
    assert moments_of_returns(np.array([1.0, 1.1, 1.2])) is None


def test_a_warning_grows_with_what_it_warns_of() -> None:
    assert warning(1, None) == ""
    assert "64 trials" in warning(64, None)
    assert "unmeasured" in warning(64, None)
    assert "luck explains" in warning(64, 0.5)
    assert "hardly" in warning(64, 0.99)
    shape = {"hourly_returns": 100, "hourly_skewness": 0.0, "hourly_kurtosis": 3.0}
    rows = [{"hourly_sharpe": ratio, **shape} for ratio in (0.0, 0.1, 0.3)]
    found = evidence_of(rows[2], rows, trials=3)
    assert 0 < found["deflated_sharpe_ratio"] < NormalDist().cdf(0.3 * 99**0.5)
    assert evidence_of(None, rows, trials=3)["deflated_sharpe_ratio"] is None


def test_the_best_is_best_in_all_windows_together() -> None:
    def row(run: int, value: float | None, error: str | None = None) -> dict[str, object]:
        return {"run": run, "final_usd": value, "max_drawdown": value, "param_w": run % 4, "error": error}

    rows = [row(0, 3.0), row(1, 5.0), row(2, None), row(3, 9.0), row(4, 3.0), row(5, 2.0), row(6, 8.0)]
    rows.append(row(7, None, "it broke"))
    found = ranked(rows, "final_usd", windows=2, group=lambda one: int(one["run"]) % 4)
    assert [(one.value, one.worst, one.runs) for one in found] == [(3.5, 2.0, (1, 5)), (3.0, 3.0, (0, 4))]
    less = ranked(rows, "max_drawdown", windows=2, group=lambda one: int(one["run"]) % 4)
    assert [one.runs for one in less] == [(0, 4), (1, 5)]
    assert less[1].worst == 5.0
    with pytest.raises(ConfigError, match="Did you mean sharpe_ratio"):
        refuse_unknown_objective("sharp_ratio")
