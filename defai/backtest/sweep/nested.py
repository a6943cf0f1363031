"""A search within each step of a walk forward: what is chosen is tested on what came after, again and again.

Each step has trials of its own, on all that lies before its test and nothing else, and its test is run once, for what
these trials chose. So every test is of days that nobody looked at, the choice included.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean
from typing import Any, Final

from defai.backtest.request import open_ground
from defai.backtest.sweep.place import Place, Say, Watch
from defai.backtest.sweep.plan import Subject, span_of
from defai.backtest.sweep.ranking import OBJECTIVES
from defai.backtest.sweep.search import SearchRequest, search
from defai.backtest.timeranges import moment_text
from defai.errors import ConfigError

_MINUTE_S: Final = 60


def steps(first: int, last: int, test_share: float, count: int) -> list[tuple[int, int]]:
    """When the tests begin and end, one right after the other, at whole minutes; the last ends with the history.

    Args:
        first: when the history begins, in seconds since 1970.
        last: when its last block or bar is from.
        test_share: of the time, at the end: all tests together.
        count: how many there are.

    Raises:
        ConfigError: where one of them would be empty.
    """
    begin = first + int((last + 1 - first) * (1 - test_share))
    cuts = [begin + (last + 1 - begin) * at // count for at in range(count)]
    cuts = [-(-cut // _MINUTE_S) * _MINUTE_S for cut in cuts]
    found = list(zip(cuts, [*cuts[1:], last + 1], strict=True))
    if not first < cuts[0] or any(end - start < _MINUTE_S for start, end in found):
        raise ConfigError(f"{last + 1 - first:,} s of history are too few for {count} tests.")
    return found


def search_nested(asked: SearchRequest, folds: int, place: Place, say: Say, watch: Watch) -> dict[str, Any]:
    """Search and test, step by step.

    Args:
        asked: what is sought; its trials are those of each step, its test share that of all tests together.
        folds: how many steps.
        place: where; each step has a directory of its own in it.
        say: told what is going on.
        watch: told how far a step is.

    Returns:
        One JSON-able object: `folds`, each as `search` gives it, and what they come to together; `interrupted` where
        ctrl-c ended it early.

    Raises:
        DefaiError: as `search` does.
    """
    subject = Subject.of(asked.request)
    first, last = span_of(subject.request, open_ground(subject.request))
    found = []
    for number, (cut, end) in enumerate(steps(first, last, asked.test_share, folds), start=1):
        say(f"step {number} of {folds}: a search on all before {moment_text(cut)}")
        request = replace(asked.request, timerange=f"{moment_text(first)}-{moment_text(end)}")
        out = None if place.out is None else place.out / f"step-{number}"
        step = replace(asked, request=request, cut=cut)
        found.append(search(step, replace(place, out=out), say, watch))
        if found[-1]["interrupted"]:
            break
    return together(found, asked.objective, folds) | {"out": None if place.out is None else str(place.out)}


def together(found: Sequence[Mapping[str, Any]], objective: str, folds: int) -> dict[str, Any]:
    """What the steps of a walk forward come to."""
    tests = [one["test"]["value"] for one in found if one["test"] and one["test"]["value"] is not None]
    chosen = [one["best"][0]["value"] for one in found if one["best"]]
    beside = [(one["baselines"].get("hold") or {}).get(objective) for one in found]
    hold = [value for value in beside if value is not None]
    sign = OBJECTIVES[objective]
    measured = len(hold) == len(tests) == len(found)
    return {
        "strategy": found[0]["strategy"],
        "source": found[0]["source"],
        "objective": objective,
        "folds": list(found),
        "trials": sum(one["trials"] for one in found),
        "runs": folds * found[0]["runs"],
        "done": sum(one["done"] for one in found),
        "mean_chosen": fmean(chosen) if chosen else None,
        "mean_tested": fmean(tests) if tests else None,
        "mean_hold": fmean(hold) if measured and hold else None,
        "better_than_hold": sum(sign * (one - other) > 0 for one, other in zip(tests, hold, strict=True))
        if measured
        else None,
        "interrupted": any(one["interrupted"] for one in found),
    }
