"""Asks for look-ahead analyses: they are made in a process of their own, which knows nothing of any strategy yet."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from defai.backtest.lookahead.findings import LookaheadReport
from defai.backtest.record import configuration_of, request_of
from defai.backtest.request import BacktestRequest
from defai.errors import (
    ConfigError,
    DefaiError,
    DivergenceError,
    NotFoundError,
    NotRunningError,
    TooSlowError,
)

_ERRORS = {
    error.__name__: error
    for error in (ConfigError, DivergenceError, NotFoundError, NotRunningError, TooSlowError)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LookaheadRequest:
    """A look-ahead analysis before it is made.

    Attributes:
        backtest: the backtest that is looked into: one strategy on one source.
        points: how many random points the history is cut at.
        seed: of the points, and of what later rows are changed into.
        models: the folder of models; the user's by default.
        quiet: whether nothing is said while it runs.
    """

    backtest: BacktestRequest
    points: int = 20
    seed: int = 1
    models: Path | None = None
    quiet: bool = True


def analyse(request: LookaheadRequest) -> LookaheadReport:
    """Look whether anything that a strategy decides changes when what comes later does.

    The whole history is lived through, twice in one process and once in another; then histories that end at random
    points of it, where the strategy finds the source's files cut short, or changed after the cut. Every decision up to
    the cut must be the same in features, forecast, intent, reason and verdict.

    What it says while it runs, and what the strategy prints, goes to standard error.

    Raises:
        DefaiError: where the source cannot be read, or the strategy cannot be run on it.
    """
    [report] = analyse_all([request])
    return report


def analyse_all(requests: Sequence[LookaheadRequest]) -> Iterator[LookaheadReport]:
    """As `analyse`, one after the other; they share what it takes to start.

    Raises:
        DefaiError: with the first that cannot be made.
    """
    if any(len(request.backtest.strategies) != 1 for request in requests):
        raise ConfigError("A look-ahead analysis looks at one strategy.")
    done = subprocess.run(
        [sys.executable, "-m", "defai.backtest.lookahead"],
        input="".join(json.dumps(to_json(request)) + "\n" for request in requests),
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    for answer in answers:
        if "error" in answer:
            raise _ERRORS.get(answer["error"], DefaiError)(answer["sentence"], answer["hint"])
        yield LookaheadReport.from_json(answer)
    if len(answers) < len(requests):
        raise DefaiError(
            f"The analysis ended without an answer, with exit code {done.returncode}.",
            "What it said last stands above.",
        )


def to_json(request: LookaheadRequest) -> dict[str, Any]:
    """A request as JSON-able values."""
    return {
        "backtest": {**configuration_of(request.backtest), "source": str(request.backtest.source)},
        "points": request.points,
        "seed": request.seed,
        "models": None if request.models is None else str(request.models.absolute()),
        "quiet": request.quiet,
    }


def from_json(content: Mapping[str, Any]) -> LookaheadRequest:
    """The request that `to_json` gave."""
    models = content["models"]
    return LookaheadRequest(
        backtest=request_of(content["backtest"]),
        points=content["points"],
        seed=content["seed"],
        models=None if models is None else Path(models),
        quiet=content["quiet"],
    )
