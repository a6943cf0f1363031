"""Folds that move forward in time, with nothing of a test fold in the labels trained on.

Purging and embargo after López de Prado, Advances in Financial Machine Learning (2018), chapter 7.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from defai.errors import ConfigError

FEWEST_TRAINING_SAMPLES: Final = 200


@dataclass(frozen=True, slots=True)
class Split:
    """Indices of the samples to train on and of those to test on; all of the former lie before the latter."""

    train: range
    test: range


def walk_forward(
    samples: int, *, folds: int, horizon: int, embargo: int, test_share: float = 0.6
) -> tuple[Split, ...]:
    """Splits whose test ranges follow each other to the end; each trains on everything long enough before.

    The label of sample i looks at samples i+1 to i+horizon, so the last `horizon` samples before a test range are
    purged; `embargo` more are left out, since features look back.

    Args:
        samples: how many there are, in the order of time.
        folds: how many test ranges.
        horizon: of the label, in samples.
        embargo: samples left out beyond the purged ones.
        test_share: share of the samples that are tested on, in all folds together.

    Raises:
        ConfigError: where there are too few samples, or folds.
    """
    if folds < 2:
        raise ConfigError("Walking forward takes at least two folds.")
    first = samples - int(samples * test_share)
    size = (samples - first) // folds
    train_end = first - horizon - embargo
    if size < 1 or train_end < FEWEST_TRAINING_SAMPLES:
        need = int((FEWEST_TRAINING_SAMPLES + horizon + embargo) / (1 - test_share)) + 1
        raise ConfigError(
            f"{samples} samples are too few to train on and to test: it takes about {need}.",
            "Give a longer history.",
        )
    starts = [first + fold * size for fold in range(folds)] + [samples]
    return tuple(
        Split(range(start - horizon - embargo), range(start, end)) for start, end in pairwise(starts)
    )


def purged(train: Iterable[int], test: range, *, horizon: int, embargo: int) -> list[int]:
    """The training samples whose labels do not touch a test range, nor follow it within the embargo.

    For splits that also train on what comes after the test range.

    Args:
        train: indices of samples.
        test: indices of the samples tested on.
        horizon: of the labels, in samples.
        embargo: samples left out after the test labels end.
    """
    return [
        index for index in train if index + horizon < test.start or index >= test.stop + horizon + embargo
    ]
