"""Hold one while the fast average of the closes is above the slow one, in defai."""

from statistics import fmean

from defai.strategy.api import Context, Hold, Intent, Strategy


class Crossover(Strategy):
    fast: int = 20
    slow: int = 60

    def decide(self, ctx: Context) -> Intent:
        past = [1.0001 ** ctx.base_move_bps(row.tick) for row in ctx.pool.history[-self.slow :]]
        held, one = ctx.balance(ctx.base), 10**ctx.base.decimals
        if len(past) < self.slow or (fmean(past[-self.fast :]) > fmean(past)) == bool(held):
            return Hold(reason="stands as the averages say")
        if held:
            return ctx.swap(ctx.base, held, reason="the fast average is below the slow one")
        worth = ctx.base_value_raw(one)
        return ctx.swap(ctx.numeraire, worth, reason="the fast average is above the slow one")
