"""What a run came to, in figures: pure functions over series of one value a moment.

Prices are numeraire per base token, worths are in the numeraire, amounts in the base token, all as a person would
write them, as floats; times are seconds. A figure that cannot be measured on what is given is None, never 0.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.portfolio.attribution import LVR_INTERVAL_S as LVR_INTERVAL_S  # noqa: PLC0414  others take it from here

Series: TypeAlias = NDArray[np.float64]
Times: TypeAlias = NDArray[np.int64]

YEAR_S: Final = 365 * 86_400


@dataclass(frozen=True, slots=True)
class HeldBand:
    """Liquidity that was provided between two prices, from one row of the series to another.

    Attributes:
        first: the row at whose price it was put in.
        last: the row at whose price it was taken out, or the last one there is; not before `first`.
        liquidity: sqrt(base x numeraire), in whole tokens: L of the pool over 10**((decimals0 + decimals1) / 2).
        price_lower: where it begins; all of it is base there.
        price_upper: where it ends; all of it is numeraire there. May be infinite.
    """

    first: int
    last: int
    liquidity: float
    price_lower: float
    price_upper: float

    def base(self, at: Series) -> Series:
        """Base tokens in it at some prices: L (1/sqrt(p) - 1/sqrt(upper)).

        Source: Uniswap v3 Core (2021), equations 6.29 and 6.30.
        """
        root = np.sqrt(np.clip(at, self.price_lower, self.price_upper))
        return np.asarray(self.liquidity * (1 / root - 1 / np.sqrt(self.price_upper)), dtype=np.float64)

    def worth(self, at: Series) -> Series:
        """Worth at some prices: p times the base, and L (sqrt(p) - sqrt(lower)) of the numeraire. Fees apart.

        Source: as for `base`.
        """
        root = np.sqrt(np.clip(at, self.price_lower, self.price_upper))
        return np.asarray(
            at * self.base(at) + self.liquidity * (root - np.sqrt(self.price_lower)), dtype=np.float64
        )


def sample_rows(times: Times, interval_s: int) -> NDArray[np.int64]:
    """Rows that stand for a regular grid: the first one, then the latest at or before each step, then the last one.

    Args:
        times: ascending.
        interval_s: the step.
    """
    grid = np.arange(times[0], times[-1] + 1, interval_s)
    rows = np.searchsorted(times, grid, side="right") - 1
    return np.unique(np.append(rows, len(times) - 1))


def impermanent_loss(prices: Series, bands: Sequence[HeldBand]) -> float | None:
    """What the bands' contents came to be worth less than the tokens put in, at the price they were taken out.

    Worth of the deposit, held, less worth of the band, summed over bands; at or above zero, fees not counted.
    Source: Uniswap v3 Core (2021), 6.29 and 6.30, for both portfolios; the term is from Pintail, "Understanding
    Uniswap Returns" (2019).

    Returns:
        None where there was no band.
    """
    if not bands:
        return None
    return sum(_impermanent_loss(prices, band) for band in bands)


def _impermanent_loss(prices: Series, band: HeldBand) -> float:
    begin, end = prices[band.first], prices[band.last]
    ends = np.array([begin, end])
    worth, base = band.worth(ends), band.base(ends)
    return float(worth[0] + base[0] * (end - begin) - worth[1])


def loss_versus_rebalancing(
    times: Times, prices: Series, bands: Sequence[HeldBand], interval_s: int = LVR_INTERVAL_S
) -> float | None:
    """LVR: what a portfolio that held the bands' base tokens, adjusted every interval, would have made more.

    The sum over intervals of x(p) (p' - p) - (V(p') - V(p)), with the band's base x and worth V: at or above zero,
    since V is concave in p with slope x. It grows as the interval shrinks to the time scale on which arbitrage happens,
    and falls again where the recorded price stays within the pool's fee; the interval belongs beside the number.
    Source: Milionis, Moallemi, Roughgarden, Zhang, "Automated Market Making and Loss-Versus-Rebalancing" (2022), the
    discrete form of its definition.

    Returns:
        None where there was no band.
    """
    if not bands:
        return None
    grid = sample_rows(times, interval_s)
    total = 0.0
    for band in bands:
        inside = grid[(grid > band.first) & (grid < band.last)]
        path = prices[np.concatenate([[band.first], inside, [band.last]])]
        worth = band.worth(path)
        total += float(np.sum(band.base(path)[:-1] * np.diff(path)) - (worth[-1] - worth[0]))
    return total


def delta_hedged_pnl(
    times: Times, equity: Series, base: Series, prices: Series, interval_s: int = LVR_INTERVAL_S
) -> float | None:
    """Gain of the equity beside a short position in all base tokens held, adjusted every interval.

    E(end) - E(begin) less the sum over intervals of b (p' - p): what is left when the market's own move is taken out.
    Funding and the hedge's costs are not in it. Source: the hedged LP of Milionis et al. (2022), section 5.

    Args:
        times: ascending.
        equity: worth of everything, costs paid.
        base: base tokens owned in all, in the vault and in positions.
        prices: of the base token.
        interval_s: how often the hedge is adjusted.

    Returns:
        None with fewer than two moments.
    """
    if len(times) < 2:
        return None
    rows = sample_rows(times, interval_s)
    market = np.sum(base[rows][:-1] * np.diff(prices[rows]))
    return float(equity[-1] - equity[0] - market)


def max_drawdown(equity: Series) -> float | None:
    """The deepest fall from a peak before it, as a share of the peak: 0..1 while the equity stays above zero.

    Source: Magdon-Ismail and Atiya, "Maximum Drawdown" (2004). None with no moment, or where no peak is above zero.
    """
    if not len(equity) or equity[0] <= 0:
        return None
    peaks = np.maximum.accumulate(equity)
    return float(1 - np.min(np.divide(equity, peaks, out=peaks)))


def drawdowns(equity: Series) -> Series:
    """The fall from the highest point so far, as a share of it, at every moment; the first must be above zero."""
    return 1 - equity / np.maximum.accumulate(equity)


def returns(equity: Series) -> Series | None:
    """Simple returns from moment to moment; None where the equity is not above zero all along."""
    if len(equity) < 2 or np.any(equity <= 0):
        return None
    return np.asarray(np.diff(equity) / equity[:-1], dtype=np.float64)


def sharpe_ratio(equity: Series, step_s: float) -> float | None:
    """Mean of the returns over their standard deviation, times the root of the steps in a year; no riskless rate.

    Source: Sharpe, "The Sharpe Ratio" (1994), with the sample's standard deviation; annualised as for independent
    returns. None with fewer than two returns, or where they do not vary.

    Args:
        equity: one value a step.
        step_s: length of a step in seconds.
    """
    made = returns(equity)
    if made is None or len(made) < 2:
        return None
    return _ratio(float(np.mean(made)), float(np.std(made, ddof=1)), step_s)


def sortino_ratio(equity: Series, step_s: float) -> float | None:
    """As the Sharpe ratio, over the root mean square of the returns below zero.

    Source: Sortino and Price, "Performance Measurement in a Downside Risk Framework" (1994), with zero as the target.
    None with fewer than two returns, or where none is below zero.
    """
    made = returns(equity)
    if made is None or len(made) < 2:
        return None
    return _ratio(float(np.mean(made)), float(np.sqrt(np.mean(np.minimum(made, 0) ** 2))), step_s)


def moments_of_returns(equity: Series) -> tuple[int, float, float, float] | None:
    """How many returns there are, and their Sharpe ratio (a step, not a year), skewness and kurtosis (3 is normal's).

    The sample's central moments over powers of its standard deviation, not corrected for its size. None with fewer
    than three returns, or where they do not vary.
    """
    made = returns(equity)
    if made is None or len(made) < 3:
        return None
    apart = made - np.mean(made)
    variance = float(np.mean(apart**2))
    if sqrt(variance) <= 1e-15:
        return None
    sharpe = float(np.mean(made)) / float(np.std(made, ddof=1))
    return len(made), sharpe, float(np.mean(apart**3)) / variance**1.5, float(np.mean(apart**4)) / variance**2


def _ratio(mean: float, deviation: float, step_s: float) -> float | None:
    """Annualised; None where the deviation is no more than what rounding leaves of a constant."""
    if deviation <= 1e-15 * max(1.0, abs(mean)):
        return None
    ratio = mean / deviation * sqrt(YEAR_S / step_s)
    return ratio if isfinite(ratio) else None


def in_range_ratio(times: Times, prices: Series, bands: Sequence[HeldBand]) -> float | None:
    """Share of the time with a band in which the price stood within it; weighted by time, each band on its own.

    A moment's price holds until the next one. None where no time was spent in a band.
    """
    inside = total = 0.0
    for band in bands:
        path, spans = prices[band.first : band.last], np.diff(times[band.first : band.last + 1])
        total += float(np.sum(spans))
        within = (path > band.price_lower) & (path <= band.price_upper)
        inside += float(np.sum(spans, where=within))
    return inside / total if total else None


def turnover_ratio(swapped: float, equity: Series) -> float | None:
    """Worth of all that was sold in swaps over the mean equity; None where that is not above zero."""
    mean = float(np.mean(equity)) if len(equity) else 0.0
    return swapped / mean if mean > 0 else None


def mean_and_standard_error(values: Sequence[float]) -> tuple[float, float | None] | None:
    """Mean of repeated runs, and the standard error of that mean: s / sqrt(n). No error with one; None with none."""
    if not values:
        return None
    mean = float(np.mean(values))
    return mean, (float(np.std(values, ddof=1)) / sqrt(len(values)) if len(values) > 1 else None)
