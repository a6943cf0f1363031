"""Features of the price's path: returns, volatilities, and how far the price stands from where it was."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, choose, larger, ratio_x16, root, root_x16
from defai.features.library import quantities as of
from defai.features.spec import feature
from defai.features.tape import Past

PARKINSON_X32: Final = 1_549_082_005
"""2**32 / (4 ln 2), rounded: the factor of Parkinson's estimator."""
_GARMAN_KLASS_X32: Final = 1_659_121_648
"""2**32 (2 ln 2 - 1), rounded: the weight of the squared move in Garman's and Klass's estimator."""
_HALF_PI_X16: Final = 102_944
"""2**16 pi / 2, rounded."""


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
    return root_x16(past.total(of.squared_move, n))


@feature(
    "parkinson_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="Parkinson 1980, The Extreme Value Method for Estimating the Variance of the Rate of Return",
)
def parkinson_volatility(past: Past, n: int) -> int:
    """Volatility over the last n blocks from each one's extreme ticks: sqrt(sum (high - low)^2 / 4 ln 2)."""
    return root(past.total(of.squared_range, n) * PARKINSON_X32)


@feature(
    "garman_klass_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="Garman, Klass 1980, On the Estimation of Security Price Volatilities from Historical Data",
)
def garman_klass_volatility(past: Past, n: int) -> int:
    """Volatility over the last n blocks: sqrt(sum of (high - low)^2 / 2 - (2 ln 2 - 1) (close - open)^2)."""
    ranges, moves = past.total(of.squared_range, n), past.total(of.squared_move, n)
    return root((ranges << 31) - moves * _GARMAN_KLASS_X32)


@feature(
    "rogers_satchell_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="Rogers, Satchell 1991, Estimating Variance from High, Low and Closing Prices",
)
def rogers_satchell_volatility(past: Past, n: int) -> int:
    """Volatility over the last n blocks that a steady drift doesn't add to, from each one's extreme ticks."""
    return root_x16(past.total(of.rogers_satchell, n))


@feature(
    "jump_share_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    warm_up=2,
    source="bipower variation: Barndorff-Nielsen, Shephard 2004",
)
def jump_share(past: Past, n: int) -> int:
    """Share of the last n blocks' realised variance that neighbouring moves don't explain: 0..1; 0 in standstill."""
    squares = past.total(of.squared_move, n)
    pairs = past.product_total(of.absolute_move, of.absolute_move, n, lag=1)
    return larger(ratio_x16((squares << RATIO_BITS) - pairs * _HALF_PI_X16, squares << RATIO_BITS), 0)


@feature(
    "fall_share_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="realised semivariance: Barndorff-Nielsen, Kinnebrock, Shephard 2010",
)
def fall_share(past: Past, n: int) -> int:
    """Share of the last n blocks' realised variance that comes from falls of the tick: 0..1; 0 in standstill."""
    return ratio_x16(past.total(of.squared_fall, n), past.total(of.squared_move, n))


@feature(
    "volatility_ratio_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    spans=4,
    source="ratio of realised volatilities at two horizons",
)
def volatility_ratio(past: Past, n: int) -> int:
    """Realised volatility of the last n blocks over that of the last 4 n, each by block: 0..2; 0 in standstill."""
    return root_x16_of_ratio(4 * past.total(of.squared_move, n), past.total(of.squared_move, 4 * n))


@feature(
    "autocorrelation_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    warm_up=2,
    source="first-order autocorrelation of returns; negative where trades bounce: Roll 1984",
)
def autocorrelation(past: Past, n: int) -> int:
    """Sum of each tick move of the last n blocks times the one before it, over the sum of squares; 0 in standstill."""
    return ratio_x16(past.product_total(of.move, of.move, n, lag=1), past.total(of.squared_move, n))


@feature(
    "efficiency_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="efficiency ratio: Kaufman 1995, Smarter Trading",
)
def efficiency(past: Past, n: int) -> int:
    """Tick move over the last n blocks, over the way that was gone: -1..1; 0 in standstill."""
    return ratio_x16(past.move(n), past.total(of.absolute_move, n))


@feature("velocity_{n}", version=1, unit="ticks a second", scale_bits=RATIO_BITS, source="definition")
def tick_velocity(past: Past, n: int) -> int:
    """Tick move over the last n blocks divided by the seconds they took, at least one."""
    return ratio_x16(past.move(n), larger(past.now.timestamp - past.ago(n).timestamp, 1))


@feature("range_{n}", version=1, unit="ticks", source="definition")
def tick_range(past: Past, n: int) -> int:
    """Distance between the highest and the lowest tick of the last n blocks."""
    return past.highest(of.highest_tick, n) + past.highest(of.lowest_tick_negated, n)


@feature(
    "range_position_{n}",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    source="stochastic oscillator: Lane 1984",
)
def range_position(past: Past, n: int) -> int:
    """Where the tick stands between the lowest and the highest of the last n blocks: 0..1; 0 where they are one."""
    height, depth = past.highest(of.highest_tick, n), past.highest(of.lowest_tick_negated, n)
    return ratio_x16(past.now.tick + depth, height + depth)


@feature(
    "from_high_{n}",
    version=1,
    unit="deviations",
    scale_bits=RATIO_BITS,
    source="distance to a breakout: Brock, Lakonishok, LeBaron 1992, trading range break; over Parkinson's volatility",
)
def from_high(past: Past, n: int) -> int:
    """How far the tick stands below the highest of the last n blocks, over their volatility by ranges."""
    return ratio_x16(
        (past.highest(of.highest_tick, n) - past.now.tick) << RATIO_BITS, _volatility_x16(past, n)
    )


@feature(
    "from_low_{n}",
    version=1,
    unit="deviations",
    scale_bits=RATIO_BITS,
    source="distance to a breakout: Brock, Lakonishok, LeBaron 1992, trading range break; over Parkinson's volatility",
)
def from_low(past: Past, n: int) -> int:
    """How far the tick stands above the lowest of the last n blocks, over their volatility by ranges."""
    low = past.highest(of.lowest_tick_negated, n)
    return ratio_x16((past.now.tick + low) << RATIO_BITS, _volatility_x16(past, n))


@feature(
    "deviation_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="distance from a moving average",
)
def deviation_from_mean(past: Past, n: int) -> int:
    """Tick now less the average tick of the last n blocks, the current one included."""
    return ratio_x16(past.now.tick * n - past.total(of.tick_level, n), n)


@feature(
    "twap_deviation_{n}",
    version=1,
    unit="ticks",
    scale_bits=RATIO_BITS,
    source="arithmetic mean tick: Uniswap v3-periphery, OracleLibrary.consult",
)
def twap_deviation(past: Past, n: int) -> int:
    """Tick now less the time-weighted average tick of the last n blocks, as the pool's oracle gives it, unrounded."""
    seconds = past.now.timestamp - past.ago(n).timestamp
    return choose(
        seconds > 0,
        ratio_x16(past.now.tick * seconds - past.total(of.tick_seconds, n), seconds),
        past.move(n) << 16,
    )


def _volatility_x16(past: Past, n: int) -> int:
    """Parkinson's volatility of the last n blocks in ticks, with 16 fractional bits, and a little more than nothing."""
    return root(past.total(of.squared_range, n) * PARKINSON_X32) + 1


def root_x16_of_ratio(numerator: int, denominator: int) -> int:
    """The root of a ratio, with 16 fractional bits."""
    return root(ratio_x16(numerator, denominator) << RATIO_BITS)
