"""Logarithms of variances: what heterogeneous autoregressions are linear in (Corsi 2009, in logs)."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, larger
from defai.features.library import squared_move, squared_range
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
