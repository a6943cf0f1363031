"""A history as what is trained and tested on: integer features, outcomes, and times, in numpy's columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from defai.errors import ConfigError
from defai.features.spec import FeatureSpec
from defai.features.table import Integers, compute_table
from defai.market.state import WINDOW_BLOCKS
from defai.market.window import Observation
from defai.models.har import HOURS, WEEKDAYS
from defai.models.history_digest import history_digest
from defai.models.labels import labels, variances
from defai.models.metrics import Floats
from defai.models.targets import VOLATILITIES, Target

HAR_FAMILIES = ("log_parkinson", "log_volatility")
_SHORTEST_WINDOW: Final = 24
"""Shorter ones say too little of a volatility to come to regress on."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """All columns are as long as there are samples, in the order of time.

    Attributes:
        spec: the features, in the order of the columns of `values`.
        values: shape (samples, features).
        positions: each sample's row in the history.
        timestamps: when its features are known, seconds since 1970.
        outcome: what came of the target, in its unit.
        guide: what trees are fitted to: of a volatility the one by ranges, which says the same with less noise (and is
            scaled afterwards), else the outcome.
        step_s: seconds from row to row.
        har_windows: the components of autoregressions, in rows.
        rows: the main pool's history.
        digest: of every observation of every pool.
    """

    spec: FeatureSpec
    target: Target
    values: Integers
    positions: Integers
    timestamps: Integers
    outcome: Floats
    guide: Floats
    step_s: int
    har_windows: tuple[int, ...]
    rows: Sequence[Observation] = field(repr=False)
    pools: tuple[str, ...]
    digest: str

    @property
    def horizon_s(self) -> int:
        """How long after a sample its outcome is known."""
        return self.target.horizon_blocks * self.step_s

    def components(self, family: str) -> tuple[str, ...]:
        """The features that an autoregression regresses on."""
        return tuple(f"{family}_{window}" for window in self.har_windows)

    def variances(self) -> Floats:
        """The variance that each row of the history adds, by the target's own measure."""
        return variances(self.rows, self.target.kind)


def default_windows(step_s: int, rows: int) -> tuple[int, ...]:
    """An hour, a day and a week (Corsi's day, week and month, a market that never closes being faster), in rows.

    Of steps shorter than an hour: an hour, three and eight, since an agent remembers no more than 512 rows; quarters of
    these, and of those again, until ten of the longest fit into the history.
    """
    if step_s >= 3_600:
        return 1, max(86_400 // step_s, 2), max(604_800 // step_s, 4)
    hour = max(3_600 // step_s, 4)
    while hour > 4 and (80 * hour > rows or 8 * hour >= WINDOW_BLOCKS):
        hour = max(hour // 4, 4)
    return hour, 3 * hour, 8 * hour


def windows_within(warm_up: int) -> tuple[int, ...] | None:
    """Windows in the same proportions that ask for no more rows than are waited for; None where these are too few.

    Args:
        warm_up: rows that are waited for, the current one included.
    """
    longest = warm_up - 1
    return (longest // 8, 3 * longest // 8, longest) if longest >= _SHORTEST_WINDOW else None


def make_panel(
    histories: Mapping[str, Sequence[Observation]],
    *,
    feature_names: Sequence[str],
    target: Target,
    har_windows: Sequence[int] | None = None,
) -> Panel:
    """Features and outcomes of a history, where both are known.

    For volatilities, what strong HAR looks at joins the features.

    Args:
        histories: rows by pool, the main pool first.
        feature_names: what the model is given.
        target: what it forecasts.
        har_windows: see `default_windows`.

    Raises:
        ConfigError: for an unknown feature, a history without what is asked for, or none.
    """
    if not histories or len(next(iter(histories.values()))) < 2:
        raise ConfigError("There is no history to train on.")
    main = next(iter(histories.values()))
    step_s = max(int(np.median(np.diff([row.timestamp for row in main]))), 1)
    windows = tuple(har_windows or default_windows(step_s, len(main)))
    spec = FeatureSpec.of(_with_har(feature_names, windows) if target.kind in VOLATILITIES else feature_names)
    table = compute_table(list(histories.values()), spec)
    outcome = labels(main, target)
    guide = (
        labels(main, Target("range_volatility", target.horizon_blocks))
        if target.kind == "volatility"
        else outcome
    )
    if not len(ready := np.flatnonzero(table.ready & np.isfinite(outcome))):
        raise _nothing_ready(histories, spec)
    return Panel(
        spec,
        target,
        table.values[ready].astype(np.int64),
        ready,
        table.timestamps[ready],
        outcome[ready],
        guide[ready],
        step_s,
        windows,
        main,
        tuple(histories),
        history_digest(histories),
    )


def _with_har(names: Sequence[str], windows: Sequence[int]) -> list[str]:
    """The names, and those of strong HAR's components that are not among them."""
    wanted = [f"{family}_{window}" for family in HAR_FAMILIES for window in windows] + [HOURS, WEEKDAYS]
    return [*names, *(name for name in wanted if name not in names)]


def _nothing_ready(histories: Mapping[str, Sequence[Observation]], spec: FeatureSpec) -> ConfigError:
    """What to say where no row has every feature and an outcome."""
    rows = list(histories.values())
    never = [name for name in spec.names if not compute_table(rows, FeatureSpec.of((name,))).ready.any()]
    if never:
        return ConfigError(
            f"This history never tells {', '.join(never)}.",
            "Give a longer one, one of a pool, or other features.",
        )
    return ConfigError("No row has every feature and an outcome.", "Give a longer history.")
