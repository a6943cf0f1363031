"""Where trees start: a linear model in fixed point, with values for the steps of a day or a week."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from defai.features.table import Integers
from defai.models.ensemble import Ensemble, Linear, Link, Tree
from defai.models.exponential import exp2_x24
from defai.models.metrics import Floats
from defai.units import Q24

FEATURE_BITS: Final = 16
"""Fractional bits of the features that are regressed on."""


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
class Start:
    """A fitted linear model of integer features; its sums are times 2**24, and `link` says what they stand for."""

    base_x24: int
    linear: Linear
    seasons: tuple[Season, ...]
    link: Link

    def sums_x24(self, values: Integers) -> Integers:
        """The sums of these rows, shape (rows,); exactly what `ensemble` says of each."""
        features = [feature for feature, _ in self.linear.terms]
        factors = np.array([factor for _, factor in self.linear.terms], dtype=np.int64)
        total = ((values[:, features] @ factors) >> self.linear.shift) + self.base_x24
        for season in self.seasons:
            step = np.searchsorted(np.array(season.thresholds), values[:, season.feature], side="left")
            total = total + np.array(season.values_x24, dtype=np.int64)[step]
        return np.asarray(total, dtype=np.int64)

    def forecasts(self, values: Integers) -> Floats:
        """What it says by itself of these rows, shape (rows,)."""
        sums = self.sums_x24(values)
        return exp2(sums) if self.link == "exp2" else np.asarray(sums / Q24, dtype=np.float64)

    def lifted(self, lift_x24: int) -> "Start":
        """The same with so much added to every sum."""
        return replace(self, base_x24=self.base_x24 + lift_x24)

    @property
    def ensemble(self) -> Ensemble:
        """It alone, as a model."""
        return Ensemble(self.base_x24, tuple(one.tree() for one in self.seasons), self.linear, self.link)


def exp2(sums_x24: Integers) -> Floats:
    """Two to the power of each, as the integers of `exponential` have it, shape as given."""
    return np.array([exp2_x24(one) for one in sums_x24.tolist()], dtype=np.float64) / Q24


@dataclass(frozen=True, slots=True)
class Shape:
    """What a start is fitted as.

    Attributes:
        components: indices of the features it is linear in.
        calendar: features with a value for each step, and the steps' thresholds.
        shift: fractional bits of the coefficients beyond 24, the features' own included.
        ridge: how much of the mean square of each column is added to it; nothing for least squares.
    """

    components: tuple[int, ...]
    calendar: tuple[tuple[int, tuple[int, ...]], ...]
    shift: int
    link: Link
    ridge: float = 0.0


def fit_start(values: Integers, wanted: Floats, weights: Floats, shape: Shape) -> Start:
    """Fit by least squares, or by ridge regression on columns that are brought to one scale first.

    Args:
        values: shape (rows, features).
        wanted: what the sums are to be, shape (rows,).
        weights: of the rows.
        shape: as what.
    """
    columns = [values[:, list(shape.components)] / 2.0**FEATURE_BITS]
    for feature, thresholds in shape.calendar:
        step = np.searchsorted(np.array(thresholds), values[:, feature], side="left")
        columns.append(np.eye(len(thresholds) + 1)[step][:, 1:])
    design = np.concatenate(columns, axis=1)
    solve = _ridge if shape.ridge else _least_squares
    base, slopes = solve(design, wanted, weights, shape.ridge)
    count = len(shape.components)
    terms = tuple(
        (feature, round(float(slope) * 2 ** (24 - FEATURE_BITS + shape.shift)))
        for feature, slope in zip(shape.components, slopes[:count], strict=True)
    )
    seasons, used = [], count
    for feature, thresholds in shape.calendar:
        steps = slopes[used : used + len(thresholds)]
        used += len(thresholds)
        seasons.append(Season(feature, thresholds, (0, *(round(float(step) * Q24) for step in steps))))
    return Start(round(base * Q24), Linear(terms, shape.shift), tuple(seasons), shape.link)


def _least_squares(design: Floats, wanted: Floats, weights: Floats, _: float) -> tuple[float, Floats]:
    root = np.sqrt(weights)
    whole = np.concatenate([np.ones((len(design), 1)), design], axis=1)
    solution = np.linalg.lstsq(whole * root[:, None], wanted * root, rcond=None)[0]
    return float(solution[0]), solution[1:]


def _ridge(design: Floats, wanted: Floats, weights: Floats, penalty: float) -> tuple[float, Floats]:
    share = weights / weights.sum()
    middle, level = share @ design, float(share @ wanted)
    spread = np.sqrt(np.maximum(share @ (design - middle) ** 2, 1e-12))
    scaled = (design - middle) / spread
    inner = (scaled * share[:, None]).T @ scaled + penalty * np.eye(design.shape[1])
    slopes = np.linalg.solve(inner, (scaled * share[:, None]).T @ (wanted - level)) / spread
    return level - float(middle @ slopes), np.asarray(slopes, dtype=np.float64)


def steps_of(length: int, count: int) -> tuple[int, ...]:
    """Thresholds that part 0..length - 1 into so many equal steps."""
    return tuple(length * step // count - 1 for step in range(1, count))


def index_of(names: Sequence[str], wanted: Sequence[str]) -> tuple[int, ...]:
    """Where these features stand."""
    return tuple(names.index(name) for name in wanted)
