"""Which of many runs came out best, and by what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from statistics import fmean
from typing import Any, Final

from defai.errors import ConfigError, did_you_mean

OBJECTIVES: Final[Mapping[str, int]] = {
    "final_usd": 1,
    "hedged_pnl_usd": 1,
    "sharpe_ratio": 1,
    "sortino_ratio": 1,
    "fees_usd": 1,
    "in_range_ratio": 1,
    "max_drawdown": -1,
    "impermanent_loss_usd": -1,
    "lvr_usd": -1,
    "gas_usd": -1,
    "swap_cost_usd": -1,
    "turnover_ratio": -1,
}
"""Figures that can be sought, and whether more of them (1) or less (-1) is better."""

SHOWN: Final = (
    *("final_usd", "hodl_usd", "fees_usd", "impermanent_loss_usd", "hedged_pnl_usd", "gas_usd"),
    *("in_range_ratio", "sharpe_ratio", "max_drawdown"),
)
"""Figures that stand beside the one that was sought."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What came of one combination of parameters, over all windows.

    Attributes:
        value: of the objective, the mean over windows.
        worst: of the objective, in the window that suited it least.
        runs: numbers of its runs.
        means: of the figures in `SHOWN`, over windows; None where one was not measured.
    """

    parameters: Mapping[str, Any]
    value: float
    worst: float
    runs: tuple[int, ...]
    means: Mapping[str, float | None]

    def as_json(self) -> dict[str, Any]:
        """Everything, by name."""
        return {
            "params": dict(self.parameters),
            "value": self.value,
            "worst": self.worst,
            "runs": list(self.runs),
            **self.means,
        }


def refuse_unknown_objective(name: str) -> None:
    """Check that a figure can be sought.

    Raises:
        ConfigError: where it can't.
    """
    if name not in OBJECTIVES:
        hint = did_you_mean(name, list(OBJECTIVES)) or f"There are: {', '.join(OBJECTIVES)}."
        raise ConfigError(f"There is no objective '{name}'.", hint)


def measured(row: Mapping[str, Any], name: str) -> float | None:
    """A figure of a row; None where it was not measured, or the run failed."""
    value = row.get(name)
    return float(value) if value is not None and isfinite(value) else None


def mean_of(rows: Sequence[Mapping[str, Any]], name: str) -> float | None:
    """Mean of a figure over rows; None where one of them lacks it."""
    values = [measured(row, name) for row in rows]
    known = [value for value in values if value is not None]
    return fmean(known) if known and len(known) == len(values) else None


def ranked(
    rows: Sequence[Mapping[str, Any]],
    objective: str,
    *,
    windows: int,
    group: Callable[[Mapping[str, Any]], int],
) -> list[Standing]:
    """Combinations of parameters, the best first; those that failed in a window, or were not measured, left out.

    Args:
        rows: of runs, in the order of their numbers.
        objective: the figure sought.
        windows: in how many each combination runs.
        group: tells rows of one combination.
    """
    together: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        if measured(row, objective) is not None and not row.get("error"):
            together.setdefault(group(row), []).append(row)
    sign = OBJECTIVES[objective]
    standings = [_standing(several, objective) for several in together.values() if len(several) == windows]
    return sorted(standings, key=lambda one: (-sign * one.value, one.runs))


def _standing(rows: Sequence[Mapping[str, Any]], objective: str) -> Standing:
    values = [float(row[objective]) for row in rows]
    return Standing(
        parameters=parameters_of_row(rows[0]),
        value=fmean(values),
        worst=min(values) if OBJECTIVES[objective] > 0 else max(values),
        runs=tuple(int(row["run"]) for row in rows),
        means={name: mean_of(rows, name) for name in SHOWN},
    )


def parameters_of_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters that a row was made with."""
    return {name.removeprefix("param_"): value for name, value in row.items() if name.startswith("param_")}
