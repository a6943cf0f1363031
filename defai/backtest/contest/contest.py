"""Holds a contest: models are trained on what came before, and everyone runs on each day from each start."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Final

from defai.backtest.contest.entrants import Entrant, chosen_rivals
from defai.backtest.contest.schedule import DAY_S, Schedule, day_text
from defai.backtest.contest.standing import SOUGHT, duel, runs_of, table_of
from defai.backtest.forecasters import ModelChoice, trained_on
from defai.backtest.request import BacktestRequest, open_ground, perform_on
from defai.backtest.runner import UNLIMITED
from defai.backtest.sweep.cluster import Workers, open_workers
from defai.backtest.sweep.place import Place, Say, Watch, compile_ahead
from defai.backtest.sweep.sources import digest_of, ground_for
from defai.backtest.sweep.space import Axes, refuse_unknown, values_of
from defai.backtest.sweep.workers import RunTask
from defai.backtest.timeranges import moment_text, parse_timerange
from defai.errors import ConfigError
from defai.models.card import ModelCard
from defai.models.registry import ModelRegistry
from defai.strategy.registry import load

_NEVER: Final = 1_000_000
Days = Sequence[Mapping[str, Any]]
"""Summaries of shifted starts, a day each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestRequest:
    """A contest before it is held.

    Attributes:
        request: whose strategy competes, on which source, with which money and costs; its time range is all that is
            read, its model's parameters those that all models are trained with.
        axes: parameters that are tried; the best combination is chosen, and how many there were is said.
        test_from: the first day that is tested, in seconds since 1970.
        train_until: nothing from this moment on is trained on; by default each day's model knows all that came before
            it, as far as it is trained anew.
        retrain_days: how many days a model serves until the next one is trained; 0 for one model for all.
        starts: runs a day, `shift_s` apart.
        against: names of the rivals that it competes with; all of them where none is named.
    """

    request: BacktestRequest
    axes: Axes = field(default_factory=dict)
    test_from: int
    train_until: int | None = None
    retrain_days: int = 0
    starts: int = 12
    shift_s: int = 3_600
    against: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Stage:
    """Where a contest is held: what all its runs have in common.

    Attributes:
        begins: of everything that is read.
        models: where the models are kept.
    """

    asked: ContestRequest
    schedule: Schedule
    begins: int
    source_digest: str
    models: Path

    def trains_until(self, day: int) -> int:
        """Up to which moment the model of a day knows."""
        asked, first = self.asked, self.schedule.days[0]
        served = asked.retrain_days * DAY_S
        newest = first + (day - first) // served * served if served else first
        return newest if asked.train_until is None else min(newest, asked.train_until)

    def task(self, entrant: Entrant, number: int, models: Mapping[int, str]) -> RunTask:
        """A day of an entrant as a worker is given it; `number` is the day's."""
        request = replace(
            self.asked.request,
            strategies=(entrant.reference,),
            parameters=entrant.parameters,
            limits={
                name: str(value)
                for name, value in UNLIMITED.model_dump(mode="json", exclude_none=True).items()
            },
            baselines=False,
            anchor_every=None if entrant.anchors else _NEVER,
            starts=self.asked.starts,
            shift_s=self.asked.shift_s,
            model=ModelChoice(
                digest=models.get(self.trains_until(self.schedule.days[number])), folder=self.models
            ),
        )
        return RunTask(number=number, window=number, request=request, source_digest=self.source_digest)


def hold_contest(asked: ContestRequest, place: Place, say: Say, watch: Watch) -> dict[str, Any]:
    """Let them compete.

    Args:
        asked: what.
        place: where.
        say: told what is going on.
        watch: told how far it is.

    Returns:
        One JSON-able object: who, the days, and of each entrant its figures and how it did beside the strategy.

    Raises:
        DefaiError: in a sentence, where it cannot be done.
    """
    began = time.perf_counter()
    reference = asked.request.strategies[0]
    tried, others = tuple(_tried(asked, reference)), chosen_rivals(asked.against)
    request = replace(asked.request, source=asked.request.source.absolute(), baselines=False)
    asked = replace(asked, request=request)
    say(f"reading {request.source}")
    ground = open_ground(request)
    if ground.kind != "bars" or ground.first_time is None or ground.last_time is None:
        raise ConfigError("A contest is held on minute bars.", "Name a folder of them.")
    end = parse_timerange(request.timerange)[1] or ground.last_time + 60
    schedule = Schedule.between(asked.test_from, end, asked.starts, asked.shift_s)
    with place.folder() as folder:
        stage = _Stage(
            asked,
            schedule,
            ground.first_time,
            digest_of(request.source),
            asked.request.model.folder or folder / "models",
        )
        everyone = (*tried, *others)
        taught = _Teaching(stage, say)
        tasks = [(one, taught.tasks(one)) for one in everyone]
        asyncio.run(compile_ahead(ground, request, len(everyone) * len(schedule.days), say))
        with open_workers(place.workers, place.scheduler, folder, say) as workers:
            results = _perform(tasks, stage, workers, watch)
    return {
        **_head(stage, reference, tried),
        **_ranking(tried, results),
        "cards": {name: _card(card) for name, card in taught.cards.items()},
        "seconds": round(time.perf_counter() - began, 3),
    }


def _tried(asked: ContestRequest, reference: str) -> Iterator[Entrant]:
    """The strategy with every combination of parameters that are to be tried."""
    loaded = load(reference, asked.request.parameters)
    refuse_unknown(list(asked.axes), type(loaded.strategy))
    values = {name: values_of(name, axis) for name, axis in asked.axes.items()}
    for chosen in product(*values.values()):
        parameters = dict(asked.request.parameters) | dict(zip(values, chosen, strict=True))
        label = ", ".join(f"{name} {parameters[name]}" for name in values if len(values[name]) > 1)
        yield Entrant(
            f"{loaded.name} ({label})" if label else loaded.name, reference, parameters, anchors=True
        )


class _Teaching:
    """Trains the models that entrants want, each once."""

    def __init__(self, stage: _Stage, say: Say) -> None:
        self._stage, self._say = stage, say
        self._known: dict[tuple[object, ...], str] = {}
        self.cards: dict[str, ModelCard] = {}

    def tasks(self, entrant: Entrant) -> list[RunTask]:
        """The entrant's days, with the model of each."""
        strategy = load(entrant.reference, entrant.parameters).strategy
        target, names = strategy.target(), tuple(strategy.features())
        models: dict[int, str] = {}
        for day in self._stage.schedule.days if target is not None else ():
            until = self._stage.trains_until(day)
            key = (target, names, until)
            if key not in self._known and target is not None:
                timerange = f"{moment_text(self._stage.begins)}-{moment_text(until)}"
                self._say(f"training on {timerange}: {target.name}")
                parameters = tuple(sorted(self._stage.asked.request.model.parameters.items()))
                model = trained_on(self._stage.asked.request.source, timerange, names, target, parameters)
                self._known[key] = ModelRegistry(self._stage.models).save(model)
                self.cards[f"{target.name}, trained until {day_text(until)}"] = model.card
            models[until] = self._known[key]
        return [self._stage.task(entrant, number, models) for number in range(len(self._stage.schedule.days))]


def _perform(
    tasks: Sequence[tuple[Entrant, Sequence[RunTask]]], stage: _Stage, workers: Workers, watch: Watch
) -> dict[str, Days]:
    function = partial(perform_day, days=stage.schedule.days)
    watch.begin(0, len(tasks))
    answers: list[tuple[Entrant, Callable[[], Days]]] = [
        (entrant, workers.begin(function, days)) for entrant, days in tasks
    ]
    found = {}
    for entrant, answer in answers:
        found[entrant.name] = answer()
        watch.step(failed=False)
    watch.end()
    return found


def perform_day(task: RunTask, days: Sequence[int]) -> dict[str, Any]:
    """One day of one entrant, from all its starts; runs on a worker.

    Raises:
        DefaiError: where it cannot be run.
    """
    whole = ground_for(replace(task.request, starts=1, shift_s=None, anchor_every=None), task.source_digest)
    if whole.window is None:
        raise TypeError(whole.kind)
    day = days[task.window]
    result = asyncio.run(perform_on(whole.window(day, day + DAY_S), task.request))
    if result.starts is None:
        raise ConfigError("A contest takes at least two starts.")
    return result.starts


def _head(stage: _Stage, reference: str, tried: Sequence[Entrant]) -> dict[str, Any]:
    schedule, request = stage.schedule, stage.asked.request
    return {
        "strategy": reference,
        "source": str(request.source),
        "days": [day_text(day) for day in schedule.days],
        "starts": schedule.starts,
        "shift_s": schedule.shift_s,
        "run_s": schedule.run_s,
        "trained_from": day_text(stage.begins),
        "trained_until": sorted({day_text(stage.trains_until(day)) for day in schedule.days}),
        "gas_gwei": None if request.gas_gwei is None else str(request.gas_gwei),
        "base_fees": None if request.base_fees is None else request.base_fees.name,
        "tried": len(tried),
    }


def _ranking(tried: Sequence[Entrant], results: Mapping[str, Days]) -> dict[str, Any]:
    """The combination that did best, and everyone beside it."""
    means = {one.name: float(runs_of(results[one.name], SOUGHT).mean()) for one in tried}
    best = max(tried, key=lambda one: means[one.name])
    mine = runs_of(results[best.name], SOUGHT)
    table = []
    for name, days in results.items():
        row = table_of(name, days)
        against = None if name == best.name else duel(mine, runs_of(days, SOUGHT))
        row["against"] = against and {field: getattr(against, field) for field in type(against).__slots__}
        table.append(row)
    return {"chosen": best.name, "parameters": best.parameters, "entrants": table}


def _card(card: ModelCard) -> dict[str, Any]:
    gain = card.comparison
    return {
        "digest": card.model_digest,
        "beats_baseline": card.beats_baseline,
        "baseline": gain.baseline,
        "loss": gain.loss,
        "share": gain.share,
        "share_low": gain.share_low,
        "share_high": gain.share_high,
        "trees": card.trees,
    }
