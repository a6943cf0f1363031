"""Whether a model is still asked about what it was trained on, and still as right as it said it would be.

Two watches. Features: the population stability index of each against the rows the model was trained on. Errors: a
sequential test on how often the outcome lies outside of the forecast's band, which split conformal prediction sized to
hold a known share; it asks for nothing about the errors' distribution.
"""

from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import log
from typing import Final

BINS: Final = 10
LEAST_ROWS: Final = 500
"""Rows before features are compared: of fewer, chance alone gives an index near (BINS - 1) / rows per true change."""
STABILITY_LIMIT: Final = 0.25
"""An index above it is a large shift by the usual rule of thumb (Siddiqi, Credit Risk Scorecards, 2006)."""
WORSE: Final = 2.5
"""The test is sharpest where outcomes leave the band this many times as often as they should."""
FALSE_ALARM_EVERY: Final = 1_000
"""Forecasts between two false alarms, at least, on average."""


@dataclass(frozen=True, slots=True)
class FeatureProfile:
    """Where a feature's values lay in training.

    Attributes:
        edges: upper ends of the bins but for the last, ascending, none twice.
        shares: of the rows in each bin; one more than edges.
        limit: an index above it is drift: the rule of thumb's, or the largest that the training rows themselves had
            over as many neighbouring rows, since a slow feature never shows all its values in so few.
    """

    edges: tuple[int, ...]
    shares: tuple[float, ...]
    limit: float = STABILITY_LIMIT

    @classmethod
    def of(cls, values: Sequence[int]) -> "FeatureProfile":
        """Bins of as many rows each as ties allow.

        Args:
            values: in the order of time.

        Raises:
            ValueError: where there are no values.
        """
        if not values:
            raise ValueError("there are no values to make a profile of")
        ordered = sorted(values)
        edges = sorted({ordered[len(ordered) * at // BINS] for at in range(1, BINS)})
        edges = [edge for edge in edges if edge < ordered[-1]]
        plain = cls(tuple(edges), _shares(edges, values))
        starts = range(0, len(values) - LEAST_ROWS + 1, LEAST_ROWS // 2)
        usual = [stability_index(plain, values[start : start + LEAST_ROWS]) for start in starts]
        return replace(plain, limit=max([STABILITY_LIMIT, *usual]))


@dataclass(frozen=True, slots=True)
class Profile:
    """Where all features of a model lay in training."""

    names: tuple[str, ...]
    features: tuple[FeatureProfile, ...]

    @classmethod
    def of(cls, names: Sequence[str], rows: Sequence[Sequence[int]]) -> "Profile":
        """From rows of features, one value for each name."""
        return cls(
            tuple(names), tuple(FeatureProfile.of([row[at] for row in rows]) for at in range(len(names)))
        )


def stability_index(profile: FeatureProfile, values: Sequence[int]) -> float:
    """The population stability index: sum over bins of (now - then) * ln(now / then); 0 where nothing moved.

    A bin without rows counts as half a row, so that the logarithm exists.
    """
    least = 0.5 / len(values)
    index = 0.0
    for then, now in zip(profile.shares, _shares(profile.edges, values), strict=True):
        before, after = max(then, least), max(now, least)
        index += (after - before) * log(after / before)
    return index


@dataclass(slots=True)
class MissWatch:
    """CUSUM on misses: outcomes outside of the band (Page 1954; for a Bernoulli, Reynolds and Stoumbos 1999).

    Each forecast adds its log-likelihood ratio of "misses WORSE times as often" to "as often as it should", and the
    sum never falls below 0. Alarms come at ln(FALSE_ALARM_EVERY): then at least so many forecasts lie between two
    false ones (Lorden 1971), if outcomes are independent, so forecasts whose horizons overlap are not to be added.

    Attributes:
        miss_rate: share of outcomes that the band is not meant to hold.
        statistic: the sum; `count` of forecasts so far, `misses` among them.
    """

    miss_rate: float
    statistic: float = 0.0
    count: int = 0
    misses: int = 0

    def add(self, *, missed: bool) -> bool:
        """Take in one more outcome; whether the model is no longer what it was."""
        worse = min(self.miss_rate * WORSE, (1 + self.miss_rate) / 2)
        step = log(worse / self.miss_rate) if missed else log((1 - worse) / (1 - self.miss_rate))
        self.statistic = max(0.0, self.statistic + step)
        self.count += 1
        self.misses += missed
        return self.is_alarmed

    @property
    def is_alarmed(self) -> bool:
        """Whether the limit is passed."""
        return self.alarm > 1

    @property
    def alarm(self) -> float:
        """The sum as a share of its limit."""
        return self.statistic / log(FALSE_ALARM_EVERY)


@dataclass(slots=True)
class DriftWatch:
    """Both watches over one model.

    Attributes:
        profile: of the rows it was trained on.
        misses: see there.
        reason: why the model is not to be trusted now; empty while it may.
        worst: the feature furthest beyond its limit when they were compared last: its index, its limit, its name.
    """

    profile: Profile
    misses: MissWatch
    reason: str = ""
    worst: tuple[float, float, str] | None = None
    _recent: deque[tuple[int, ...]] = field(default_factory=lambda: deque(maxlen=LEAST_ROWS))
    _since: int = 0

    def see_row(self, values: tuple[int, ...]) -> None:
        """Take in a row of features; they are compared whenever half of the recent rows are new."""
        self._recent.append(values)
        self._since += 1
        if len(self._recent) < LEAST_ROWS or self._since < LEAST_ROWS // 2:
            return
        self._since = 0
        self.worst = max(self.indices(), key=lambda found: found[0] / found[1])
        index, limit, name = self.worst
        if index > limit:
            found = f"{name} has a stability index of {index:.2f} over {LEAST_ROWS} blocks"
            self.reason = f"model drift: {found}, above {limit:.2f}"
        elif not self.misses.is_alarmed:
            self.reason = ""

    def see_outcome(self, *, missed: bool) -> None:
        """Take in whether an outcome lay outside of its forecast's band."""
        if self.misses.add(missed=missed):
            seen, share = self.misses.count, self.misses.misses / self.misses.count
            self.reason = (
                f"model drift: {share:.0%} of the last {seen} outcomes left their band, which is to hold all but"
                f" {self.misses.miss_rate:.0%}"
            )

    def indices(self) -> list[tuple[float, float, str]]:
        """The stability index of each feature over the recent rows, its limit and its name."""
        columns = zip(*self._recent, strict=True)
        found = zip(self.profile.features, columns, self.profile.names, strict=True)
        return [(stability_index(profile, values), profile.limit, name) for profile, values, name in found]


def _shares(edges: Sequence[int], values: Sequence[int]) -> tuple[float, ...]:
    counts = [0] * (len(edges) + 1)
    for value in values:
        counts[bisect_left(edges, value)] += 1
    return tuple(count / len(values) for count in counts)
