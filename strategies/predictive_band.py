"""Liquidity in a band that leans the way the model expects the price to go."""

from itertools import pairwise
from math import sqrt
from typing import Annotated

from defai.strategy.api import Context, Edge, Field, Hold, Intent, Rebalance, Strategy, Target, unit


class PredictiveBand(Strategy):
    """Keep a band as wide as the price moved lately, its middle moved by the drift that the model expects.

    Works where the drift can be forecast at all: the price then stays longer inside, and fewer re-centrings are paid
    for. Where it can't, as nearly everywhere, the model does not beat its baseline, and the band stands evenly around
    the price. Loses to holding in a trend that nobody forecast, like every band.
    """

    sigmas: Annotated[float, Field(gt=0, le=50, description="half the band"), unit("volatilities")] = 8.0
    floor_ticks: Annotated[int, Field(ge=10, le=20_000, description="half the band"), unit("ticks")] = 300
    lean: Annotated[float, Field(ge=0, le=10, description="of the middle"), unit("ticks a tick expected")] = (
        2.0
    )
    most_lean: Annotated[float, Field(ge=0, lt=1, description="of the middle"), unit("half-widths")] = 0.5
    patience: Annotated[int, Field(ge=0, le=500, description="out of range first"), unit("blocks")] = 10

    def features(self) -> tuple[str, ...]:
        """Where the price came from, and which way the flow went."""
        return ("return_1", "return_6", "return_24", "deviation_48", "efficiency_24", "imbalance_12")

    def target(self) -> Target:
        """The move over the next twenty-four blocks."""
        return Target(kind="return", horizon_blocks=24)

    def stated_edge(self, ctx: Context) -> Edge | None:  # noqa: ARG002  whatever it sees
        """None: without a drift that can be forecast it is an ordinary band, which acts for fees and claims no edge."""
        return None

    def decide(self, ctx: Context) -> Intent:
        """Open a band, keep it while the price is inside, move it once the price has stayed outside."""
        if ctx.forecast is None:
            return Hold(reason="waits for history enough to forecast the drift")
        position, tick = ctx.position, ctx.pool.tick
        if position is not None:
            if position.contains(tick):
                return Hold(reason="the tick is inside the band")
            recent = ctx.pool.history[-self.patience - 1 :]
            outside = sum(1 for row in recent if not position.contains(row.tick))
            if outside <= self.patience:
                return Hold(reason=f"out of the band for {outside} of {self.patience + 1} blocks")
        half_width = max(self.sigmas * self._volatility(ctx), self.floor_ticks)
        most = self.most_lean * half_width
        drift = ctx.forecast.value if ctx.forecast.beats_baseline else 0.0
        moved = round(min(max(self.lean * drift, -most), most))
        lower, upper = ctx.band(half_width, center=tick + moved)
        why = f"{drift:+.1f} ticks expected" if drift else "no drift that could be forecast"
        return Rebalance(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            reason=f"{'open a band' if position is None else 're-centre'}, ±{half_width:.0f} {moved:+d}: {why}",
        )

    def _volatility(self, ctx: Context) -> float:
        """Of as many blocks as the forecast looks ahead: root of the summed squared moves, in ticks."""
        ticks = [row.tick for row in ctx.pool.history[-25:]]
        return sqrt(sum((after - before) ** 2 for before, after in pairwise(ticks)))
