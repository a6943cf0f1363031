"""Buy in a v2 pair and sell in a v3 pool, or the other way round, in one transaction."""

from typing import Annotated

from defai.strategy.api import Batch, Context, Field, Hold, Intent, PoolView, Strategy, Swap, SwapInPair, unit

_STEPS = 40


class V2V3Arbitrage(Strategy):
    """Trade the v2 pair against the v3 pool of its tokens when they differ by more than both fees and the gas.

    Works when the pair, which few look at, is left behind by a move of more than its 0.3 % fee, and nobody comes for it
    within a block. Earns nothing in calm markets, which never move that far. Loses its gas where others are faster: the
    trade then reverts or finds less than it was quoted; `safety` asks for some gas more, for that.
    """

    edge_usd: Annotated[float, Field(ge=0, le=10_000, description="asked for after costs"), unit("usd")] = 1.0
    safety: Annotated[
        float, Field(ge=0, le=10, description="asked for besides"), unit("share of the gas")
    ] = 1.0
    most_share: Annotated[
        float, Field(gt=0, le=0.9, description="most in a trade"), unit("share of equity")
    ] = 0.3

    def pools(self) -> tuple[str, ...]:
        """The v3 pool, which prices and bounds, and the pair."""
        return ("USDC/WETH 0.05 %", "USDC/WETH v2")

    def decide(self, ctx: Context) -> Intent:
        """Find the size that earns most in both as they stand; trade it if it pays."""
        pair = ctx.pools[1]
        apart, fees_bps = pair.tick - ctx.pool.tick, ctx.pool.fee_bps + pair.fee_bps
        if abs(apart) <= fees_bps:
            return Hold(reason=f"pair and pool {abs(apart)} bp apart, fees are {fees_bps:.0f} bp")
        cheap, dear = (pair, ctx.pool) if ctx.base_move_bps(apart) < 0 else (ctx.pool, pair)
        most = min(int(ctx.equity_raw * self.most_share), ctx.balance(ctx.numeraire))
        spent = self._best(ctx, cheap, dear, most)
        bought, earned = self._trade(ctx, cheap, dear, spent)
        gas_usd = ctx.costs.gas_of(Swap, SwapInPair)
        profit = float(ctx.usd(earned)) - gas_usd
        if profit < self.edge_usd + self.safety * gas_usd:
            return Hold(reason=f"pair and pool {abs(apart)} bp apart: {profit:+.2f} USD after fees and gas")
        if bought > ctx.balance(ctx.base):
            return Hold(reason=f"has too little {ctx.base.symbol} to sell {ctx.base.to_decimal(bought):.4f}")
        reason = f"pair and pool {abs(apart)} bp apart over {fees_bps:.0f} bp of fees: {profit:+.2f} USD"
        return Batch(
            intents=(
                ctx.swap(ctx.numeraire, spent, pool=cheap, reason=reason),
                ctx.swap(ctx.base, bought, pool=dear, reason=reason),
            ),
            reason=reason,
        )

    def _best(self, ctx: Context, cheap: PoolView, dear: PoolView, most: int) -> int:
        """The numeraire to spend: what it earns is concave, so thirds find it."""
        low, high = 1, max(most, 2)
        for _ in range(_STEPS):
            third = (high - low) // 3
            if third == 0:
                break
            if self._trade(ctx, cheap, dear, low + third)[1] < self._trade(ctx, cheap, dear, high - third)[1]:
                low += third
            else:
                high -= third
        return low

    def _trade(self, ctx: Context, cheap: PoolView, dear: PoolView, amount_raw: int) -> tuple[int, int]:
        """The base that an amount buys, and what that brings beyond the amount."""
        bought = ctx.quote(ctx.numeraire, amount_raw, pool=cheap).amount_out_raw
        if bought <= 0:
            return 0, -amount_raw
        return bought, ctx.quote(ctx.base, bought, pool=dear).amount_out_raw - amount_raw
