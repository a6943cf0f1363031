"""The arbitrageur: brings a pool back to the edge of its no-arbitrage band around the reference, and no further.

A pool with fee f and price P (token1 per token0) sells token0 at P / (1 - f) and buys it at P * (1 - f), fee included.
Against a reference R there is nothing to earn while R * (1 - f) <= P <= R / (1 - f); outside, profit is greatest when
the price is moved to the nearer edge exactly. In square roots the edges are S * sqrt(1 - f) and S / sqrt(1 - f).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from math import isqrt

from defai.amm import Pool
from defai.amm.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from defai.domain.pool import PoolKey
from defai.marketsim.actions import MarketAction, MarketSwap
from defai.marketsim.draws import Draws
from defai.marketsim.reference import Reference
from defai.marketsim.scene import Scene
from defai.units import PIPS

_MORE_THAN_ENOUGH = 1 << 120


def band_x96(reference_sqrt_x96: int, fee_pips: int) -> tuple[int, int]:
    """The square-root prices between which a pool of this fee offers no arbitrage: the lower and the upper edge."""
    square = reference_sqrt_x96 * reference_sqrt_x96
    lower = isqrt(-(-square * (PIPS - fee_pips) // PIPS) - 1) + 1
    upper = isqrt(square * PIPS // (PIPS - fee_pips))
    return max(lower, MIN_SQRT_RATIO + 1), min(upper, MAX_SQRT_RATIO - 1)


@dataclass(frozen=True, slots=True)
class Pull:
    """The swap that moves a pool to the edge of its band.

    Attributes:
        amount0: the pool's change of token0, positive where the pool receives.
        amount1: the same for token1.
    """

    zero_for_one: bool
    amount_in: int
    sqrt_price_limit_x96: int
    amount0: int
    amount1: int


def pull_to_band(pool: Pool, reference_sqrt_x96: int) -> Pull | None:
    """The exact swap that moves a pool to the nearer edge of its band; None where it is inside, or has no liquidity."""
    lower, upper = band_x96(reference_sqrt_x96, pool.fee_pips)
    if lower <= pool.sqrt_price_x96 <= upper:
        return None
    zero_for_one = pool.sqrt_price_x96 > upper
    limit = upper if zero_for_one else lower
    result = pool.quote(
        zero_for_one=zero_for_one, amount_specified=_MORE_THAN_ENOUGH, sqrt_price_limit_x96=limit
    )
    amount_in = result.amount0 if zero_for_one else result.amount1
    if amount_in <= 0:
        return None
    return Pull(zero_for_one, amount_in, limit, result.amount0, result.amount1)


@dataclass(frozen=True, slots=True)
class Arbitrageur:
    """Pulls pools to their bands whenever that pays for its gas, and when it is quick enough.

    Attributes:
        half_time_seconds: a chance stays open this long half of the times; in s seconds it is taken with probability
            s / (s + half_time_seconds).
        gas: gas of one of its swaps.
    """

    half_time_seconds: int = 24
    gas: int = 120_000

    @property
    def names(self) -> tuple[str, ...]:
        """It has one account."""
        return ("arbitrageur",)

    def act(self, scene: Scene, draws: Draws) -> Iterator[MarketAction]:
        """Look at every pool once, each with its own luck."""
        for key in scene.keys:
            quick = draws.happens(scene.seconds / (scene.seconds + self.half_time_seconds))
            if not quick:
                continue
            pull = pull_to_band(scene.pools[key.address], scene.reference.sqrt_price_x96(key))
            if pull is None or self._profit_raw(pull, key, scene.reference, scene.base_fee_wei) <= 0:
                continue
            yield MarketSwap(
                self.names[0], key.address, pull.zero_for_one, pull.amount_in, pull.sqrt_price_limit_x96
            )

    def _profit_raw(self, pull: Pull, key: PoolKey, reference: Reference, base_fee_wei: int) -> int:
        gained = reference.value_raw(key, -pull.amount0, -pull.amount1)
        return gained - reference.gas_value_raw(self.gas, base_fee_wei)
