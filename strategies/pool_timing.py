"""Be in the pool only while fees are expected to pay for what arbitrage takes."""

from math import log
from typing import Annotated

from defai.strategy.api import ClosePosition, Context, Field, Hold, Intent, OpenPosition, Strategy, Target


class PoolTiming(Strategy):
    """Open a band when the coming ratio of fees to LVR is forecast to be high, and take it out when it is not.

    Works where that ratio comes and goes by the hour and gas is cheap beside what a few hours bring in. Loses what fees
    and arbitrage differ by where the forecast is wrong; in a pool where arbitrage always takes more it stays out.
    """

    half_width: Annotated[int, Field(ge=10, le=20_000, description="half the band's width, in ticks")] = 400
    enter: Annotated[float, Field(ge=0, le=20, description="fees over LVR from which on it goes in")] = 1.3
    leave: Annotated[float, Field(ge=0, le=20, description="fees over LVR below which it leaves")] = 1.0
    horizon: Annotated[int, Field(ge=30, le=480, description="how far the forecast looks, in blocks")] = 120
    stay: Annotated[int, Field(ge=1, le=1_000, description="horizons that a stay is expected to last")] = 4

    def features(self) -> tuple[str, ...]:
        """What the ratio was, how much liquidity there is, how wild it is, and the time of day."""
        ratios = tuple(f"fees_to_lvr_{n}" for n in (15, 60, 240, 480))
        liquidity = ("liquidity_level_60", "liquidity_level_480", "liquidity_change_60")
        return (
            *ratios,
            *liquidity,
            "log_volatility_60",
            "log_volatility_480",
            "volume_ratio_60",
            "time_of_day",
        )

    def target(self) -> Target:
        """Fees over loss versus rebalancing, at a fee of 0.05 %."""
        return Target(kind="fee_lvr", horizon_blocks=self.horizon, parameter=500)

    def decide(self, ctx: Context) -> Intent:
        """Compare the forecast with what it takes to go in, or to stay."""
        if ctx.forecast is None:
            return Hold(reason="waits for history enough to forecast what fees will pay")
        ratio, position = ctx.forecast.value, ctx.position
        said = f"fees of {ratio:.2f} times LVR expected"
        if not ctx.forecast.beats_baseline:
            ratio, said = 0.0, "stays flat: its model does not beat its baseline"
        if position is None:
            return self._outside(ctx, ratio, said)
        least = self.leave if position.contains(ctx.pool.tick) else float("inf")
        if ratio < least:
            return ClosePosition(token_id=position.token_id, reason=f"leave the pool: {said}")
        return Hold(reason=f"stays in the pool: {said}")

    def _outside(self, ctx: Context, ratio: float, said: str) -> Intent:
        if ratio < self.enter:
            return Hold(reason=f"out of the pool: {said}")
        gain, cost = self._gain_usd(ctx, ratio), 2 * ctx.costs.rebalance_gas_usd
        if gain < cost:
            return Hold(reason=f"{said}, worth {gain:.2f} USD; going in and out costs {cost:.2f}")
        lower, upper = ctx.band(self.half_width)
        return OpenPosition(
            pool=ctx.pool.key.address,
            tick_lower=lower,
            tick_upper=upper,
            amount0_raw=ctx.balance(ctx.pool.key.token0),
            amount1_raw=ctx.balance(ctx.pool.key.token1),
            reason=f"go into the pool: {said}, worth {gain:.2f} USD",
        )

    def _gain_usd(self, ctx: Context, ratio: float) -> float:
        """Fees less LVR that a stay is expected to bring, at the variance of the last 480 blocks."""
        row = ctx.features
        values = dict(zip(row.names, row.values, strict=True)) if row else {}
        variance = float(2.0 ** (values.get("log_volatility_480", 0) / 2**16)) * log(1.0001) ** 2
        lvr = variance / 4 * self.horizon * self.stay / (2 - 2 * float(1.0001 ** (-self.half_width / 2)))
        return (ratio - 1) * lvr * float(ctx.usd(ctx.equity_raw))
