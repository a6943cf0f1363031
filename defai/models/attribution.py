"""What each feature contributes to a forecast: Shapley values against one other row, exact."""

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Final

from defai.models.ensemble import Ensemble

MOST_FEATURES: Final = 12
"""Every subset of the features is forecast: 4,096 of them at most."""


def contributions_x24(
    ensemble: Ensemble, values: Sequence[int], against: Sequence[int]
) -> tuple[float, ...] | None:
    """Shapley values of a forecast against that of another row: they add up to the difference of the two.

    A feature's value is what changing it from the other row's value to its own adds to the forecast, averaged over all
    orders in which the features can be changed (Shapley 1953; as "baseline Shapley" in Sundararajan, Najmi 2020).

    Args:
        ensemble: the model.
        values: the row that is explained.
        against: the row it is compared with.

    Returns:
        One value per feature, times 2**24; None where there are more than `MOST_FEATURES` that differ.
    """
    differing = [i for i, (here, there) in enumerate(zip(values, against, strict=True)) if here != there]
    if len(differing) > MOST_FEATURES:
        return None
    forecasts: dict[frozenset[int], int] = {}
    for size in range(len(differing) + 1):
        for chosen in combinations(differing, size):
            row = list(against)
            for i in chosen:
                row[i] = values[i]
            forecasts[frozenset(chosen)] = ensemble.predict_x24(row)
    totals = [0.0] * len(values)
    count = len(differing)
    for subset, forecast in forecasts.items():
        for i in differing:
            if i not in subset:
                weight = 1 / (count * comb(count - 1, len(subset)))
                totals[i] += weight * (forecasts[subset | {i}] - forecast)
    return tuple(totals)
