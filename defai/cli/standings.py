"""What a sweep or a search came to, as a table for people."""

from collections.abc import Mapping, Sequence
from os.path import normpath
from typing import Any, Final

from defai.harmless import harmless

_COLUMNS: Final = (
    ("final USD", "final_usd", "{:,.2f}"),
    ("hold USD", "hodl_usd", "{:,.2f}"),
    ("fees", "fees_usd", "{:,.2f}"),
    ("IL", "impermanent_loss_usd", "{:,.2f}"),
    ("hedged PnL", "hedged_pnl_usd", "{:+,.2f}"),
    ("gas", "gas_usd", "{:,.2f}"),
    ("in range", "in_range_ratio", "{:.1%}"),
    ("Sharpe", "sharpe_ratio", "{:.2f}"),
    ("max DD", "max_drawdown", "{:.2%}"),
)


_DSR: Final = (
    "DSR, the deflated Sharpe ratio, is the choice's before its test: below 0.95 luck explains it well."
)


def sweep_text(found: Mapping[str, Any]) -> str:
    """A sweep's result."""
    windows = found["windows"]
    over = windows[0] if len(windows) == 1 else f"{len(windows)} windows"
    head = f"{found['strategy']} · {normpath(found['source'])} · {'whole history' if over == '-' else over}"
    counts = f"{found['done']:,} of {found['runs']:,} runs done"
    lines = [head, counts + _trouble(found)]
    lines += [f"  run {one['run']}: {one['error']}" for one in found["failures"]]
    lines += ["", f"best by {found['objective']}" + (", means over windows" if len(windows) > 1 else ""), ""]
    lines += standings(found["best"], found["baselines"], found["objective"], worst=len(windows) > 1)
    lines += ["", found["warning"]] if found["warning"] else []
    if found["out"]:
        lines += ["", f"all runs: {found['out']}/{'parts' if found['interrupted'] else 'results.parquet'}"]
    return "\n".join(map(harmless, lines))


def search_text(found: Mapping[str, Any]) -> str:
    """A search's result: the best trials, and below them what the best one came to where no trial has looked."""
    counts = f"{found['done']:,} of {found['runs']:,} trials done{_trouble(found)}"
    lines = [
        f"{found['strategy']} · {normpath(found['source'])} · {counts}",
        *(f"  trial {one['run']}: {one['error']}" for one in found["failures"]),
        *("", f"best by {found['objective']} in {found['train_window']}", ""),
        *standings(found["best"], {}, found["objective"]),
    ]
    test = found["test"]
    if test is not None:
        lines += ["", f"the best one in {found['test_window']}, which no trial has seen", ""]
        lines += standings([test], found["baselines"], found["objective"])
        lines += _all_digits(test["params"])
        if test["looks"] > 1:
            lines += [
                "",
                f"The test has been looked at {test['looks']} times: it is no longer unseen by you.",
            ]
    lines += ["", found["warning"]] if found["warning"] else []
    if found["out"]:
        lines += ["", f"all trials: {found['out']}/{'parts' if found['interrupted'] else 'results.parquet'}"]
    return "\n".join(map(harmless, lines))


def nested_text(found: Mapping[str, Any]) -> str:
    """What a search within each step of a walk forward came to: a line a step, and all of them together."""
    shape, objective = _shape(found["objective"]), found["objective"]
    table = [["test", *found["folds"][0]["space"], "chosen at", "tested", "hold", "trials", "DSR"]]
    for one in found["folds"]:
        test = one["test"] or {"params": {}, "value": None}
        best = one["best"][0]["value"] if one["best"] else None
        table.append(
            [
                one["test_window"],
                *(_short(test["params"].get(name)) for name in one["space"]),
                _cell(best, shape),
                _cell(test["value"], shape),
                _cell((one["baselines"].get("hold") or {}).get(objective), shape),
                f"{one['trials']:,}",
                _cell(one["deflated_sharpe_ratio"], "{:.2f}"),
            ]
        )
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    chosen, tested, hold = (_cell(found[f"mean_{name}"], shape) for name in ("chosen", "tested", "hold"))
    lines = [
        f"{found['strategy']} · {normpath(found['source'])} · {found['done']:,} of {found['runs']:,} trials done",
        "",
        f"{objective}, as the search chose it on all before each test, and in the test, which no trial has seen",
        "",
        *("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in table),
        "",
        f"means: {chosen} where it was chosen, {tested} in the tests, {hold} by holding",
    ]
    if found["better_than_hold"] is not None:
        lines.append(f"better than holding in {found['better_than_hold']} of {len(found['folds'])} tests")
    lines.append(f"{found['trials']:,} trials stand behind these choices. {_DSR}")
    lines += [f"all trials: {found['out']}"] if found["out"] else []
    return "\n".join(map(harmless, lines))


def standings(
    best: Sequence[Mapping[str, Any]],
    baselines: Mapping[str, Mapping[str, Any]],
    objective: str,
    *,
    worst: bool = False,
) -> list[str]:
    """A table: the best combinations of parameters, the baselines below; what was not measured reads a dash."""
    if not best:
        return ["no combination was measured in every window"]
    names = list(best[0]["params"])
    sought = objective not in {key for _, key, _ in _COLUMNS}
    head = [*names, *([objective] if sought else []), *(["worst"] if worst else [])]
    table = [[*head, *(title for title, _, _ in _COLUMNS)]]
    for one in best:
        cells = [_short(value) for value in one["params"].values()]
        cells += [_cell(one["value"], "{:,.4g}")] * sought
        cells += [_cell(one.get("worst"), _shape(objective))] * worst
        table.append([*cells, *(_cell(one.get(key), shape) for _, key, shape in _COLUMNS)])
    for name, figures in baselines.items():
        cells = [name, *[""] * (len(head) - 1)]
        if sought:
            cells[len(names)] = _cell(figures.get(objective), "{:,.4g}")
        table.append([*cells, *(_cell(figures.get(key), shape) for _, key, shape in _COLUMNS)])
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    return [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def _trouble(found: Mapping[str, Any]) -> str:
    """What did not go as it should, after the counts."""
    failed = f", {found['failed']:,} failed" if found["failed"] else ""
    return failed + (f", in {found['stopped']:,} the agent stopped early" if found["stopped"] else "")


def _all_digits(params: Mapping[str, object]) -> list[str]:
    """What the table has shortened, as `--param` takes it."""
    if all(_short(value) == str(value) for value in params.values()):
        return []
    return ["", "all of its digits: " + "  ".join(f"{name}={value}" for name, value in params.items())]


def _short(value: object) -> str:
    """A parameter that a search chose: four digits of a number with a fraction, all of anything else."""
    try:
        number = float(str(value))
    except ValueError:
        return _cell(value, "{}")
    return str(value) if number.is_integer() else f"{number:.4g}"


def _shape(objective: str) -> str:
    return next((shape for _, key, shape in _COLUMNS if key == objective), "{:,.4g}")


def _cell(value: object, shape: str) -> str:
    return "–" if value is None else shape.format(value)
