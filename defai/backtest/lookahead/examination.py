"""The analysis itself: lives through the whole history, then through histories that end at random points of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from time import perf_counter
from typing import TypeAlias

from defai.backtest.lookahead.cutting import Later, read_cuttable
from defai.backtest.lookahead.findings import Finding, LookaheadReport
from defai.backtest.lookahead.forks import in_forks
from defai.backtest.lookahead.runs import Compared, Setting, Whole, live_again, live_cut, live_whole
from defai.backtest.lookahead.traces import Difference, Parting, Step
from defai.backtest.request import BacktestRequest, open_ground
from defai.errors import ConfigError, DefaiError

Say: TypeAlias = Callable[[str], None]
_AGAIN = "when the same process has lived through the history before: it remembers what came"
_NOT_REPEATED = (
    "in another process: something decides that is not in the context, a clock or a draw of its own"
)
EVERY_OPENED = 2
"""So many cuts to one that is made with changed files too: files that just end give most cheats away already."""
EVERY_UNOPENED = 4
"""The same where nobody is seen to open the files: only native code could tell changed ones from others."""


def examine(
    request: BacktestRequest, points: int, seed: int, models: Path | None, say: Say
) -> LookaheadReport:
    """Analyse a strategy in forks of this process, which must not have imported it.

    Raises:
        ConfigError: where the history is too short to be cut.
        DefaiError: where the source cannot be read or the strategy cannot be run on it.
    """
    began = perf_counter()
    say(f"reading {request.source}")
    ground = open_ground(request)
    setting = Setting(request, ground, read_cuttable(request.source, ground.kind), models)
    say("running on the whole history")
    [(_, whole)] = in_forks([partial(live_whole, setting)])
    found = list(whole.findings)
    if whole.failure and not found:
        raise DefaiError(f"{whole.strategy} fails on the whole history: {whole.failure}.")
    if whole.again:
        found += [_finding(one, whole.again, _AGAIN) for one in whole.again.differences]
    moments, acted = choose_cuts(whole.trace, points, seed)
    if not moments and not found:
        raise _too_short(request.source)
    answers = list(_answers(setting, whole, moments, seed, say)) if whole.trace else []
    apart = _merged(answers)
    if any(finding.how is _NOT_REPEATED for finding in apart):
        # The runs differ without any cut: what a cut changes cannot be told from that.
        found = [*whole.findings, *(finding for finding in apart if finding.how is _NOT_REPEATED)]
    else:
        found += apart
    return LookaheadReport(
        strategy=whole.strategy,
        parameters=whole.parameters,
        source=str(request.source),
        source_kind=ground.kind,
        seed=seed,
        cuts=moments,
        acted=acted,
        decisions=len(whole.trace),
        runs=len(answers) + (1 if whole.failure else 2),
        compared=sum(answer.decisions for _, answer in answers),
        features=whole.features,
        model=whole.model,
        findings=_in_order(found),
        opened=sorted(whole.opened.union(*(answer.opened for _, answer in answers))),
        stopped=whole.stopped,
        seconds=round(perf_counter() - began, 3),
    )


def _too_short(source: Path) -> ConfigError:
    return ConfigError(
        f"There is nothing to compare: {source} ends with the first decision.",
        "Give a longer history, or a longer --timerange.",
    )


def choose_cuts(trace: Sequence[Step], points: int, seed: int) -> tuple[list[int], int]:
    """Moments to cut at: half of them right after decisions that acted, as far as there are any.

    The last decision's moment is none: nothing comes after it.

    Returns:
        The moments, in order, and how many of them lie right after a decision that acted.
    """
    draw = Random(seed)  # noqa: S311  no secret
    last = trace[-1].timestamp if trace else 0
    moments = dict[int, bool]()
    for step in trace:
        if step.timestamp < last:
            moments[step.timestamp] = moments.get(step.timestamp, False) or step.acted
    acting = [moment for moment, acted in moments.items() if acted]
    chosen = set(draw.sample(acting, min(len(acting), points // 2)))
    rest = [moment for moment in moments if moment not in chosen]
    chosen.update(draw.sample(rest, min(len(rest), points - len(chosen))))
    return sorted(chosen), sum(moments[moment] for moment in chosen)


_Key: TypeAlias = tuple[int, Later] | None
"""Where and how a run was cut; None for the whole history."""


def _answers(
    setting: Setting, whole: Whole, moments: Sequence[int], seed: int, say: Say
) -> Iterable[tuple[_Key, Compared]]:
    """What came of every run, in the order of their cuts."""
    every = EVERY_OPENED if whole.opened else EVERY_UNOPENED
    keys: list[_Key] = [
        None,
        *((moment, Later.TAKEN) for moment in moments),
        *((moment, Later.CHANGED) for moment in moments[::every]),
    ]
    jobs = [_job(setting, whole, key, seed) for key in keys]
    say(f"running on {len(jobs) - 1} histories that end before it does")
    began, answers = perf_counter(), dict[int, Compared]()
    for place, answer in in_forks(jobs):
        answers[place] = answer
        if len(answers) % max(1, len(jobs) // 4) == 0 and len(answers) < len(jobs):
            left = (perf_counter() - began) / len(answers) * (len(jobs) - len(answers))
            say(f"{len(answers)} of {len(jobs)} runs, {left:.0f} s left")
    return [(key, answers[place]) for place, key in enumerate(keys)]


def _job(setting: Setting, whole: Whole, key: _Key, seed: int) -> Callable[[], Compared]:
    if key is None:
        return partial(live_again, setting, whole)
    return partial(live_cut, setting, whole, *key, seed)


def _merged(answers: Iterable[tuple[_Key, Compared]]) -> list[Finding]:
    """Findings of all runs."""
    found = []
    for key, answer in answers:
        how = _NOT_REPEATED if key is None else f"with the later data {key[1].value}"
        cut = None if key is None else key[0]
        if answer.parting:
            found += [_finding(one, answer.parting, how, cut) for one in answer.parting.differences]
        if answer.failure:
            found.append(
                Finding(
                    kind="failure",
                    name="",
                    block_number=None,
                    timestamp=None,
                    whole="ends",
                    other=answer.failure,
                    how=how,
                    cut_time=cut,
                )
            )
    return found


def _finding(one: Difference, parting: Parting, how: str, cut: int | None = None) -> Finding:
    return Finding(
        kind=one.kind,
        name=one.name,
        block_number=parting.block_number,
        timestamp=parting.timestamp,
        whole=one.whole,
        other=one.other,
        how=how,
        cut_time=cut,
    )


def _in_order(found: Sequence[Finding]) -> list[Finding]:
    """One finding of each kind and name, where it shows first, with how many runs it showed in; causes first."""
    order = ("model", "feature", "forecast", "decision", "failure")
    kept: dict[tuple[str, str, bool], Finding] = {}
    for finding in found:
        key = finding.kind, finding.name, finding.cut_time is None
        before = kept.get(key)
        if before is None:
            kept[key] = finding
            continue
        first = finding if (finding.timestamp or 0) < (before.timestamp or 0) else before
        kept[key] = replace(first, runs=before.runs + 1)
    return sorted(kept.values(), key=lambda one: (order.index(one.kind), one.timestamp or 0))
