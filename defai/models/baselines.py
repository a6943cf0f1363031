"""Forecasts that need no learning. A model that does not beat them is marked so.

Each gives one forecast per row, times 2**24, from that row and rows before it; None where there is not enough.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate, pairwise
from math import isqrt, sqrt
from types import MappingProxyType
from typing import Final

from defai.market.window import Observation
from defai.models.targets import Target
from defai.units import Q24

Baseline = Callable[[Sequence[Observation], int], list[int | None]]

EWMA_DECAY: Final = 0.94
"""RiskMetrics' decay, applied per block."""


def persistent_volatility(rows: Sequence[Observation], horizon: int) -> list[int | None]:
    """The volatility of the next blocks is that of as many blocks before."""
    sums = list(accumulate((move * move for move in _moves(rows)), initial=0))
    ready = [isqrt((end - start) << 48) for start, end in zip(sums, sums[horizon:], strict=False)]
    return [None] * min(horizon, len(rows)) + ready


def ewma_volatility(rows: Sequence[Observation], horizon: int) -> list[int | None]:
    """An exponentially weighted average of squared moves, scaled to the horizon (RiskMetrics 1996)."""
    forecasts: list[int | None] = [None] * min(horizon, len(rows))
    variance = 0.0
    weight = 0.0
    for index, move in enumerate(_moves(rows), start=1):
        variance = EWMA_DECAY * variance + (1 - EWMA_DECAY) * move * move
        weight = EWMA_DECAY * weight + (1 - EWMA_DECAY)
        if index >= horizon:
            forecasts.append(round(sqrt(variance / weight * horizon) * Q24))
    return forecasts


def zero_return(rows: Sequence[Observation], _: int) -> list[int | None]:
    """The price stays where it is."""
    return [0] * len(rows)


def persistent_return(rows: Sequence[Observation], horizon: int) -> list[int | None]:
    """The price goes on moving as it did over as many blocks before."""
    ready = [(after.tick - before.tick) << 24 for before, after in zip(rows, rows[horizon:], strict=False)]
    return [None] * min(horizon, len(rows)) + ready


BASELINES: Final[Mapping[str, Mapping[str, Baseline]]] = MappingProxyType(
    {
        "volatility": {"persistence": persistent_volatility, "EWMA 0.94": ewma_volatility},
        "return": {"zero": zero_return, "persistence": persistent_return},
    }
)
"""The baselines by kind of target and by the full name that stands on the card."""


def baseline_forecasts(rows: Sequence[Observation], target: Target) -> dict[str, list[int | None]]:
    """What each baseline of a target says at every row."""
    return {name: baseline(rows, target.horizon_blocks) for name, baseline in BASELINES[target.kind].items()}


def _moves(rows: Sequence[Observation]) -> list[int]:
    return [after.tick - before.tick for before, after in pairwise(rows)]
