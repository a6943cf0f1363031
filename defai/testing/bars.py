"""Minute bars made up for tests and benchmarks: a random walk of ticks with volume around it."""

import hashlib

import numpy as np

from defai.market.bars import MINUTE_S, Limbs, MinuteBars

_START = 1_658_188_800


def walking_bars(
    count: int,
    *,
    seed: int = 1,
    tick: int = 200_000,
    step_ticks: float = 5.0,
    amount0_in: int = 20_000 * 10**6,
    amount1_in: int = 10 * 10**18,
    liquidity: int = 10**18,
) -> MinuteBars:
    """Bars whose ticks walk at random, each beginning where the one before ended.

    Args:
        count: how many.
        seed: the same gives the same bars, on any machine.
        tick: where they begin.
        step_ticks: standard deviation of a minute's move.
        amount0_in: largest volume of a minute in token0, in smallest units; volumes are uniform below it.
        amount1_in: the same in token1.
        liquidity: of everyone else, at most; at least half of it is there.
    """
    draws = np.random.default_rng(seed)
    moves = np.rint(draws.normal(0.0, step_ticks, count)).astype(np.int64)
    close = tick + np.cumsum(moves)
    opened = close - moves
    reach = draws.integers(0, max(int(step_ticks), 1) + 1, (2, count))
    return MinuteBars(
        timestamps=_START + MINUTE_S * np.arange(count, dtype=np.int64),
        open_tick=opened.astype(np.int32),
        close_tick=close.astype(np.int32),
        lowest_tick=(np.minimum(opened, close) - reach[0]).astype(np.int32),
        highest_tick=(np.maximum(opened, close) + reach[1]).astype(np.int32),
        amount0_in=_shares(draws, count, amount0_in),
        amount1_in=_shares(draws, count, amount1_in),
        liquidity=_shares(draws, count, liquidity, least=500),
        padded=0,
        digest="0x" + hashlib.sha256(f"walking:{seed}:{count}:{tick}".encode()).hexdigest(),
        origin=(f"walking bars, seed {seed}",),
    )


def _shares(draws: np.random.Generator, count: int, most: int, least: int = 0) -> Limbs:
    """Uniform thousandths of an amount, exactly, whatever its size."""
    thousandths = draws.integers(least, 1_001, count)
    known = [most * part // 1_000 for part in range(1_001)]
    table = np.array([[value & (1 << 64) - 1, value >> 64] for value in known], dtype=np.uint64)
    return table[thousandths]
