"""Buy in one fee tier, sell in the other, in one transaction."""

from typing import Annotated

from defai.strategy.api import Batch, Context, Field, Hold, Intent, PoolView, Strategy, Swap, unit

_STEPS = 40


class FeeTierArbitrage(Strategy):
    """Trade two pools of one pair against each other when they differ by more than both fees and the gas.

    Works when a large trade has pushed one tier away and nobody has come yet. Earns nothing while others are
    faster; it then only says how far the tiers are apart.
    """

    edge_usd: Annotated[float, Field(ge=0, le=10_000, description="asked for after costs"), unit("usd")] = 1.0
    most_share: Annotated[
        float, Field(gt=0, le=0.9, description="most in a trade"), unit("share of equity")
    ] = 0.3

    def pools(self) -> tuple[str, ...]:
        """The two tiers."""
        return ("USDC/WETH 0.05 %", "USDC/WETH 0.3 %")

    def decide(self, ctx: Context) -> Intent:
        """Find the size that earns most in the pools as they stand; trade it if it pays."""
        apart = ctx.pools[1].tick - ctx.pool.tick
        fees_bps = ctx.pools[0].fee_bps + ctx.pools[1].fee_bps
        if abs(apart) <= fees_bps:
            return Hold(reason=f"tiers {abs(apart)} bp apart, fees are {fees_bps:.0f} bp")
        second_is_cheaper = ctx.base_move_bps(apart) < 0
        cheap, dear = (ctx.pools[1], ctx.pool) if second_is_cheaper else ctx.pools
        limit = min(int(ctx.equity_raw * self.most_share), ctx.balance(ctx.numeraire))
        spent, bought, earned = self._best(ctx, cheap, dear, limit)
        profit = float(ctx.usd(earned)) - ctx.costs.gas_of(Swap, Swap)
        if profit < self.edge_usd:
            return Hold(reason=f"tiers {abs(apart)} bp apart: {profit:+.2f} USD after fees and gas")
        if bought > ctx.balance(ctx.base):
            return Hold(reason=f"has too little {ctx.base.symbol} to sell {ctx.base.to_decimal(bought):.4f}")
        reason = f"tiers {abs(apart)} bp apart over {fees_bps:.0f} bp of fees: {profit:+.2f} USD"
        return Batch(
            intents=(
                ctx.swap(ctx.numeraire, spent, pool=cheap, reason=reason),
                ctx.swap(ctx.base, bought, pool=dear, reason=reason),
            ),
            reason=reason,
        )

    def _best(self, ctx: Context, cheap: PoolView, dear: PoolView, limit: int) -> tuple[int, int, int]:
        """Spent and earned numeraire and bought base of the best size: profit is concave, so thirds find it."""
        low, high = 1, max(limit, 2)
        for _ in range(_STEPS):
            third = (high - low) // 3
            if third == 0:
                break
            if self._trade(ctx, cheap, dear, low + third)[1] < self._trade(ctx, cheap, dear, high - third)[1]:
                low += third
            else:
                high -= third
        bought, earned = self._trade(ctx, cheap, dear, low)
        return low, bought, earned

    def _trade(self, ctx: Context, cheap: PoolView, dear: PoolView, amount_raw: int) -> tuple[int, int]:
        bought = ctx.quote(ctx.numeraire, amount_raw, pool=cheap)
        if bought.amount_out_raw <= 0:
            return 0, -amount_raw
        sold = ctx.quote(ctx.base, bought.amount_out_raw, pool=dear)
        return bought.amount_out_raw, sold.amount_out_raw - amount_raw
