"""Looks for what a walk forward must not know: labels that reach into a test, and fits that depend on it."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from defai.errors import DefaiError
from defai.features.table import Integers
from defai.models.folds import Fold
from defai.models.panel import Panel

Fit = Callable[[Panel, NDArray[np.int64]], object]
"""Something learnt from samples of a panel: a digest, coefficients, forecasts of the training samples."""


class LeakError(DefaiError):
    """A fold that would be tested on what its model was trained on."""


def require_purged(folds: Sequence[Fold], timestamps: Integers, *, horizon_s: int, embargo_s: int) -> None:
    """Refuse folds with a training label that ends within the embargo before the test, or after its beginning.

    Args:
        folds: indices of samples.
        timestamps: when each sample's features are known.
        horizon_s: how long after that its label is.
        embargo_s: what must lie between the end of a label and the test.

    Raises:
        LeakError: naming the first such fold.
    """
    for number, fold in enumerate(folds, start=1):
        touching = int((timestamps[fold.train] + horizon_s + embargo_s >= timestamps[fold.test].min()).sum())
        if touching:
            raise LeakError(
                f"In fold {number}, {touching} training labels reach into the test or its embargo.",
                "Purge as many samples as the target's horizon.",
            )


def sees_the_test(fit: Fit, panel: Panel, fold: Fold) -> bool:
    """Whether what is learnt changes when everything from the test on is replaced by something else.

    Scaling by statistics of the whole set, or choosing by results of the test, shows here.

    Args:
        fit: deterministic.
        panel: what is learnt from.
        fold: its training samples are handed to `fit`.
    """
    honest = fit(panel, fold.train)
    begins = int(fold.test.min())
    values, outcome, guide = panel.values.copy(), panel.outcome.copy(), panel.guide.copy()
    for column in (values, outcome, guide):
        column[begins:] = column[begins:][::-1] * 3 + 1
    other = fit(replace(panel, values=values, outcome=outcome, guide=guide), fold.train)
    return not _same(honest, other)


def _same(one: object, other: object) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, np.asarray(other))
    return one == other
