"""The oracle's observations, as far as a swap needs them (see `defai.amm.oracle`)."""

from typing import Final

import numpy as np

from defai.amm.limbs.arrays import (
    CARDINALITY,
    NORMAL,
    OBSERVATION,
    OBSERVATIONS_WRITTEN,
    TICK,
    PoolArrays,
    read3,
    read5,
    write3,
)
from defai.amm.limbs.division import divide_by_normal_two
from defai.amm.limbs.wide import add3, sub3
from defai.amm.limbs.word import LOW_HALF, U192, ZERO

_SECONDS: Final = (1 << 32) - 1
_INT56: Final = 1 << 55
_WORD56: Final = (1 << 56) - 1


def int56(number: int) -> int:
    """The number as a signed 56-bit word holds it."""
    return ((number + _INT56) & _WORD56) - _INT56


def add160(a: U192, b: U192) -> U192:
    """The sum as 160 bits hold it."""
    r = add3(a, b)
    return r[0], r[1], r[2] & LOW_HALF


def sub160(a: U192, b: U192) -> U192:
    """The difference as 160 bits hold it."""
    r = sub3(a, b)
    return r[0], r[1], r[2] & LOW_HALF


def observation_now(pool: PoolArrays, time: int) -> tuple[int, int, U192]:
    """The observation as of now, under the pool's tick and liquidity: seconds, cumulative tick, per liquidity."""
    now = time & _SECONDS
    index = pool.integers[OBSERVATION]
    last = pool.observations[index, 0]
    cumulative = pool.observations[index, 1]
    per_liquidity = read3(pool.observed_seconds_per_liquidity, index, 0)
    if last == now:
        return now, cumulative, per_liquidity
    seconds = (now - last) & _SECONDS
    shifted = (ZERO, ZERO, np.uint64(seconds), ZERO, ZERO, ZERO)
    q, _ = divide_by_normal_two(shifted, read5(pool.words, 0, NORMAL))
    return (
        now,
        int56(cumulative + pool.integers[TICK] * seconds),
        add160(per_liquidity, (q[0], q[1], q[2])),
    )


def write_observation(pool: PoolArrays, time: int) -> None:
    """Record the pool's tick and liquidity in force up to now; at most once a second."""
    index = pool.integers[OBSERVATION]
    now = time & _SECONDS
    if pool.observations[index, 0] == now:
        return
    _, cumulative, per_liquidity = observation_now(pool, time)
    slots = pool.observations.shape[0]
    if slots > pool.integers[CARDINALITY] and index == pool.integers[CARDINALITY] - 1:
        pool.integers[CARDINALITY] = slots
    index = (index + 1) % pool.integers[CARDINALITY]
    pool.integers[OBSERVATION] = index
    pool.integers[OBSERVATIONS_WRITTEN] += 1
    pool.observations[index, 0] = now
    pool.observations[index, 1] = cumulative
    pool.observations[index, 2] = 1
    write3(pool.observed_seconds_per_liquidity, index, 0, per_liquidity)
