"""The second baseline: liquidity over the whole range of prices, and nothing else."""

from defai.amm import max_usable_tick, min_usable_tick
from defai.strategy.api import Context, Hold, Intent, OpenPosition, Strategy


class FullRange(Strategy):
    """Provide everything over the whole range once, and leave it there.

    Works where much is traded and the price stays near where it began: it earns on every swap and is never out of
    range. Loses to holding by whatever the price moved, less the fees, which are thin: most of its liquidity waits at
    prices that never come.
    """

    def decide(self, ctx: Context) -> Intent:
        """Open the position if there is none."""
        if ctx.position is not None:
            return Hold(reason="the whole range is provided")
        spacing = ctx.pool.key.tick_spacing
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=min_usable_tick(spacing),
            tick_upper=max_usable_tick(spacing),
            amount0_raw=ctx.balance(ctx.pool.key.token0),
            amount1_raw=ctx.balance(ctx.pool.key.token1),
            reason="provide the whole range, once",
        )
