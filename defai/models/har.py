"""Heterogeneous autoregressions of variance, in logs and in integers: the baselines to beat, and where trees start.

log-HAR: Corsi 2009, in logs. Strong HAR: log-HAR on Parkinson's components with a term for each hour and each weekday.
Both are fitted by least squares on logarithms and then scaled so that the mean ratio of outcome to forecast on the rows
they were fitted to is one, which is what minimises QLIKE. What is fitted is rounded to fixed point, and that is what
is measured, and what an ensemble carries as its linear part: coefficients times 2**24, and one tree for the hours and
one for the weekdays, whose leaves are the terms.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from defai.features.table import Integers
from defai.models.metrics import TICK_FLOOR, Floats
from defai.models.start import Shape, Start, fit_start, index_of, steps_of
from defai.units import Q24

SHIFT: Final = 24
"""Fractional bits of a coefficient; the features' own 16 make up for what forecasts have more than halves of them."""
DAY_S: Final = 86_400
HOURS: Final = "time_of_day"
WEEKDAYS: Final = "day_of_week"


def fit_log_har(
    values: Integers,
    outcome: Floats,
    *,
    names: Sequence[str],
    components: Sequence[str],
    seasonal: bool,
    weights: Floats | None = None,
) -> Start:
    """Fit on rows and what came of them: the binary logarithm of a volatility.

    Args:
        values: shape (rows, features).
        outcome: volatilities in ticks, shape (rows,); below one tick they count as one.
        names: of the features.
        components: those to regress on: binary logarithms of variances with 16 fractional bits.
        seasonal: whether hours and weekdays have terms; then `time_of_day` and `day_of_week` are among the features.
        weights: of the rows; all alike by default.
    """
    weigh = np.ones(len(values)) if weights is None else weights
    calendar: tuple[tuple[int, tuple[int, ...]], ...] = ()
    if seasonal:
        hours, weekdays = index_of(names, (HOURS, WEEKDAYS))
        calendar = ((hours, steps_of(DAY_S, 24)), (weekdays, steps_of(7, 7)))
    shape = Shape(index_of(names, components), calendar, SHIFT, "exp2")
    return _scaled(
        fit_start(values, np.log2(np.maximum(outcome, TICK_FLOOR)), weigh, shape), values, outcome, weigh
    )


def _scaled(drawn: Start, values: Integers, outcome: Floats, weights: Floats) -> Start:
    ratio = (
        np.maximum(outcome, TICK_FLOOR) / np.maximum(2.0 ** (drawn.sums_x24(values) / Q24), TICK_FLOOR)
    ) ** 2
    return drawn.lifted(round(float(np.log2(np.average(ratio, weights=weights))) / 2 * Q24))
