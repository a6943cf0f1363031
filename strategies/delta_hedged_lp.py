"""Liquidity beside a reserve that swaps against it, so that the whole keeps its exposure."""

from typing import Annotated

from defai.strategy.api import ClosePosition, Context, Field, Hold, Intent, OpenPosition, Strategy, unit


class DeltaHedgedLp(Strategy):
    """Provide a part in a band, and keep the share of base in everything the same by swapping the rest.

    A band sells what rises and buys what falls; the reserve does the opposite, in steps. What is left is the fees less
    what arbitrage takes, which no longer depends on where the price goes. Works where fees are more than that and
    swaps are cheap. Loses slowly where they are not: each swap pays fee and gas, and buys dear what the band sold
    cheap. A vault can't go short, so the market's own move stays in the share that is kept.
    """

    half_width: Annotated[int, Field(ge=10, le=400_000, description="half the band"), unit("ticks")] = 1_000
    lp_share: Annotated[
        float, Field(gt=0, le=0.8, description="put in the band"), unit("share of balances")
    ] = 0.5
    base_share: Annotated[
        float, Field(gt=0.1, lt=0.9, description="base to keep"), unit("share of equity")
    ] = 0.5
    drift: Annotated[float, Field(gt=0, le=0.5, description="may stray by"), unit("share of equity")] = 0.03
    most_cost_bps: Annotated[
        float, Field(gt=0, le=1_000, description="of a swap, gas included"), unit("bps")
    ] = 100.0
    patience: Annotated[int, Field(ge=0, le=500, description="out of range first"), unit("blocks")] = 30

    def decide(self, ctx: Context) -> Intent:
        """Close a band that was left for long, bring the share of base back, open a band where there is none."""
        position, held = ctx.position, ctx.base.symbol
        if ctx.equity_raw <= 0:
            return Hold(reason="there is nothing to provide")
        if position is not None:
            recent = ctx.pool.history[-self.patience - 1 :]
            outside = sum(1 for row in recent if not position.contains(row.tick))
            if outside > self.patience:
                reason = f"out of the band for {outside} blocks"
                return ClosePosition(token_id=position.token_id, reason=reason)
        share = ctx.base_value_raw(ctx.base_held_raw()) / ctx.equity_raw
        if abs(share - self.base_share) > self.drift:
            return self._hedge(ctx, share)
        if position is not None:
            return Hold(reason=f"{share:.1%} in {held}, within {self.drift:.0%} of {self.base_share:.0%}")
        lower, upper = ctx.band(self.half_width)
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            amount0_raw=int(ctx.balance(ctx.pool.key.token0) * self.lp_share),
            amount1_raw=int(ctx.balance(ctx.pool.key.token1) * self.lp_share),
            reason=f"provide {self.lp_share:.0%} at {lower:,}…{upper:,}, the rest hedges it",
        )

    def _hedge(self, ctx: Context, share: float) -> Intent:
        """Swap what is idle until the share is kept again, if the swap is worth its cost."""
        buying = share < self.base_share
        sold = ctx.numeraire if buying else ctx.base
        worth_raw = int(abs(share - self.base_share) * ctx.equity_raw)
        amount = min(worth_raw if buying else ctx.base_amount_raw(worth_raw), ctx.balance(sold))
        worth_usd = float(ctx.usd(amount if buying else ctx.base_value_raw(amount)))
        if worth_usd <= 0:
            return Hold(reason=f"{share:.1%} in {ctx.base.symbol}, and no {sold.symbol} left to swap")
        quote = ctx.quote(sold, amount)
        cost_bps = quote.cost_bps + ctx.costs.gas_usd / worth_usd * 10_000
        said = f"{share:.1%} in {ctx.base.symbol} instead of {self.base_share:.0%}, {cost_bps:.0f} bp to mend"
        if quote.amount_in_raw < amount or cost_bps > self.most_cost_bps:
            return Hold(reason=f"{said}: too dear")
        return ctx.swap(sold, amount, reason=said)
