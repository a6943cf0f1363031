"""From records to what a person looks at: the flat views that go on the event stream."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

from defai.agent.desk import Desk
from defai.agent.ports import Settlement
from defai.agent.wording import ACTIONS, execution_text, intent_text
from defai.amm import get_sqrt_ratio_at_tick
from defai.audit.outbox import Anchor
from defai.domain.decisions import Check, Decision, ExecutionStatus, Forecast, Plan, Verdict
from defai.domain.operations import SwapExactInput
from defai.domain.stream import (
    CheckView,
    DecisionView,
    ExecutionSettled,
    ForecastView,
    HoldsAnchored,
    PnlParts,
    PoolQuote,
    PortfolioView,
    PositionView,
)
from defai.domain.tokens import Address, Token
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.portfolio.pnl import PositionValue, Valued

_CENT = Decimal("0.01")


def pool_quotes(market: MarketState, valuation: Valuation) -> tuple[PoolQuote, ...]:
    """Every pool after the newest block."""
    return tuple(
        PoolQuote(
            address=address,
            price=valuation.base_price(pool.sqrt_price_x96).quantize(Decimal("0.0001")),
            tick=pool.tick,
            liquidity=pool.liquidity,
            swaps=market.windows[address][-1].swaps if market.windows[address] else 0,
        )
        for address, pool in market.pools.items()
    )


def portfolio_view(desk: Desk, tokens: Mapping[Address, Token]) -> PortfolioView:
    """What an agent owns, for people."""
    valued, numeraire = desk.valued(), desk.valuation.numeraire
    equity = valued.equity_raw + valued.gas_raw
    drawdown = desk.fall(valued.equity_raw)
    return PortfolioView(
        equity_usd=usd(numeraire, valued.equity_raw),
        hodl_usd=usd(numeraire, valued.hodl_raw),
        initial_usd=usd(numeraire, desk.initial_raw),
        fees_earned_usd=usd(numeraire, valued.fees_raw),
        gas_usd=usd(numeraire, valued.gas_raw),
        balances=tuple(
            (tokens[token].symbol, tokens[token].to_decimal(raw))
            for token, raw in desk.portfolio.balances.items()
        ),
        positions=tuple(
            _position_view(position, desk.market, desk.valuation) for position in valued.positions
        ),
        base_share=_ratio(Decimal(valued.base_raw) / equity) if equity else Decimal(0),
        high_water_usd=usd(numeraire, max(desk.peak_raw, valued.equity_raw)),
        drawdown=_ratio(drawdown),
        parts=_parts(desk, valued),
    )


def _parts(desk: Desk, valued: Valued) -> PnlParts | None:
    parts, attribution = desk.parts(valued), desk.attribution
    if parts is None or attribution is None:
        return None
    money = desk.valuation.numeraire
    cost = parts.swap_cost_raw
    return PnlParts(
        pnl_usd=usd(money, valued.equity_raw - desk.initial_raw),
        market_usd=usd(money, valued.hodl_raw - desk.initial_raw),
        fees_usd=usd(money, valued.fees_raw),
        impermanent_loss_usd=usd(money, parts.impermanent_loss_raw),
        lvr_usd=usd(money, parts.lvr_raw),
        lvr_interval_s=attribution.interval_s,
        gas_usd=usd(money, valued.gas_raw),
        swap_cost_usd=None if cost is None else usd(money, cost),
        realized_usd=usd(money, parts.realized_raw),
        unrealized_usd=usd(money, parts.unrealized_raw),
    )


def risk_gauges(desk: Desk, failures: int, measured: Sequence[Check]) -> tuple[CheckView, ...]:
    """How close an agent is to its limits: what holds now, and of its last plan what only a plan has.

    Args:
        desk: its desk.
        failures: transactions in a row that failed.
        measured: the guard's checks of the last plan; empty where there was none yet.
    """
    limits, valued, numeraire = desk.limits, desk.valued(), desk.valuation.numeraire
    equity = valued.equity_raw + valued.gas_raw
    share = Decimal(valued.base_raw) / equity if equity else Decimal(0)
    now = (
        ("drawdown", desk.fall(valued.equity_raw) * 100, limits.max_drawdown * 100, "%"),
        ("turnover", numeraire.to_decimal(desk.turnover_raw()), limits.max_turnover_usd, "USD a day"),
        ("exposure", share * 100, limits.max_base_share * 100, "%"),
        ("failures", Decimal(failures), Decimal(limits.max_failures), "in a row"),
    )
    gauges = [
        CheckView(name, value.quantize(_CENT), limit, unit, value <= limit)
        for name, value, limit, unit in now
    ]
    standing = {gauge.name for gauge in gauges}
    return (*gauges, *(_check_view(check) for check in measured if check.name not in standing))


def _check_view(check: Check) -> CheckView:
    return CheckView(check.name, check.value, check.limit, check.unit, check.ok)


def _ratio(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.0001"))


def decision_view(
    decision: Decision, plan: Plan | None, verdict: Verdict, forecast: Forecast | None, market: MarketState
) -> DecisionView:
    """A decision, for the log."""
    minimum = None
    if plan and len(plan.operations) == 1 and isinstance(plan.operations[0], SwapExactInput):
        minimum = plan.operations[0].amount_out_minimum
    return DecisionView(
        digest=decision.digest,
        sequence=decision.sequence,
        block_number=decision.block_number,
        action=ACTIONS[type(verdict.intent)].name.lower(),
        text=intent_text(verdict.intent, market.keys, minimum),
        reason=verdict.intent.reason,
        verdict=verdict.status.value,
        verdict_reason=verdict.reason,
        checks=tuple(_check_view(check) for check in verdict.checks),
        forecast=_forecast_view(forecast),
    )


def anchored(agent: str, anchor: Anchor, settlement: Settlement) -> HoldsAnchored:
    """An anchor that landed, with decisions in it."""
    return HoldsAnchored(
        agent,
        anchor.first_sequence,
        anchor.count,
        anchor.root,
        settlement.block_number,
        settlement.transaction_hash,
    )


def settled(
    agent: str, decision: Decision, settlement: Settlement, gas_usd: Decimal, tokens: Mapping[Address, Token]
) -> ExecutionSettled:
    """What came of a decision that was sent."""
    execution = settlement.execution
    return ExecutionSettled(
        agent=agent,
        digest=decision.digest,
        sequence=decision.sequence,
        decided_block=decision.block_number,
        block_number=settlement.block_number,
        status=execution.status.value if execution else ExecutionStatus.REFUSED.value,
        transaction_hash=settlement.transaction_hash,
        record_id=execution.record_id if execution else None,
        gas_used=settlement.gas_used,
        gas_usd=gas_usd,
        text=execution_text(execution, tokens) if execution else settlement.error,
        error=settlement.error,
    )


def usd(numeraire: Token, amount_raw: int) -> Decimal:
    """An amount of the numeraire, to the cent."""
    return numeraire.to_decimal(amount_raw).quantize(_CENT)


def _forecast_view(forecast: Forecast | None) -> ForecastView | None:
    if forecast is None:
        return None
    return ForecastView(
        name=forecast.name,
        unit=forecast.unit,
        value=forecast.value,
        low=None if forecast.low_x24 is None else forecast.low_x24 / (1 << 24),
        high=None if forecast.high_x24 is None else forecast.high_x24 / (1 << 24),
        model_digest=forecast.model_digest,
        beats_baseline=forecast.beats_baseline,
    )


def _position_view(valued: PositionValue, market: MarketState, valuation: Valuation) -> PositionView:
    position = valued.position
    bounds = sorted(
        valuation.base_price(get_sqrt_ratio_at_tick(tick))
        for tick in (position.tick_lower, position.tick_upper)
    )
    return PositionView(
        token_id=position.token_id,
        pool=position.pool,
        tick_lower=position.tick_lower,
        tick_upper=position.tick_upper,
        price_lower=bounds[0].quantize(_CENT),
        price_upper=bounds[1].quantize(_CENT),
        in_range=position.contains(market.pools[position.pool].tick),
        value_usd=usd(valuation.numeraire, valued.value_raw),
        fees_owed_usd=usd(valuation.numeraire, valued.owed_raw),
    )
