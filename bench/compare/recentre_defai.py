"""Keep a band of 500 ticks to either side; move it when the price has left it. In defai."""

from defai.strategy.api import Context, Hold, Intent, Rebalance, Strategy


class Recentre(Strategy):
    half_width: int = 500

    def decide(self, ctx: Context) -> Intent:
        if ctx.position is not None and ctx.position.contains(ctx.pool.tick):
            return Hold(reason="the price is inside the band")
        lower, upper = ctx.band(self.half_width)
        pool = ctx.pool.key.address
        return Rebalance(pool=pool, tick_lower=lower, tick_upper=upper, reason="the price has left the band")
