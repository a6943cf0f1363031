"""A run repeated from shifted starts: how much of a result is the moment at which it happened to begin."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from defai.backtest.figures import figures
from defai.backtest.ground import Ground
from defai.backtest.metrics import mean_and_standard_error
from defai.backtest.runner import BacktestResult
from defai.errors import ConfigError

SHIFT_S: Final = 3_600
"""How far starts lie apart where nobody says, or a step of the history where that is longer."""
FIGURES: Final = (
    *(
        "final_usd",
        "vs_hold_usd",
        "hodl_usd",
        "fees_usd",
        "impermanent_loss_usd",
        "lvr_usd",
        "hedged_pnl_usd",
    ),
    *("swap_cost_usd", "gas_usd", "anchor_gas_usd", "in_range_ratio", "sharpe_ratio", "sortino_ratio"),
    *("max_drawdown", "turnover_ratio", "mints", "swaps", "decisions", "denied", "trades"),
)
"""What is averaged."""


@dataclass(frozen=True, slots=True)
class Shifts:
    """Starts that are spread evenly over the beginning of a history.

    Attributes:
        first_time: the first start, in seconds since 1970.
        shift_s: from start to start.
        window_s: how long each run is: all are equally long, and the last one ends with the history.
    """

    first_time: int
    count: int
    shift_s: int
    window_s: int

    @classmethod
    def over(cls, ground: Ground, count: int, shift_s: int | None = None) -> "Shifts":
        """So many starts on a ground.

        Raises:
            ConfigError: where the history is too short for them, or the shift is no multiple of its step.
        """
        if ground.first_time is None or ground.last_time is None or ground.window is None:
            raise ConfigError(f"{ground.source} cannot be joined at different moments.")
        step_s = ground.step_s or 1
        shift = max(SHIFT_S, step_s) if shift_s is None else shift_s
        if shift % step_s:
            raise ConfigError(
                f"Starts {shift:,} s apart are no whole steps of {ground.source}, which are {step_s:,} s long."
            )
        stretch = (count - 1) * shift
        window = ground.last_time + step_s - ground.first_time - stretch
        if window < max(stretch, 2 * step_s):
            raise ConfigError(
                f"{count} starts, {shift:,} s apart, leave runs of {max(window, 0):,} s of {ground.source}: too short.",
                "Take fewer starts, a shorter --shift, or a longer history.",
            )
        return cls(ground.first_time, count, shift, window)

    def grounds(self, ground: Ground) -> list[Ground]:
        """The windows, from the earliest on."""
        if ground.window is None:
            raise TypeError(ground.source)
        starts = [self.first_time + number * self.shift_s for number in range(self.count)]
        windows = (ground.window(start, start + self.window_s) for start in starts)
        return [replace(window, settings=ground.settings) for window in windows]


async def run_from(
    shifts: Shifts,
    ground: Ground,
    run_on: Callable[[Ground], Awaitable[BacktestResult]],
    lvr_interval_s: int,
    say: Callable[[str], None],
) -> BacktestResult:
    """Run from each start.

    Args:
        shifts: the starts.
        ground: the whole history.
        run_on: runs on one window of it.
        lvr_interval_s: as for `figures`.
        say: told what is going on.

    Returns:
        The result of the first start, with what all of them came to.
    """
    tables: list[dict[str, Any]] = []
    first: BacktestResult | None = None
    for number, part in enumerate(shifts.grounds(ground), 1):
        say(f"start {number} of {shifts.count}")
        result = await run_on(part)
        tables.append(figures(result, lvr_interval_s))
        first = first or result
    if first is None:
        raise TypeError(shifts)
    return replace(first, starts=summary(shifts, tables))


def summary(shifts: Shifts, tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """What runs came to together, JSON-able: of each figure its mean, standard error and values.

    Windows overlap, so the standard error says how much the start matters, not how sure the result is elsewhere.

    Args:
        shifts: their starts.
        tables: their figures, in order.
    """
    agents: Sequence[Mapping[str, Any]] = tables[0].get("agents") or ()
    return {
        "count": shifts.count,
        "shift_s": shifts.shift_s,
        "window_s": shifts.window_s,
        "first_start": shifts.first_time,
        "last_start": shifts.first_time + (shifts.count - 1) * shifts.shift_s,
        "strategy": _averages(tables),
        "against": {
            name: _average([table["final_usd"] - table["baselines"][name]["final_usd"] for table in tables])
            for name in tables[0]["baselines"]
        },
        "baselines": {
            name: _averages([table["baselines"][name] for table in tables]) for name in tables[0]["baselines"]
        },
        "agents": {
            agent["name"]: _averages([table["agents"][place] for table in tables])
            for place, agent in enumerate(agents)
        },
        "decision_digests": [table["decision_digest"] for table in tables],
    }


def _averages(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    complete = [{**row, "vs_hold_usd": row["final_usd"] - row["hodl_usd"]} for row in rows]
    return {name: _average([row.get(name) for row in complete]) for name in FIGURES}


def _average(values: Sequence[float | None]) -> dict[str, Any]:
    """Of the runs in which it was measured."""
    known = mean_and_standard_error([float(value) for value in values if value is not None])
    mean, error = known or (None, None)
    return {"mean": mean, "standard_error": error, "runs": list(values)}
