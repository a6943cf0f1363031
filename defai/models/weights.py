"""How much each sample counts: less where labels overlap, less the older it is."""

import numpy as np

from defai.features.table import Integers
from defai.models.metrics import Floats


def uniqueness(positions: Integers, horizon: int) -> Floats:
    """Average uniqueness of each label: the mean of one over the number of labels that look at the same row.

    López de Prado, Advances in Financial Machine Learning (2018), section 4.4.

    Args:
        positions: each sample's row, rising, shape (n,); its label looks at the `horizon` rows after it.
        horizon: of the labels.

    Returns:
        Shape (n,), scaled to a mean of one.
    """
    if not len(positions):
        return np.zeros(0)
    first = int(positions[0])
    edges = np.zeros(int(positions[-1]) - first + horizon + 2)
    np.add.at(edges, positions - first + 1, 1.0)
    np.add.at(edges, positions - first + horizon + 1, -1.0)
    concurrent = np.cumsum(edges)
    shares = np.concatenate(([0.0], np.cumsum(1 / np.maximum(concurrent, 1.0))))
    mean = (shares[positions - first + horizon + 1] - shares[positions - first + 1]) / horizon
    return np.asarray(mean / mean.mean(), dtype=np.float64)


def by_age(timestamps: Integers, half_life_days: float) -> Floats:
    """Half as much for each half-life before the last sample; scaled to a mean of one, shape as given."""
    age = (timestamps[-1:] - timestamps) / 86_400.0
    weight = 0.5 ** (age / half_life_days)
    return np.asarray(weight / weight.mean(), dtype=np.float64)
