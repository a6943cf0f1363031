"""Where trees of the ratio of fees to LVR start: a ridge regression on what the ratio was, and on the hour of the day.

The ratio follows itself over hours, falls as liquidity comes in, and has its times of day.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from defai.models.har import DAY_S, HOURS
from defai.models.metrics import Floats
from defai.models.panel import Panel
from defai.models.start import Shape, Start, fit_start, steps_of

FAMILIES: Final = ("fees_to_lvr", "liquidity_level")
"""Features that the start is linear in, whatever their windows; they have 16 fractional bits."""
SHIFT: Final = 16
_STEPS: Final = 12
_WEEK_S: Final = 7 * DAY_S
_RIDGE: Final = 0.05


def fit_ratio(panel: Panel, train: NDArray[np.int64], weights: Floats) -> Start | None:
    """The start of a panel's samples; None where no feature tells what the ratio was.

    Steps of two hours have values of their own where there is a week to fit them to.
    """
    names = panel.spec.names
    components = tuple(at for at, name in enumerate(names) if name.rpartition("_")[0] in FAMILIES)
    if not components:
        return None
    span_s = int(panel.timestamps[train[-1]] - panel.timestamps[train[0]])
    timed = HOURS in names and span_s >= _WEEK_S
    calendar = ((names.index(HOURS), steps_of(DAY_S, _STEPS)),) if timed else ()
    shape = Shape(components, calendar, SHIFT, "sum", _RIDGE)
    return fit_start(panel.values[train], panel.outcome[train], weights, shape)
