"""How good a forecast was, in numbers that fit what was forecast."""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.models.targets import VOLATILITIES, Target

Floats: TypeAlias = NDArray[np.float64]

TICK_FLOOR: Final = 1.0
"""Volatilities below one tick, the pool's resolution, count as one tick in QLIKE, whose logarithm has no zero."""


def loss_name(target: Target) -> str:
    """The loss by which a model is compared with its baselines."""
    return "qlike" if target.kind in VOLATILITIES else "squared error"


def losses(target: Target, forecast: Floats, outcome: Floats) -> Floats:
    """The loss of each forecast; lower is better."""
    return qlike(forecast, outcome) if target.kind in VOLATILITIES else (forecast - outcome) ** 2


def measure(target: Target, forecast: Floats, outcome: Floats) -> dict[str, float | None]:
    """All metrics of a target: the loss it is compared by first.

    Args:
        target: what was forecast.
        forecast: shape (n,), in the target's unit.
        outcome: shape (n,), what came of it.
    """
    return {
        loss_name(target): float(losses(target, forecast, outcome).mean()),
        "mae": float(np.abs(forecast - outcome).mean()),
        "r2": r_squared(forecast, outcome),
        "rank_ic": rank_ic(forecast, outcome),
    }


def qlike(forecast: Floats, outcome: Floats) -> Floats:
    """QLIKE of volatilities, on variances: r - ln r - 1 with r = outcome / forecast (Patton 2011, equation 24)."""
    ratio = (np.maximum(outcome, TICK_FLOOR) / np.maximum(forecast, TICK_FLOOR)) ** 2
    return ratio - np.log(ratio) - 1


def r_squared(forecast: Floats, outcome: Floats) -> float | None:
    """Share of the outcome's variance that is explained; None where the outcome never changes."""
    total = float(((outcome - outcome.mean()) ** 2).sum())
    return 1 - float(((outcome - forecast) ** 2).sum()) / total if total else None


def rank_ic(forecast: Floats, outcome: Floats) -> float | None:
    """Spearman's rank correlation, ties averaged; None where either never changes."""
    first, second = _ranks(forecast), _ranks(outcome)
    first, second = first - first.mean(), second - second.mean()
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale else None


def mean_interval(
    values: Floats, *, block_length: int, resamples: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """Interval of a mean of dependent values, by the circular block bootstrap (Politis and Romano 1992).

    Args:
        values: shape (n,), in the order of time.
        block_length: how many neighbours are drawn together; longer than the dependence.
        resamples: how many means are drawn.
        seed: of the draws.
        level: share of the means that lie within the interval.
    """
    size = len(values)
    length = min(block_length, size)
    sums = np.concatenate(([0.0], np.cumsum(np.concatenate((values, values[:length])))))
    block_sums = sums[length : length + size] - sums[:size]
    blocks = -(-size // length)
    starts = np.random.default_rng(seed).integers(0, size, (resamples, blocks))
    means = block_sums[starts].sum(axis=1) / (blocks * length)
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def _ranks(values: Floats) -> Floats:
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    middle = last - (counts - 1) / 2
    return np.asarray(middle[inverse], dtype=np.float64)
