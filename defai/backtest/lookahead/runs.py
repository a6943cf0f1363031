"""What one process does of a look-ahead analysis: the whole history, twice over, or a history that was cut."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from defai.agent.outlook import OWN_FEATURE
from defai.backtest.ground import Ground
from defai.backtest.lookahead.cutting import Cuttable, Later
from defai.backtest.lookahead.findings import Finding, moment_text
from defai.backtest.lookahead.stage import Doorkeeper, enter_mirror
from defai.backtest.lookahead.traces import Parting, Step, first_parting, trace_of
from defai.backtest.request import BacktestRequest, agents_of, open_ground
from defai.backtest.runner import AgentRun, run
from defai.errors import DefaiError
from defai.features.pipeline import find_lookahead
from defai.features.spec import FeatureSpec
from defai.market.window import Observation
from defai.models.trained import TrainedModel
from defai.session.fleet import parameters_of
from defai.session.history import GENERATED
from defai.session.training import models_for
from defai.strategy.registry import LoadedStrategy, load


@dataclass(frozen=True, slots=True)
class Setting:
    """What all runs of an analysis have in common.

    Attributes:
        ground: the whole history.
        models: the folder of models; the user's by default.
    """

    request: BacktestRequest
    ground: Ground
    files: Cuttable
    models: Path | None


@dataclass(frozen=True, slots=True)
class Whole:
    """What came of the whole history.

    Attributes:
        again: where the decisions part when the same process lives through it once more.
        failure: why there are no decisions; empty where there are.
    """

    strategy: str
    parameters: dict[str, object]
    features: tuple[str, ...]
    model: str | None
    trace: tuple[Step, ...]
    again: Parting | None
    findings: tuple[Finding, ...]
    opened: frozenset[str]
    stopped: str
    failure: str


class FeatureFailedError(Exception):
    """A feature of the strategy's own has stopped its agent."""


@dataclass(frozen=True, slots=True)
class Compared:
    """What came of a run that was held against the whole history's.

    Attributes:
        decisions: how many were compared.
        parting: where they part from the whole history's.
        failure: why the run did not end; empty where it did.
    """

    decisions: int
    parting: Parting | None
    opened: frozenset[str]
    failure: str = ""


def live_whole(setting: Setting) -> Whole:
    """Run on the whole history, and once more in the same process."""
    keeper = _keep_watch(setting, setting.request.source, None)
    loaded, model = _load(setting)
    names = loaded.strategy.features()
    findings = _feature_findings(setting, names)
    failure, trace, again, stopped = "", tuple[Step, ...](), None, ""
    try:
        first = _live(setting, setting.ground, model)
        trace, stopped = trace_of(first), first.stopped
        again = first_parting(trace, trace_of(_live(setting, setting.ground, model)))
    except DefaiError:
        raise
    except Exception as error:  # noqa: BLE001  an author's features may raise anything; it is told in a sentence
        failure = _told(error)
    if model is not None and trace:
        findings += _model_findings(model, trace[0])
    return Whole(
        loaded.name,
        parameters_of(loaded),
        names,
        model.digest if model else None,
        trace,
        again,
        tuple(findings),
        frozenset(keeper.opened),
        stopped,
        failure,
    )


def live_again(setting: Setting, whole: Whole) -> Compared:
    """Run on the whole history in a process of its own."""
    keeper = _keep_watch(setting, setting.request.source, None)
    return _compared(setting, setting.ground, whole, None, keeper)


def live_cut(setting: Setting, whole: Whole, moment: int, later: Later, seed: int) -> Compared:
    """Run on a history that was cut at a moment, with files that were cut there too.

    Args:
        setting: what all runs have in common.
        whole: what to compare with.
        moment: in seconds since 1970; what was known by then stays.
        later: what happens to the rest, in the files.
        seed: of what the rest is changed into.
    """
    with TemporaryDirectory(prefix="defai-lookahead-") as folder:
        copy = enter_mirror(Path(folder).resolve(), setting.files.source)
        setting.files.write(copy, moment, later, seed)
        if setting.ground.until is not None:
            ground = setting.ground.until(moment)
        else:
            ground = open_ground(replace(setting.request, source=copy))
        return _compared(setting, ground, whole, moment, _keep_watch(setting, copy, copy))


def _compared(
    setting: Setting, ground: Ground, whole: Whole, moment: int | None, keeper: Doorkeeper
) -> Compared:
    """Run and compare; a run that fails because something is missing has parted too."""
    try:
        _, model = _load(setting)
        trace = trace_of(_live(setting, ground, model))
    except Exception as error:  # noqa: BLE001  the same strategy has lived through the whole history
        told = error.sentence if isinstance(error, DefaiError) else _told(error)
        return Compared(0, None, frozenset(keeper.opened), told)
    count = sum(moment is None or step.timestamp <= moment for step in trace)
    return Compared(count, first_parting(whole.trace, trace, moment), frozenset(keeper.opened))


def _keep_watch(setting: Setting, named: Path, copy: Path | None) -> Doorkeeper:
    """From here on the author's code is at work."""
    sys.argv = ["defai", "backtest", "--source", str(named)]
    keeper = Doorkeeper(setting.files.source, copy)
    keeper.install()
    return keeper


def _load(setting: Setting) -> tuple[LoadedStrategy, TrainedModel | None]:
    loaded = load(setting.request.strategies[0], setting.request.parameters)
    if loaded.strategy.target() is None:
        return loaded, None
    models = asyncio.run(models_for([loaded], setting.ground.recipe, _say_nothing, setting.models))
    return loaded, models[0]


def _live(setting: Setting, ground: Ground, model: TrainedModel | None) -> AgentRun:
    settings = agents_of(setting.request, ground)
    every = setting.request.anchor_every or setting.ground.decisions_a_day
    one = asyncio.run(run(ground, settings, models=[model], baselines=False, anchor_every=every)).agents[0]
    if one.stopped.startswith(OWN_FEATURE):
        raise FeatureFailedError(one.stopped)
    return one


def _feature_findings(setting: Setting, names: Sequence[str]) -> list[Finding]:
    """Features whose table over the end of the history is not what single rows of it give."""
    if not names:
        return []
    rows = asyncio.run(_last_rows(setting.ground))
    times = {row.block_number: row.timestamp for row in rows[0]}
    findings = []
    for name in names:
        spec = FeatureSpec.of([name])
        if spec.pools > len(rows):
            continue  # the run itself says that a pool is missing
        try:
            found = find_lookahead(rows, spec, seed=0)
        except Exception as error:  # noqa: BLE001  an author's feature may raise anything; it is told in a sentence
            findings.append(_table_finding(name, None, None, _told(error), "its value row by row"))
            continue
        for one in sorted(found, key=lambda one: one.block_number)[:1]:
            block, time = one.block_number, times[one.block_number]
            findings.append(_table_finding(name, block, time, str(one.with_future), str(one.without)))
    return findings


def _table_finding(name: str, block: int | None, time: int | None, whole: str, other: str) -> Finding:
    how = "where the rows end there, as they do when it decides; the table of features is the whole history"
    return Finding(
        kind="feature", name=name, block_number=block, timestamp=time, whole=whole, other=other, how=how
    )


async def _last_rows(ground: Ground) -> list[tuple[Observation, ...]]:
    """The last rows of each pool, as many as windows hold, without any agent."""
    world = ground.make_world([])
    try:
        market, feed = (await world.open()).market, world.feed
        feed.begin()
        while (arrival := await feed.next()) is not None:
            market.apply(arrival.block)
    finally:
        await world.close()
    return [tuple(market.windows[key.address]) for key in ground.keys]


def _model_findings(model: TrainedModel, first: Step) -> list[Finding]:
    """A model that was trained on what came after the first decision knows how it went on."""
    trained = model.card.trained_on
    if trained.source.startswith(GENERATED) or trained.last_timestamp < first.timestamp:
        return []
    begin, end = moment_text(trained.first_timestamp), moment_text(trained.last_timestamp)
    return [
        Finding(
            kind="model",
            name=model.digest,
            block_number=first.block_number,
            timestamp=first.timestamp,
            whole=f"trained on rows from {begin} to {end} ({trained.source or 'no source named'})",
            other=f"nothing after {moment_text(first.timestamp)}",
            how="is known when the first decision is taken",
        )
    ]


def _told(error: Exception) -> str:
    if isinstance(error, FeatureFailedError):
        return str(error)
    return f"{type(error).__name__}: {error}"


def _say_nothing(_: str) -> None:
    """Training is said once, by whoever starts the runs."""
