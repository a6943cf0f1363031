"""`python -m defai.backtest.answering`: a wish on standard input, its progress and its result on standard output.

For whoever runs a backtest beside something that must not be slowed. Each line is one JSON object, a
`BacktestProgressed` or the `BacktestDone` at the end.
"""

import asyncio
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from defai.backtest.figures import figures
from defai.backtest.record import record_of
from defai.backtest.request import BacktestRequest, parse_balances, perform
from defai.backtest.run_files import RunRecord
from defai.backtest.runner import BacktestResult
from defai.domain.answers import BacktestDone, BacktestProgressed, BacktestRow, BacktestUpdate, BacktestWish
from defai.errors import DefaiError

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


def answer(wish: BacktestWish) -> BacktestDone:
    """Run a backtest and say how it goes; its result."""
    began = perf_counter()

    def say(text: str) -> None:
        _tell(BacktestProgressed(text, None, perf_counter() - began))

    request = request_of(wish)
    result = asyncio.run(perform(request, say))
    table = figures(result, request.lvr_interval_s)
    return done(wish, result, table, record_of(request, result, table))


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
        values = np.asarray(curve, dtype=np.float64)
        falls = _points(times, (1 - values / np.maximum.accumulate(values)).tolist())
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
        _tell(answer(TypeAdapter(BacktestWish).validate_json(sys.stdin.read())))
    except DefaiError as error:
        sys.stderr.write(f"defai: {error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
