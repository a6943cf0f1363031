"""The report of a run: as text for the terminal, and as a page that opens without a network.

Figures have the names of `--json`. What was not measured reads "unmeasured", never 0.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Any, Final

from defai.backtest.money import Money, cell
from defai.backtest.run_files import Columns, RunRecord
from defai.backtest.starts_report import starts_notes, starts_table, starts_title
from defai.domain.others_words import made_harmless
from defai.harmless import harmless

_MOST_POINTS: Final = 500
"""A chart has at most five times as many points: first, lowest and highest of each stretch."""
_MOST_DECISIONS: Final = 2_000
_MOST_REASONS: Final = 3
_COLUMNS: Final = (
    ("final", "final_usd", "money"),
    ("vs hold", "vs_hold_usd", "signed"),
    ("fees", "fees_usd", "money"),
    ("IL", "impermanent_loss_usd", "money"),
    ("LVR", "lvr_usd", "money"),
    ("hedged PnL", "hedged_pnl_usd", "signed"),
    ("swaps", "swap_cost_usd", "money"),
    ("gas", "gas_usd", "money"),
    ("in range", "in_range_ratio", "percent"),
    ("Sharpe", "sharpe_ratio", "ratio"),
    ("max DD", "max_drawdown", "percent"),
)
_TILES: Final = (
    ("final", "final_usd", "money", ""),
    ("against hold", "vs_hold_usd", "signed", ""),
    ("fees earned", "fees_usd", "money", ""),
    ("impermanent loss", "impermanent_loss_usd", "money", ""),
    ("gas", "gas_usd", "money", ""),
    ("in range", "in_range_ratio", "percent", "of the time"),
    ("Sharpe", "sharpe_ratio", "ratio", "a year"),
    ("deepest fall", "max_drawdown", "percent", "from a peak"),
)


def text(figures: Mapping[str, Any]) -> str:
    """The figures as a table, the strategies first and their baselines below."""
    money = Money.of(figures)
    rows = [
        [name, *(cell(row.get(key), kind, money) for _, key, kind in _COLUMNS)]
        for name, row in _rows(figures)
    ]
    table = [_head(money), *rows]
    pools = f"{', '.join(figures.get('pools', ()))} in {figures.get('numeraire', 'USD')}"
    lines = [f"{figures['strategy']} · {pools} · {_span(figures)} · {figures['steps']:,} steps"]
    lines += [f"{figures['source_kind']} · {figures['fidelity']}", ""]
    lines += [*_aligned(table), "", _counts(figures), _lvr_note(figures), _gas_note(figures)]
    lines += _complaints(figures)
    if figures.get("starts"):
        starts = figures["starts"]
        averages = _aligned(starts_table(starts, money))
        lines += ["", starts_title(starts), *averages, *starts_notes(starts, money), ""]
    lines += [f"decision digest {figures['decision_digest']}"]
    return "\n".join(map(harmless, lines))


def _head(money: Money) -> list[str]:
    """The names of the columns, the first worth with its money."""
    return ["", f"final {money.name}", *(name for name, _, _ in _COLUMNS[1:])]


def _aligned(table: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join([row[0].ljust(widths[0]), *cells]).rstrip())
    return lines


def page(record: RunRecord) -> str:
    """The report as one HTML file with everything in it."""
    title = f"{record.figures['strategy']} – backtest"
    content = json.dumps(made_harmless(_content(record)), ensure_ascii=False, allow_nan=False, default=str)
    template = (files("defai.backtest") / "page" / "report.html").read_text(encoding="utf-8")
    parts = template.replace("__TITLE__", escape(title)).split("__PLOTLY__")
    return parts[0] + _plotly() + parts[1].replace("__RUN__", content.replace("<", "\\u003c"))


@cache
def _plotly() -> str:
    """The chart library's own source, which the page carries along."""
    from plotly.offline import get_plotlyjs  # noqa: PLC0415  heavy, and only pages want it

    source: str = get_plotlyjs()
    return source


def _rows(figures: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    baselines: Mapping[str, Mapping[str, Any]] = figures.get("baselines") or {}
    agents: Sequence[Mapping[str, Any]] = figures.get("agents") or ()
    mine = [(str(row["name"]), row) for row in agents] or [("this strategy", figures)]
    other = figures.get("other_flow")
    mine += [(f"{mine[0][0]}, flow {other['flow']}", other)] if other else []
    named = [*mine, *((name.replace("_", " "), row) for name, row in baselines.items())]
    return [(name, {**row, "vs_hold_usd": _vs_hold(row)}) for name, row in named]


def _vs_hold(row: Mapping[str, Any]) -> float | None:
    final, hodl = row.get("final_usd"), row.get("hodl_usd")
    return None if final is None or hodl is None else final - hodl


def _span(figures: Mapping[str, Any]) -> str:
    return f"{_day(figures['first_time'])} … {_day(figures['last_time'])}"


def _day(moment: object) -> str:
    return f"{_moment(moment):%Y-%m-%d %H:%M}"


def _moment(moment: object) -> datetime:
    """A time of the figures: seconds since 1970, or ISO 8601."""
    if isinstance(moment, int | float):
        return datetime.fromtimestamp(moment, UTC)
    return datetime.fromisoformat(str(moment))


def _lvr_note(figures: Mapping[str, Any]) -> str:
    interval = figures.get("lvr_interval_s")
    return (
        "LVR and hedged PnL were not measured."
        if interval is None
        else f"LVR and hedged PnL: rebalanced every {interval / 60:g} minutes; another interval gives another number."
    )


def _gas_note(figures: Mapping[str, Any]) -> str:
    """What gas cost, and what of it went into anchoring decisions that moved nothing."""
    priced, money = f"Gas: {figures.get('gas_price') or 'no word of its price'}", Money.of(figures)
    if figures.get("gas_usd") is None or "anchors" not in figures:
        return f"{priced}."
    word = "transaction" if figures["anchors"] == 1 else "transactions"
    anchors = f"{figures['anchors']:,} {word} that did nothing but anchor decisions"
    every = f" ({figures['anchor_every']:,} to an anchor)" if figures.get("anchor_every") else ""
    total, of_it = (money.text(figures[name]) for name in ("gas_usd", "anchor_gas_usd"))
    return f"{priced}; {total} in all, {of_it} of it for {anchors}{every}."


def _counts(figures: Mapping[str, Any]) -> str:
    words = [
        f"{figures[key]:,} {key.removesuffix('s') if figures[key] == 1 else key}"
        for key in ("decisions", "mints", "swaps", "denied")
        if key in figures
    ]
    return ", ".join(words)


def _complaints(figures: Mapping[str, Any]) -> list[str]:
    """Who stopped and who was denied what, and why: without it a run in which nothing happened is a riddle."""
    lines = []
    for name, row in _rows(figures):
        reasons = sorted((row.get("denied_for") or {}).items(), key=lambda one: -one[1])
        lines += [
            f"{name} was denied {'once' if count == 1 else f'{count:,} times'}: {reason}"
            for reason, count in reasons[:_MOST_REASONS]
        ]
        if row.get("stopped"):
            lines.append(f"{name} stopped: {row['stopped']}")
    return lines


def _content(record: RunRecord) -> dict[str, Any]:
    figures, equity = record.figures, record.equity
    rows = thinned(equity["price"], equity["equity_usd"])
    lines = {_rows(figures)[0][0]: equity["equity_usd"]}
    for name, values in equity.items():
        if name.startswith("agent_"):
            lines[name.removeprefix("agent_")] = values
        elif name.startswith("baseline_"):
            lines[name.removeprefix("baseline_").replace("_", " ")] = values
    lower, upper = (_picked(equity[name], rows) for name in ("band_lower", "band_upper"))
    decisions, note = _decisions(record.decisions, Money.of(figures))
    return {
        "title": figures["strategy"],
        "subtitle": f"{_span(figures)} · {figures['steps']:,} steps · {_counts(figures)}",
        "fidelity": figures["fidelity"],
        "lvr_note": _lvr_note(figures),
        "gas_note": _gas_note(figures),
        "complaints": _complaints(figures),
        "money": Money.of(figures)._asdict(),
        "starts": _starts(figures),
        "price_note": record.source.get("pool", ""),
        "price_name": record.source.get("price_of", "price"),
        "tiles": _tiles(figures),
        "comparison": _comparison(figures),
        "times": [f"{_moment(equity['timestamp'][row]):%Y-%m-%d %H:%M:%S}" for row in rows],
        "equity": {name: _picked(values, rows) for name, values in lines.items()},
        "drawdown": {name: _picked(_falls(values), rows) for name, values in lines.items()},
        "price": _picked(equity["price"], rows),
        "band_lower": lower,
        "band_upper": upper,
        "band_runs": band_runs(lower, upper),
        "moves": _moves(record.decisions, equity),
        "parts": parts_of(figures),
        "decisions": decisions,
        "decision_note": note,
        "origin": _origin(record),
    }


def _starts(figures: Mapping[str, Any]) -> dict[str, Any] | None:
    starts = figures.get("starts")
    if not starts:
        return None
    money = Money.of(figures)
    notes = " ".join(starts_notes(starts, money))
    return {"title": starts_title(starts), "rows": starts_table(starts, money), "note": notes}


def _tiles(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    (_, mine), *_ = _rows(figures)
    money = Money.of(figures)
    tiles = [
        {"name": name, "value": mine.get(key), "kind": kind, "more": unit or money.name}
        for name, key, kind, unit in _TILES
    ]
    interval = figures.get("lvr_interval_s")
    if interval is not None:
        unit = f"{money.name}, every {interval:,} s"
        lvr = {"name": "LVR", "value": mine.get("lvr_usd"), "kind": "money", "more": unit}
        hedged = {"name": "hedged PnL", "value": mine.get("hedged_pnl_usd"), "kind": "signed", "more": unit}
        tiles[4:4] = [lvr, hedged]
    return tiles


def _comparison(figures: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "columns": _head(Money.of(figures)),
        "rows": [
            {"name": name, "cells": [{"value": row.get(key), "kind": kind} for _, key, kind in _COLUMNS]}
            for name, row in _rows(figures)
        ],
    }


def parts_of(figures: Mapping[str, Any]) -> list[tuple[str, float, str]]:
    """What the result against holding is made of, as steps of a waterfall: name, worth, "relative" or "total".

    What is left once fees, impermanent loss, swap costs and gas are named is "other": what trading gained or lost, and
    that bands held other amounts than the first balances.
    """
    against = _vs_hold(figures)
    if against is None:
        return []
    named = (
        ("fees", figures.get("fees_usd"), 1),
        ("IL", figures.get("impermanent_loss_usd"), -1),
        ("swaps", figures.get("swap_cost_usd"), -1),
        ("gas", figures.get("gas_usd"), -1),
    )
    money = Money.of(figures)
    parts = [
        (name, sign * value, "relative")
        for name, value, sign in named
        if value and not money.is_nothing(value)
    ]
    rest = against - sum(value for _, value, _ in parts)
    return [*parts, ("other", rest, "relative"), ("vs hold", against, "total")]


def thinned(*series: Sequence[float], most: int = _MOST_POINTS) -> list[int]:
    """Rows that draw the same lines: of each stretch the first, and the lowest and highest of each series."""
    count = len(series[0])
    width = -(-count // most)
    if width <= 2 * len(series) + 1:
        return list(range(count))
    rows = {count - 1}
    for begin in range(0, count, width):
        stretch = range(begin, min(begin + width, count))
        rows.add(begin)
        for values in series:
            rows |= {min(stretch, key=values.__getitem__), max(stretch, key=values.__getitem__)}
    return sorted(rows)


def band_runs(lower: Sequence[float | None], upper: Sequence[float | None]) -> list[tuple[int, int]]:
    """Stretches of rows with one band each; a stretch reaches one row on, so that the band is drawn to its end."""
    runs: list[tuple[int, int]] = []
    begin = 0
    for row in range(1, len(lower) + 1):
        if row == len(lower) or (lower[row], upper[row]) != (lower[begin], upper[begin]):
            if lower[begin] is not None:
                runs.append((begin, min(row + 1, len(lower)) if row == len(lower) else row))
            begin = row
    return runs


def _picked(values: Sequence[Any], rows: Sequence[int]) -> list[Any]:
    return [values[row] for row in rows]


def _falls(values: Sequence[float]) -> list[float]:
    falls, peak = [], values[0] if values else 0.0
    for value in values:
        peak = max(peak, value)
        falls.append(value / peak - 1 if peak > 0 else 0.0)
    return falls


def _acting(decisions: Columns) -> list[int]:
    return [row for row, action in enumerate(decisions["action"]) if action != "hold"]


def _decisions(decisions: Columns, money: Money) -> tuple[dict[str, Any], str]:
    acting = _acting(decisions)
    kept = acting[:_MOST_DECISIONS]
    wanted = ("timestamp", "agent", "action", "reason", "verdict", "outcome", "gas_usd", "digest")
    alone = len(set(decisions.get("agent", ()))) < 2
    columns = [name for name in wanted if name in decisions and not (alone and name == "agent")]
    rows = [[_word(name, decisions[name][row], money) for name in columns] for row in kept]
    held = len(decisions["action"]) - len(acting)
    note = f"{len(acting):,} that asked for something; {held:,} holds are in decisions.parquet"
    if len(kept) < len(acting):
        note += f", and so are those after the first {len(kept):,}"
    names = {"timestamp": "time", "gas_usd": f"gas {money.name}"}
    return {"columns": [names.get(name, name) for name in columns], "rows": rows}, note


def _word(name: str, value: object, money: Money) -> str | None:
    if value is None:
        return None
    if name == "timestamp":
        return _day(value)
    if name == "digest":
        return f"{str(value)[:8]}…{str(value)[-4:]}"
    return money.text(value) if isinstance(value, float) else str(value)


def _moves(decisions: Columns, equity: Columns) -> list[tuple[str, float, str]]:
    """Where it acted: time, price, what it did and why."""
    from bisect import bisect_right  # noqa: PLC0415  only pages want it

    moves = []
    for row in _acting(decisions)[:_MOST_DECISIONS]:
        moment = decisions["timestamp"][row]
        at = max(bisect_right(equity["timestamp"], moment) - 1, 0)
        words = f"{decisions['action'][row]}: {escape(str(decisions['reason'][row]))}"
        moves.append((f"{_moment(moment):%Y-%m-%d %H:%M:%S}", equity["price"][at], words))
    return moves


def _origin(record: RunRecord) -> list[tuple[str, str]]:
    source, figures = record.source, record.figures
    rows = [
        ("source", f"{source.get('path', '')} ({source.get('kind', '')})"),
        ("sha256 of the source", str(source.get("sha256", ""))),
        ("decision digest", str(figures.get("decision_digest", ""))),
        ("parameters", json.dumps(figures.get("params", {}), ensure_ascii=False)),
        ("seed", str(record.seed)),
        ("versions", ", ".join(f"{name} {number}" for name, number in (record.versions or {}).items())),
        ("again", "defai reproduce DIR runs it again and compares every figure and the digest"),
    ]
    return [(name, value) for name, value in rows if value]
