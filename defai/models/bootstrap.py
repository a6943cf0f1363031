"""Intervals of means and of ratios of means, where neighbours depend on each other (Politis and Romano 1992)."""

import numpy as np

from defai.models.metrics import Floats


def saved_share(
    mine: Floats, theirs: Floats, *, block_length: int, resamples: int, seed: int, level: float = 0.95
) -> tuple[float, float | None, float | None]:
    """One less the ratio of two means, with its interval, by the circular block bootstrap of both together.

    Args:
        mine: shape (n,), in the order of time; for a gain, the model's losses.
        theirs: shape (n,), of the same rows; the baseline's losses. Their mean is not 0.
        block_length: how many neighbours are drawn together; longer than the dependence.
        resamples: how often is drawn.
        seed: of the draws.
        level: share of the draws that lie within the interval.

    Returns:
        The share, and the interval's ends; None where the baseline's losses are so rare that a draw has none of them.
    """
    length = min(block_length, len(mine))
    first, second = _block_sums(mine, length), _block_sums(theirs, length)
    starts = np.random.default_rng(seed).integers(0, len(mine), (resamples, -(-len(mine) // length)))
    share, against = 1 - float(mine.mean() / theirs.mean()), second[starts].sum(axis=1)
    if not np.all(against > 0):
        return share, None, None
    drawn = 1 - first[starts].sum(axis=1) / against
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2])
    return share, float(low), float(high)


def _block_sums(values: Floats, length: int) -> Floats:
    size = len(values)
    sums = np.concatenate(([0.0], np.cumsum(np.concatenate((values, values[:length])))))
    return np.asarray(sums[length : length + size] - sums[:size], dtype=np.float64)
