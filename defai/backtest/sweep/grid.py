"""`defai sweep`: every combination of parameters in every window."""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from defai.backtest.ground import Ground
from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.sweep.cluster import Workers, open_workers
from defai.backtest.sweep.evidence import evidence_of
from defai.backtest.sweep.place import Place, Say, Watch, compile_ahead, perform_all, task_of, train_ahead
from defai.backtest.sweep.plan import Grid, PlannedRun, Subject, grid_of, windows_of
from defai.backtest.sweep.ranking import SHOWN, mean_of, ranked, refuse_unknown_objective
from defai.backtest.sweep.results import ResultFolder, write_whole
from defai.backtest.sweep.space import Axes
from defai.backtest.sweep.workers import RunTask, perform_baselines
from defai.errors import ConfigError, DefaiError
from defai.strategy.registry import LoadedStrategy, load

BASELINES: Final = "baselines.json"
_BEST: Final = 10
_FAILURES: Final = 5
Baselines = Sequence[Mapping[str, Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRequest:
    """A sweep before it is run.

    Attributes:
        request: what every run is asked for; its parameters are shared by all.
        axes: what varies.
        windows: time ranges as they were written, `FROM..TO`.
        slices: or so many equal parts of the request's time range.
        objective: by what the best is told.
        baselines: whether the baselines run in each window.
    """

    request: BacktestRequest
    axes: Axes
    windows: Sequence[str] = ()
    slices: int = 1
    objective: str = "final_usd"
    baselines: bool = True


def sweep(asked: SweepRequest, place: Place, say: Say, watch: Watch) -> dict[str, Any]:
    """Run what is not done yet, and say what came out best.

    Args:
        asked: what is swept.
        place: where.
        say: told what is going on.
        watch: told how far it is.

    Returns:
        One JSON-able object; `interrupted` where ctrl-c ended it early, and then it tells of what was done.

    Raises:
        DefaiError: in a sentence, where it cannot be done, or every run failed.
    """
    began = time.perf_counter()
    refuse_unknown_objective(asked.objective)
    subject = Subject.of(asked.request)
    say(f"reading {subject.request.source}")
    ground = open_ground(subject.request)
    agents_of(subject.request, ground)
    grid = grid_of(subject, asked.axes, windows_of(subject.request, ground, asked.windows, asked.slices))
    plan = subject.plan("sweep", {"axes": grid.axes, "windows": grid.windows})
    with place.folder() as folder:
        kept = ResultFolder.opened(folder, plan)
        missing = [run for run in grid.runs(subject) if not kept.has(run.number)]
        count, interrupted = 0, False
        if missing or (asked.baselines and not (folder / BASELINES).is_file()):
            asyncio.run(_prepare(subject, ground, missing[: grid.combinations], len(missing), say))
            try:
                with open_workers(place.workers, place.scheduler, folder, say) as workers:
                    count = workers.count
                    _perform(workers, subject, grid, missing, kept, watch, baselines=asked.baselines)
            except KeyboardInterrupt:
                interrupted = True
            finally:
                watch.end()
                kept.flush()
        if not interrupted:
            kept.close()
        beside = _read_baselines(folder) if asked.baselines else []
        return {
            **_summary(asked, subject, grid, kept, beside),
            "out": None if place.out is None else str(place.out),
            "workers": count,
            "interrupted": interrupted,
            "seconds": round(time.perf_counter() - began, 3),
        }


async def _prepare(
    subject: Subject, ground: Ground, distinct: Sequence[PlannedRun], count: int, say: Say
) -> None:
    """See to what workers had better not do each for himself."""
    await train_ahead(_strategies(subject, distinct), ground.recipe, say)
    await compile_ahead(ground, subject.request, count, say)


def _perform(
    workers: Workers,
    subject: Subject,
    grid: Grid,
    missing: Sequence[PlannedRun],
    kept: ResultFolder,
    watch: Watch,
    *,
    baselines: bool,
) -> None:
    """Perform the runs that are missing, the baselines of each window among them."""
    path = kept.folder / BASELINES
    watch.begin(grid.runs_in_all - len(missing), grid.runs_in_all)
    wanted = grid.windows if baselines and not path.is_file() else ()
    answers = workers.begin(perform_baselines, [baseline_task(subject, window) for window in wanted])
    perform_all(workers, (task_of(subject, run) for run in missing), kept, watch, len(missing))
    if wanted:
        write_whole(path, json.dumps(answers(), ensure_ascii=False).encode())


def baseline_task(subject: Subject, timerange: str) -> RunTask:
    """The baselines of a window, as a worker is given them."""
    return task_of(subject, PlannedRun(number=-1, window=-1, timerange=timerange, parameters={}))


def _strategies(subject: Subject, runs: Sequence[PlannedRun]) -> list[LoadedStrategy]:
    """The strategy with the parameters of each run, where one of its models may have to be trained."""
    if subject.loaded.strategy.target() is None:
        return []
    found = []
    for run in runs:
        with suppress(ConfigError):  # a combination that the strategy refuses is the matter of that run
            found.append(load(subject.request.strategies[0], run.parameters))
    return found


def _read_baselines(folder: Path) -> Baselines:
    path = folder / BASELINES
    if not path.is_file():
        return []
    try:
        found: Baselines = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read: it is damaged.", "Remove it, and say the same again."
        ) from error
    return found


def _summary(
    asked: SweepRequest, subject: Subject, grid: Grid, kept: ResultFolder, beside: Baselines
) -> dict[str, Any]:
    rows = [kept.rows[number] for number in sorted(kept.rows)]
    failures = [row for row in rows if row["error"] is not None]
    if failures and len(failures) == grid.runs_in_all:
        raise DefaiError(f"Every run failed, the first one so: {failures[0]['error']}")
    standings = ranked(
        rows,
        asked.objective,
        windows=len(grid.windows),
        group=lambda row: int(row["run"]) % grid.combinations,
    )
    best = kept.rows[standings[0].runs[0]] if standings and len(grid.windows) == 1 else None
    names = list(beside[0]) if beside else []
    return {
        "strategy": subject.loaded.name,
        "source": str(subject.request.source),
        "objective": asked.objective,
        "windows": list(grid.windows),
        "combinations": grid.combinations,
        "runs": grid.runs_in_all,
        "done": len(rows) - len(failures),
        "failed": len(failures),
        "stopped": sum(bool(row.get("stopped")) for row in rows),
        "failures": [{"run": row["run"], "error": row["error"]} for row in failures[:_FAILURES]],
        "best": [standing.as_json() for standing in standings[:_BEST]],
        "baselines": {
            name: {
                figure: mean_of([window[name] for window in beside], figure)
                for figure in (*SHOWN, asked.objective)
            }
            for name in names
        },
        **evidence_of(best, rows, trials=min(grid.combinations, len(standings))),
    }
