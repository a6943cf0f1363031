"""Labels of whole histories by columns: what came of every kind of target after each row.

The label of row i looks at rows i+1 to i+horizon and at nothing else.
"""

from collections.abc import Sequence
from math import log
from operator import attrgetter
from typing import Final

import numpy as np

from defai.errors import ConfigError
from defai.market.window import NotKnownError, Observation
from defai.models.metrics import Floats
from defai.models.targets import Target

TICK_LOG: Final = log(1.0001)
"""The natural logarithm of the price that a tick stands for."""
PARKINSON: Final = 1 / (4 * log(2))
"""Variance of a driftless walk by its squared range (Parkinson 1980)."""


def column(rows: Sequence[Observation], name: str) -> Floats:
    """One field of every row, shape (rows,).

    Raises:
        ConfigError: where the rows don't tell it.
    """
    try:
        return np.array(list(map(attrgetter(name), rows)), dtype=np.float64)
    except (NotKnownError, TypeError) as error:
        raise ConfigError(
            f"The target needs {name}, which this history doesn't tell.",
            "Train it on bars or blocks of a pool.",
        ) from error


def variances(rows: Sequence[Observation], kind: str) -> Floats:
    """The variance each row adds, in squared ticks, shape (rows,): squared moves, or squared ranges over 4 ln 2.

    Args:
        rows: one a block or a bar.
        kind: "volatility" or "range_volatility".
    """
    if kind == "range_volatility":
        return (column(rows, "tick_high") - column(rows, "tick_low")) ** 2 * PARKINSON
    tick = column(rows, "tick")
    return np.diff(tick, prepend=tick[:1]) ** 2


def labels(rows: Sequence[Observation], target: Target) -> Floats:
    """What came of the target after each row, in its unit, shape (rows,).

    Not a number where the horizon is not over at the last row, or has a gap.

    Raises:
        ConfigError: where the rows don't tell what the target needs.
    """
    horizon = target.horizon_blocks
    answer = _labels(rows, target)
    blocks = np.array([row.block_number for row in rows], dtype=np.int64)
    whole = np.zeros(len(rows), dtype=np.bool_)
    whole[: max(len(rows) - horizon, 0)] = blocks[horizon:] - blocks[:-horizon] == horizon
    return np.where(whole, answer, np.nan)


def ahead(values: Floats, horizon: int) -> Floats:
    """Sums over the next rows, shape as given; not a number where fewer follow."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    answer = np.full(len(values), np.nan)
    if len(values) > horizon:
        answer[: len(values) - horizon] = sums[horizon + 1 :] - sums[1 : len(values) - horizon + 1]
    return answer


def _labels(rows: Sequence[Observation], target: Target) -> Floats:
    horizon = target.horizon_blocks
    if target.kind in {"volatility", "range_volatility"}:
        return np.sqrt(np.maximum(ahead(variances(rows, target.kind), horizon), 0.0))
    tick = column(rows, "tick")
    move = np.full(len(rows), np.nan)
    move[: max(len(rows) - horizon, 0)] = tick[horizon:] - tick[:-horizon]
    if target.kind == "return":
        return move
    if target.kind == "net_return":
        return np.asarray(np.sign(move) * np.maximum(np.abs(move) - target.parameter, 0.0), dtype=np.float64)
    if target.kind == "survival":
        return _survival(rows, tick, target)
    if target.kind == "fees":
        return ahead(_fee_share(rows, tick), horizon) * _worth_share(target.parameter) * 100
    earned = ahead(_fee_share(rows, tick) * target.parameter / 1e6, horizon)
    lost = ahead(np.diff(tick, prepend=tick[:1]) ** 2, horizon) * TICK_LOG**2 / 4
    floor = TICK_LOG**2 / 4
    return earned / np.maximum(lost, floor)


def _survival(rows: Sequence[Observation], tick: Floats, target: Target) -> Floats:
    """1 where every tick of the next rows lies within the band around the tick now, else 0."""
    low, high = column(rows, "tick_low"), column(rows, "tick_high")
    horizon, count = target.horizon_blocks, len(rows)
    answer = np.full(count, np.nan)
    if count > horizon:
        lowest = np.lib.stride_tricks.sliding_window_view(low[1:], horizon).min(axis=1)
        highest = np.lib.stride_tricks.sliding_window_view(high[1:], horizon).max(axis=1)
        now = tick[: count - horizon]
        answer[: count - horizon] = (now - lowest <= target.parameter) & (highest - now <= target.parameter)
    return answer


def _fee_share(rows: Sequence[Observation], tick: Floats) -> Floats:
    """What swaps bring in, in token1, by liquidity in range and by the root of the price: a pure number."""
    root = np.exp(tick * TICK_LOG / 2)
    paid = column(rows, "amount0_in") * root + column(rows, "amount1_in") / root
    return paid / np.maximum(column(rows, "liquidity"), 1.0)


def _worth_share(half_width: int) -> float:
    """Liquidity times the root of the price that one of worth has in a band of this half-width around it."""
    return 1 / (2 - 2 * float(np.exp(-half_width * TICK_LOG / 2)))
