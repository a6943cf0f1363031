"""What happens on a worker: one run, from a task that says all of it, to a row of figures."""

import asyncio
import hashlib
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Any, Final

import numpy as np

from defai.backtest.figures import RATIO_STEP_S, figures, full_steps
from defai.backtest.metrics import moments_of_returns
from defai.backtest.request import BacktestRequest, perform_on
from defai.backtest.runner import AgentRun
from defai.backtest.sweep.sources import ground_for
from defai.errors import ConfigError, DefaiError
from defai.strategy.registry import load, shipped_folder

Row = dict[str, Any]

_LEFT_OUT: Final = frozenset({"params", "baselines", "agents", "source", "strategy"})
_log: Final = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunTask:
    """A run as it is sent to a worker.

    Attributes:
        number: what it is known by; its row has it.
        window: number of its window.
        request: all of it.
        source_digest: what the source's files have to be, see `digest_of`.
        strategy_digest: what the strategy's file has to be; empty for any.
        asked: written into the row as it is, where it is not empty.
    """

    number: int
    window: int
    request: BacktestRequest
    source_digest: str
    strategy_digest: str = ""
    asked: str = ""

    @property
    def head(self) -> Row:
        """What the row of this run has in any case."""
        asked = {"asked": self.asked} if self.asked else {}
        return {"run": self.number, "window": self.window, "timerange": self.request.timerange, **asked}

    def failed(self, sentence: str) -> Row:
        """The row of this run where it failed."""
        return self.head | _parameters(self.request.parameters) | {"error": sentence}


def perform_run(task: RunTask) -> Row:
    """Perform a run.

    Returns:
        Its number, window, time range, parameters (`param_NAME`) and figures, by the names of `--json`; or, where it
        failed, why, under `error`. It never raises: one run that fails ends no sweep.
    """
    try:
        return task.head | _figures(task) | {"error": None}
    except DefaiError as error:
        return task.failed(str(error))
    except Exception as error:  # noqa: BLE001  whatever a strategy raises is the row of this run, not the end of all
        _log.warning("run %d failed", task.number, exc_info=error)
        return task.failed(f"{type(error).__name__}: {error}")


def perform_runs(tasks: Sequence[RunTask]) -> tuple[list[Row], float]:
    """Perform runs one after the other: their rows, and the seconds they took together."""
    began = perf_counter()
    return [perform_run(task) for task in tasks], perf_counter() - began


def perform_baselines(task: RunTask) -> Mapping[str, Row]:
    """Run the baselines in a window: figures by name.

    Raises:
        DefaiError: where they cannot be run.
    """
    hold = f"{shipped_folder() / 'hold.py'}:HoldTokens"
    request = replace(task.request, strategies=(hold,), parameters={}, baselines=True)
    ground = ground_for(request, task.source_digest)
    result = asyncio.run(perform_on(ground, request))
    return {
        name: _flat(table) for name, table in figures(result, request.lvr_interval_s)["baselines"].items()
    }


def _figures(task: RunTask) -> Row:
    request = task.request
    loaded = load(request.strategies[0], request.parameters)
    if task.strategy_digest not in {"", hashlib.sha256(loaded.source).hexdigest()}:
        raise ConfigError(f"The strategy {loaded.origin} is not what it was when the plan was made.")
    ground = ground_for(request, task.source_digest)
    result = asyncio.run(perform_on(ground, request))
    table = figures(result, request.lvr_interval_s)
    unit = 10**ground.valuation.numeraire.decimals
    training = {f"model.{name}": value for name, value in request.model.parameters.items()}
    return (
        _parameters(loaded.strategy.model_dump(mode="json") | training)
        | _flat(table)
        | _moments(result.agents[0], unit)
    )


def _moments(run: AgentRun, unit: int) -> Row:
    """Shape of the hourly returns: what the deflated Sharpe ratio asks for."""
    times = np.array(run.curve.timestamps, dtype=np.int64)
    equity = np.array([worth / unit for worth in run.curve.equity_raw])
    found = moments_of_returns(equity[full_steps(times, RATIO_STEP_S)])
    names = ("hourly_returns", "hourly_sharpe", "hourly_skewness", "hourly_kurtosis")
    return dict(zip(names, found or (None,) * len(names), strict=True))


def _parameters(values: Mapping[str, Any]) -> Row:
    return {f"param_{name}": _cell(value) for name, value in values.items()}


def _flat(table: Mapping[str, Any], within: str = "") -> Row:
    """Figures as cells; figures within figures by their path."""
    row: Row = {}
    for name, value in table.items():
        if name in _LEFT_OUT:
            continue
        row |= (
            _flat(value, f"{within}{name}.")
            if isinstance(value, Mapping)
            else {f"{within}{name}": _cell(value)}
        )
    return row


def _cell(value: object) -> Any:  # noqa: ANN401  a cell is of any kind that parquet has
    return value if value is None or isinstance(value, str | int | float) else json.dumps(value, default=str)
