"""Heterogeneous autoregressions of variance, in logs and in integers: the baselines to beat, and where trees start.

log-HAR: Corsi 2009, in logs. Strong HAR: log-HAR on Parkinson's components with a term for each hour and each weekday.
Both are fitted by least squares on logarithms and then scaled so that the mean ratio of outcome to forecast on the rows
they were fitted to is one, which is what minimises QLIKE. What is fitted is rounded to fixed point, and that is what
is measured, and what an ensemble carries as its linear part: coefficients times 2**24, and one tree for the hours and
one for the weekdays, whose leaves are the terms.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from defai.features.table import Integers
from defai.models.ensemble import Ensemble, Linear, Tree
from defai.models.exponential import exp2_x24
from defai.models.metrics import TICK_FLOOR, Floats
from defai.units import Q24

SHIFT: Final = 24
"""Fractional bits of a coefficient; the features' own 16 make up for what forecasts have more than halves of them."""
_FEATURE_BITS: Final = 16
_HOUR: Final = 3_600
HOURS: Final = "time_of_day"
WEEKDAYS: Final = "day_of_week"


@dataclass(frozen=True, slots=True)
class Season:
    """A value for each step of a feature: the first up to the first threshold, the last beyond the last."""

    feature: int
    thresholds: tuple[int, ...]
    values_x24: tuple[int, ...]

    def tree(self) -> Tree:
        """The same as a balanced tree."""
        nodes: list[list[int]] = []

        def grow(first: int, last: int) -> int:
            if first == last:
                return ~first
            at, middle = len(nodes), (first + last) // 2
            nodes.append([self.thresholds[middle], 0, 0])
            nodes[at][1], nodes[at][2] = grow(first, middle), grow(middle + 1, last)
            return at

        grow(0, len(self.values_x24) - 1)
        return Tree(
            (self.feature,) * len(nodes),
            tuple(node[0] for node in nodes),
            tuple(node[1] for node in nodes),
            tuple(node[2] for node in nodes),
            self.values_x24,
        )


@dataclass(frozen=True, slots=True)
class LogHar:
    """A fitted autoregression: the binary logarithm of a volatility, times 2**24, of integer features."""

    base_x24: int
    linear: Linear
    seasons: tuple[Season, ...]

    def sums_x24(self, values: Integers) -> Integers:
        """The logarithms that these rows are given, shape (rows,); exactly what `ensemble` says of each."""
        features = [feature for feature, _ in self.linear.terms]
        factors = np.array([factor for _, factor in self.linear.terms], dtype=np.int64)
        total = ((values[:, features] @ factors) >> self.linear.shift) + self.base_x24
        for season in self.seasons:
            step = np.searchsorted(np.array(season.thresholds), values[:, season.feature], side="left")
            total = total + np.array(season.values_x24, dtype=np.int64)[step]
        return np.asarray(total, dtype=np.int64)

    def volatilities(self, values: Integers) -> Floats:
        """The forecasts themselves, in ticks over the horizon."""
        return exp2(self.sums_x24(values))

    @property
    def ensemble(self) -> Ensemble:
        """It alone, as a model."""
        return Ensemble(self.base_x24, tuple(one.tree() for one in self.seasons), self.linear, "exp2")


def exp2(sums_x24: Integers) -> Floats:
    """Two to the power of each, as the integers of `exponential` have it, shape as given."""
    return np.array([exp2_x24(one) for one in sums_x24.tolist()], dtype=np.float64) / Q24


def fit_log_har(
    values: Integers,
    outcome: Floats,
    *,
    names: Sequence[str],
    components: Sequence[str],
    seasonal: bool,
    weights: Floats | None = None,
) -> LogHar:
    """Fit on rows and what came of them.

    Args:
        values: shape (rows, features).
        outcome: volatilities in ticks, shape (rows,); below one tick they count as one.
        names: of the features.
        components: those to regress on: binary logarithms of variances with 16 fractional bits.
        seasonal: whether hours and weekdays have terms; then `time_of_day` and `day_of_week` are among the features.
        weights: of the rows; all alike by default.
    """
    wanted = 2 * np.log2(np.maximum(outcome, TICK_FLOOR))
    weigh = np.ones(len(values)) if weights is None else weights
    at = [names.index(name) for name in components]
    parts = [np.ones((len(values), 1)), values[:, at] / 2.0**_FEATURE_BITS]
    calendar = _calendar(names) if seasonal else []
    for feature, thresholds in calendar:
        step = np.searchsorted(np.array(thresholds), values[:, feature], side="left")
        parts.append(np.eye(len(thresholds) + 1)[step][:, 1:])
    design = np.concatenate(parts, axis=1)
    root = np.sqrt(weigh)[:, None]
    solution = np.linalg.lstsq(design * root, wanted * root[:, 0], rcond=None)[0]
    factors = [round(float(one) / 2 * 2 ** (24 - _FEATURE_BITS + SHIFT)) for one in solution[1 : len(at) + 1]]
    seasons, used = [], len(at) + 1
    for feature, thresholds in calendar:
        terms = solution[used : used + len(thresholds)] / 2
        used += len(thresholds)
        seasons.append(Season(feature, thresholds, (0, *(round(float(one) * Q24) for one in terms))))
    drawn = LogHar(
        round(float(solution[0]) / 2 * Q24),
        Linear(tuple(zip(at, factors, strict=True)), SHIFT),
        tuple(seasons),
    )
    return _scaled(drawn, values, outcome, weigh)


def _calendar(names: Sequence[str]) -> list[tuple[int, tuple[int, ...]]]:
    return [
        (names.index(HOURS), tuple(hour * _HOUR - 1 for hour in range(1, 24))),
        (names.index(WEEKDAYS), tuple(range(6))),
    ]


def _scaled(drawn: LogHar, values: Integers, outcome: Floats, weights: Floats) -> LogHar:
    ratio = (
        np.maximum(outcome, TICK_FLOOR) / np.maximum(2.0 ** (drawn.sums_x24(values) / Q24), TICK_FLOOR)
    ) ** 2
    lift = round(float(np.log2(np.average(ratio, weights=weights))) / 2 * Q24)
    return LogHar(drawn.base_x24 + lift, drawn.linear, drawn.seasons)
