"""A backtest in figures: the one object that `--json` prints. What was not measured is None, never 0."""

from typing import Any, Final

import numpy as np

from defai.backtest import metrics
from defai.backtest.ground import Ground
from defai.backtest.runner import AgentRun, BacktestResult

RATIO_STEP_S: Final = 3_600
"""Sharpe and Sortino are of hourly returns, or of the history's steps where those are longer; what is not full at the
end is left out."""


def figures(
    result: BacktestResult, lvr_interval_s: int = metrics.LVR_INTERVAL_S, *, hourly: bool = False
) -> dict[str, Any]:
    """The result as one JSON-able object.

    Worths are in the numeraire, which the names call usd.

    Args:
        result: the backtest.
        lvr_interval_s: how often the portfolio that LVR compares with, and the hedge, are adjusted; a history whose
            steps are longer cannot be followed more often than that, and the figures say so.
        hourly: whether each agent's equity is there hour by hour, from `first_time` on.
    """
    ground, first = result.ground, result.agents[0]
    interval_s = max(lvr_interval_s, ground.step_s or 0)

    def of(run: AgentRun) -> dict[str, Any]:
        hours = {"hourly_equity_usd": hourly_equity(run, ground)} if hourly else {}
        return of_agent(run, ground, interval_s) | hours

    table: dict[str, Any] = {
        **_named(first, ground),
        "source": ground.source,
        "source_sha256": ground.sha256,
        "pools": [key.name for key in ground.keys],
        "numeraire": ground.valuation.numeraire.symbol,
        **ground.settings,
        "anchor_every": result.anchor_every,
        **of(first),
        "baselines": {
            name: _named(run, ground) | of(run) | {"seconds": round(run.seconds, 3)}
            for name, run in result.baselines.items()
        },
        "seconds": round(result.seconds, 3),
    }
    if result.other_flow:
        flow = "prices" if ground.settings["flow"] == "amounts" else "amounts"
        table["other_flow"] = {"flow": flow} | of(result.other_flow[0])
    if result.starts is not None:
        table["starts"] = result.starts
    if len(result.agents) > 1:
        table["agents"] = [
            {"name": run.name, "strategy": run.strategy, "params": run.parameters} | of(run)
            for run in result.agents
        ]
    return table


def _named(run: AgentRun, ground: Ground) -> dict[str, Any]:
    """Which strategy, and on what history."""
    return {
        "strategy": run.strategy,
        "params": run.parameters,
        "source_kind": ground.kind,
        "fidelity": ground.fidelity,
        "exact_share": ground.exact_share,
    }


def hourly_equity(run: AgentRun, ground: Ground) -> list[float] | None:
    """Equity at the beginning, and after each full hour; None where the history's steps are longer than that."""
    if (ground.step_s or 0) > RATIO_STEP_S:
        return None
    unit = 10**ground.valuation.numeraire.decimals
    rows = full_steps(run.curve.timestamps.as_array(), RATIO_STEP_S)
    return [run.curve.equity_raw[row] / unit for row in rows]


def _hedged_pnl(
    run: AgentRun, equity: metrics.Series, prices: metrics.Series, interval_s: int, unit: int
) -> float | None:
    """Here on its own, so that the base token's column is let go before the next figure needs room."""
    base = run.curve.base_worth_raw.over(unit)
    base /= prices
    return metrics.delta_hedged_pnl(run.curve.timestamps.as_array(), equity, base, prices, interval_s)


def of_agent(run: AgentRun, ground: Ground, lvr_interval_s: int) -> dict[str, Any]:
    """What came of one agent, in figures."""
    curve, desk, count = run.curve, run.agent.desk, run.agent.decisions
    unit = 10**ground.valuation.numeraire.decimals
    times = curve.timestamps.as_array()
    prices = curve.base_unit_raw.over(unit)
    equity = curve.equity_raw.over(unit)
    bands = curve.bands(desk)
    ratio_step_s = max(RATIO_STEP_S, ground.step_s or 0)
    steps = full_steps(times, ratio_step_s)
    return {
        "steps": run.steps,
        "first_time": curve.timestamps[0],
        "last_time": curve.timestamps[-1],
        "initial_usd": curve.equity_raw[0] / unit,
        "final_usd": curve.equity_raw[-1] / unit,
        "hodl_usd": curve.hodl_raw[-1] / unit,
        "fees_usd": curve.fees_raw[-1] / unit,
        "impermanent_loss_usd": metrics.impermanent_loss(prices, bands),
        "lvr_usd": metrics.loss_versus_rebalancing(times, prices, bands, lvr_interval_s),
        "lvr_interval_s": lvr_interval_s,
        "hedged_pnl_usd": _hedged_pnl(run, equity, prices, lvr_interval_s, unit),
        "swap_cost_usd": run.tape.swap_cost_raw / unit,
        "gas_usd": curve.gas_raw[-1] / unit if ground.priced_gas else None,
        "anchors": run.outcomes.anchors,
        "anchor_gas_usd": run.outcomes.anchor_gas_raw / unit if ground.priced_gas else None,
        "in_range_ratio": metrics.in_range_ratio(times, prices, bands),
        "sharpe_ratio": metrics.sharpe_ratio(equity[steps], ratio_step_s),
        "sortino_ratio": metrics.sortino_ratio(equity[steps], ratio_step_s),
        "ratio_step_s": ratio_step_s,
        "max_drawdown": metrics.max_drawdown(equity),
        "turnover_ratio": metrics.turnover_ratio(run.tape.turnover_raw / unit, equity),
        "mints": run.tape.mints,
        "swaps": run.tape.swaps,
        "decisions": count["decisions"],
        "denied": count["denied"],
        "denied_for": dict(run.denials.counts),
        "trades": count["trades"],
        "stopped": run.stopped or None,
        "decision_digest": run.last_digest,
    }


def full_steps(times: metrics.Times, step_s: int) -> metrics.Times:
    """Rows of a regular grid, the latest at or before each step; not the one that ends in the midst of a step."""
    grid = np.arange(times[0], times[-1] + 1, step_s)
    return np.searchsorted(times, grid, side="right") - 1
