"""Follow a move as far as such moves went on lately, where that pays for more than it costs."""

from itertools import pairwise
from math import sqrt
from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Strategy, Swap


class Momentum(Strategy):
    """Buy what rises and sell what falls, if recent moves went on, and by more than getting in and out costs.

    How far a move goes on is measured, not assumed: the slope of each move on the one before it, over the blocks that
    are remembered, and only where it stands clear of chance. Works where news spreads slowly. Loses where prices only
    look as if they did: a slope from few moves is uncertain, and a turn comes before it shows. Mostly it does nothing.
    """

    horizon: Annotated[int, Field(ge=1, le=100, description="blocks that make one move")] = 12
    sureness: Annotated[float, Field(ge=0, le=10, description="slope over its standard error, at least")] = (
        2.0
    )
    edge_bps: Annotated[float, Field(ge=0, le=1_000, description="edge asked for after all costs")] = 1.0
    trade_share: Annotated[float, Field(gt=0, le=0.5, description="share of the equity a trade moves")] = 0.2
    most_base: Annotated[float, Field(gt=0.5, le=1, description="largest share held in either token")] = 0.9

    def decide(self, ctx: Context) -> Intent:
        """Trade in the direction of the last move where the slope is sure and the edge is left after both ways."""
        ticks = [row.tick for row in ctx.pool.history[-512:]][:: -self.horizon]
        moves = [newer - older for newer, older in pairwise(ticks)]
        if len(moves) < 4:
            return Hold(reason=f"has seen {len(moves)} moves of {self.horizon} blocks, waits for 4")
        slope, error = self._slope(moves)
        if slope <= 0 or slope < self.sureness * error:
            return Hold(reason=f"moves don't go on: slope {slope:+.2f} with an error of {error:.2f}")
        expected_bps = ctx.base_move_bps(slope * moves[0])
        buying = expected_bps > 0
        size_raw = min(int(ctx.equity_raw * self.trade_share), self._room_raw(ctx, buying=buying))
        sold = ctx.numeraire if buying else ctx.base
        amount = min(size_raw if buying else ctx.base_amount_raw(size_raw), ctx.balance(sold))
        if amount <= 0:
            return Hold(
                reason=f"expects {expected_bps:+.1f} bp and holds {ctx.base_share():.0%} base already"
            )
        zero = ctx.pool.key.token0 == sold
        quote = ctx.pool.quote(zero_for_one=zero, amount_in_raw=amount)
        if quote.amount_in_raw < amount:
            return Hold(reason="the pool has too little liquidity to trade with")
        worth_raw = amount if buying else ctx.base_value_raw(amount)
        gas_bps = ctx.costs.gas_usd / float(ctx.usd(worth_raw)) * 10_000 if worth_raw else float("inf")
        costs_bps = 2 * (quote.cost_bps + gas_bps)
        edge = f"{abs(expected_bps):.1f} bp expected, {costs_bps:.1f} bp in and out"
        if abs(expected_bps) - costs_bps < self.edge_bps:
            return Hold(reason=f"no edge after costs: {edge}")
        verb = "buy" if buying else "sell"
        return Swap(
            pool=ctx.pool.key.address,
            zero_for_one=zero,
            amount_in_raw=amount,
            reason=f"{verb} {ctx.base.symbol}, slope {slope:.2f}: {edge}",
        )

    def _slope(self, moves: list[int]) -> tuple[float, float]:
        """Least squares of each move on the one before, through zero, and the slope's standard error."""
        before, after = moves[1:], moves[:-1]
        square = sum(move * move for move in before)
        if not square:
            return 0.0, 0.0
        slope = sum(x * y for x, y in zip(before, after, strict=True)) / square
        rest = sum((y - slope * x) ** 2 for x, y in zip(before, after, strict=True))
        return slope, sqrt(rest / (len(before) - 1) / square)

    def _room_raw(self, ctx: Context, *, buying: bool) -> int:
        """Worth of what can be bought before more than `most_base` is held in it."""
        base_raw, money_raw = ctx.base_value_raw(ctx.balance(ctx.base)), ctx.balance(ctx.numeraire)
        return int((base_raw + money_raw) * self.most_base) - (base_raw if buying else money_raw)
