"""Where a pool's liquidity lies around its price: by bars of ticks, and by what it takes to move the price."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isqrt
from typing import Final

from defai.amm import MAX_TICK, MIN_TICK, Pool, amounts_for_liquidity, get_sqrt_ratio_at_tick

BARS: Final = 64
_BAR_TICKS: Final = 60
_PIPS: Final = 1_000_000
_BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Stretch:
    """Ticks, the upper one excluded, with one liquidity, or a bar of them with its average."""

    lower: int
    upper: int
    liquidity: int
    amount0: int
    amount1: int


def bar_width(tick_spacing: int) -> int:
    """Ticks to a bar: about 60, a multiple of the spacing."""
    return tick_spacing * max(1, _BAR_TICKS // tick_spacing)


def stretches(pool: Pool, lowest: int, highest: int) -> list[Stretch]:
    """The liquidity from one tick to another, cut where it changes.

    Args:
        pool: the pool; it isn't changed. Its tick lies between the two.
        lowest: the first tick.
        highest: the first one that is not looked at.
    """
    states, tick = pool.tick_states, pool.tick
    marks = sorted(at for at in states if lowest < at < highest)
    liquidity = pool.liquidity
    for at in marks:
        if at > tick:
            break
        liquidity -= states[at].liquidity_net
    found, begin = [], lowest
    for at in [*marks, highest]:
        amounts = amounts_for_liquidity(
            pool.sqrt_price_x96, get_sqrt_ratio_at_tick(begin), get_sqrt_ratio_at_tick(at), liquidity
        )
        found.append(Stretch(begin, at, liquidity, *amounts))
        if at < highest:
            liquidity, begin = liquidity + states[at].liquidity_net, at
    return found


def bars(pool: Pool, count: int = BARS) -> list[Stretch]:
    """The liquidity around the price in bars of equal width, lowest tick first; fewer where the ticks end."""
    width = bar_width(pool.tick_spacing)
    middle = pool.tick // width * width
    lowest = max(middle - count // 2 * width, -(-MIN_TICK // width) * width)
    highest = min(lowest + count * width, MAX_TICK // width * width)
    parts = stretches(pool, lowest, highest)
    found, at = [], 0
    for begin in range(lowest, highest, width):
        end = begin + width
        while parts[at].upper <= begin:
            at += 1
        inside = []
        for part in parts[at:]:
            if part.lower >= end:
                break
            inside.append(part)
        found.append(_bar(pool, begin, end, inside))
    return found


def _bar(pool: Pool, begin: int, end: int, inside: Sequence[Stretch]) -> Stretch:
    total = amount0 = amount1 = 0
    for part in inside:
        lower, upper = max(part.lower, begin), min(part.upper, end)
        total += part.liquidity * (upper - lower)
        held = amounts_for_liquidity(
            pool.sqrt_price_x96, get_sqrt_ratio_at_tick(lower), get_sqrt_ratio_at_tick(upper), part.liquidity
        )
        amount0, amount1 = amount0 + held[0], amount1 + held[1]
    return Stretch(begin, end, total // (end - begin), amount0, amount1)


def paid_to_move(pool: Pool, move_bps: int, *, up: bool) -> int:
    """What has to be paid in to move token1 per token0 by so much, the pool's fee in it.

    Args:
        pool: the pool; it isn't changed.
        move_bps: in basis points of the price.
        up: whether the price rises: then token1 is paid, else token0.

    Returns:
        In the smallest unit of what is paid, rounded up.
    """
    here = pool.sqrt_price_x96
    ratio = isqrt((_BPS + move_bps) * (_BPS << 64))  # root of 1 + move, times 10,000 * 2**32
    there = here * ratio // (_BPS << 32) if up else here * (_BPS << 32) // ratio
    reach = move_bps + pool.tick_spacing + 2
    paid = 0
    for part in stretches(pool, max(pool.tick - reach, MIN_TICK), min(pool.tick + reach, MAX_TICK)):
        ends = (get_sqrt_ratio_at_tick(part.lower), get_sqrt_ratio_at_tick(part.upper))
        low, high = (
            (max(ends[0], here), min(ends[1], there)) if up else (max(ends[0], there), min(ends[1], here))
        )
        if low < high:
            amounts = amounts_for_liquidity(high if up else low, low, high, part.liquidity)
            paid += amounts[1] if up else amounts[0]
    return -(-paid * _PIPS // (_PIPS - pool.fee_pips))
