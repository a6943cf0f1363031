"""What a contest came to, in numbers: pure functions over runs of days and starts.

Runs of one day overlap, so a standard error is over days: of the means that each day's starts give.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from defai.backtest.metrics import mean_and_standard_error

Runs = NDArray[np.float64]
"""One figure of all runs of an entrant, shape (days, starts)."""

SOUGHT: Final = "hedged_pnl_usd"
"""The figure by which entrants are compared."""
FIGURES: Final = (
    *(SOUGHT, "vs_hold_usd", "fees_usd", "lvr_usd", "gas_usd", "swap_cost_usd"),
    *("in_range_ratio", "mints", "trades"),
)


@dataclass(frozen=True, slots=True)
class Duel:
    """An entrant against another, run by run.

    Attributes:
        mean: of what it made more.
        error: standard error of that, over days; None of a single day.
        won, lost: runs; the rest came out alike.
        days_won, days_lost: the same of days' means.
    """

    mean: float
    error: float | None
    won: int
    lost: int
    days_won: int
    days_lost: int


def duel(mine: Runs, theirs: Runs) -> Duel:
    """Compare two entrants' runs, same day and start."""
    apart = mine - theirs
    days = apart.mean(axis=1)
    mean, error = mean_and_error(apart)
    return Duel(
        mean,
        error,
        int((apart > 0).sum()),
        int((apart < 0).sum()),
        int((days > 0).sum()),
        int((days < 0).sum()),
    )


def mean_and_error(runs: Runs) -> tuple[float, float | None]:
    """Mean of all runs, and its standard error over days; None of a single day."""
    found = mean_and_standard_error(runs.mean(axis=1).tolist())
    if found is None:
        raise ValueError("there are no runs")
    return found


def runs_of(days: Sequence[Mapping[str, Any]], figure: str) -> Runs:
    """A figure of all runs, from each day's summary (`defai.backtest.starts`); not a number where unmeasured."""
    return np.array([day["strategy"][figure]["runs"] for day in days], dtype=np.float64)


def table_of(name: str, days: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """An entrant's figures: mean and standard error of each, and all runs of the one that counts."""
    row: dict[str, Any] = {"name": name}
    for figure in FIGURES:
        runs = runs_of(days, figure)
        measured = runs[np.isfinite(runs)]
        mean: float | None
        if measured.size == runs.size:
            mean, error = mean_and_error(runs)
        else:  # as the share of time in range of runs that never were in the pool
            mean, error = float(measured.mean()) if measured.size else None, None
        row[figure] = {"mean": mean, "standard_error": error}
    row["runs"] = runs_of(days, SOUGHT).tolist()
    return row
