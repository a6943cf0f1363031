"""What one block adds to a sum: the quantities that the features are made of, each an integer of two rows."""

from operator import mul
from typing import Final

from defai.features.arithmetic import choose, known, ratio
from defai.features.logarithm import log2_x16
from defai.market.window import NotKnownError, Observation
from defai.units import PIPS

SHARE_BITS: Final = 24
"""Fractional bits of a share of the pool's reserve: a block trades some millionths of it."""
_TURNOVER_BITS: Final = 48


def move(before: Observation, after: Observation) -> int:
    """The tick move of one block."""
    return after.tick - before.tick


def absolute_move(before: Observation, after: Observation) -> int:
    """The size of one block's tick move."""
    return abs(after.tick - before.tick)


def squared_move(before: Observation, after: Observation) -> int:
    """The squared tick move of one block."""
    return (after.tick - before.tick) ** 2


def squared_fall(before: Observation, after: Observation) -> int:
    """The squared tick move of a block that went down; 0 of one that went up."""
    return choose(after.tick < before.tick, (after.tick - before.tick) ** 2, 0)


def squared_range(_: Observation, after: Observation) -> int:
    """The squared distance between a block's highest and lowest tick."""
    return (after.tick_high - after.tick_low) ** 2


def log_range_x16(_: Observation, after: Observation) -> int:
    """The binary logarithm of a block's squared range, at least one squared tick, with 16 fractional bits."""
    return log2_x16((after.tick_high - after.tick_low) ** 2)


def rogers_satchell(before: Observation, after: Observation) -> int:
    """A block's variance, free of its drift, from where it began and ended and its extreme ticks."""
    high, low = after.tick_high, after.tick_low
    return (high - after.tick) * (high - before.tick) + (low - after.tick) * (low - before.tick)


def tick_level(_: Observation, after: Observation) -> int:
    """The tick itself: its running sum gives averages."""
    return after.tick


def tick_seconds(before: Observation, after: Observation) -> int:
    """The tick that held until a block, times the seconds that it held: what a pool's oracle adds up."""
    return before.tick * (after.timestamp - before.timestamp)


def highest_tick(_: Observation, after: Observation) -> int:
    """A block's highest tick."""
    return after.tick_high


def lowest_tick_negated(_: Observation, after: Observation) -> int:
    """A block's lowest tick, negated: its maximum is the minimum's negative."""
    return -after.tick_low


def swap_count(_: Observation, after: Observation) -> int:
    """Swaps in one block."""
    return after.swaps


def is_idle(_: Observation, after: Observation) -> int:
    """One for a block without a swap."""
    return choose(after.swaps > 0, 0, 1)


def swap_time(_: Observation, after: Observation) -> int:
    """The time of a block with a swap; -1 of one without."""
    return choose(after.swaps > 0, after.timestamp, -1)


def bought_raw(_: Observation, after: Observation) -> int:
    """What a block's buyers of token0 paid, in token1's smallest unit."""
    return after.amount1_in


def sold_raw(_: Observation, after: Observation) -> int:
    """What a block's sellers of token0 brought, in token1's smallest unit at the price after the block."""
    return (after.amount0_in * after.sqrt_price_x96**2) >> 192


def volume_raw(_: Observation, after: Observation) -> int:
    """What a block's swaps paid in, in token1's smallest unit at the price after the block."""
    return after.volume_raw


def one_sided_raw(before: Observation, after: Observation) -> int:
    """By how much one side of a block's flow outweighed the other, in token1's smallest unit."""
    return abs(bought_raw(before, after) - sold_raw(before, after))


def reserve_raw(row: Observation) -> int:
    """The virtual reserve of token1: the liquidity in range as if it covered all prices."""
    return (row.liquidity * row.sqrt_price_x96) >> 96


def turnover_x48(_: Observation, after: Observation) -> int:
    """A block's volume over the virtual reserve of token1."""
    return ratio(after.volume_raw, reserve_raw(after), _TURNOVER_BITS)


def fee_turnover_x48(_: Observation, after: Observation) -> int:
    """A block's fees over the virtual reserve of token1."""
    return ratio(after.volume_raw * known(after.fee_pips), reserve_raw(after) * PIPS, _TURNOVER_BITS)


def largest_swap_raw(_: Observation, after: Observation) -> int:
    """The worth of a block's largest swap; 0 without any."""
    return max(_sizes(after), default=0)


def swap_sizes_raw(_: Observation, after: Observation) -> int:
    """The worth of a block's swaps, each at the price it left."""
    return sum(_sizes(after))


def squared_sizes_raw(_: Observation, after: Observation) -> int:
    """The squared worths of a block's swaps."""
    sizes = _sizes(after)
    return sum(map(mul, sizes, sizes))


def liquidity_level(_: Observation, after: Observation) -> int:
    """The liquidity in range: its running sum gives averages."""
    return after.liquidity


def base_fee_level(_: Observation, after: Observation) -> int:
    """The base fee: its running sum gives averages."""
    return after.base_fee_wei


def _sizes(row: Observation) -> tuple[int, ...]:
    if row.swap_sizes_raw is None:
        raise NotKnownError("the rows don't tell the sizes of single swaps")
    return row.swap_sizes_raw
