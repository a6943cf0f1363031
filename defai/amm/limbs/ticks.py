"""Ticks and square-root prices (see `defai.amm.tick_math`)."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.division import divide_by_two
from defai.amm.limbs.wide import float3, less3, mul_2x2_high
from defai.amm.limbs.word import FULL, LOW_HALF, ONE, U192, W32, ZERO
from defai.amm.tick_math import MAX_TICK, MIN_TICK, POWERS_X128

_POWERS: Final = np.array([(power & ((1 << 64) - 1), power >> 64) for power in POWERS_X128], dtype=np.uint64)
_TICKS_PER_E_FOLD: Final = 2 / math.log(1.0001)
_TICK_OF_ONE_X96: Final = math.log(2.0**96) * _TICKS_PER_E_FOLD
_DOUBT: Final = 1e-4
_NEAR: Final = 1 / 64
_THIRD: Final = 1 / 3
_CACHE_BITS: Final = 10
CACHE_SIZE: Final = 1 << _CACHE_BITS
_CACHE_SHIFT: Final = np.uint64(64 - _CACHE_BITS)
_SCATTER: Final = np.uint64(0x9E3779B97F4A7C15)
NO_TICK: Final = 1 << 30
"""What an empty slot of a cache of ratios holds for a tick."""


def ratio_at_tick(tick: int) -> U192:
    """The square-root price at a tick between the lowest and the highest, in Q64.96."""
    distance = abs(tick)
    if distance == 0:
        return ZERO, ONE << W32, ZERO
    i = 0
    while distance & 1 == 0:
        distance >>= 1
        i += 1
    ratio = (_POWERS[i, 0], _POWERS[i, 1])
    distance >>= 1
    i += 1
    while distance != 0:
        if distance & 1 != 0:
            ratio = mul_2x2_high(ratio, (_POWERS[i, 0], _POWERS[i, 1]))
        distance >>= 1
        i += 1
    r0, r1, r2, r3 = ratio[0], ratio[1], ZERO, ZERO
    if tick > 0:
        q, _ = divide_by_two((FULL, FULL, FULL, FULL, ZERO, ZERO), ratio)
        r0, r1, r2, r3 = q[0], q[1], q[2], q[3]
    up = ONE if r0 & LOW_HALF != ZERO else ZERO
    r0, r1, r2 = r0 >> W32 | r1 << W32, r1 >> W32 | r2 << W32, r2 >> W32 | r3 << W32
    r0 += up
    carry = up if r0 == ZERO else ZERO
    r1 += carry
    carry = carry if r1 == ZERO else ZERO
    return r0, r1, r2 + carry


def cached_ratio(tick: int, ticks: NDArray[np.int64], ratios: NDArray[np.uint64]) -> U192:
    """The same, remembered: a swap comes by the same few ticks again and again."""
    slot = np.int64(np.uint64(tick + NO_TICK) * _SCATTER >> _CACHE_SHIFT)
    if ticks[slot] != tick:
        ratio = ratio_at_tick(tick)
        ticks[slot] = tick
        ratios[slot, 0], ratios[slot, 1], ratios[slot, 2] = ratio
        return ratio
    return ratios[slot, 0], ratios[slot, 1], ratios[slot, 2]


def tick_at_ratio(price_x96: U192) -> int:
    """The greatest tick whose ratio is at most a square-root price inside the range of ticks."""
    return _told_tick(price_x96, math.log(float3(price_x96)) * _TICKS_PER_E_FOLD - _TICK_OF_ONE_X96)


def _told_tick(price_x96: U192, estimate: float) -> int:
    """The tick that an estimate tells but for `_DOUBT`."""
    tick = math.floor(estimate + _DOUBT)
    if estimate - tick < _DOUBT and less3(price_x96, ratio_at_tick(tick)):
        return tick - 1
    return tick


def tick_near(price_x96: U192, tick: int, ratio_x96: U192) -> int:
    """The same, told from a tick and its ratio where they are near: a short series instead of a logarithm.

    Within a 64th, what the series leaves out is below 4e-6 ticks.
    """
    known = float3(ratio_x96)
    x = (float3(price_x96) - known) / known
    if abs(x) > _NEAR:
        return tick_at_ratio(price_x96)
    square = x * x
    estimate = tick + ((x - square * 0.5) + square * x * (_THIRD - x * 0.25)) * _TICKS_PER_E_FOLD
    return _told_tick(price_x96, estimate)


def searched_tick_at_ratio(price_x96: U192) -> int:
    """The same, searched for among the ratios: slower, and no logarithm for a compiler to work out ahead of need."""
    low, high = MIN_TICK, MAX_TICK
    while high - low > 1:
        middle = (low + high) >> 1
        if less3(price_x96, ratio_at_tick(middle)):
            high = middle
        else:
            low = middle
    return low
