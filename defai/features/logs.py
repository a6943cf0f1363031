"""Logarithms of variances: what heterogeneous autoregressions are linear in (Corsi 2009, in logs)."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, larger, ratio_x16, root
from defai.features.library import squared_move, squared_range
from defai.features.library.quantities import log_range_x16
from defai.features.logarithm import log2_x16
from defai.features.spec import feature
from defai.features.tape import Past

_PARKINSON_X32: Final = 1_549_082_005
"""2**32 / (4 ln 2), rounded: the factor of Parkinson's estimator."""
_ONE_X16: Final = RATIO_BITS << RATIO_BITS
"""The logarithm of 2**16, which the argument is scaled by so that a mean keeps 16 fractional bits."""


@feature(
    "log_parkinson_{n}",
    version=1,
    unit="log2 of squared ticks a block",
    scale_bits=RATIO_BITS,
    source="Parkinson 1980; in logs Alizadeh, Brandt, Diebold 2002",
)
def log_parkinson(past: Past, n: int) -> int:
    """Binary logarithm of the mean variance a block over the last n, from extreme ticks; at least one squared tick."""
    mean_x16 = ((past.total(squared_range, n) * _PARKINSON_X32) >> RATIO_BITS) // n
    return larger(log2_x16(mean_x16) - _ONE_X16, 0)


@feature(
    "log_volatility_{n}",
    version=1,
    unit="log2 of squared ticks a block",
    scale_bits=RATIO_BITS,
    source="realised variance: Andersen, Bollerslev, Diebold, Labys 2003, section 4",
)
def log_realised_variance(past: Past, n: int) -> int:
    """Binary logarithm of the mean squared tick move of the last n blocks; at least one squared tick."""
    mean_x16 = (past.total(squared_move, n) << RATIO_BITS) // n
    return larger(log2_x16(mean_x16) - _ONE_X16, 0)


@feature(
    "mean_log_range_{n}",
    version=1,
    unit="log2 of squared ticks",
    scale_bits=RATIO_BITS,
    source="range-based log volatility: Alizadeh, Brandt, Diebold 2002",
)
def mean_log_range(past: Past, n: int) -> int:
    """Mean over the last n blocks of the binary logarithm of each one's squared range: few wide ones move it little."""
    return past.total(log_range_x16, n) // n


@feature(
    "peak_parkinson_{n}",
    version=1,
    unit="log2 of squared ticks",
    scale_bits=RATIO_BITS,
    source="Parkinson 1980, of the widest block",
)
def peak_parkinson(past: Past, n: int) -> int:
    """Binary logarithm of the largest variance of one block among the last n; at least one squared tick."""
    largest_x16 = (past.highest(squared_range, n) * _PARKINSON_X32) >> RATIO_BITS
    return larger(log2_x16(largest_x16) - _ONE_X16, 0)


@feature(
    "cycle_parkinson_{n}",
    version=1,
    unit="log2 of a ratio",
    scale_bits=RATIO_BITS,
    least=7,
    source="intraday periodicity: Andersen, Bollerslev 1997",
)
def cycle_parkinson(past: Past, n: int) -> int:
    """How much wider blocks like the next one were in the last seven cycles of n/7 blocks, as log2 of variances.

    With hourly bars and n = 168: the coming hour of the day over the last seven days, against all hours of these.
    """
    cycle = max(n // 7, 1)
    alike = sum(
        (row.tick_high - row.tick_low) ** 2 for row in (past.ago(part * cycle - 1) for part in range(1, 8))
    )
    every = past.total(squared_range, 7 * cycle) // cycle
    return log2_x16((alike + 1) << RATIO_BITS) - log2_x16((every + 1) << RATIO_BITS)


@feature(
    "echo_parkinson_{n}",
    version=1,
    unit="log2 of squared ticks",
    scale_bits=RATIO_BITS,
    source="intraday periodicity: Andersen, Bollerslev 1997",
)
def echo_parkinson(past: Past, n: int) -> int:
    """Binary logarithm of the variance of the one block that was n before the next; at least one squared tick."""
    row = past.ago(n - 1)
    variance_x16 = ((row.tick_high - row.tick_low) ** 2 * _PARKINSON_X32) >> RATIO_BITS
    return larger(log2_x16(variance_x16) - _ONE_X16, 0)


@feature(
    "parkinson_rise_{n}",
    version=1,
    unit="log2 of a ratio",
    scale_bits=RATIO_BITS,
    source="definition",
)
def parkinson_rise(past: Past, n: int) -> int:
    """Variance a block over the last n/8, rounded up, against that over the last n, as log2."""
    recent = -(-n // 8)
    now, before = past.total(squared_range, recent) * n + 1, past.total(squared_range, n) * recent + 1
    return log2_x16(now << RATIO_BITS) - log2_x16(before << RATIO_BITS)


@feature(
    "scaled_return_{n}",
    version=1,
    unit="deviations",
    scale_bits=RATIO_BITS,
    source="definition",
)
def scaled_return(past: Past, n: int) -> int:
    """Tick move of the last n/8 blocks, rounded up, over what the ranges of the last n let expect of as many."""
    recent = -(-n // 8)
    expected = root((past.total(squared_range, n) * _PARKINSON_X32 * recent) // n)
    return ratio_x16(past.move(recent) << RATIO_BITS, expected + 1)


@feature("time_of_week", version=1, unit="seconds", source="UTC, from the block's timestamp")
def time_of_week(past: Past) -> int:
    """Seconds since Monday's midnight, UTC."""
    return (past.now.timestamp + 3 * 86_400) % (7 * 86_400)
