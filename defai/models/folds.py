"""Windows of time that move forward, purged of labels that touch what is tested, as `defai walk-forward` runs them.

Names after FreqAI: `train_period_days` slides the training window, `live_retrain_hours` says how long a model serves
until the next is trained. Unlike there, labels that end within the embargo before a test window are left out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from defai.errors import ConfigError
from defai.features.table import Integers

DAY_S: Final = 86_400
FEWEST: Final = 200
"""Samples that a model must at least be trained on."""


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Indices of samples, both rising; those trained on have labels that end before the test, embargo included."""

    train: NDArray[np.int64]
    test: NDArray[np.int64]


def windows(
    timestamps: Integers,
    *,
    horizon_s: int,
    embargo_s: int,
    folds: int,
    test_from: int | None = None,
    train_period_days: float | None = None,
    live_retrain_hours: float = 0.0,
    train_until: int | None = None,
) -> tuple[Fold, ...]:
    """The folds of a walk forward over samples.

    Args:
        timestamps: when each sample's features are known, rising, shape (n,).
        horizon_s: how long after that its label is.
        embargo_s: so much longer must pass from the end of a training label to the first tested sample.
        folds: how many test windows of equal length, where `live_retrain_hours` is 0.
        test_from: where the first begins; by default 40 % into the time.
        train_period_days: how far back a model's training goes; by default to the beginning.
        live_retrain_hours: the length of a test window.
        train_until: no label that is trained on ends at this moment or later, whatever is tested.

    Raises:
        ConfigError: where a fold would have too few samples to train on, or none to test.
    """
    if not len(timestamps):
        raise ConfigError("There is no sample to train on.", "The features may need a longer history.")
    start, stop = int(timestamps[0]), int(timestamps[-1]) + 1
    begin = start + (stop - start) * 2 // 5 if test_from is None else test_from
    length = round(live_retrain_hours * 3_600) if live_retrain_hours else -(-(stop - begin) // folds)
    made: list[Fold] = []
    for opening in range(begin, stop, max(length, 1)):
        last = opening - horizon_s - embargo_s
        if train_until is not None:
            last = min(last, train_until - horizon_s)
        train = _between(timestamps, last, train_period_days)
        test = np.flatnonzero((timestamps >= opening) & (timestamps < opening + length))
        if len(train) < FEWEST:
            raise ConfigError(
                f"A fold has {len(train)} samples to train on; it takes {FEWEST}.",
                "Give a longer history, or a longer train_period_days.",
            )
        if len(test):
            made.append(Fold(train, test))
    if not made:
        raise ConfigError("No sample lies in a test window.", "Let the test begin earlier.")
    return tuple(made)


def _between(timestamps: Integers, last: int, train_period_days: float | None) -> NDArray[np.int64]:
    known = timestamps < last
    if train_period_days is not None:
        known &= timestamps >= last - train_period_days * DAY_S
    return np.flatnonzero(known)


def purged_tail(
    timestamps: Integers, *, horizon_s: int, embargo_s: int, share: float
) -> tuple[Integers, Integers]:
    """Training samples parted in time: those before, purged of what touches the tail, and the tail, as indices."""
    cut = len(timestamps) - max(int(len(timestamps) * share), 1)
    opening = int(timestamps[cut])
    return np.flatnonzero(timestamps < opening - horizon_s - embargo_s), np.arange(cut, len(timestamps))
