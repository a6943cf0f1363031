"""How runs from shifted starts are told: mean and standard error, as lines of text and as a table of the page."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from defai.backtest.money import UNMEASURED, Money

_COLUMNS: Final = (
    ("final", "final_usd", 1.0, "money"),
    ("vs hold", "vs_hold_usd", 1.0, "signed"),
    ("fees", "fees_usd", 1.0, "money"),
    ("LVR", "lvr_usd", 1.0, "money"),
    ("hedged PnL", "hedged_pnl_usd", 1.0, "signed"),
    ("gas", "gas_usd", 1.0, "money"),
    ("in range %", "in_range_ratio", 100.0, ".1f"),
    ("Sharpe", "sharpe_ratio", 1.0, ".2f"),
    ("max DD %", "max_drawdown", 100.0, ".2f"),
    ("mints", "mints", 1.0, ".1f"),
)
"""Name, figure, factor, and how it is written: an amount of money, with a sign where it may be lost, or a format."""


def starts_table(starts: Mapping[str, Any], money: Money) -> list[list[str]]:
    """Rows of cells, the head first: the strategy, its agents where there are several, and the baselines."""
    named = [("this strategy", starts["strategy"])] if not starts["agents"] else []
    named += list(starts["agents"].items())
    named += [(name.replace("_", " "), row) for name, row in starts["baselines"].items()]
    head = ["", f"final {money.name}", *(name for name, _, _, _ in _COLUMNS[1:])]
    return [
        head,
        *(
            [name, *(_cell(row[key], scale, form, money) for _, key, scale, form in _COLUMNS)]
            for name, row in named
        ),
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


def starts_notes(starts: Mapping[str, Any], money: Money) -> list[str]:
    """What beats what, run against run, and what the error does not say."""
    beaten = [
        f"{_cell(difference, 1.0, 'signed', money)} against {name.replace('_', ' ')} ("
        f"{sum(value > 0 for value in difference['runs'])} of {len(difference['runs'])} ahead)"
        for name, difference in starts["against"].items()
    ]
    notes = [f"{money.name}, start by start: {', '.join(beaten)}."] if beaten else []
    return [*notes, "The runs overlap: the error tells what the moment of starting does, not another market."]


def _cell(average: Mapping[str, Any], scale: float, form: str, money: Money) -> str:
    if average["mean"] is None:
        return UNMEASURED
    error = average["standard_error"]
    if form in {"money", "signed"}:
        mean = money.text(average["mean"], signed=form == "signed")
        return mean if error is None else f"{mean} ± {money.text(error)}"
    mean = f"{average['mean'] * scale:{form}}"
    if not mean.strip("-0."):
        mean = mean.lstrip("-")
    if error is not None:
        mean += f" ± {error * scale:{form}}"
    return mean.replace("-", "−")


def _length(seconds: int) -> str:
    for unit, name in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= unit:
            return f"{seconds / unit:.4g} {name}"
    return f"{seconds} s"
