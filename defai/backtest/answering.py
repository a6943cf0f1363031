"""`python -m defai.backtest.answering`: a wish on standard input, its progress and its result on standard output.

For whoever runs a backtest beside something that must not be slowed. Each line is one JSON object, a
`BacktestProgressed` or the `BacktestDone` at the end.
"""

import asyncio
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stderr
from dataclasses import replace
from io import TextIOBase
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TextIO

import numpy as np
from platformdirs import user_data_path
from pydantic import TypeAdapter

from defai.backtest.figures import figures
from defai.backtest.metrics import drawdowns
from defai.backtest.record import record_of
from defai.backtest.report import page
from defai.backtest.request import BacktestRequest, parse_balances, perform
from defai.backtest.run_files import PAGE, RunRecord, write_run
from defai.backtest.runner import BacktestResult
from defai.domain.answers import BacktestDone, BacktestProgressed, BacktestRow, BacktestUpdate, BacktestWish
from defai.errors import DefaiError

TELL_EVERY_S: Final = 0.25
REPORTS: Final = 20
"""Runs kept of those asked for this way."""
POINTS: Final = 400
DECISIONS: Final = 300
_UPDATES: Final[TypeAdapter[BacktestUpdate]] = TypeAdapter(BacktestUpdate)


def request_of(wish: BacktestWish) -> BacktestRequest:
    """The request that a wish means.

    Raises:
        ConfigError: for a balance that is none.
    """
    return BacktestRequest(
        strategies=(wish.strategy,),
        source=Path(wish.source),
        parameters=wish.parameters,
        balances=parse_balances(wish.balances),
        timerange=wish.timerange,
        baselines=wish.baselines,
        seed=wish.seed,
    )


class Telling:
    """Tells what is being done and how much of it is done, a few times a second."""

    def __init__(self) -> None:
        self._began = self._told = perf_counter()
        self._text = ""

    def say(self, text: str) -> None:
        """Something begins."""
        self._text = text
        self._tell(None)

    def aside(self, text: str) -> None:
        """Something that is not of this run is told of."""
        _tell(BacktestProgressed(text, None, perf_counter() - self._began))

    def reached(self, share: float) -> None:
        """The run has lived through so much of its history, 0..1."""
        if perf_counter() - self._told >= TELL_EVERY_S:
            self._tell(share)

    def _tell(self, share: float | None) -> None:
        self._told = perf_counter()
        _tell(BacktestProgressed(self._text, share, self._told - self._began))


class Aside(TextIOBase):
    """Standard error as a run's asides: the kernel says there that it is compiled first, which takes a minute.

    Args:
        telling: tells each line.
        stream: gets everything as well.
    """

    def __init__(self, telling: Telling, stream: TextIO) -> None:
        super().__init__()
        self._telling, self._stream = telling, stream

    def write(self, text: str) -> int:
        """Pass a text on."""
        for line in text.splitlines():
            if line.strip():
                self._telling.aside(line.removeprefix("defai: "))
        return self._stream.write(text)

    def flush(self) -> None:
        """Pass that on as well."""
        self._stream.flush()


def answer(wish: BacktestWish, reports: Path | None = None) -> BacktestDone:
    """Run a backtest and say how it goes; its result.

    Args:
        wish: what is asked for.
        reports: folder that the run is written to, with its HTML page; it is written nowhere without.
    """
    telling = Telling()
    request = request_of(wish)
    with redirect_stderr(Aside(telling, sys.stderr)):
        result = asyncio.run(perform(request, telling.say, telling.reached))
    table = figures(result, request.lvr_interval_s, hourly=True)
    record = record_of(request, result, table)
    found = done(wish, result, table, record)
    return found if reports is None else replace(found, report=written(record, reports))


def written(record: RunRecord, reports: Path) -> str | None:
    """The path of the page of a run's directory, written among the last `REPORTS`; None where it cannot be."""
    try:
        before = sorted(reports.glob("[0-9]*"), key=lambda path: path.name)
        number = int(before[-1].name.partition("-")[0]) + 1 if before else 1
        for old in before[: -REPORTS + 1]:
            shutil.rmtree(old, ignore_errors=True)
        out = reports / f"{number:06}-{Path(str(record.figures['strategy'])).stem}"
        write_run(out, record, page(record))
    except (DefaiError, OSError):
        return None  # the result is worth telling all the same
    return str((out / PAGE).resolve())


def done(
    wish: BacktestWish, result: BacktestResult, table: Mapping[str, Any], record: RunRecord
) -> BacktestDone:
    """A result for people."""
    ground, columns = result.ground, record.equity
    rows = [_row(result.agents[0].name, table, columns, "equity_usd", is_baseline=False)]
    rows += [
        _row(name, figured, columns, f"baseline_{name}", is_baseline=True)
        for name, figured in table["baselines"].items()
    ]
    times = columns["timestamp"]
    moved = [
        (int(at), f"{action}: {reason}")
        for at, action, reason in zip(
            record.decisions["timestamp"], record.decisions["action"], record.decisions["reason"], strict=True
        )
        if action != "hold"
    ]
    words = ["defai", "backtest", "-s", wish.strategy, "--source", wish.source, "--timerange", wish.timerange]
    words += [word for name, value in wish.parameters.items() for word in ("--param", f"{name}={value}")]
    words += [word for balance in wish.balances for word in ("--balance", balance)]
    words += ["--seed", str(wish.seed), *(() if wish.baselines else ("--no-baselines",))]
    return BacktestDone(
        title=f"{table['strategy']} on {', '.join(table['pools'])}",
        fidelity=ground.fidelity,
        lvr_interval_s=table["lvr_interval_s"],
        rows=tuple(rows),
        seconds=result.seconds,
        prices=_points(times, columns["price"]),
        bands=_bands(times, columns["band_lower"], columns["band_upper"]),
        decisions=tuple(moved[-DECISIONS:]),
        command=shlex.join(words),
    )


def _row(
    name: str,
    table: Mapping[str, Any],
    columns: Mapping[str, Sequence[Any]],
    column: str,
    *,
    is_baseline: bool,
) -> BacktestRow:
    final, hodl = table["final_usd"], table["hodl_usd"]
    curve = columns.get(column, ())
    times = columns["timestamp"]
    falls: tuple[tuple[int, float], ...] = ()
    if len(curve):
        falls = _points(times, drawdowns(np.asarray(curve, dtype=np.float64)).tolist())
    return BacktestRow(
        name=name,
        is_baseline=is_baseline,
        final_usd=final,
        versus_hold_percent=(final / hodl - 1) * 100 if hodl else None,
        fees_usd=table["fees_usd"],
        impermanent_loss_usd=table["impermanent_loss_usd"],
        lvr_usd=table["lvr_usd"],
        gas_usd=table["gas_usd"],
        in_range_share=table["in_range_ratio"],
        sharpe=table["sharpe_ratio"],
        max_drawdown=table["max_drawdown"],
        trades=table["swaps"] + table["mints"],
        curve=_points(times, curve),
        drawdowns=falls,
    )


def _points(times: Sequence[Any], values: Sequence[Any]) -> tuple[tuple[int, float], ...]:
    """Evenly chosen, the first and the last among them."""
    count = len(values)
    if not count:
        return ()
    chosen = np.unique(np.linspace(0, count - 1, min(POINTS, count)).round().astype(int)).tolist()
    return tuple((int(times[at]), float(values[at])) for at in chosen if values[at] is not None)


def _bands(
    times: Sequence[Any], lower: Sequence[Any], upper: Sequence[Any]
) -> tuple[tuple[int, int, float, float], ...]:
    """Stretches with one band, the last `DECISIONS` of them."""
    found: list[tuple[int, int, float, float]] = []
    for at, low, high in zip(times, lower, upper, strict=True):
        if low is None or high is None:
            continue
        if found and (found[-1][2], found[-1][3]) == (low, high):
            found[-1] = (found[-1][0], int(at), low, high)
        else:
            found.append((int(at), int(at), low, high))
    return tuple(found[-DECISIONS:])


def _tell(update: BacktestUpdate) -> None:
    sys.stdout.write(_UPDATES.dump_json(update).decode() + "\n")
    sys.stdout.flush()


def main() -> int:
    """Read a wish, answer it.

    Returns:
        The exit code: 0, or that of the error, which is said on standard error.
    """
    try:
        reports = user_data_path("defai") / "backtests"
        _tell(answer(TypeAdapter(BacktestWish).validate_json(sys.stdin.read()), reports))
    except DefaiError as error:
        sys.stderr.write(f"defai: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
