"""Provide liquidity in calm, stand aside in turbulence."""

from itertools import accumulate, pairwise
from math import sqrt
from typing import Annotated

from defai.strategy.api import ClosePosition, Context, Field, Hold, Intent, Rebalance, Strategy, unit


class VolatilityExit(Strategy):
    """Keep a band while the price moves as usual; take it out when it moves much more, and wait until that is over.

    What arbitrage takes from a band grows with the square of volatility, fees grow more slowly. It leaves only where
    what arbitrage would take at this pace is more than gas and swap to leave and return. Works where turbulence lasts
    longer than it takes to see it. Loses where a jump is over in a block: then it leaves after the damage, and misses
    the busy hours, whose fees are the best. Where blocks are short, 512 of them are too few to tell what is usual.
    """

    half_width: Annotated[int, Field(ge=10, le=400_000, description="half the band"), unit("ticks")] = 1_000
    fast: Annotated[int, Field(ge=2, le=100, description="whose moves are looked at"), unit("blocks")] = 30
    slow: Annotated[int, Field(ge=250, le=511, description="that say what is usual"), unit("blocks")] = 480
    leave_at: Annotated[float, Field(gt=1, le=20, description="to leave at"), unit("times the usual")] = 2.5
    return_at: Annotated[float, Field(gt=0, le=20, description="to return"), unit("times the usual")] = 1.5
    rest: Annotated[int, Field(ge=0, le=150, description="of calm, or out of range"), unit("blocks")] = 120

    def decide(self, ctx: Context) -> Intent:
        """Leave when it gets wild, come back when it has been calm for long, and move the band only then."""
        ticks = [row.tick for row in ctx.pool.history[-self.slow - 1 :]]
        if len(ticks) <= self.slow:
            return Hold(
                reason=f"has seen {len(ticks)} of {self.slow + 1} blocks, waits to know what is usual"
            )
        now, peak, variance = self._times_usual(ticks)
        position = ctx.position
        if position is not None and position.contains(ctx.pool.tick):
            taken_bps, cost_bps = self.rest * variance / (4 * self.half_width), self._cost_bps(ctx)
            said = (
                f"{now:.2f} times the usual moves, takes {taken_bps:.1f} bp, leaving costs {cost_bps:.1f} bp"
            )
            if now > self.leave_at and taken_bps > cost_bps:
                return ClosePosition(token_id=position.token_id, reason=f"leave: {said}")
            return Hold(reason=f"in the band: {said}")
        if peak > self.return_at:
            return Hold(reason=f"stands aside: up to {peak:.2f} times the usual moves in {self.rest} blocks")
        if position is not None:
            outside = sum(1 for tick in ticks[-self.rest - 1 :] if not position.contains(tick))
            if outside <= self.rest:
                return Hold(reason=f"out of the band for {outside} of {self.rest + 1} blocks")
        lower, upper = ctx.band(self.half_width)
        verb = "open a band" if position is None else "re-centre"
        return Rebalance(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            reason=f"{verb} at {lower:,}…{upper:,}: {now:.2f} times the usual moves",
        )

    def _cost_bps(self, ctx: Context) -> float:
        """Gas to leave and to return, and the pool's fee on what is off an even split then, of the equity."""
        equity_usd = max(float(ctx.usd(ctx.equity_raw)), 1.0)
        off = abs(ctx.base_value_raw(ctx.base_held_raw()) / max(ctx.equity_raw, 1) - 0.5)
        gas_usd = ctx.costs.gas_of(ClosePosition) + ctx.costs.gas_of(Rebalance)
        return gas_usd / equity_usd * 10_000 + off * ctx.pool.fee_bps

    def _times_usual(self, ticks: list[int]) -> tuple[float, float, float]:
        """Volatility of `fast` blocks against that of all: now, at most within `rest`; and squared ticks a block now.

        A band of half-width w loses variance / 4w a block to arbitrage: Milionis et al. (2022), LVR of a narrow range.
        """
        sums = list(accumulate(((after - before) ** 2 for before, after in pairwise(ticks)), initial=0))
        usual = sums[-1] / (len(sums) - 1)
        if not usual:
            return 1.0, 1.0, 0.0
        ends = range(len(sums) - 1 - self.rest, len(sums))
        times = [sqrt((sums[end] - sums[end - self.fast]) / self.fast / usual) for end in ends]
        return times[-1], max(times), times[-1] ** 2 * usual
