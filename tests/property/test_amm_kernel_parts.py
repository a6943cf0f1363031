"""The kernel's shortcuts, each against plain integers, where they are most likely to be wrong."""

from itertools import product
from typing import Any

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO, get_sqrt_ratio_at_tick, get_tick_at_sqrt_ratio
from defai.amm.limbs import division, prices, ticks

EDGES = (0, 1, 2, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 63) + 1, (1 << 64) - 2, (1 << 64) - 1)
some_words = st.one_of(st.sampled_from(EDGES), st.integers(0, (1 << 64) - 1))


def words_of(number: int, count: int) -> Any:  # noqa: ANN401  a tuple as long as asked for
    return tuple(np.uint64(number >> 64 * i & ((1 << 64) - 1)) for i in range(count))


def number_of(words: tuple[Any, ...]) -> int:
    return sum(int(word) << 64 * i for i, word in enumerate(words))


def divide_by_three(numerator: int, divisor: int) -> None:
    with np.errstate(over="ignore"):
        quotient, inexact = division.divide_by_three(words_of(numerator, 6), words_of(divisor, 3))

    assert (number_of(quotient), inexact) == (numerator // divisor, numerator % divisor > 0)


@settings(max_examples=200)
@given(
    words=st.tuples(some_words, some_words, some_words.filter(bool)), share=st.floats(0, 1), rest=some_words
)
@example(words=(1, 0, 1 << 63), share=1.0, rest=0)
def test_division_by_three_words(words: tuple[int, int, int], share: float, rest: int) -> None:
    divisor = sum(word << 64 * i for i, word in enumerate(words))
    most = (divisor << 192) - 1
    divide_by_three(min(int(share * (1 << 60)) * most >> 60, most), divisor)
    divide_by_three(max(most - rest, 0), divisor)
    divide_by_three(rest * divisor, divisor)
    divide_by_three(max(rest * divisor - 1, 0), divisor)


def test_digits_by_three_words_that_look_greatest() -> None:
    """What is left has the divisor's own upper words: the digit is the greatest there is."""
    for second, low, less, digit in product(EDGES, EDGES, EDGES, EDGES):
        if less > low or low == 0:
            continue
        divisor = (1 << 63) << 128 | second << 64 | low
        rest = divisor - max(less, 1)
        with np.errstate(over="ignore"):
            v = division.reciprocal_of_two(np.uint64(second), np.uint64(1 << 63))
            found, left = division.digit_by_three(
                words_of(rest, 3), np.uint64(digit), words_of(divisor, 3), v
            )
        assert (int(found), number_of(left)) == divmod(rest << 64 | digit, divisor)


@settings(max_examples=200)
@given(
    denominator=st.integers(1, (1 << 310) - 1),
    guess=st.integers(0, (1 << 66)),
    off=st.integers(-2, 2),
    round_up=st.booleans(),
)
def test_guessed_quotients(denominator: int, guess: int, off: int, round_up: bool) -> None:
    """Whether the guess is right, one too many or too few, or too long to be tried."""
    for numerator in (guess * denominator + off, (guess + off) * denominator + 1):
        if not 0 <= numerator < 1 << 384:
            continue
        with np.errstate(over="ignore"):
            result = prices.quotient_likely(
                words_of(numerator, 6), words_of(denominator, 5), words_of(guess, 4), round_up
            )
        expected = -(-numerator // denominator) if round_up else numerator // denominator
        assert number_of(result) == expected


@settings(max_examples=200)
@given(
    tick=st.integers(-887_271, 887_271),
    away=st.one_of(st.integers(-400, 400), st.integers(-2_000_000, 2_000_000)),
    beside=st.integers(-2, 2),
)
def test_ticks_told_from_one_nearby(tick: int, away: int, beside: int) -> None:
    """Prices at and beside every tick's own, seen from ticks near and far."""
    known = max(min(tick + away, 887_272), -887_272)
    price = min(max(get_sqrt_ratio_at_tick(tick) + beside, MIN_SQRT_RATIO), MAX_SQRT_RATIO - 1)
    with np.errstate(over="ignore"):
        told = ticks.tick_near(words_of(price, 3), known, words_of(get_sqrt_ratio_at_tick(known), 3))

    assert told == get_tick_at_sqrt_ratio(price)
