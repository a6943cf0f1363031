"""Arithmetic behind the context's helpers: bands of ticks, and sizes that a risk allows."""

from defai.amm import max_usable_tick, min_usable_tick
from defai.domain.decisions import Forecast


def aligned_band(middle: int, half_width: float, spacing: int) -> tuple[int, int]:
    """A range of ticks around a middle, aligned outwards to the tick spacing, within the range of ticks."""
    lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
    lower = int((middle - half_width) // spacing) * spacing
    upper = -int(-(middle + half_width) // spacing) * spacing
    lower = min(max(lower, lowest), highest - spacing)
    return lower, min(max(upper, lower + spacing), highest)


def size_for_risk(equity_raw: int, risk: float, move_bps: float) -> int:
    """Worth of which an adverse move loses a share of the equity; never more than the equity, nothing for no move.

    Args:
        equity_raw: in the numeraire's smallest unit.
        risk: share of the equity that may be lost, 0..1.
        move_bps: how far the price may move against it, in basis points.
    """
    if not (0 < risk <= 1 and move_bps > 0 and equity_raw > 0):
        return 0
    return min(int(equity_raw * risk * 10_000 / move_bps), equity_raw)


def worst_move_bps(forecast: Forecast | None) -> float:
    """The largest move that a forecast's band allows, in basis points; 0 where nothing is known of one.

    A tick is a basis point of price.
    """
    if forecast is None or forecast.unit != "ticks" or forecast.low is None or forecast.high is None:
        return 0.0
    return max(abs(forecast.low), abs(forecast.high))
