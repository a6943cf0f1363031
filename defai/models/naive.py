"""The forecasts that a model stands beside, each by its full name; those with coefficients are fitted to each fold."""

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from defai.models.folds import Fold
from defai.models.har import fit_log_har
from defai.models.labels import labels
from defai.models.metrics import TICK_FLOOR, Floats
from defai.models.panel import Panel
from defai.models.start import Start
from defai.models.targets import VOLATILITIES

STRONG_HAR: Final = "strong HAR"
LOG_HAR: Final = "log-HAR"
EWMA_DECAY: Final = 0.94
_SEASONAL_S: Final = 14 * 86_400
_RIDGE: Final = 1e-2
_LARGEST_TERM: Final = 6

Naive = Callable[[Panel, Fold], Floats]
"""Forecasts for the fold's test samples, from what its training samples tell."""


def naive_forecasts(panel: Panel, fold: Fold) -> dict[str, Floats]:
    """What each baseline of the panel's target says on a fold's test samples, in the target's unit."""
    return {name: one(panel, fold) for name, one in _naive_of(panel).items()}


def strong_har(
    panel: Panel, train: NDArray[np.int64], weights: Floats | None = None, *, guided: bool = False
) -> Start:
    """Log-HAR on Parkinson's components with terms of hours and weekdays, fitted to samples' outcomes, or guides.

    Samples of less than two weeks, where a weekday's term would be that of a single day, have none.
    """
    span_s = int(panel.timestamps[train[-1]] - panel.timestamps[train[0]])
    return fit_log_har(
        panel.values[train],
        (panel.guide if guided else panel.outcome)[train],
        names=panel.spec.names,
        components=panel.components("log_parkinson"),
        seasonal=span_s >= _SEASONAL_S,
        weights=weights,
    )


def _naive_of(panel: Panel) -> dict[str, Naive]:
    kind = panel.target.kind
    if kind in VOLATILITIES:
        own, other = ("log_parkinson", "log_volatility")
        if kind == "volatility":
            own, other = other, own
        said = {"log_parkinson": "Parkinson", "log_volatility": "squared moves"}
        return {
            "persistence": _persistence,
            f"EWMA {EWMA_DECAY}": _ewma,
            "HAR-RV on levels": _har_levels,
            LOG_HAR: _log_har(own),
            f"log-HAR on {said[other]}": _log_har(other),
            STRONG_HAR: lambda panel, fold: strong_har(panel, fold.train).forecasts(panel.values[fold.test]),
        }
    if kind in {"return", "net_return"}:
        return {"zero": lambda _, fold: np.zeros(len(fold.test)), "ridge": _ridge}
    if kind == "survival":
        return {"how often it did": _mean, "walk under EWMA": _walk}
    return {"mean": _mean, "linear AR": _autoregression}


def _past(panel: Panel, lag: int) -> Floats:
    """The outcome that was known `lag` horizons ago, at every row; not a number where it was not."""
    whole = labels(panel.rows, panel.target)
    shift = lag * panel.target.horizon_blocks
    answer = np.full(len(whole), np.nan)
    answer[shift:] = whole[: len(whole) - shift]
    return answer


def _persistence(panel: Panel, fold: Fold) -> Floats:
    past = _past(panel, 1)[panel.positions]
    return np.where(np.isfinite(past), past, _trained(panel, fold))[fold.test]


def _trained(panel: Panel, fold: Fold) -> float:
    return float(panel.outcome[fold.train].mean())


def _mean(panel: Panel, fold: Fold) -> Floats:
    return np.full(len(fold.test), _trained(panel, fold))


def _ewma_variances(panel: Panel, values: Floats) -> Floats:
    """The variance a row to come, exponentially weighted, as of each sample."""
    level, weight, smooth = 0.0, 0.0, np.empty(len(values))
    for index, value in enumerate(values.tolist()):
        level = EWMA_DECAY * level + (1 - EWMA_DECAY) * value
        weight = EWMA_DECAY * weight + (1 - EWMA_DECAY)
        smooth[index] = level / weight
    return np.asarray(smooth[panel.positions], dtype=np.float64)


def _ewma(panel: Panel, fold: Fold) -> Floats:
    return np.sqrt(_ewma_variances(panel, panel.variances()) * panel.target.horizon_blocks)[fold.test]


def _har_levels(panel: Panel, fold: Fold) -> Floats:
    """Least squares of the variance on its means over the components (Corsi 2009), not below a squared tick."""
    sums = np.concatenate(([0.0], np.cumsum(panel.variances())))
    now = panel.positions + 1
    parts = [(sums[now] - sums[np.maximum(now - window, 0)]) / window for window in panel.har_windows]
    design = np.stack([np.ones(len(now)), *parts], axis=1)
    wanted = panel.outcome**2
    solution = np.linalg.lstsq(design[fold.train], wanted[fold.train], rcond=None)[0]
    forecast = np.maximum(design[fold.test] @ solution, TICK_FLOOR)
    return np.asarray(np.sqrt(forecast), dtype=np.float64)


def _log_har(family: str) -> Naive:
    def forecast(panel: Panel, fold: Fold) -> Floats:
        fitted = fit_log_har(
            panel.values[fold.train],
            panel.outcome[fold.train],
            names=panel.spec.names,
            components=panel.components(family),
            seasonal=False,
        )
        return fitted.forecasts(panel.values[fold.test])

    return forecast


def _ridge(panel: Panel, fold: Fold) -> Floats:
    """Ridge regression on the features, each scaled by what it was in training."""
    known = panel.values[fold.train].astype(np.float64)
    middle, spread = known.mean(axis=0), np.maximum(known.std(axis=0), 1e-9)
    design = (known - middle) / spread
    level = _trained(panel, fold)
    penalty = _RIDGE * len(design) * np.eye(design.shape[1])
    solution = np.linalg.solve(design.T @ design + penalty, design.T @ (panel.outcome[fold.train] - level))
    return np.asarray(level + (panel.values[fold.test] - middle) / spread @ solution, dtype=np.float64)


def _autoregression(panel: Panel, fold: Fold) -> Floats:
    """Least squares on the outcome known now and the one before it."""
    level = _trained(panel, fold)
    parts = [np.nan_to_num(_past(panel, lag)[panel.positions], nan=level) for lag in (1, 2)]
    design = np.stack([np.ones(len(panel.positions)), *parts], axis=1)
    solution = np.linalg.lstsq(design[fold.train], panel.outcome[fold.train], rcond=None)[0]
    return np.asarray(design[fold.test] @ solution, dtype=np.float64)


def _walk(panel: Panel, fold: Fold) -> Floats:
    """The chance that a Brownian path stays within the band (Feller 1971, X.5), of EWMA's volatility."""
    variance = _ewma_variances(panel, variances_of_moves(panel)) * panel.target.horizon_blocks
    ratio = np.maximum(variance[fold.test], 1e-9) / panel.target.parameter**2
    answer = np.zeros(len(ratio))
    for term in range(_LARGEST_TERM):
        odd = 2 * term + 1
        answer += (-1) ** term / odd * np.exp(-((odd * np.pi) ** 2) * ratio / 8)
    return np.clip(4 / np.pi * answer, 0.0, 1.0)


def variances_of_moves(panel: Panel) -> Floats:
    """Squared moves of each row of the panel's history."""
    tick = np.array([row.tick for row in panel.rows], dtype=np.float64)
    return np.diff(tick, prepend=tick[:1]) ** 2
