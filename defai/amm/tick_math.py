"""Ticks and square-root prices: `sqrt_price = 1.0001 ** (tick / 2)`, in Q64.96 (Uniswap's TickMath).

`get_sqrt_ratio_at_tick` is the contract's chain of multiplications. `get_tick_at_sqrt_ratio` gives what the contract
gives - the greatest tick whose ratio does not exceed the price - by another road: a floating-point logarithm that is
good to a millionth of a tick, and the exact ratio of the neighbouring tick wherever that leaves a doubt.
"""

from functools import lru_cache
from math import floor, log
from typing import Final

from defai.amm.errors import AmmRevert

MIN_TICK: Final = -887272
MAX_TICK: Final = 887272
MIN_SQRT_RATIO: Final = 4295128739
"""The ratio at `MIN_TICK`, the lowest price a pool can have."""
MAX_SQRT_RATIO: Final = 1461446703485210103287273052203988822378723970342
"""The ratio at `MAX_TICK`; every price lies below it."""

POWERS_X128: Final = (
    0xFFFCB933BD6FAD37AA2D162D1A594001,
    0xFFF97272373D413259A46990580E213A,
    0xFFF2E50F5F656932EF12357CF3C7FDCC,
    0xFFE5CACA7E10E4E61C3624EAA0941CD0,
    0xFFCB9843D60F6159C9DB58835C926644,
    0xFF973B41FA98C081472E6896DFB254C0,
    0xFF2EA16466C96A3843EC78B326B52861,
    0xFE5DEE046A99A2A811C461F1969C3053,
    0xFCBE86C7900A88AEDCFFC83B479AA3A4,
    0xF987A7253AC413176F2B074CF7815E54,
    0xF3392B0822B70005940C7A398E4B70F3,
    0xE7159475A2C29B7443B29C7FA6E889D9,
    0xD097F3BDFD2022B8845AD8F792AA5825,
    0xA9F746462D870FDF8A65DC1F90E061E5,
    0x70D869A156D2A1B890BB3DF62BAF32F7,
    0x31BE135F97D08FD981231505542FCFA6,
    0x9AA508B5B7A84E1C677DE54F3E99BC9,
    0x5D6AF8DEDB81196699C329225EE604,
    0x2216E584F5FA1EA926041BEDFE98,
    0x48A170391F7DC42444E8FA2,
)
"""`1.0001 ** (-(2 ** i) / 2)` in Q128.128, rounded as the contract has them; at i = 0..19."""

_TICKS_PER_E_FOLD: Final = 2 / log(1.0001)
_TICK_OF_ONE_X96: Final = log(2.0**96) * _TICKS_PER_E_FOLD
_DOUBT: Final = 1e-4
"""Nearer than this to a whole tick the logarithm isn't trusted: ratios near the lowest price are off by 5e-6 ticks."""


@lru_cache(maxsize=1 << 15)
def get_sqrt_ratio_at_tick(tick: int) -> int:
    """The square-root price at a tick, in Q64.96, rounded up as the contract rounds it.

    Raises:
        AmmRevert: 'T' outside `MIN_TICK`..`MAX_TICK`.
    """
    distance = abs(tick)
    if distance > MAX_TICK:
        raise AmmRevert("T", f"Tick {tick} lies outside {MIN_TICK}..{MAX_TICK}.")
    ratio_x128 = 1 << 128
    while distance:
        lowest_bit = distance & -distance
        ratio_x128 = ratio_x128 * POWERS_X128[lowest_bit.bit_length() - 1] >> 128
        distance ^= lowest_bit
    if tick > 0:
        ratio_x128 = ((1 << 256) - 1) // ratio_x128
    return (ratio_x128 + 0xFFFFFFFF) >> 32


def get_tick_at_sqrt_ratio(sqrt_price_x96: int) -> int:
    """The greatest tick whose ratio is at most the given square-root price.

    Raises:
        AmmRevert: 'R' outside `MIN_SQRT_RATIO` (included) .. `MAX_SQRT_RATIO` (excluded).
    """
    if not MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO:
        raise AmmRevert(
            "R", f"The square-root price {sqrt_price_x96} lies outside the range that ticks cover."
        )
    estimate = log(sqrt_price_x96) * _TICKS_PER_E_FOLD - _TICK_OF_ONE_X96
    tick = floor(estimate + _DOUBT)
    if estimate - tick < _DOUBT and get_sqrt_ratio_at_tick(tick) > sqrt_price_x96:
        return tick - 1
    return tick


def min_usable_tick(tick_spacing: int) -> int:
    """The lowest tick that a position may use in a pool of this spacing."""
    return -(MAX_TICK // tick_spacing) * tick_spacing


def max_usable_tick(tick_spacing: int) -> int:
    """The highest tick that a position may use in a pool of this spacing."""
    return MAX_TICK // tick_spacing * tick_spacing
