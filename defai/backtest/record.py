"""From a backtest's result to what is written down about it, and back to the request it was made from."""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from defai.agent.desk import Desk
from defai.amm import get_sqrt_ratio_at_tick
from defai.backtest.forecasters import ModelChoice
from defai.backtest.prices_ground import LIQUIDITY_USD
from defai.backtest.request import BacktestRequest
from defai.backtest.run_files import Columns, RunRecord, versions_at_work
from defai.backtest.runner import AgentRun, BacktestResult
from defai.domain.decisions import Action
from defai.errors import ConfigError

_DECISION: Final = (
    *("agent", "sequence", "block", "timestamp", "action", "reason", "verdict", "digest"),
    *("status", "gas_used", "gas_usd", "outcome"),
)


def record_of(request: BacktestRequest, result: BacktestResult, figures: Mapping[str, Any]) -> RunRecord:
    """What is written down about a backtest; the curve is that of the first agent."""
    ground = result.ground
    base, numeraire = ground.valuation.base.symbol, ground.valuation.numeraire.symbol
    return RunRecord(
        configuration=configuration_of(request),
        source={
            "path": ground.source,
            "kind": ground.kind,
            "sha256": ground.sha256,
            "fidelity": ground.fidelity,
            "pool": ", ".join(key.name for key in ground.keys),
            "price_of": f"{numeraire} per {base}",
        },
        seed=request.seed if ground.kind == "prices" else 0,
        figures=figures,
        equity=_equity(result),
        decisions=_decisions(result.agents),
        versions=versions_at_work(),
    )


def configuration_of(request: BacktestRequest) -> dict[str, Any]:
    """A request as JSON-able values; its source by its whole path, so that it is found from anywhere."""
    plain = asdict(request)
    return {
        **plain,
        "strategies": list(request.strategies),
        "source": str(request.source.absolute()),
        "balances": {symbol: str(amount) for symbol, amount in request.balances.items()},
        "gas_gwei": None if request.gas_gwei is None else str(request.gas_gwei),
        "base_fees": None if request.base_fees is None else str(request.base_fees.absolute()),
        "liquidity_usd": str(request.liquidity_usd),
        "model": {
            **plain["model"],
            "folder": str(request.model.folder.absolute()) if request.model.folder else None,
        },
    }


def request_of(configuration: Mapping[str, Any]) -> BacktestRequest:
    """The request that `configuration_of` wrote down.

    Raises:
        ConfigError: where it is not one that this version can read.
    """
    known = {field.name for field in fields(BacktestRequest)}
    strange = [name for name in configuration if name not in known]
    if strange:
        raise ConfigError(f"The run was configured with '{strange[0]}', which this version does not know.")
    try:
        gas, fees = configuration.get("gas_gwei"), configuration.get("base_fees")
        model = dict(configuration.get("model", {}))
        model["folder"] = Path(model["folder"]) if model.get("folder") else None
        return BacktestRequest(
            **{
                **configuration,
                "strategies": tuple(configuration["strategies"]),
                "source": Path(configuration["source"]),
                "balances": {symbol: Decimal(amount) for symbol, amount in configuration["balances"].items()},
                "gas_gwei": None if gas is None else Decimal(gas),
                "base_fees": None if fees is None else Path(fees),
                "liquidity_usd": Decimal(configuration.get("liquidity_usd", LIQUIDITY_USD)),
                "model": ModelChoice(**model),
            }
        )
    except (KeyError, TypeError, AttributeError, ArithmeticError) as error:
        raise ConfigError("The run's configuration is damaged: it can't be made again.") from error


def _equity(result: BacktestResult) -> Columns:
    run, unit = result.agents[0], 10**result.ground.valuation.numeraire.decimals
    curve = run.curve
    columns: dict[str, Sequence[Any]] = {
        "timestamp": curve.timestamps,
        "block": curve.block_numbers,
        "price": _in_units(curve.base_unit_raw, unit),
        "equity_usd": _in_units(curve.equity_raw, unit),
        "hodl_usd": _in_units(curve.hodl_raw, unit),
        "base_usd": _in_units(curve.base_worth_raw, unit),
        "fees_usd": _in_units(curve.fees_raw, unit),
        "gas_usd": _in_units(curve.gas_raw, unit),
    }
    lower: list[float | None] = [None] * len(curve.timestamps)
    upper = lower.copy()
    for band in curve.bands(run.agent.desk):
        for row in range(band.first, band.last + (band.last == len(lower) - 1)):
            lower[row] = min(band.price_lower, lower[row] or band.price_lower)
            upper[row] = max(band.price_upper, upper[row] or band.price_upper)
    columns |= {"band_lower": lower, "band_upper": upper}
    for other in result.agents[1:]:
        columns[f"agent_{other.name}"] = _as_of(other, curve.timestamps, unit)
    for name, beside in result.baselines.items():
        columns[f"baseline_{name}"] = _as_of(beside, curve.timestamps, unit)
    return columns


def _in_units(values: Sequence[int], unit: int) -> list[float]:
    return [value / unit for value in values]


def _as_of(run: AgentRun, timestamps: Sequence[int], unit: int) -> list[float]:
    """A run's equity at the moments of another: its latest at or before each."""
    known = run.curve.timestamps
    rows = (max(bisect_right(known, timestamp) - 1, 0) for timestamp in timestamps)
    return [run.curve.equity_raw[row] / unit for row in rows]


def _decisions(runs: Sequence[AgentRun]) -> Columns:
    columns: dict[str, list[Any]] = {name: [] for name in _DECISION}
    for run in runs:
        desk, curve = run.agent.desk, run.curve
        tokens = {
            token.address: token for key in desk.market.keys.values() for token in (key.token0, key.token1)
        }
        unit = 10**desk.valuation.numeraire.decimals
        for decision in run.decisions:
            payload = json.loads(decision.payload)
            verdict = payload["verdict"]
            row = max(bisect_right(curve.block_numbers, decision.block_number) - 1, 0)
            asked = decision.action is not Action.HOLD or verdict["status"] != "approved"
            came = run.outcomes.of(decision.digest, tokens)
            values = (
                run.name,
                decision.sequence,
                decision.block_number,
                curve.timestamps[row],
                _asked_for(payload["intent"], desk) if asked else "hold",
                payload["reason"],
                f"{verdict['status']}: {verdict['reason']}" if verdict["reason"] else verdict["status"],
                decision.digest,
                *((came.status, came.gas_used, came.gas_raw / unit, came.text) if came else (None,) * 4),
            )
            for column, value in zip(columns.values(), values, strict=True):
                column.append(value)
    return columns


def _asked_for(intent: Mapping[str, Any], desk: Desk) -> str:
    """What an intent is called in a table: a rebalance with its band in prices, a swap, and so on."""
    kind = str(intent["kind"])
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in kind).strip()
    if "tick_lower" in intent and "tick_upper" in intent:
        ticks = intent["tick_lower"], intent["tick_upper"]
        low, high = sorted(float(desk.valuation.base_price(get_sqrt_ratio_at_tick(tick))) for tick in ticks)
        return f"{words} {low:,.6g}…{high:,.6g}"
    return words
