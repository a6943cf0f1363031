"""Re-centre a band whenever the price has left it: the rule that everybody thinks of first."""

from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Rebalance, Strategy, unit


class JustRecentre(Strategy):
    """Keep one band of the same width around the price; where the price has left it, open it anew around the price.

    Works in a market that swings by less than the band is wide, with much volume: it is in range nearly always. Loses
    in a trend, and to any large move that comes back: what was sold on the way up is bought back dearer, and each
    re-centring turns a loss on paper into a real one. Takes no forecast and no heed of volatility.
    """

    half_width: Annotated[int, Field(ge=10, le=400_000, description="half the band"), unit("ticks")] = 500
    patience: Annotated[
        int, Field(ge=0, le=500, description="out of range before re-centring"), unit("blocks")
    ] = 0
    most_cost_bps: Annotated[
        float, Field(gt=0, le=1_000, description="what re-centring may cost, of the equity"), unit("bps")
    ] = 50.0

    def decide(self, ctx: Context) -> Intent:
        """Open the band, keep it while the price is inside, move it once the price has left and the cost allows it."""
        position = ctx.position
        if position is not None:
            if position.contains(ctx.pool.tick):
                return Hold(reason="the tick is inside the band")
            recent = ctx.pool.history[-self.patience - 1 :]
            outside = sum(1 for row in recent if not position.contains(row.tick))
            if outside <= self.patience:
                return Hold(reason=f"out of the band for {outside} of {self.patience + 1} blocks")
        if ctx.equity_raw <= 0:
            return Hold(reason="there is nothing to provide")
        cost_bps = self._cost_bps(ctx)
        if cost_bps > self.most_cost_bps:
            return Hold(reason=f"moving costs {cost_bps:.1f} bp of the equity: too dear")
        lower, upper = ctx.band(self.half_width)
        verb = "open a band" if position is None else "re-centre"
        return Rebalance(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            reason=f"{verb} at {lower:,}…{upper:,} for {cost_bps:.1f} bp of the equity",
        )

    def _cost_bps(self, ctx: Context) -> float:
        """Gas, and what the pool takes from the swap to an even split: outside its band a position is one token."""
        off_raw = ctx.base_value_raw(ctx.base_held_raw()) - ctx.equity_raw // 2
        sold, worth_raw = (ctx.base if off_raw > 0 else ctx.numeraire), abs(off_raw)
        amount = ctx.base_amount_raw(worth_raw) if off_raw > 0 else worth_raw
        gas_bps = ctx.costs.rebalance_gas_usd / float(ctx.usd(ctx.equity_raw)) * 10_000
        if amount <= 0:
            return gas_bps
        quote = ctx.quote(sold, amount)
        if quote.amount_in_raw < amount:
            return float("inf")
        return gas_bps + quote.cost_bps * worth_raw / ctx.equity_raw
