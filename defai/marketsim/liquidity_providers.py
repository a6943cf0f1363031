"""Liquidity providers: four bands that hold the pools' liquidity, and move now and then after the reference.

A band's place is a function of the reference alone: its middle is the reference tick, rounded to half the band's half
width, at the latest of the band's own appointed blocks. So nobody needs to remember where it is.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import isqrt
from typing import Final

from defai.amm import Pool
from defai.amm.liquidity_math import amounts_for_liquidity
from defai.amm.tick_math import (
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
    max_usable_tick,
    min_usable_tick,
)
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.marketsim.actions import MarketAction, MarketBurn, MarketMint, MarketProvide
from defai.marketsim.draws import Draws
from defai.marketsim.prices import PricePath
from defai.marketsim.reference import Reference
from defai.marketsim.scene import Scene
from defai.units import PIPS

_TRIAL_LIQUIDITY: Final = 1 << 80
_FEWEST_BLOCKS: Final = 4


@dataclass(frozen=True, slots=True)
class Band:
    """A provider and the width it keeps.

    Attributes:
        share_pips: its share of a pool's liquidity by value, in millionths.
        half_width: in ticks, a hundredth of a percent each; None for the full range.
        every_seconds: how often it looks whether to move; at least `_FEWEST_BLOCKS` blocks lie in between.
    """

    name: str
    share_pips: int
    half_width: int | None
    every_seconds: int


BANDS: Final = (
    Band("lp-full", 100_000, None, 0),
    Band("lp-wide", 250_000, 4_000, 18_000),
    Band("lp-medium", 350_000, 1_400, 3_600),
    Band("lp-narrow", 300_000, 240, 1_200),
)
"""The providers of every pool; their shares add up to one."""


def shares_raw(keys: Sequence[PoolKey], total_raw: int) -> dict[str, int]:
    """Divide a total among pools by address, in inverse proportion to the square root of their fees.

    So 10 million over the 0.05 % and the 0.3 % tier become 7.1 and 2.9 million.
    """
    weights = {key.address: isqrt(10**18 // max(key.fee_pips, 1)) for key in keys}
    whole = sum(weights.values())
    return {address: total_raw * weight // whole for address, weight in weights.items()}


def band_ticks(key: PoolKey, half_width: int | None, middle_tick: int) -> tuple[int, int]:
    """The ticks of a band whose middle, rounded to half its half width, is nearest to a tick; on the pool's spacing."""
    spacing = key.tick_spacing
    lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
    if half_width is None:
        return lowest, highest
    grid = max(half_width // 2, 1)
    middle = (middle_tick + grid // 2) // grid * grid
    lower = max((middle - half_width) // spacing * spacing, lowest)
    upper = min(-(-(middle + half_width) // spacing) * spacing, highest)
    return lower, max(upper, lower + spacing)


def amounts_of_value(
    sqrt_price_x96: int, ticks: tuple[int, int], key: PoolKey, reference: Reference, value_raw: int
) -> tuple[int, int]:
    """The amounts of token0 and token1 that make a band worth a value (quote token, smallest units), rounded up."""
    lower_x96, upper_x96 = get_sqrt_ratio_at_tick(ticks[0]), get_sqrt_ratio_at_tick(ticks[1])
    trial = amounts_for_liquidity(sqrt_price_x96, lower_x96, upper_x96, _TRIAL_LIQUIDITY)
    worth = reference.value_raw(key, *trial)
    liquidity = _TRIAL_LIQUIDITY * value_raw // max(worth, 1)
    amount0, amount1 = amounts_for_liquidity(sqrt_price_x96, lower_x96, upper_x96, liquidity)
    return amount0 + 1, amount1 + 1


@lru_cache(maxsize=256)
def _first_appointment(seed: int, band: Band, pool: Address, every_blocks: int) -> int:
    return 1 + Draws(seed, band.name, pool).below(every_blocks)


@dataclass(frozen=True, slots=True)
class LiquidityProviders:
    """All providers of a market.

    Attributes:
        seed: for the appointed blocks.
        path: the reference.
        value_raw: what each pool's liquidity is worth, by address, in the quote token's smallest unit.
    """

    seed: int
    path: PricePath
    value_raw: dict[str, int]

    @property
    def names(self) -> tuple[str, ...]:
        """One account for each band."""
        return tuple(band.name for band in BANDS)

    def opening(
        self, key: PoolKey, sqrt_price_x96: int, reference: Reference
    ) -> Iterator[MarketMint | MarketProvide]:
        """What seeds a pool that stands at a price; a pair gets all of it over all prices."""
        if key.is_pair:
            everywhere = band_ticks(key, None, 0)
            worth_raw = self.value_raw[key.address]
            amounts = amounts_of_value(sqrt_price_x96, everywhere, key, reference, worth_raw)
            yield MarketProvide(BANDS[0].name, key.address, *amounts)
            return
        for band in BANDS:
            ticks = self._ticks(band, key, 0, reference)
            yield self._mint(band, key, ticks, sqrt_price_x96, reference)

    def act(self, scene: Scene, draws: Draws) -> Iterator[MarketAction]:  # noqa: ARG002  they need no luck
        """Move the bands whose appointed block this is and whose place has changed."""
        for key in scene.keys:
            if key.is_pair:
                continue
            for band in BANDS:
                before = self._appointment_before(band, key, scene.block_index)
                if before is None:
                    continue
                old = self._ticks(band, key, before, scene.reference)
                new = self._ticks(band, key, scene.block_index, scene.reference)
                if old != new:
                    pool: Pool = scene.pools[key.address]
                    yield MarketBurn(band.name, key.address, *old)
                    yield self._mint(band, key, new, pool.sqrt_price_x96, scene.reference)

    def _mint(
        self, band: Band, key: PoolKey, ticks: tuple[int, int], sqrt_price_x96: int, reference: Reference
    ) -> MarketMint:
        value_raw = self.value_raw[key.address] * band.share_pips // PIPS
        amounts = amounts_of_value(sqrt_price_x96, ticks, key, reference, value_raw)
        return MarketMint(band.name, key.address, *ticks, *amounts)

    def _appointment_before(self, band: Band, key: PoolKey, block_index: int) -> int | None:
        """The band's appointed block before this one, where this is one; the opening is the first."""
        if band.half_width is None or block_index <= 0:
            return None
        every_blocks = max(band.every_seconds // self.path.step_seconds, _FEWEST_BLOCKS)
        first = _first_appointment(self.seed, band, key.address, every_blocks)
        if block_index < first or (block_index - first) % every_blocks:
            return None
        return max(block_index - every_blocks, 0)

    def _ticks(self, band: Band, key: PoolKey, block_index: int, reference: Reference) -> tuple[int, int]:
        quote_per_base = self.path[block_index].quote_per_base
        then = Reference(reference.quote, quote_per_base, quote_per_base)
        return band_ticks(key, band.half_width, get_tick_at_sqrt_ratio(then.sqrt_price_x96(key)))
