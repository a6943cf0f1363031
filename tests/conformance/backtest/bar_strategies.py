"""Strategies that do on minute bars what strategies may do, good and bad."""

from typing import Any, cast

from defai.strategy.api import (
    ClosePosition,
    CollectFees,
    Context,
    Hold,
    Intent,
    Rebalance,
    Strategy,
    Swap,
)


class OnePool(Strategy):
    """What they have in common."""

    def pools(self) -> tuple[str, ...]:
        return ("USDC/WETH 0.05 %",)

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=f"block {ctx.block_number}")


class Mover(OnePool):
    """Moves its band often, and sometimes takes its fees or closes it."""

    every: int = 7

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % self.every:
            return Hold(reason='waits \u2026 "quoted" \\ and\nnew lines')
        if ctx.position is not None and ctx.block_number % 5 == 0:
            return CollectFees(token_id=ctx.position.token_id, reason="takes its fees")
        if ctx.position is not None and ctx.block_number % 3 == 0:
            return ClosePosition(token_id=ctx.position.token_id, reason="closes")
        lower, upper = ctx.band(60)
        return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="moves")


class Looker(OnePool):
    """Looks at everything, and says what it saw."""

    def decide(self, ctx: Context) -> Intent:
        state, window = ctx.pool.state, ctx.pool.history
        seen = (
            *(ctx.timestamp, ctx.base_fee_wei, ctx.features, ctx.forecast, ctx.equity_raw, ctx.rng.random()),
            *(
                ctx.rng.random(),
                ctx.costs.gas_usd,
                ctx.costs.rebalance_gas_usd,
                sorted(ctx.balances.values()),
            ),
            *(
                ctx.pool.tick,
                state.tick,
                state.liquidity,
                state.sqrt_price_x96,
                state.fee_growth_global0_x128,
            ),
            *(state.fee_growth_global1_x128, state.timestamp, len(window), window[-1].tick, window[-3:]),
            *(ctx.positions, ctx.position, ctx.base_share(), ctx.base_amount_raw(10**9), ctx.pool.fee_bps),
            ctx.pool.quote(zero_for_one=True, amount_in_raw=10**9),
            *(ctx.numeraire.symbol, ctx.base.symbol, ctx.usd(ctx.equity_raw)),
        )
        if ctx.position is None or ctx.block_number % 97 == 0:
            lower, upper = ctx.band(100)
            return Rebalance(pool=ctx.pool.key.address, tick_lower=lower, tick_upper=upper, reason="moves")
        return Hold(reason=str(seen)[:900])


class Glancer(OnePool):
    """Looks at the pool now and then: it has to have followed."""

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % 41:
            return Hold(reason=f"tick {ctx.pool.tick}")
        return Hold(reason=f"growth {ctx.pool.state.fee_growth_global0_x128} at {ctx.pool.state.timestamp}")


class Denied(OnePool):
    """Asks for what the guard denies, every third bar."""

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number % 3:
            return Hold(reason="waits")
        zero = ctx.pool.key.token0 == ctx.numeraire
        amount = 10 * ctx.balance(ctx.numeraire)
        return Swap(
            pool=ctx.pool.key.address, zero_for_one=zero, amount_in_raw=amount, reason="all of it, ten times"
        )


class Raises(OnePool):
    """Fails at some bar."""

    at: int = 400

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number == self.at:
            raise ZeroDivisionError("nobody expected this bar")
        return Hold(reason="fine so far")


class SaysNothing(OnePool):
    """Gives a reason that is none."""

    reason: str = "too long"

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number < 300:
            return Hold(reason="fine so far")
        odd: dict[str, Any] = {"too long": "x" * 1_001, "no text": 7, "no UTF-8": "\ud800"}
        nothing: Any = None
        return Hold(reason=odd[self.reason]) if self.reason in odd else cast("Intent", nothing)


class Keeper(OnePool):
    """Keeps what it was shown, which it should not, and finds it unchanged."""

    def decide(self, ctx: Context) -> Intent:
        if ctx.block_number == 1:
            _KEPT.clear()
        _KEPT.append(ctx)
        old = _KEPT[max(len(_KEPT) - 90, 0)]
        return Hold(
            reason=f"{old.block_number} {old.timestamp} {old.equity_raw} {old.costs.gas_usd} {old.rng.random()}"
        )


_KEPT: list[Context] = []
