"""A sweep of 64 runs over a fortnight of minute bars each: two workers beside one, from the moment they are up."""

import tempfile
import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Final

from figures import Figure

from defai.backtest.request import BacktestRequest
from defai.backtest.sources.bars import COLUMNS
from defai.backtest.sweep.cluster import Workers, open_workers
from defai.backtest.sweep.place import perform_all, task_of
from defai.backtest.sweep.plan import Grid, Subject, grid_of
from defai.backtest.sweep.results import ResultFolder
from defai.backtest.sweep.space import parse_axes
from defai.market.bars import from_limbs
from defai.testing.bars import walking_bars

RUNS: Final = 64
BARS: Final = 20_160
ROUNDS: Final = 2
MONEY: Final = {"USDC": Decimal(10_000), "WETH": Decimal(5)}
NAME: Final = "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-07-19.minute.csv"


class Unwatched:
    """Nobody is told."""

    def begin(self, done: int, runs: int) -> None:
        """Nothing is said."""

    def step(self, *, failed: bool) -> None:
        """A run that fails would make the figure meaningless.

        Raises:
            AssertionError: where it did.
        """
        if failed:
            raise AssertionError("a run failed")

    def end(self) -> None:
        """Nothing is said."""


def silent(_text: str) -> None:
    """Nobody is told."""


def write_bars(folder: Path) -> None:
    """Made-up bars as a minute file."""
    bars = walking_bars(BARS)
    ticks = (bars.close_tick, bars.open_tick, bars.lowest_tick, bars.highest_tick)
    amounts = (bars.amount0_in, bars.amount1_in, bars.liquidity)
    columns = [column.tolist() for column in ticks] + [from_limbs(column) for column in amounts]
    lines = [",".join(COLUMNS)]
    for stamp, *cells in zip(bars.timestamps.tolist(), *columns, strict=True):
        moment = datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%d %H:%M:%S")
        lines.append(f"{moment},0,0," + ",".join(str(cell) for cell in cells))
    (folder / NAME).write_text("\n".join(lines) + "\n")


def sweep_seconds(workers: Workers, subject: Subject, grid: Grid, folder: Path) -> float:
    """Seconds for all runs on some workers, reading the source where it was not read yet, and writing the rows."""
    tasks = [task_of(subject, run) for run in grid.runs(subject)]
    kept = ResultFolder.opened(folder, subject.plan("sweep", {}))
    started = time.perf_counter()
    perform_all(workers, tasks, kept, Unwatched(), len(tasks))
    kept.close()
    return time.perf_counter() - started


def measure() -> list[Figure]:
    """Seconds for 64 runs, one worker and two in turns; the quickest of the rounds after the first, which warms up."""
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as name:
        folder = Path(name)
        source = folder / "bars"
        source.mkdir()
        write_bars(source)
        subject = Subject.of(BacktestRequest(strategies=("static_band",), source=source, balances=MONEY))
        grid = grid_of(subject, parse_axes([f"half_width=100:{100 + 10 * (RUNS - 1)}:10"]), ("-",))
        took: dict[int, list[float]] = {1: [], 2: []}
        with open_workers(1, None, folder, silent) as alone, open_workers(2, None, folder, silent) as both:
            for number in range(ROUNDS + 1):
                for workers in (alone, both):
                    place = folder / f"{workers.count}-{number}"
                    took[workers.count].append(sweep_seconds(workers, subject, grid, place))
    return [
        Figure(
            what=f"A sweep of {grid.runs_in_all} runs on 2 workers",
            value=min(took[2][1:]),
            unit="s",
            against="the same on one worker",
            alternative=min(took[1][1:]),
            least_ratio=1.8,
            headline=True,
        )
    ]
