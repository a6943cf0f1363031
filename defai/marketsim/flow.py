"""Noise traders: people who swap for reasons of their own, and so push prices about."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from defai.amm import PairPool
from defai.domain.pool import PoolKey
from defai.marketsim.actions import MarketAction, MarketSwap
from defai.marketsim.draws import Draws
from defai.marketsim.scene import Scene
from defai.units import PIPS

_ACCOUNTS: Final = 8
_WHALE_SIGMA_PIPS: Final = 500_000
_LIMIT_PER_CENT: Final = 99
"""A swap stops where it has moved the square-root price by one percent, the price by two."""


@dataclass(frozen=True, slots=True)
class NoiseTraders:
    """A Poisson number of swaps a block, of lognormal sizes, leaning to one side for a while.

    However far blocks are apart in time (hourly prices), no more than `most_a_block` swaps are expected in one: they
    stand for the last ones before the block, whose push arbitrage has not absorbed yet. Volume is understated then.

    Attributes:
        seed: for the mood, which several blocks share.
        median_raw: median size in the quote token's smallest unit.
        sigma_pips: standard deviation of the logarithm of a size, in millionths.
        swaps_an_hour: expected number of swaps, all pools together.
        lean: how much likelier the favoured direction is than even chance.
        mood_blocks: how long a direction stays favoured.
        whales: share of swaps that are whales'.
        whale_factor: a whale's median size over the others'; whales differ less among one another, and pay no
            attention.
        attentive: share of traders who take the pool with the best price; the others take any, by
            depth.
    """

    seed: int
    median_raw: int
    sigma_pips: int = 1_200_000
    swaps_an_hour: int = 240
    most_a_block: int = 6
    lean: float = 0.1
    mood_blocks: int = 25
    whales: float = 0.0125
    whale_factor: int = 100
    attentive: float = 0.7

    @property
    def names(self) -> tuple[str, ...]:
        """Eight people stand for all of them."""
        return tuple(f"trader-{number}" for number in range(_ACCOUNTS))

    def act(self, scene: Scene, draws: Draws) -> Iterator[MarketAction]:
        """This block's swaps, each routed on the state that the one before leaves behind."""
        mean_pips = scene.seconds * self.swaps_an_hour * PIPS // 3_600
        most_pips = self.most_a_block * PIPS
        mood = _mood(self.seed, scene.block_index // self.mood_blocks)
        for _ in range(draws.poisson(min(mean_pips, most_pips)) if scene.keys else 0):
            whale = draws.happens(self.whales)
            factor, sigma_pips = (self.whale_factor, _WHALE_SIGMA_PIPS) if whale else (1, self.sigma_pips)
            size_raw = self.median_raw * factor * draws.lognormal_pips(sigma_pips) // PIPS
            sells_base = draws.happens(0.5 - mood * self.lean)
            name = self.names[draws.below(_ACCOUNTS)]
            attentive, chance = not whale and draws.happens(self.attentive), draws.unit()
            swaps = [_swap(scene, key, name, sells_base=sells_base, size_raw=size_raw) for key in scene.keys]
            if not attentive:
                yield _by_depth(scene, swaps, chance)
                continue
            best = _best(scene, swaps)
            if best is not None:
                yield best


@lru_cache(maxsize=64)
def _mood(seed: int, number: int) -> int:
    return Draws(seed, "mood", number).sign()


def _swap(scene: Scene, key: PoolKey, name: str, *, sells_base: bool, size_raw: int) -> MarketSwap:
    zero_for_one = sells_base == (key.token1 == scene.reference.quote)
    amount_in = scene.reference.base_raw(key, size_raw) if sells_base else size_raw
    pool = scene.pools[key.address]
    root_x96 = pool.sqrt_price_x96
    limit = root_x96 * _LIMIT_PER_CENT // 100 if zero_for_one else root_x96 * 100 // _LIMIT_PER_CENT
    if isinstance(pool, PairPool):
        amount_in = min(amount_in, pool.amount_to(limit, zero_for_one=zero_for_one))
    return MarketSwap(name, key.address, zero_for_one, max(amount_in, 1), limit)


def _by_depth(scene: Scene, swaps: list[MarketSwap], chance: float) -> MarketSwap:
    depths = [scene.pools[swap.pool].liquidity for swap in swaps]
    point = int(chance * PIPS) * sum(depths) // PIPS
    for swap, depth in zip(swaps, depths, strict=True):
        if point < depth:
            return swap
        point -= depth
    return swaps[0]


def _best(scene: Scene, swaps: list[MarketSwap]) -> MarketSwap | None:
    best, best_out = None, 0
    for swap in swaps:
        result = scene.pools[swap.pool].quote(
            zero_for_one=swap.zero_for_one,
            amount_specified=swap.amount_in,
            sqrt_price_limit_x96=swap.sqrt_price_limit_x96,
        )
        out = -result.amount1 if swap.zero_for_one else -result.amount0
        if out > best_out:
            best, best_out = swap, out
    return best
