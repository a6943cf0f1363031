"""`defai hyperopt`: search for parameters on a part of the history, and try the best on the part after it.

The parts lie one after the other: trials are given a history that ends where the test begins, and nothing of the rest
is read for them. The test is run for the best trial alone, when the search is over.
"""

import asyncio
import json
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from defai.backtest.ground import Ground
from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.sweep.cluster import Workers, open_workers
from defai.backtest.sweep.evidence import evidence_of
from defai.backtest.sweep.model_axes import PREFIX, knowing_all_before, model_distributions, with_chosen
from defai.backtest.sweep.place import Place, Say, Watch, compile_ahead, perform_all, task_of, train_ahead
from defai.backtest.sweep.plan import PlannedRun, Subject, span_of
from defai.backtest.sweep.ranking import (
    OBJECTIVES,
    SHOWN,
    Standing,
    measured,
    ranked,
    refuse_unknown_objective,
)
from defai.backtest.sweep.results import ResultFolder, write_whole
from defai.backtest.sweep.space import Axes, Axis, is_whole, search_axes
from defai.backtest.sweep.trials import Study, distribution, ends_of
from defai.backtest.sweep.workers import Row, RunTask, perform_baselines, perform_run
from defai.backtest.timeranges import moment_text, parse_timerange
from defai.errors import ConfigError, DefaiError
from defai.strategy.registry import load

if TYPE_CHECKING:
    from optuna.distributions import BaseDistribution

TEST, JOURNAL, STUDY_NAME = "test.json", "study.journal", "defai"
_MINUTE_S: Final = 60
_BEST: Final = 10
_FAILURES: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search before it is run.

    Attributes:
        request: what every trial is asked for, its time range split into train and test; its seed seeds the search.
        axes: ranges and values that were said; parameters that were not are searched within their fields' bounds.
        model_axes: the same of the training of the strategy's model.
        objective: the figure that is sought.
        trials: how many.
        test_share: of the time range, at its end, that no trial sees: more than 0, less than 1.
        cut: when the test begins instead, in seconds since 1970.
        batch: trials that are asked for together; what is tried depends on it.
        baselines: whether the baselines run beside the test.
    """

    request: BacktestRequest
    axes: Axes = field(default_factory=dict)
    model_axes: Axes = field(default_factory=dict)
    objective: str = "sharpe_ratio"
    trials: int = 50
    test_share: float = 0.3
    cut: int | None = None
    batch: int = 8
    baselines: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A search as it is going to be run.

    Attributes:
        train: time range of the trials.
        test: time range of the test, right after it.
        axes: what is searched.
        fixed: what is not, as it was written.
        ground: all of the history; nothing but its length is looked at.
    """

    asked: SearchRequest
    subject: Subject
    train: str
    test: str
    axes: Mapping[str, Axis]
    fixed: Mapping[str, str]
    distributions: "Mapping[str, BaseDistribution]"
    ground: Ground

    @classmethod
    def of(cls, asked: SearchRequest, say: Say) -> "Search":
        """Work out what is going to be run.

        Raises:
            DefaiError: in a sentence, where it can't be.
        """
        refuse_unknown_objective(asked.objective)
        subject = Subject.of(asked.request)
        strategy = type(subject.loaded.strategy)
        axes, fixed = search_axes(strategy, asked.axes, is_all=not asked.model_axes)
        reference = subject.request.strategies[0]
        for name, axis in axes.items():
            for end in ends_of(axis, whole=is_whole(strategy, name)):
                load(reference, {**fixed, name: end})
        say(f"reading {subject.request.source}")
        ground = open_ground(subject.request)
        agents_of(subject.request, ground)
        train, test = split(*span_of(subject.request, ground), asked.test_share, asked.cut)
        return cls(
            asked=asked,
            subject=subject,
            train=train,
            test=test,
            axes=axes | {PREFIX + name: axis for name, axis in asked.model_axes.items()},
            fixed=fixed,
            distributions={
                name: distribution(name, axis, whole=is_whole(strategy, name)) for name, axis in axes.items()
            }
            | model_distributions(asked.model_axes, subject.request, subject.loaded),
            ground=ground,
        )

    @property
    def plan(self) -> dict[str, Any]:
        """As it is written down; how many trials there are is no part of it, so that more can be made."""
        import optuna  # noqa: PLC0415  a second that only searches pay

        more = {
            "axes": {name: str(axis) for name, axis in self.axes.items()},
            "fixed": dict(self.fixed),
            "objective": self.asked.objective,
            "train": self.train,
            "test": self.test,
            "batch": self.asked.batch,
            "optuna": optuna.__version__,
        }
        return self.subject.plan("hyperopt", more)

    async def prepare(self, say: Say) -> None:
        """See to what workers had better not do each for himself."""
        model = self.subject.request.model
        if model.trained_on is None and model.digest is None:
            await train_ahead([self.subject.loaded], self.ground.recipe, say)
        await compile_ahead(self.ground, self.subject.request, self.asked.trials, say)

    def task(self, number: int, parameters: Mapping[str, Any]) -> RunTask:
        """A trial as a worker is given it: it ends where the test begins."""
        chosen = {**self.fixed, **parameters}
        return replace(self._task(number, 0, self.train, chosen), asked=json.dumps(chosen, sort_keys=True))

    def test_task(self, parameters: Mapping[str, Any]) -> RunTask:
        """The test of some parameters; a model that is trained for it knows all that was before it."""
        task = self._task(0, 1, self.test, parameters)
        begins = parse_timerange(self.test)[0]
        return replace(task, request=knowing_all_before(task.request, begins or 0))

    def _task(self, number: int, window: int, timerange: str, chosen: Mapping[str, Any]) -> RunTask:
        run = PlannedRun(number=number, window=window, timerange=timerange, parameters={})
        task = task_of(self.subject, run)
        return replace(task, request=with_chosen(task.request, chosen))


def split(first: int, last: int, test_share: float, cut: int | None = None) -> tuple[str, str]:
    """Time ranges of train and test; the cut is at a whole minute.

    Args:
        first: when the history begins, in seconds since 1970.
        last: when its last block or bar is from.
        test_share: of the time, at the end.
        cut: where it is cut instead.

    Raises:
        ConfigError: where one of them would have nothing in it.
    """
    if cut is None:
        cut = first + int((last + 1 - first) * (1 - test_share))
        cut -= cut % _MINUTE_S
    if not (0 < test_share < 1 and first < cut <= last):
        raise ConfigError(
            f"A test share of {test_share:g} leaves nothing on one side of {last + 1 - first:,} s of history."
        )
    return f"{moment_text(first)}-{moment_text(cut)}", f"{moment_text(cut)}-{moment_text(last + 1)}"


def search(asked: SearchRequest, place: Place, say: Say, watch: Watch) -> dict[str, Any]:
    """Make the trials that are not made yet, then test the best.

    Args:
        asked: what is sought.
        place: where.
        say: told what is going on.
        watch: told how far it is.

    Returns:
        One JSON-able object; `interrupted` where ctrl-c ended it early: nothing was tested then.

    Raises:
        DefaiError: in a sentence, where it cannot be done, or no trial was measured.
    """
    began = time.perf_counter()
    plan = Search.of(asked, say)
    say(f"trials see {plan.train}, the test is {plan.test}")
    for name, axis in plan.axes.items():
        say(f"searching {name}: {axis}")
    with place.folder() as folder:
        kept = ResultFolder.opened(folder, plan.plan)
        study = Study(plan.distributions, seed=asked.request.seed, maximize=OBJECTIVES[asked.objective] > 0)
        rows: list[Row] = []
        test: dict[str, Any] | None = None
        crew = Crew(plan, place, folder, say)
        try:
            with crew.stack:
                _try_all(plan, study, kept, crew, watch, rows)
                test = _test(plan, rows, folder, crew)
        except KeyboardInterrupt:
            pass
        finally:
            watch.end()
            kept.flush()
        if test is not None:
            kept.close()
            study.write(folder / JOURNAL, STUDY_NAME)
        return {
            **_summary(plan, rows, test),
            "done": sum(kept.has(number) for number in range(asked.trials)),
            "out": None if place.out is None else str(place.out),
            "workers": crew.count,
            "interrupted": test is None,
            "seconds": round(time.perf_counter() - began, 3),
        }


class Crew:
    """Workers that are called together when there is something to do, and sent home with the stack."""

    def __init__(self, plan: Search, place: Place, folder: Path, say: Say) -> None:
        self.stack = ExitStack()
        self._plan, self._say = plan, say
        self._where = (place.workers, place.scheduler, folder, say)
        self._workers: Workers | None = None

    @property
    def count(self) -> int:
        """How many there are; 0 where none were needed."""
        return 0 if self._workers is None else self._workers.count

    def workers(self) -> Workers:
        """The workers.

        Raises:
            DefaiError: where there are none to be had.
        """
        if self._workers is None:
            asyncio.run(self._plan.prepare(self._say))
            self._workers = self.stack.enter_context(open_workers(*self._where))
        return self._workers


def _try_all(
    plan: Search, study: Study, kept: ResultFolder, crew: Crew, watch: Watch, rows: list[Row]
) -> None:
    """Make the trials, batch by batch; what is known of before is not made again."""
    asked = plan.asked
    begun = False
    for first in range(0, asked.trials, asked.batch):
        trials = study.ask(min(asked.batch, asked.trials - first))
        tasks = [plan.task(trial.number, trial.params) for trial in trials]
        missing = [task for task in tasks if not _is_done(kept, task)]
        if missing:
            workers = crew.workers()
            if not begun:
                watch.begin(first + len(tasks) - len(missing), asked.trials)
                begun = True
            perform_all(workers, missing, kept, watch, len(missing))
        for trial in trials:
            row = dict(kept.rows[trial.number])
            rows.append(row)
            study.tell(trial, None if row["error"] is not None else measured(row, asked.objective))


def _is_done(kept: ResultFolder, task: RunTask) -> bool:
    return kept.has(task.number) and kept.rows[task.number].get("asked") == task.asked


def _test(plan: Search, rows: Sequence[Row], folder: Path, crew: Crew) -> dict[str, Any]:
    """Run the test for the best trial, unless it was run for it before; each look at the test is kept.

    Raises:
        DefaiError: where no trial was measured, or the test failed.
    """
    best = _standings(plan, rows)
    if not best:
        why = next((row["error"] for row in rows if row["error"] is not None), "it was measured in none")
        raise DefaiError(f"No trial has a {plan.asked.objective}: {why}")
    looks: list[dict[str, Any]] = []
    if (folder / TEST).is_file():
        looks = json.loads((folder / TEST).read_text(encoding="utf-8"))
    chosen = {"params": dict(best[0].parameters)}
    if (
        not looks
        or looks[-1]["params"] != chosen["params"]
        or (plan.asked.baselines and not looks[-1]["baselines"])
    ):
        task, workers = plan.test_task(chosen["params"]), crew.workers()
        beside = workers.begin(perform_baselines, [task] * plan.asked.baselines)
        row = workers.begin(perform_run, [task])()[0]
        if row["error"] is not None:
            raise DefaiError(f"The test failed: {row['error']}")
        looks.append(chosen | {"trials": len(rows), "figures": row, "baselines": next(iter(beside()), {})})
        write_whole(folder / TEST, (json.dumps(looks, indent=2, ensure_ascii=False) + "\n").encode())
    return {**looks[-1], "looks": len(looks)}


def _standings(plan: Search, rows: Sequence[Row]) -> list[Standing]:
    return ranked(rows, plan.asked.objective, windows=1, group=lambda row: int(row["run"]))


def _summary(plan: Search, rows: Sequence[Row], test: Mapping[str, Any] | None) -> dict[str, Any]:
    objective, best = plan.asked.objective, _standings(plan, rows)
    failures = [row for row in rows if row["error"] is not None]
    chosen = next((row for row in rows if best and row["run"] == best[0].runs[0]), None)
    shown = dict.fromkeys((*SHOWN, objective, "decision_digest"))
    return {
        "strategy": plan.subject.loaded.name,
        "source": str(plan.subject.request.source),
        "objective": objective,
        "train_window": plan.train,
        "test_window": plan.test,
        "space": {name: str(axis) for name, axis in plan.axes.items()},
        "fixed": dict(plan.fixed),
        "runs": plan.asked.trials,
        "failed": len(failures),
        "stopped": sum(bool(row.get("stopped")) for row in rows),
        "failures": [{"run": row["run"], "error": row["error"]} for row in failures[:_FAILURES]],
        "best": [standing.as_json() for standing in best[:_BEST]],
        "test": None
        if test is None
        else {
            "params": test["params"],
            "value": test["figures"].get(objective),
            "looks": test["looks"],
            **{name: test["figures"].get(name) for name in shown},
        },
        "baselines": {}
        if test is None
        else {name: {key: row.get(key) for key in shown} for name, row in test["baselines"].items()},
        **evidence_of(chosen, rows, trials=len(best)),
    }
