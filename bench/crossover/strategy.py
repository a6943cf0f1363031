"""The crossover as a strategy of defai: one ether is held while the fast average stands above the slow one."""

from typing import Annotated

from defai.strategy.api import Context, Field, Hold, Intent, Strategy, Swap
from defai.units import PIPS

ONE_WHOLE = 10**18


class Crossover(Strategy):
    """Hold one whole base token while the fast moving average of the closes is above the slow one, else none."""

    fast: Annotated[int, Field(ge=1, description="bars of the fast average")] = 20
    slow: Annotated[int, Field(ge=2, lt=512, description="bars of the slow average")] = 60

    def decide(self, ctx: Context) -> Intent:
        """Swap upon a crossing."""
        pool = ctx.pool
        past = pool.history[-self.slow :]
        if len(pool.history) <= self.slow:
            return Hold(reason=f"waits for more than {self.slow} bars")
        sign = 1 if pool.key.token0 == ctx.base else -1
        closes = [1.0001 ** (sign * row.tick) for row in past]
        above = sum(closes[-self.fast :]) / self.fast > sum(closes) / self.slow
        held = ctx.balance(ctx.base)
        if above == bool(held):
            return Hold(reason="stands where the averages say")
        sold = ctx.base if held else ctx.numeraire
        offered = held or ctx.base_value_raw(ONE_WHOLE) * PIPS // (PIPS - pool.key.fee_pips)
        return Swap(
            pool=pool.key.address,
            zero_for_one=pool.key.token0 == sold,
            amount_in_raw=offered,
            reason=f"the fast average is {'above' if above else 'below'} the slow one",
        )
