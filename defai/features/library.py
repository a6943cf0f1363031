"""The features that come with the program. All are integers; ratios and roots carry 16 fractional bits.

A tick is a step of the logarithm of the price (base 1.0001), so a return is a difference of ticks and a
realised variance a sum of squared ones; nothing has to be divided or rounded until a root is taken.
"""

from math import isqrt
from typing import Final

from defai.features.spec import feature
from defai.features.tape import Past
from defai.market.window import Observation

RATIO_BITS: Final = 16
"""Fractional bits of ratios and roots."""

_PARKINSON_X32: Final = 1_549_082_005
"""2**32 / (4 ln 2), rounded: the factor of Parkinson's estimator."""

_DAY: Final = 86_400


def ratio_x16(numerator: int, denominator: int) -> int:
    """A ratio with 16 fractional bits, rounded towards zero so that it changes sign with its numerator.

    Nothing over nothing is nothing: a zero denominator gives 0.
    """
    if not denominator:
        return 0
    size = (abs(numerator) << RATIO_BITS) // abs(denominator)
    return size if (numerator < 0) == (denominator < 0) else -size


def squared_move(before: Observation, after: Observation) -> int:
    """The squared tick move of one block."""
    return (after.tick - before.tick) ** 2


def squared_range(_: Observation, after: Observation) -> int:
    """The squared distance between a block's highest and lowest tick."""
    return (after.tick_high - after.tick_low) ** 2


def tick_level(_: Observation, after: Observation) -> int:
    """The tick itself: its running sum gives averages."""
    return after.tick


def swap_count(_: Observation, after: Observation) -> int:
    """Swaps in one block."""
    return after.swaps


def bought_raw(_: Observation, after: Observation) -> int:
    """What a block's buyers of token0 paid, in token1's smallest unit."""
    return after.amount1_in


def sold_raw(_: Observation, after: Observation) -> int:
    """What a block's sellers of token0 brought, in token1's smallest unit at the price after the block."""
    return (after.amount0_in * after.sqrt_price_x96**2) >> 192


@feature("return_{n}", version=1, unit="ticks", source="definition")
def tick_return(past: Past, n: int) -> int:
    """By how many ticks the price of token0 in token1 moved over the last n blocks."""
    return past.move(n)


@feature(
    "volatility_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="realised volatility: Andersen, Bollerslev, Diebold, Labys 2003",
)
def realised_volatility(past: Past, n: int) -> int:
    """Square root of the summed squared tick moves of the last n blocks."""
    return isqrt(past.total(squared_move, n) << 2 * RATIO_BITS)


@feature(
    "parkinson_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="Parkinson 1980, The Extreme Value Method for Estimating the Variance of the Rate of Return",
)
def parkinson_volatility(past: Past, n: int) -> int:
    """Volatility over the last n blocks from each one's extreme ticks: sqrt(sum (high - low)^2 / 4 ln 2)."""
    return isqrt(past.total(squared_range, n) * _PARKINSON_X32)


@feature("velocity_{n}", version=1, unit="ticks a second", scale_bits=RATIO_BITS, source="definition")
def tick_velocity(past: Past, n: int) -> int:
    """Tick move over the last n blocks divided by the seconds they took, at least one."""
    return ratio_x16(past.move(n), max(past.now.timestamp - past.ago(n).timestamp, 1))


@feature(
    "deviation_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="distance from a moving average",
)
def deviation_from_mean(past: Past, n: int) -> int:
    """Tick now less the average tick of the last n blocks, the current one included."""
    return ratio_x16(past.now.tick * n - past.total(tick_level, n), n)


@feature(
    "imbalance_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="order-flow imbalance: signed volume over volume",
)
def flow_imbalance(past: Past, n: int) -> int:
    """Token0 bought less token0 sold over both, by worth in token1, in the last n blocks: -1..1; else 0."""
    bought, sold = past.total(bought_raw, n), past.total(sold_raw, n)
    return ratio_x16(bought - sold, bought + sold)


@feature("swaps_{n}", version=1, unit="swaps", source="definition")
def swaps(past: Past, n: int) -> int:
    """Number of swaps in the last n blocks."""
    return past.total(swap_count, n)


@feature("liquidity_change_{n}", version=1, unit="share", scale_bits=RATIO_BITS, source="definition")
def liquidity_change(past: Past, n: int) -> int:
    """Liquidity in range now less that of n blocks ago, over the sum of both: -1..1; 0 where both are 0."""
    now, then = past.now.liquidity, past.ago(n).liquidity
    return ratio_x16(now - then, now + then)


@feature("base_fee", version=1, unit="million wei", source="EIP-1559")
def base_fee(past: Past) -> int:
    """The block's base fee per gas, rounded down to a thousandth of a gwei."""
    return past.now.base_fee_wei // 1_000_000


@feature("seconds_since_swap_{n}", version=1, unit="seconds", source="definition")
def seconds_since_swap(past: Past, n: int) -> int:
    """Seconds since the last block with a swap; where the last n had none, the seconds they took."""
    now = past.now.timestamp
    for blocks in range(n):
        row = past.ago(blocks)
        if row.swaps:
            return now - row.timestamp
    return now - past.ago(n).timestamp


@feature("time_of_day", version=1, unit="seconds", source="UTC, from the block's timestamp")
def time_of_day(past: Past) -> int:
    """Seconds since midnight UTC."""
    return past.now.timestamp % _DAY


@feature("day_of_week", version=1, unit="days", source="UTC, from the block's timestamp")
def day_of_week(past: Past) -> int:
    """Days since Monday, UTC: 0..6."""
    return (past.now.timestamp // _DAY + 3) % 7


@feature("spread", version=1, unit="ticks", pools=2, source="definition")
def pool_spread(past: Past) -> int:
    """Tick of the main pool less tick of the second pool."""
    return past.now.tick - past.other.now.tick


@feature(
    "spread_deviation_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    pools=2,
    source="distance from a moving average",
)
def spread_deviation(past: Past, n: int) -> int:
    """Spread between the pools now less its average over the last n blocks, the current one included."""
    total = past.total(tick_level, n) - past.other.total(tick_level, n)
    return ratio_x16((past.now.tick - past.other.now.tick) * n - total, n)
