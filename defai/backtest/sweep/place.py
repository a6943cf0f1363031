"""Where a sweep runs and what it leaves there, and what has to be there before its workers begin."""

import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from defai.amm.limbs.compiler import is_compiled
from defai.audit.holds import FUNCTIONS as HOLDS
from defai.backtest.ground import Ground
from defai.backtest.request import BacktestRequest, agents_of
from defai.backtest.runner import run
from defai.backtest.sweep.cluster import Workers
from defai.backtest.sweep.plan import PlannedRun, Subject
from defai.backtest.sweep.results import ResultFolder, alone
from defai.backtest.sweep.workers import RunTask
from defai.market.bars import MINUTE_S
from defai.session.history import HistoryRecipe
from defai.session.training import model_key, models_for
from defai.strategy.registry import LoadedStrategy, shipped_folder
from defai.worlds.bar_path import FUNCTIONS as BARS

_COMPILED_ON_S: Final = 86_400
_WORTH_COMPILING_S: Final = 20_000 * MINUTE_S
Say: TypeAlias = Callable[[str], None]


class Watch(Protocol):
    """Told how far a sweep has come."""

    def begin(self, done: int, runs: int) -> None:
        """So many runs are done already, of so many."""

    def step(self, *, failed: bool) -> None:
        """One more is done."""

    def end(self) -> None:
        """No more will come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sweep runs and what it leaves there.

    Attributes:
        out: its directory, new or one to go on in; None keeps nothing.
        workers: how many processes of our own.
        scheduler: address of a dask scheduler whose workers do it instead.
    """

    out: Path | None = None
    workers: int = 1
    scheduler: str | None = None

    @contextmanager
    def folder(self) -> Iterator[Path]:
        """The directory, to ourselves.

        Raises:
            DefaiError: where it can't be had.
        """
        if self.out is None:
            with tempfile.TemporaryDirectory(prefix="defai-sweep-", ignore_cleanup_errors=True) as folder:
                yield Path(folder)
            return
        with alone(self.out):
            yield self.out


def task_of(subject: Subject, run: PlannedRun) -> RunTask:
    """A run as a worker is given it."""
    return RunTask(
        number=run.number,
        window=run.window,
        request=replace(subject.request, parameters=run.parameters, timerange=run.timerange),
        source_digest=subject.source_digest,
        strategy_digest=subject.strategy_digest,
    )


def perform_all(
    workers: Workers, tasks: Iterable[RunTask], kept: ResultFolder, watch: Watch, count: int
) -> None:
    """Perform runs, `count` of them, and keep what came of them.

    Raises:
        DefaiError: where the workers are gone, or nothing can be written any more.
    """
    for row in workers.perform(tasks, count):
        kept.add(row)
        watch.step(failed=row["error"] is not None)


async def train_ahead(strategies: Sequence[LoadedStrategy], recipe: HistoryRecipe, say: Say) -> None:
    """Train the models that strategies want and that are not there: once, not on every worker."""
    wanted = {key: one for one in strategies if (key := model_key(one, recipe)) is not None}
    await models_for(list(wanted.values()), recipe, say)


async def compile_ahead(ground: Ground, request: BacktestRequest, runs: int, say: Say) -> None:
    """Compile what runs on bars need, where it is not yet and there are bars enough to pay for it: once for all."""
    first, last = ground.first_time, ground.last_time
    if ground.kind != "bars" or ground.window is None or first is None or last is None:
        return
    if runs * (last - first) < _WORTH_COMPILING_S:
        return
    try:
        if is_compiled(BARS) and is_compiled(HOLDS):
            return
    except ImportError:
        return  # then every run goes the general way
    say("compiling, once for all workers")
    short = ground.window(first, first + _COMPILED_ON_S)
    band = f"{shipped_folder() / 'static_band.py'}:StaticBand"
    settings = agents_of(replace(request, strategies=(band,), parameters={}), short)
    await run(short, settings, engine="columns")
