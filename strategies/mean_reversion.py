"""Trade the move the model expects, where it pays for more than it costs."""

from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Strategy, Target, unit


class MeanReversion(Strategy):
    """Lean against a move that the model expects to come back, if the edge is larger than the costs.

    Works where noise pushes the pool away from the market and arbitrage brings it back slowly. Loses where a move
    is news: then the price does not come back, and the costs were paid for nothing.
    """

    edge_bps: Annotated[float, Field(ge=0, le=1_000, description="asked for after costs"), unit("bps")] = 1.0
    trade_share: Annotated[
        float, Field(gt=0, le=0.5, description="what a trade moves"), unit("share of equity")
    ] = 0.2
    most_base: Annotated[
        float, Field(gt=0.5, le=1, description="most of either token"), unit("share of balances")
    ] = 0.9
    watch_second: Annotated[bool, Field(description="whether the 0.3 % pool is looked at too")] = True

    def features(self) -> tuple[str, ...]:
        """Where the price came from, which way the flow went, and where the other pool stands."""
        own = ("return_1", "return_3", "return_12", "deviation_12", "deviation_48", "imbalance_6")
        return (*own, "spread") if self.watch_second else own

    def target(self) -> Target:
        """The move over the next six blocks."""
        return Target(kind="return", horizon_blocks=6)

    def pools(self) -> tuple[str, ...]:
        """It trades in the first, and watches the second where there is one."""
        return ("USDC/WETH 0.05 %", *(["USDC/WETH 0.3 %"] * self.watch_second))

    def decide(self, ctx: Context) -> Intent:
        """Buy or sell the base token where the expected move is worth more than fee, impact and gas."""
        if ctx.forecast is None:
            return Hold(reason="waits for history enough to forecast the price")
        expected_bps = ctx.base_move_bps(ctx.forecast.value)
        buying = expected_bps > 0
        size_raw = min(int(ctx.equity_raw * self.trade_share), self._room_raw(ctx, buying=buying))
        sold = ctx.numeraire if buying else ctx.base
        offered = size_raw if buying else ctx.base_amount_raw(size_raw)
        amount = min(offered, ctx.balance(sold))
        if amount <= 0:
            share = f"{ctx.base_share():.0%} {ctx.base.symbol}"
            return Hold(reason=f"expects {expected_bps:+.1f} bp and holds {share} already")
        quote = ctx.quote(sold, amount)
        if quote.amount_in_raw < amount:
            return Hold(reason="the pool has too little liquidity to trade with")
        gas_bps = ctx.costs.gas_usd / float(ctx.usd(size_raw)) * 10_000
        costs_bps = quote.cost_bps + gas_bps
        edge = f"{abs(expected_bps):.1f} bp expected, {costs_bps:.1f} bp of costs"
        if abs(expected_bps) - costs_bps < self.edge_bps:
            return Hold(reason=f"no edge after costs: {edge}")
        verb = "buy" if buying else "sell"
        return ctx.swap(sold, amount, reason=f"{verb} {ctx.base.symbol}: {edge}")

    def _room_raw(self, ctx: Context, *, buying: bool) -> int:
        """Worth of what can be traded before more than `most_base` is held in the token that is bought."""
        base_raw, money_raw = ctx.base_value_raw(ctx.balance(ctx.base)), ctx.balance(ctx.numeraire)
        most_raw = int((base_raw + money_raw) * self.most_base)
        return most_raw - (base_raw if buying else money_raw)
