"""Liquidity in a band as wide as the volatility the model expects."""

from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Rebalance, Strategy, Target, unit


class VolatilityBand(Strategy):
    """Keep liquidity around the price, wide when the model expects it to move, narrow when it does not.

    Works in a market that swings around without going anywhere: fees come in and the price comes back. Loses to
    holding in a trend, where the band is left again and again and each re-centring makes the loss a real one.
    """

    sigmas: Annotated[float, Field(gt=0, le=20, description="half the band"), unit("volatilities")] = 4.0
    floor_ticks: Annotated[int, Field(ge=10, le=20_000, description="half at least"), unit("ticks")] = 120
    patience: Annotated[
        int, Field(ge=0, le=10_000, description="out of range before re-centring"), unit("blocks")
    ] = 3

    def features(self) -> tuple[str, ...]:
        """Volatility at several horizons, how much is traded, and what a block costs."""
        return ("volatility_6", "volatility_24", "volatility_60", "parkinson_24", "swaps_12", "base_fee")

    def target(self) -> Target:
        """How far the price swings within the next twenty-four blocks."""
        return Target(kind="volatility", horizon_blocks=24)

    def decide(self, ctx: Context) -> Intent:
        """Open a band, keep it while the price is inside, re-centre it once the price has stayed outside."""
        if ctx.forecast is None:
            return Hold(reason="waits for history enough to forecast volatility")
        position, tick = ctx.position, ctx.pool.tick
        if position is not None:
            if position.contains(tick):
                return Hold(reason="the tick is inside the band")
            recent = ctx.pool.history[-self.patience - 1 :]
            outside = sum(1 for row in recent if not position.contains(row.tick))
            if outside <= self.patience:
                return Hold(reason=f"out of the band for {outside} of {self.patience + 1} blocks")
        half_width = max(self.sigmas * ctx.forecast.value, self.floor_ticks)
        lower, upper = ctx.band(half_width)
        verb = "open a band" if position is None else "re-centre"
        volatility = f"{ctx.forecast.value:.0f} ticks expected"
        return Rebalance(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            reason=f"{verb}, half-width {half_width:.0f} ticks: {volatility}",
        )
