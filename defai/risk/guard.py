"""The guard: measures a plan against the limits. It answers politely; it never raises for a wish it denies."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from defai.domain.decisions import Check, Verdict, VerdictStatus
from defai.domain.intents import Hold, Intent, Swap
from defai.risk.limits import Limits


@dataclass(frozen=True, slots=True)
class Exposure:
    """What a plan would do, measured.

    Attributes:
        swap_usd: worth of everything it swaps.
        impact_bps: the worst price impact among its swaps, the pool's fee not counted.
        gas_usd: what its gas would cost.
        base_share_after: share of the equity in the base token afterwards; None where it buys none.
        turnover_usd: worth of the swaps of the last day, before this plan.
        drawdown: fall of the equity from its highest point, 0..1.
        moved_usd: worth of everything it moves, swaps and liquidity.
        swap_cost_usd: what the pools' fees and the price impact of its swaps come to, as quoted.
    """

    swap_usd: Decimal
    impact_bps: Decimal
    gas_usd: Decimal
    base_share_after: Decimal | None
    turnover_usd: Decimal
    drawdown: Decimal
    moved_usd: Decimal
    swap_cost_usd: Decimal = Decimal(0)


def clip(intent: Intent, swap_usd: Decimal, limits: Limits) -> Intent:
    """The intent cut down to the largest trade allowed; itself where it is small enough or cannot be cut."""
    if not isinstance(intent, Swap) or swap_usd <= limits.max_trade_usd or swap_usd == 0:
        return intent
    share = limits.max_trade_usd / swap_usd
    return replace(intent, amount_in_raw=int(intent.amount_in_raw * share))


def judge(intent: Intent, exposure: Exposure, limits: Limits, *, clipped: bool) -> Verdict:
    """Judge a plan.

    Args:
        intent: what would be done, already cut down where `clipped` says so.
        exposure: what doing it means.
        limits: what is allowed.
        clipped: whether the intent is smaller than what was asked for.
    """
    if isinstance(intent, Hold):
        return Verdict(VerdictStatus.APPROVED, intent)
    checks = _checks(exposure, limits)
    broken = [check for check in checks if not check.ok]
    if broken:
        return Verdict(VerdictStatus.DENIED, intent, checks, "; ".join(_sentence(check) for check in broken))
    threshold = limits.approval_above_usd
    if threshold is not None and exposure.moved_usd > threshold:
        reason = f"moves {exposure.moved_usd:,.0f} USD, above {threshold:,.0f} USD: waits for the owner"
        return Verdict(VerdictStatus.NEEDS_APPROVAL, intent, checks, reason)
    if clipped:
        return Verdict(VerdictStatus.CLIPPED, intent, checks, f"cut down to {exposure.swap_usd:,.2f} USD")
    return Verdict(VerdictStatus.APPROVED, intent, checks)


def _checks(exposure: Exposure, limits: Limits) -> tuple[Check, ...]:
    turnover = exposure.turnover_usd + exposure.swap_usd
    upper: Mapping[str, tuple[Decimal, Decimal, str]] = {
        "slippage": (exposure.impact_bps, Decimal(limits.max_slippage_bps), "bp"),
        "trade": (exposure.swap_usd, limits.max_trade_usd, "USD"),
        "turnover": (turnover, limits.max_turnover_usd, "USD a day"),
        "gas": (exposure.gas_usd, limits.max_gas_usd, "USD"),
        "drawdown": (exposure.drawdown * 100, limits.max_drawdown * 100, "%"),
    }
    if exposure.base_share_after is not None:
        share = (exposure.base_share_after * 100, limits.max_base_share * 100, "%")
        upper = {**upper, "exposure": share}
    return tuple(
        Check(name, value, limit, unit, ok=value <= limit) for name, (value, limit, unit) in upper.items()
    )


def _sentence(check: Check) -> str:
    return f"{check.name} {check.value:,.2f} over the limit of {check.limit:,.2f} {check.unit}"
