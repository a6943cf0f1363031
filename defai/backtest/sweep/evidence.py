"""How much the best of many runs is worth: the best of many looks good even where none of them is."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist, variance
from typing import Any, Final, TypeAlias

Row: TypeAlias = Mapping[str, Any]

_EULER_MASCHERONI: Final = 0.5772156649015329


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharpe:
    """A Sharpe ratio that was measured, a step, not a year, with the shape of the returns behind it.

    Attributes:
        returns: how many there are.
        skewness: of the returns; 0 for a normal distribution.
        kurtosis: the same; 3 for a normal distribution.
    """

    ratio: float
    returns: int
    skewness: float
    kurtosis: float

    @classmethod
    def of(cls, row: Row) -> "Sharpe | None":
        """That of a run's row; None where it was not measured."""
        if row.get("hourly_sharpe") is None:
            return None
        return cls(
            ratio=row["hourly_sharpe"],
            returns=row["hourly_returns"],
            skewness=row["hourly_skewness"],
            kurtosis=row["hourly_kurtosis"],
        )


def expected_largest(ratios: Sequence[float], trials: int) -> float | None:
    """The Sharpe ratio that the best of so many trials has on average where the true one of all is zero.

    sqrt(V) ((1 - g) Z(1 - 1/N) + g Z(1 - 1/(N e))), with the variance V of the ratios over trials, the number N of
    trials, g of Euler and Mascheroni and the normal quantile Z. Source: Bailey and Lopez de Prado, "The Deflated
    Sharpe Ratio" (2014), equation 1.

    Args:
        ratios: those that were measured, of one trial each.
        trials: how many there were; trials that resemble each other count less, so that this is an upper bound.

    Returns:
        None with fewer than two ratios.
    """
    if len(ratios) < 2 or trials < 2:
        return None
    quantile = NormalDist().inv_cdf
    spread = (1 - _EULER_MASCHERONI) * quantile(1 - 1 / trials) + _EULER_MASCHERONI * quantile(
        1 - 1 / (trials * e)
    )
    return sqrt(variance(ratios)) * spread


def deflated_sharpe_ratio(best: Sharpe, threshold: float) -> float | None:
    """How probable it is that the true Sharpe ratio is above what luck alone gives the best of the trials.

    Phi((SR - SR0) sqrt(T - 1) / sqrt(1 - g3 SR + (g4 - 1) / 4 SR^2)), with T returns of skewness g3 and kurtosis g4.
    Source: Bailey and Lopez de Prado, "The Deflated Sharpe Ratio" (2014), equation 2. 0.95 is the usual mark.

    Args:
        best: of the trial that was chosen.
        threshold: SR0, see `expected_largest`.

    Returns:
        None where the returns' shape makes the variance of the estimate none.
    """
    spread = 1 - best.skewness * best.ratio + (best.kurtosis - 1) / 4 * best.ratio**2
    if spread <= 0:
        return None
    return NormalDist().cdf((best.ratio - threshold) * sqrt((best.returns - 1) / spread))


def evidence_of(best: Row | None, rows: Sequence[Row], *, trials: int) -> dict[str, Any]:
    """What is to be said about the best of some trials: `trials`, `deflated_sharpe_ratio` and a `warning`.

    Args:
        best: the row that was chosen; None where it is of several windows, whose returns can't be put together.
        rows: of all trials.
        trials: how many there were.
    """
    deflated = None
    chosen = Sharpe.of(best) if best is not None else None
    if chosen is not None:
        threshold = expected_largest([one.ratio for row in rows if (one := Sharpe.of(row))], trials)
        deflated = None if threshold is None else deflated_sharpe_ratio(chosen, threshold)
    return {"trials": trials, "deflated_sharpe_ratio": deflated, "warning": warning(trials, deflated)}


def warning(trials: int, deflated: float | None) -> str:
    """What a person has to know about the best of so many."""
    if trials < 2:
        return ""
    said = f"{trials:,} trials stand behind the best one: the best of {trials:,} looks good even where none of them is."
    if deflated is None:
        return f"{said} Its deflated Sharpe ratio is unmeasured."
    verdict = "luck explains it well" if deflated < 0.95 else "luck alone would hardly do that"
    return f"{said} Deflated Sharpe ratio {deflated:.2f}: {verdict}."
