"""A contest as text, for people and, as a table, for documents."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from defai.harmless import harmless

_COLUMNS: Final = (
    ("hedged PnL", "hedged_pnl_usd", "{:+,.2f}", True),
    ("fees", "fees_usd", "{:,.2f}", False),
    ("LVR", "lvr_usd", "{:,.2f}", False),
    ("gas", "gas_usd", "{:,.2f}", False),
    ("swaps cost", "swap_cost_usd", "{:,.2f}", False),
    ("vs hold", "vs_hold_usd", "{:+,.2f}", False),
    ("mints", "mints", "{:.1f}", False),
)
_DASH: Final = "–"


def contest_text(found: Mapping[str, Any]) -> str:
    """The whole of it."""
    runs = f"{found['starts']} starts a day, {found['shift_s'] // 60} min apart, {found['run_s'] / 3600:g} h each"
    lines = [
        f"{found['chosen']} · {len(found['days'])} days {found['days'][0]}..{found['days'][-1]} · {runs}",
        f"models trained from {found['trained_from']} until {', '.join(found['trained_until'])}",
        *(_card_line(name, card) for name, card in found["cards"].items()),
        f"gas: {_gas(found)}",
        "",
        *_aligned(contest_rows(found)),
        "",
        "USD a run; PnL delta-hedged every 15 minutes, after gas and what swaps cost; standard errors over days.",
        *_verdict(found),
    ]
    return "\n".join(map(harmless, lines))


def contest_rows(found: Mapping[str, Any]) -> list[list[str]]:
    """Rows of cells, the head first; the best combination first, the others that were tried left out."""
    chosen = found["chosen"]
    shown = [one for one in found["entrants"] if one["name"] == chosen]
    shown += [one for one in found["entrants"] if one["name"] != chosen and not _is_tried(one, found)]
    head = ["", *(title for title, *_ in _COLUMNS), "it makes more", "runs won:lost", "days won:lost"]
    return [head, *(_row(one) for one in shown)]


def markdown(found: Mapping[str, Any]) -> str:
    """The table as Markdown has it."""
    head, *rows = contest_rows(found)
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def _is_tried(one: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    return any(one is other for other in found["entrants"][: found["tried"]])


def _row(one: Mapping[str, Any]) -> list[str]:
    cells = [one["name"]]
    for _, figure, shape, with_error in _COLUMNS:
        cells.append(_cell(one[figure], shape, with_error=with_error))
    duel = one["against"]
    if duel is None:
        return [*cells, "", "", ""]
    more = _cell({"mean": duel["mean"], "standard_error": duel["error"]}, "{:+,.2f}", with_error=True)
    return [*cells, more, f"{duel['won']}:{duel['lost']}", f"{duel['days_won']}:{duel['days_lost']}"]


def _cell(average: Mapping[str, Any], shape: str, *, with_error: bool) -> str:
    if average["mean"] is None:
        return _DASH
    said = _signed(shape.format(average["mean"]))
    if with_error and average["standard_error"] is not None:
        said += " ± " + shape.replace("+", "").format(average["standard_error"])
    return said


def _signed(number: str) -> str:
    """Zero has no sign."""
    return (number if number.strip("+-0.,") else number.lstrip("+-")).replace("-", "−")


def _gas(found: Mapping[str, Any]) -> str:
    if found["gas_gwei"] is not None:
        return f"{found['gas_gwei']} gwei"
    return f"base fees of {found['base_fees']}" if found["base_fees"] else "none is charged"


def _card_line(name: str, card: Mapping[str, Any]) -> str:
    verdict = "beats" if card["beats_baseline"] else "does NOT beat"
    share = card["share"]
    within = ""
    if share is not None and card["share_low"] is not None:
        within = f": {share:+.1%} of its {card['loss']} (95 %: {card['share_low']:.1%} .. {card['share_high']:.1%})"
    return f"  {name} {verdict} {card['baseline']}{within}"


def _verdict(found: Mapping[str, Any]) -> list[str]:
    """Whom it beats for sure, in a sentence: by more than two standard errors."""
    sure, worse = [], []
    for one in found["entrants"]:
        duel = one["against"]
        if duel is None or duel["error"] is None or _is_tried(one, found):
            continue
        if duel["mean"] > 2 * duel["error"]:
            sure.append(one["name"])
        elif duel["mean"] < -2 * duel["error"]:
            worse.append(one["name"])
    said = [f"Ahead by more than two standard errors of: {', '.join(sure) or 'nobody'}."]
    if worse:
        said.append(f"Behind by more than two: {', '.join(worse)}.")
    tried = found["tried"]
    if tried > 1:
        said.append(
            f"It is the best of {tried} configurations, chosen on these very days: expect less on others."
        )
    return said


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
