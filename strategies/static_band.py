"""The third baseline: one band of liquidity around the first price, never moved."""

from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, OpenPosition, Strategy, unit


class StaticBand(Strategy):
    """Provide everything in a band around the first price once, and leave it there.

    Works while the price stays inside: the narrower the band, the larger its share of the fees. Once the price has
    left, it earns nothing and holds only the token that fell.
    """

    half_width: Annotated[int, Field(ge=1, le=400_000, description="half the band"), unit("ticks")] = 1_000

    def decide(self, ctx: Context) -> Intent:
        """Open the band if there is none."""
        if ctx.position is not None:
            return Hold(reason="the band is provided")
        spacing = ctx.pool.key.tick_spacing
        lower, upper = ctx.band(self.half_width, center=round(ctx.pool.tick / spacing) * spacing)
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            amount0_raw=ctx.balance(ctx.pool.key.token0),
            amount1_raw=ctx.balance(ctx.pool.key.token1),
            reason=f"provide {lower:,}…{upper:,}, once",
        )
