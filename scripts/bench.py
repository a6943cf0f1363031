"""Measure: each figure beside its alternative, in the same run.

Usage: python scripts/bench.py [NAME ...] [--list] [--json] [--strict] [--write-readme]

A bench is a file bench/bench_NAME.py with a function `measure() -> list[Figure]`; all run unless some are named, one
after the other, each in a process of its own that is ended with all it started when it takes too long. Other people's
packages are installed the first time, into environments of their own in the user's cache directory; where they can't
be, their figures read "unmeasured". Nothing else is asked but the loopback interface. Figures depend on what else the
machine does: the load is printed with them.
"""

import argparse
import importlib
import json
import os
import platform
import re
import signal
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

CHECKOUT: Final = Path(__file__).resolve().parents[1]
BENCHES: Final = CHECKOUT / "bench"
README: Final = CHECKOUT / "README.md"
PATIENCE_S: Final = 1_200
"""Three times as long as any takes, but for the first time, when it installs what it compares with."""
BY_HAND: Final = ("`make demo`, fresh clone to dashboard, downloads included",)
"""Rows of the README's table that no bench measures, since they need the network: they stay as they are."""

ORDER: Final = ("kernel", "bars", "day", "sweep", "crossover", "amm", "gas")
"""These benches stand first in the README's table, in this order; the others follow by name."""

LEGEND: Final = (
    "Medians of what was measured more than once. The ratio says how many times as good as the alternative; "
    "below 1 is worse."
)

sys.path[:0] = [str(BENCHES), str(CHECKOUT)]

from figures import Figure, number  # noqa: E402  found once the path above is set


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a bench gave: its figures, or why there are none."""

    name: str
    figures: tuple[Figure, ...] = ()
    failure: str = ""


def discover(folder: Path = BENCHES) -> dict[str, str]:
    """The benches by name, each with the first line of its docstring."""
    found = {}
    for path in sorted(folder.glob("bench_*.py")):
        first = path.read_text(encoding="utf-8").split("\n", 1)[0]
        found[path.stem.removeprefix("bench_")] = first.strip('"')
    return found


def run(name: str, *, patience_s: float = PATIENCE_S) -> Outcome:
    """Run one bench in a process of its own.

    Args:
        name: of the bench.
        patience_s: after so many seconds it is ended, with everything it started.
    """
    command = [sys.executable, str(Path(__file__).resolve()), "--inner", name]
    process = subprocess.Popen(
        command,
        cwd=CHECKOUT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        printed, said = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return Outcome(name, failure=f"it took longer than {patience_s:g} s")
    if process.returncode:
        return Outcome(name, failure=(said.strip().splitlines() or ["it said nothing"])[-1])
    return Outcome(name, tuple(Figure(**figure) for figure in json.loads(printed.splitlines()[-1])))


def measure_here(name: str) -> int:
    """Run one bench in this process and print its figures as JSON, on the last line."""
    figures: Iterable[Figure] = importlib.import_module(f"bench_{name}").measure()
    print(json.dumps([{field: getattr(one, field) for field in Figure.__slots__} for one in figures]))
    return 0


def machine() -> dict[str, Any]:
    """What was measured on: never which one it is."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
        "date": datetime.now(UTC).date().isoformat(),
    }


def described(where: dict[str, Any], load_after: float) -> str:
    """The machine in a line."""
    return (
        f"{where['system']}, {where['cores']} cores, Python {where['python']}, "
        f"load {where['load']} before and {load_after} after, {where['date']}"
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """All figures, aligned."""
    rows = [("bench", "what", "measured", "alternative", "ratio", "promised")]
    for outcome in outcomes:
        for figure in outcome.figures:
            verdict = {True: "kept", False: "MISSED", None: ""}[figure.kept]
            rows.append((outcome.name, *cells(figure), f"{figure.wanted} {verdict}".strip()))
        if outcome.failure:
            rows.append((outcome.name, f"FAILED: {outcome.failure}", "", "", "", ""))
    widths = [max(len(row[column]) for row in rows if len(row[column]) < 80) for column in range(6)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def cells(figure: Figure) -> tuple[str, str, str, str]:
    """What, measured, the alternative, and the ratio."""
    alternative = figure.against
    if figure.alternative is not None:
        alternative = f"{number(figure.alternative)} {figure.unit}: {figure.against}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.3g}x"
    return figure.what, f"{number(figure.value)} {figure.unit}", alternative, ratio


def conditions(figures: Iterable[Figure]) -> list[str]:
    """The notes of figures, each with what it is a note on."""
    return [f"{figure.what}: {figure.note}" for figure in figures if figure.note]


def readme_with(text: str, outcomes: Iterable[Outcome], line: str) -> str:
    """The README with its table of figures written anew; rows that are measured by hand stay.

    Args:
        text: the README.
        outcomes: what was measured; figures that are headlines are shown.
        line: the machine, below the table.

    Raises:
        ValueError: where the README has no place for figures.
    """
    place = re.search(r"(<!-- figures.*?-->\n)(.*?)(\n<!-- /figures -->)", text, re.DOTALL)
    if place is None:
        raise ValueError("README.md has no <!-- figures --> to write between.")
    kept = [row for row in place[2].splitlines() if any(row.startswith(f"| {label} |") for label in BY_HAND)]
    shown = [
        (figure, one.name)
        for one in sorted(outcomes, key=_place)
        for figure in one.figures
        if figure.headline
    ]
    rows = [
        _row("what is measured", "ours", "alternative", "ratio", "command"),
        "|---|---|---|---|---|",
        *(_row(*row.strip("|").split("|")[:2], "", "", "by hand") for row in kept),
        *(_row(*cells(figure), f"`make bench ARGS={name}`") for figure, name in shown),
    ]
    notes = [f"- {note}" for note in conditions(figure for figure, _ in shown)]
    below = "\n".join([*notes, ""] if notes else [])
    body = "\n".join(rows) + f"\n\n{LEGEND}\n{line}.\n\n{below}"
    return text[: place.start(2)] + "\n" + body.rstrip("\n") + "\n" + text[place.end(2) :]


def _place(outcome: Outcome) -> tuple[int, str]:
    return (ORDER.index(outcome.name) if outcome.name in ORDER else len(ORDER), outcome.name)


def _row(*given: str) -> str:
    return "|" + "|".join(f" {cell} " if (cell := text.strip()) else " " for text in given) + "|"


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Measure, each figure beside its alternative.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="which benches; all unless named")
    parser.add_argument("--list", action="store_true", help="say what there is")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--strict", action="store_true", help="fail where a promise was missed")
    parser.add_argument(
        "--write-readme", action="store_true", help="write the README's table; runs all of them"
    )
    parser.add_argument("--inner", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    known = discover()
    unknown = [name for name in (*options.names, *filter(None, [options.inner])) if name not in known]
    if unknown:
        parser.error(f"there is no bench called {', '.join(unknown)}; there are {', '.join(known)}")
    if options.write_readme and options.names:
        parser.error("--write-readme measures everything: leave out the names")
    return options


def main() -> int:
    """Run the benches and print what they gave."""
    options = parse()
    if options.inner:
        return measure_here(options.inner)
    known = discover()
    if options.list:
        print("\n".join(f"{name:<12}{what}" for name, what in known.items()))
        return 0
    where, outcomes = machine(), []
    for name in options.names or known:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        outcomes.append(run(name))
        print(
            table(outcomes[-1:]), file=sys.stderr, flush=True
        )  # an hour's work is not lost with its last minute
    load_after = round(os.getloadavg()[0], 1)
    figures_of_all = [figure for outcome in outcomes for figure in outcome.figures]
    if options.json:
        figures = [{"bench": one.name, **figure.as_json()} for one in outcomes for figure in one.figures]
        failures = {one.name: one.failure for one in outcomes if one.failure}
        print(json.dumps({**where, "load_after": load_after, "figures": figures, "failures": failures}))
    else:
        notes = "".join(f"\n- {note}" for note in conditions(figures_of_all))
        print(f"{table(outcomes)}\n{notes}\n\n{LEGEND}\n{described(where, load_after)}")
    failed = any(outcome.failure for outcome in outcomes)
    if options.write_readme and not failed:
        text = README.read_text(encoding="utf-8")
        README.write_text(readme_with(text, outcomes, described(where, load_after)), encoding="utf-8")
    missed = any(figure.kept is False for figure in figures_of_all)
    return int(failed or (options.strict and missed))


if __name__ == "__main__":
    sys.exit(main())
