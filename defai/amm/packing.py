"""Plain integers as rows of 64-bit words and back, and a pool as the arrays that the kernel works on."""

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from defai.amm.limbs.arrays import (
    BELOW,
    CARDINALITY,
    FEE_PIPS,
    FEE_PROTOCOL,
    NORMAL,
    OBSERVATION,
    POOL_INTEGERS,
    POOL_WORDS,
    TICK,
    TICK_SPACING,
    TIME,
    Integers,
    PoolArrays,
    Words,
)
from defai.amm.limbs.ticks import CACHE_SIZE, NO_TICK
from defai.amm.oracle import Observation
from defai.amm.state import PoolState

_POOL_NUMBERS: Final = (
    ("sqrt_price_x96", 3),
    ("liquidity", 2),
    ("fee_growth_global0_x128", 4),
    ("fee_growth_global1_x128", 4),
    ("protocol_fees0", 2),
    ("protocol_fees1", 2),
)
"""What stands in `PoolArrays.words` before `NORMAL`, in order, each with its number of words."""


def pack(numbers: Iterable[int], width: int, *, signed: bool = False) -> Words:
    """A row of words for each number, the lowest first; two's complement if signed.

    Raises:
        OverflowError: where a number doesn't fit.
    """
    data = bytearray().join([number.to_bytes(8 * width, "little", signed=signed) for number in numbers])
    return np.frombuffer(data, dtype="<u8").reshape(-1, width)


def unpack(rows: Words, *, signed: bool = False) -> list[int]:
    """The number in each row."""
    data = np.ascontiguousarray(rows).astype("<u8", copy=False).tobytes()
    step = 8 * rows.shape[1]
    return [
        int.from_bytes(data[i : i + step], "little", signed=signed) for i in range(0, step * len(rows), step)
    ]


def pack_integers(numbers: Sequence[int] | Sequence[tuple[int, ...]] | Integers) -> Integers:
    """One 64-bit integer for each number.

    Raises:
        OverflowError: where a number doesn't fit.
    """
    return np.array(numbers, dtype=np.int64)


def load(pool: PoolState) -> PoolArrays:
    """The pool as arrays.

    Raises:
        OverflowError: where a number of the pool's doesn't fit the contract's storage.
    """
    ticks = sorted(pool.tick_states)
    states = [pool.tick_states[tick] for tick in ticks]
    oracle = pool.oracle
    integers = np.zeros(POOL_INTEGERS, dtype=np.int64)
    integers[TICK], integers[FEE_PIPS], integers[TICK_SPACING] = pool.tick, pool.fee_pips, pool.tick_spacing
    integers[FEE_PROTOCOL], integers[TIME] = pool.fee_protocol, pool.timestamp
    integers[BELOW] = sum(tick <= pool.tick for tick in ticks)
    integers[OBSERVATION], integers[CARDINALITY] = oracle.index, oracle.cardinality
    slots = [(seen.timestamp, seen.tick_cumulative, seen.initialized) for seen in oracle.observations]
    return PoolArrays(
        words=np.hstack(
            [
                *(pack([getattr(pool, name)], width) for name, width in _POOL_NUMBERS),
                pack([0], POOL_WORDS - NORMAL),
            ]
        ),
        integers=integers,
        ticks=pack_integers(ticks),
        nets=pack((state.liquidity_net for state in states), 2, signed=True),
        growth_outside=np.ascontiguousarray(
            np.hstack(
                [
                    pack((state.fee_growth_outside0_x128 for state in states), 4),
                    pack((state.fee_growth_outside1_x128 for state in states), 4),
                ]
            )
        ),
        seconds_outside=pack_integers(
            [(state.tick_cumulative_outside, state.seconds_outside) for state in states]
        ).reshape(-1, 2),
        seconds_per_liquidity_outside=pack((state.seconds_per_liquidity_outside_x128 for state in states), 3),
        observations=pack_integers(slots).reshape(-1, 3),
        observed_seconds_per_liquidity=pack(
            (seen.seconds_per_liquidity_cumulative_x128 for seen in oracle.observations), 3
        ),
        known_ticks=np.full(CACHE_SIZE, NO_TICK, dtype=np.int64),
        known_ratios=np.zeros((CACHE_SIZE, 3), dtype=np.uint64),
        crossed=np.zeros(len(ticks), dtype=np.int64),
        growth_at_crossing=np.zeros((len(ticks), 4), dtype=np.uint64),
    )


def store(arrays: PoolArrays, before: PoolArrays, pool: PoolState) -> None:
    """Bring a pool to where swaps have brought its arrays.

    Args:
        arrays: the arrays.
        before: a copy of them as `load` gave them.
        pool: the pool, unchanged since the `load`.
    """
    at = 0
    for name, width in _POOL_NUMBERS:
        setattr(pool, name, unpack(arrays.words[:, at : at + width])[0])
        at += width
    pool.tick, pool.timestamp = int(arrays.integers[TICK]), int(arrays.integers[TIME])
    oracle = pool.oracle
    oracle.index, oracle.cardinality = int(arrays.integers[OBSERVATION]), int(arrays.integers[CARDINALITY])
    slots = _changed(
        (arrays.observations, before.observations),
        (arrays.observed_seconds_per_liquidity, before.observed_seconds_per_liquidity),
    )
    for i, seconds in zip(slots, unpack(arrays.observed_seconds_per_liquidity[slots]), strict=True):
        time, cumulative, initialized = arrays.observations[i].tolist()
        oracle.observations[i] = Observation(time, cumulative, seconds, initialized=bool(initialized))
    _store_ticks(arrays, before, pool)


def _store_ticks(arrays: PoolArrays, before: PoolArrays, pool: PoolState) -> None:
    rows = _changed(
        (arrays.growth_outside, before.growth_outside),
        (arrays.seconds_outside, before.seconds_outside),
        (arrays.seconds_per_liquidity_outside, before.seconds_per_liquidity_outside),
    )
    columns = zip(
        arrays.ticks[rows].tolist(),
        unpack(arrays.growth_outside[rows, :4]),
        unpack(arrays.growth_outside[rows, 4:]),
        arrays.seconds_outside[rows].tolist(),
        unpack(arrays.seconds_per_liquidity_outside[rows]),
        strict=True,
    )
    for tick, growth0, growth1, (cumulative, seconds), per_liquidity in columns:
        pool.tick_states[tick] = pool.tick_states[tick]._replace(
            fee_growth_outside0_x128=growth0,
            fee_growth_outside1_x128=growth1,
            tick_cumulative_outside=cumulative,
            seconds_per_liquidity_outside_x128=per_liquidity,
            seconds_outside=seconds,
        )


def _changed(*pairs: tuple[Words | Integers, Words | Integers]) -> list[int]:
    """The rows in which anything changed."""
    rows: set[int] = set()
    for now, before in pairs:
        rows.update(np.flatnonzero((now != before).any(axis=1)).tolist())
    return sorted(rows)
