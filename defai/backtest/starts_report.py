"""How runs from shifted starts are told: mean and standard error, as lines of text and as a table of the page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

_COLUMNS: Final = (
    ("final USD", "final_usd", 1.0, "{:,.2f}"),
    ("vs hold", "vs_hold_usd", 1.0, "{:+,.2f}"),
    ("fees", "fees_usd", 1.0, "{:,.2f}"),
    ("LVR", "lvr_usd", 1.0, "{:,.2f}"),
    ("hedged PnL", "hedged_pnl_usd", 1.0, "{:+,.2f}"),
    ("gas", "gas_usd", 1.0, "{:,.2f}"),
    ("in range %", "in_range_ratio", 100.0, "{:.1f}"),
    ("Sharpe", "sharpe_ratio", 1.0, "{:.2f}"),
    ("max DD %", "max_drawdown", 100.0, "{:.2f}"),
    ("mints", "mints", 1.0, "{:.1f}"),
)


def starts_table(starts: Mapping[str, Any]) -> list[list[str]]:
    """Rows of cells, the head first: the strategy, its agents where there are several, and the baselines."""
    named = [("this strategy", starts["strategy"])] if not starts["agents"] else []
    named += list(starts["agents"].items())
    named += [(name.replace("_", " "), row) for name, row in starts["baselines"].items()]
    head = ["", *(name for name, _, _, _ in _COLUMNS)]
    return [
        head,
        *([name, *(_cell(row[key], scale, form) for _, key, scale, form in _COLUMNS)] for name, row in named),
    ]


def starts_title(starts: Mapping[str, Any]) -> str:
    """How many starts, where, and how long each run was."""
    first, last = (
        datetime.fromtimestamp(starts[name], UTC).strftime("%Y-%m-%d %H:%M")
        for name in ("first_start", "last_start")
    )
    return (
        f"{starts['count']} starts, {_length(starts['shift_s'])} apart, from {first} to {last}; each run "
        f"{_length(starts['window_s'])} long: mean ± standard error"
    )


def starts_notes(starts: Mapping[str, Any]) -> list[str]:
    """What beats what, run against run, and what the error does not say."""
    beaten = [
        f"{_cell(difference, 1.0, '{:+,.2f}')} against {name.replace('_', ' ')} ("
        f"{sum(value > 0 for value in difference['runs'])} of {len(difference['runs'])} ahead)"
        for name, difference in starts["against"].items()
    ]
    notes = [f"USD, start by start: {', '.join(beaten)}."] if beaten else []
    return [*notes, "The runs overlap: the error tells what the moment of starting does, not another market."]


def _cell(average: Mapping[str, Any], scale: float, form: str) -> str:
    if average["mean"] is None:
        return "unmeasured"
    mean = form.format(average["mean"] * scale)
    if not mean.strip("+-0.,"):
        mean = mean.lstrip("+-")
    if average["standard_error"] is not None:
        mean += " ± " + form.replace("+", "").format(average["standard_error"] * scale)
    return mean.replace("-", "−")


def _length(seconds: int) -> str:
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.4g} {name}"
    return f"{seconds} s"
