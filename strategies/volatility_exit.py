"""Provide liquidity in calm, stand aside in turbulence."""

from collections.abc import Sequence
from itertools import pairwise
from math import sqrt
from typing import Annotated

from defai.strategy.api import ClosePosition, Context, Field, Hold, Intent, Rebalance, Strategy


class VolatilityExit(Strategy):
    """Keep a band while the price moves as usual; take it out when it moves much more, and wait until that is over.

    What arbitrage takes from a band grows with the square of volatility, fees grow more slowly. Works where turbulence
    lasts longer than it takes to see it. Loses where a jump is over in a block: then it leaves after the damage, pays
    to come back, and misses the busy hours, whose fees are the best.
    """

    half_width: Annotated[int, Field(ge=10, le=400_000, description="half the band's width, in ticks")] = (
        1_000
    )
    fast: Annotated[int, Field(ge=2, le=250, description="blocks whose volatility is looked at")] = 30
    slow: Annotated[int, Field(ge=4, le=511, description="blocks that say what is usual")] = 360
    leave_at: Annotated[float, Field(gt=1, le=20, description="times the usual volatility to leave at")] = 2.5
    return_at: Annotated[float, Field(gt=0, le=20, description="times the usual to come back at")] = 1.25
    calm_blocks: Annotated[
        int, Field(ge=0, le=10_000, description="blocks out of range before re-centring")
    ] = 30

    def decide(self, ctx: Context) -> Intent:
        """Leave when it gets wild, come back when it is calm, and move the band only then."""
        ticks = [row.tick for row in ctx.pool.history[-self.slow - 1 :]]
        if len(ticks) <= self.slow:
            return Hold(
                reason=f"has seen {len(ticks)} of {self.slow + 1} blocks, waits to know what is usual"
            )
        usual, now = _volatility(ticks), _volatility(ticks[-self.fast - 1 :])
        times = now / usual if usual else 1.0
        said = f"{now:.1f} ticks a block, {times:.2f} times the usual"
        position = ctx.position
        if position is not None and position.contains(ctx.pool.tick):
            if times > self.leave_at:
                return ClosePosition(token_id=position.token_id, reason=f"leave: {said}")
            return Hold(reason=f"in the band: {said}")
        if times > self.return_at:
            return Hold(reason=f"stands aside: {said}")
        if position is not None:
            outside = sum(1 for tick in ticks[-self.calm_blocks - 1 :] if not position.contains(tick))
            if outside <= self.calm_blocks:
                return Hold(reason=f"out of the band for {outside} of {self.calm_blocks + 1} blocks")
        lower, upper = ctx.band(self.half_width)
        return Rebalance(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            reason=f"{'open' if position is None else 're-centre'} at {lower:,}…{upper:,}: {said}",
        )


def _volatility(ticks: Sequence[int]) -> float:
    """Root of the mean squared move from block to block, in ticks."""
    return sqrt(sum((after - before) ** 2 for before, after in pairwise(ticks)) / max(len(ticks) - 1, 1))
