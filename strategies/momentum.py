"""Follow a move as far as such moves went on lately, where that pays for more than it costs."""

from itertools import pairwise
from math import copysign, sqrt
from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Strategy, unit


class Momentum(Strategy):
    """Hold more of what rises, if recent moves went on, and by more than getting in and out costs.

    How far a move goes on is measured, not assumed: the slope of each move on the one before it, over the blocks that
    are remembered, and only where it stands clear of chance. Works where news spreads slowly. Loses where prices only
    look as if it did: a slope from few moves is uncertain, and a turn comes before it shows. Mostly it does nothing.
    """

    horizon: Annotated[int, Field(ge=1, le=100, description="what makes one move"), unit("blocks")] = 12
    sureness: Annotated[
        float, Field(ge=0, le=10, description="what the slope is worth"), unit("standard errors")
    ] = 3.0
    edge_bps: Annotated[float, Field(ge=0, le=1_000, description="asked for after costs"), unit("bps")] = 1.0
    neutral: Annotated[float, Field(ge=0.3, le=0.7, description="base else"), unit("share of equity")] = 0.5
    tilt: Annotated[
        float, Field(ge=0.02, le=0.3, description="what a move adds"), unit("share of equity")
    ] = 0.2

    def decide(self, ctx: Context) -> Intent:
        """Tilt the way of the last move where the slope is sure and both ways pay; go back once it no longer is."""
        ticks = [row.tick for row in ctx.pool.history[-512:]][:: -self.horizon]
        moves = [newer - older for newer, older in pairwise(ticks)]
        if len(moves) < 4:
            return Hold(reason=f"has seen {len(moves)} moves of {self.horizon} blocks, waits for 4")
        slope, error = self._slope(moves)
        said = f"slope {slope:+.2f} with an error of {error:.2f}"
        goes_on = slope > self.sureness * error
        if not goes_on and slope > self.sureness * error / 2:
            return Hold(reason=f"in doubt whether moves go on: {said}")
        expected_bps = ctx.base_move_bps(slope * moves[0])
        share = ctx.base_share()
        off = self.neutral + copysign(self.tilt, expected_bps) * goes_on - share
        if abs(off) < self.tilt / 2:
            verb = "moves go on" if goes_on else "moves don't go on"
            return Hold(reason=f"{verb}, holds {share:.0%} {ctx.base.symbol}: {said}")
        sold, worth_raw = (ctx.numeraire if off > 0 else ctx.base), int(abs(off) * ctx.equity_raw)
        amount = min(worth_raw if off > 0 else ctx.base_amount_raw(worth_raw), ctx.balance(sold))
        if amount <= 0:
            return Hold(reason=f"has no {sold.symbol} to trade: {said}")
        quote = ctx.quote(sold, amount)
        if quote.amount_in_raw < amount:
            return Hold(reason="the pool has too little liquidity to trade with")
        costs_bps = 2 * (quote.cost_bps + ctx.costs.gas_usd / float(ctx.usd(worth_raw)) * 10_000)
        edge = f"{abs(expected_bps):.1f} bp expected, {costs_bps:.1f} bp in and out"
        if goes_on and abs(expected_bps) - costs_bps < self.edge_bps:
            return Hold(reason=f"no edge after costs: {edge}")
        verb = "buy" if off > 0 else "sell"
        why = edge if goes_on else "moves don't go on any more"
        return ctx.swap(sold, amount, reason=f"{verb} {ctx.base.symbol}, {why}: {said}")

    def _slope(self, moves: list[int]) -> tuple[float, float]:
        """Least squares of each move on the one before, through zero, and the slope's standard error."""
        before, after = moves[1:], moves[:-1]
        square = sum(move * move for move in before)
        if not square:
            return 0.0, 0.0
        slope = sum(x * y for x, y in zip(before, after, strict=True)) / square
        rest = sum((y - slope * x) ** 2 for x, y in zip(before, after, strict=True))
        return slope, sqrt(rest / (len(before) - 1) / square)
