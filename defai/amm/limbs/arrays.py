"""A pool as arrays of words, and what is asked of it and answered, one row each."""

from typing import Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.amm.limbs.word import U128, U192, U256, U320

Words: TypeAlias = NDArray[np.uint64]
Integers: TypeAlias = NDArray[np.int64]

# Where a pool's numbers stand in `PoolArrays.words`, each with its lowest word first.
PRICE: Final = 0
LIQUIDITY: Final = 3
GROWTH0: Final = 5
GROWTH1: Final = 9
PROTOCOL_FEES0: Final = 13
PROTOCOL_FEES1: Final = 15
NORMAL: Final = 17
"""The liquidity as `normal_two` makes it ready to be divided by; the kernel's own, written as it begins."""
POOL_WORDS: Final = 22

# And in `PoolArrays.integers`.
TICK: Final = 0
FEE_PIPS: Final = 1
TICK_SPACING: Final = 2
FEE_PROTOCOL: Final = 3
TIME: Final = 4
BELOW: Final = 5
"""How many initialised ticks lie at or below the pool's."""
OBSERVATION: Final = 6
CARDINALITY: Final = 7
OBSERVATIONS_WRITTEN: Final = 8
POOL_INTEGERS: Final = 9

# Columns of `Answers.words` and `Answers.integers`.
AMOUNT0: Final = 0
AMOUNT1: Final = 4
PRICE_AFTER: Final = 8
LIQUIDITY_AFTER: Final = 11
FEE: Final = 13
ANSWER_WORDS: Final = 17
STATUS: Final = 0
TICK_AFTER: Final = 1
CROSSED: Final = 2
ANSWER_INTEGERS: Final = 3

# What `Answers` may say in STATUS; `REASONS` gives the contract's words.
DONE: Final = 0
DOES_NOT_FIT: Final = 1
NO_AMOUNT: Final = 2
LOCKED: Final = 3
BAD_LIMIT: Final = 4
TOO_LITTLE_LIQUIDITY: Final = 5
TOO_MUCH_LIQUIDITY: Final = 6
REASONS: Final = (None, "", "AS", "LOK", "SPL", "LS", "LA")

# `Orders.directions`.
SELL_TOKEN1: Final = 0
SELL_TOKEN0: Final = 1
AMOUNT_TOO_WIDE: Final = 2


class PoolArrays(NamedTuple):
    """A pool. The ticks are sorted; what belongs to a tick stands in its row.

    Attributes:
        words: price, liquidity, fee growth and protocol fees.
        integers: tick, fee, spacing, time and the like.
        ticks: the initialised ticks.
        nets: net liquidity, two words, two's complement.
        growth_outside: fee growth outside, token0 and token1, four words each.
        seconds_outside: cumulative tick and seconds outside.
        seconds_per_liquidity_outside: three words.
        observations: time and cumulative tick, whether it was ever written, of the oracle's slots.
        observed_seconds_per_liquidity: three words.
        known_ticks: a cache of ratios: the tick in a slot.
        known_ratios: and its ratio, three words.
        crossed: room for the rows of the ticks that a swap crosses.
        growth_at_crossing: and for the fee growth there.
    """

    words: Words
    integers: Integers
    ticks: Integers
    nets: Words
    growth_outside: Words
    seconds_outside: Integers
    seconds_per_liquidity_outside: Words
    observations: Integers
    observed_seconds_per_liquidity: Words
    known_ticks: Integers
    known_ratios: Words
    crossed: Integers
    growth_at_crossing: Words


class Orders(NamedTuple):
    """Swaps to be done, one a row.

    Attributes:
        directions: which token comes in, or that the amount fits no word.
        amounts: four words, two's complement: positive comes in, negative goes out.
        limits: three words; all ones mean none.
        times: seconds.
    """

    directions: Integers
    amounts: Words
    limits: Words
    times: Integers


class Answers(NamedTuple):
    """What came of them, one a row: amounts (two's complement), price, liquidity, fee; status, tick, crossings."""

    words: Words
    integers: Integers


def read2(words: Words, row: int, at: int) -> U128:
    """Two words of a row."""
    return words[row, at], words[row, at + 1]


def read3(words: Words, row: int, at: int) -> U192:
    """Three words of a row."""
    return words[row, at], words[row, at + 1], words[row, at + 2]


def read4(words: Words, row: int, at: int) -> U256:
    """Four words of a row."""
    return words[row, at], words[row, at + 1], words[row, at + 2], words[row, at + 3]


def read5(words: Words, row: int, at: int) -> U320:
    """Five words of a row."""
    return words[row, at], words[row, at + 1], words[row, at + 2], words[row, at + 3], words[row, at + 4]


def write2(words: Words, row: int, at: int, number: U128) -> None:
    """Two words into a row."""
    words[row, at] = number[0]
    words[row, at + 1] = number[1]


def write3(words: Words, row: int, at: int, number: U192) -> None:
    """Three words into a row."""
    words[row, at] = number[0]
    words[row, at + 1] = number[1]
    words[row, at + 2] = number[2]


def write4(words: Words, row: int, at: int, number: U256) -> None:
    """Four words into a row."""
    words[row, at] = number[0]
    words[row, at + 1] = number[1]
    words[row, at + 2] = number[2]
    words[row, at + 3] = number[3]


def write5(words: Words, row: int, at: int, number: U320) -> None:
    """Five words into a row."""
    words[row, at] = number[0]
    words[row, at + 1] = number[1]
    words[row, at + 2] = number[2]
    words[row, at + 3] = number[3]
    words[row, at + 4] = number[4]
