"""The kernel against the plain integers it stands for: every primitive over its whole range, every bit.

Each is tried compiled, and interpreted too: that is the same code, read by Python.
"""

from collections.abc import Callable, Sequence
from itertools import product
from random import Random
from typing import Any, TypeAlias

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from defai.amm import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    AmmRevert,
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
)
from defai.amm.full_math import MAX_INT256, MAX_UINT160, MAX_UINT256, mul_div, mul_div_rounding_up
from defai.amm.limbs import batches, division, prices
from defai.amm.limbs import wide as wide_words
from defai.amm.limbs.arrays import Words
from defai.amm.limbs.compiler import compiled_functions
from defai.amm.packing import pack, unpack
from defai.amm.sqrt_price_math import (
    get_amount0_delta,
    get_amount1_delta,
    get_next_sqrt_price_from_amount0,
    get_next_sqrt_price_from_amount1,
)
from defai.amm.swap_math import compute_swap_step

Kernel: TypeAlias = Callable[..., None]


def compiled(name: str) -> Kernel:
    return compiled_functions()[name]


def interpreted(name: str) -> Kernel:
    def call(*arguments: object) -> None:
        with np.errstate(over="ignore"):
            getattr(batches, name)(*arguments)

    return call


both = pytest.mark.parametrize("kernel", [compiled, interpreted])

EDGES = [0, 1, 2, (1 << 32) - 1, 1 << 32, (1 << 63) - 1, 1 << 63, (1 << 64) - 2, (1 << 64) - 1]
words = st.one_of(st.sampled_from(EDGES), st.sampled_from(EDGES), st.integers(0, (1 << 64) - 1))


def wide(bits: int) -> st.SearchStrategy[int]:
    """Numbers of at most so many bits: of any size, or made of words with long carries in them."""
    made = st.lists(words, min_size=1, max_size=-(-bits // 64)).map(
        lambda parts: sum(part << 64 * i for i, part in enumerate(parts)) & ((1 << bits) - 1)
    )
    return st.one_of(made, made, st.integers(0, bits).flatmap(lambda size: st.integers(0, (1 << size) - 1)))


@st.composite
def sqrt_prices(draw: st.DrawFn) -> int:
    """A price anywhere, or next to a tick's own, or made of words with long carries in them."""
    tick = draw(st.integers(MIN_TICK, MAX_TICK - 1))
    low, high = get_sqrt_ratio_at_tick(tick), get_sqrt_ratio_at_tick(tick + 1)
    odd = wide(160).filter(lambda number: MIN_SQRT_RATIO <= number < MAX_SQRT_RATIO)
    return draw(st.one_of(st.just(low), st.just(high - 1), st.integers(low, high - 1), odd))


liquidities = wide(128).filter(bool)
fees = st.sampled_from([0, 1, 100, 500, 3000, 10_000, 999_999])


def row(*numbers: tuple[int, int]) -> Words:
    """One row of words: each number with its width."""
    return np.hstack([pack([number], width) for number, width in numbers])


def value_or_reason(call: Callable[[], int]) -> int | None:
    """What the reference gives; None where it reverts."""
    try:
        return call()
    except AmmRevert:
        return None


def run(kernel: Kernel, width: int, *arguments: object) -> int | None:
    """One row through a kernel function that says whether its result fits."""
    results, fits = np.zeros((1, width), dtype=np.uint64), np.zeros(1, dtype=np.int64)
    kernel(*arguments, results, fits)
    return unpack(results)[0] if fits[0] else None


@both
@given(a=wide(256), b=wide(256), c=wide(256), round_up=st.booleans())
@example(a=MAX_UINT256, b=MAX_UINT256, c=MAX_UINT256, round_up=True)
@example(a=MAX_UINT256, b=MAX_UINT256, c=MAX_UINT256 - 1, round_up=True)
@example(
    a=535006138814359, b=432862656469423142931042426214547535783388063929571229938474969, c=2, round_up=True
)
@example(a=1, b=1, c=0, round_up=False)
def test_mul_div(kernel: Callable[[str], Kernel], a: int, b: int, c: int, round_up: bool) -> None:
    expected = value_or_reason(lambda: (mul_div_rounding_up if round_up else mul_div)(a, b, c))

    assert run(kernel("mul_divs"), 4, row((a, 4), (b, 4), (c, 4)), round_up) == expected


def test_reciprocals_and_single_digits() -> None:
    """Every pair and triple of words with long carries: where an estimated digit has to be set right."""
    tops = [word | 1 << 63 for word in EDGES]
    with np.errstate(over="ignore"):
        for d1, d0 in product(tops, EDGES):
            divisor = d1 << 64 | d0
            v = division.reciprocal_of_two(np.uint64(d0), np.uint64(d1))
            assert v == ((1 << 192) - 1) // divisor - (1 << 64)
            v1 = division.reciprocal(np.uint64(d1))
            assert v1 == ((1 << 128) - 1) // d1 - (1 << 64)
            for top, low in product((0, 1, d1 - 1, d1 >> 1), EDGES):
                digit, rest = division.two_by_one(np.uint64(low), np.uint64(top), np.uint64(d1), v1)
                assert (int(digit), int(rest)) == divmod(top << 64 | low, d1)
            for top, low in product((0, 1, divisor - 1, divisor - (1 << 64), divisor >> 1), EDGES):
                number = (top << 64 | low) % (divisor << 64)
                words_ = division.three_by_two(_words(number, 3), np.uint64(d0), np.uint64(d1), v)
                assert [int(word) for word in words_] == [
                    number // divisor,
                    *(int(word) for word in _words(number % divisor, 2)),
                ]


def test_what_hardly_ever_happens() -> None:
    with np.errstate(over="ignore"):
        divisor, top, low = 9223472130952728398, 9223472130952728107, 18446744073709551104
        v = division.reciprocal(np.uint64(divisor))
        digit = division.two_by_one(np.uint64(low), np.uint64(top), np.uint64(divisor), v)
        assert (int(digit[0]), int(digit[1])) == divmod(top << 64 | low, divisor)
        for a, b in ((1 << 384, (1 << 384) - 1), ((1 << 384) - 1, (1 << 384) - 1), (5, 6), (6, 5)):
            assert wide_words.less9(_words(a, 9), _words(b, 6)) == (a < b)
            assert wide_words.exceeds9(_words(a, 9), _words(b, 6)) == (a > b)


def _words(number: int, count: int) -> Any:  # noqa: ANN401  a tuple as long as asked for
    return tuple(np.uint64(number >> 64 * i & ((1 << 64) - 1)) for i in range(count))


@both
@settings(max_examples=300)
@given(top=words, second=words, rest=wide(192), digit=words, less=wide(256))
def test_digits_that_look_greatest(
    kernel: Callable[[str], Kernel], top: int, second: int, rest: int, digit: int, less: int
) -> None:
    """What is left has the divisor's own upper words: then a digit is the greatest, or one less."""
    divisor = (top | 1 << 63) << 256 | second << 192 | rest
    numerator = max((divisor << 64) - 1 - less, 0) << 64 | digit
    numerator = min(numerator, (1 << 512) - 1)
    results, inexact = np.zeros((1, 4), dtype=np.uint64), np.zeros(1, dtype=np.int64)
    fits = np.zeros(1, dtype=np.int64)
    kernel("quotients")(row((numerator, 8), (divisor, 5)), results, fits, inexact)

    assert fits[0]
    assert (unpack(results)[0], bool(inexact[0])) == (numerator // divisor, numerator % divisor > 0)


@settings(max_examples=500)
@given(
    denominator=wide(320).filter(bool),
    whole=st.integers(0, 47).flatmap(lambda bits: st.integers(1, 1 << bits)),
    off=st.integers(-1, 1),
    round_up=st.booleans(),
)
@example(
    denominator=1095863978693285612884006035802443563577271947750900702364505,
    whole=122732768105722,
    off=0,
    round_up=False,
)
def test_short_quotients_that_floats_mistake_by_one(
    denominator: int, whole: int, off: int, round_up: bool
) -> None:
    numerator = min(denominator * whole + off, (1 << 384) - 1)
    with np.errstate(over="ignore"):
        result = prices.quotient(_words(numerator, 6), _words(denominator, 5), round_up)

    expected = -(-numerator // denominator) if round_up else numerator // denominator
    assert sum(int(word) << 64 * i for i, word in enumerate(result)) == expected


@both
@settings(max_examples=300)
@given(divisor=wide(320), quotient=wide(256), remainder=wide(320))
@example(divisor=(1 << 319) + ((1 << 192) - 1), quotient=MAX_UINT256, remainder=(1 << 319) + ((1 << 192) - 2))
@example(divisor=(1 << 320) - 1, quotient=(1 << 192) - 1, remainder=0)
@example(divisor=(1 << 319) + 1, quotient=(1 << 128) - 1, remainder=1 << 319)
@example(divisor=((1 << 64) - 1) << 192 | 1, quotient=((1 << 64) - 1) << 64, remainder=((1 << 64) - 1) << 192)
def test_division(kernel: Callable[[str], Kernel], divisor: int, quotient: int, remainder: int) -> None:
    """Numerators are built from their quotients: so the rare digits that are estimated one too high do turn up."""
    numerator = min(quotient * divisor + remainder % (divisor or 1), (1 << 512) - 1)
    results, inexact = np.zeros((1, 4), dtype=np.uint64), np.zeros(1, dtype=np.int64)
    fits = np.zeros(1, dtype=np.int64)
    kernel("quotients")(row((numerator, 8), (divisor, 5)), results, fits, inexact)

    assert bool(fits[0]) == (divisor > 0 and numerator // divisor <= MAX_UINT256)
    if fits[0]:
        assert (unpack(results)[0], bool(inexact[0])) == (numerator // divisor, numerator % divisor > 0)


@both
@given(
    price_x96=wide(160).filter(bool),
    liquidity=liquidities,
    amount=wide(256),
    token0=st.booleans(),
    add=st.booleans(),
)
@example(price_x96=MAX_SQRT_RATIO - 1, liquidity=1 << 127, amount=1 << 250, token0=True, add=True)
@example(price_x96=MAX_SQRT_RATIO - 1, liquidity=1 << 127, amount=MAX_UINT256, token0=True, add=True)
@example(price_x96=1, liquidity=(1 << 128) - 1, amount=MAX_UINT256, token0=True, add=True)
@example(price_x96=MAX_UINT160, liquidity=1, amount=1, token0=False, add=True)
def test_prices_after_amounts(
    kernel: Callable[[str], Kernel], price_x96: int, liquidity: int, amount: int, token0: bool, add: bool
) -> None:
    reference = get_next_sqrt_price_from_amount0 if token0 else get_next_sqrt_price_from_amount1
    expected = value_or_reason(lambda: reference(price_x96, liquidity, amount, add=add))

    given_row = row((price_x96, 3), (liquidity, 2), (amount, 4))
    assert run(kernel("moved_prices"), 3, given_row, token0, add) == expected


@both
@given(a_x96=wide(160), b_x96=wide(160), liquidity=wide(128), token0=st.booleans(), round_up=st.booleans())
@example(a_x96=1, b_x96=MAX_UINT160, liquidity=(1 << 128) - 1, token0=True, round_up=True)
@example(a_x96=0, b_x96=1, liquidity=1, token0=True, round_up=False)
def test_amounts_between_prices(
    kernel: Callable[[str], Kernel], a_x96: int, b_x96: int, liquidity: int, token0: bool, round_up: bool
) -> None:
    reference = get_amount0_delta if token0 else get_amount1_delta
    expected = value_or_reason(lambda: reference(a_x96, b_x96, liquidity, round_up=round_up))

    given_row = row((a_x96, 3), (b_x96, 3), (liquidity, 2))
    assert run(kernel("amounts_between"), 4, given_row, token0, round_up) == expected


@both
@given(price_x96=sqrt_prices())
@example(price_x96=MIN_SQRT_RATIO)
@example(price_x96=MAX_SQRT_RATIO - 1)
def test_ticks_at_prices(kernel: Callable[[str], Kernel], price_x96: int) -> None:
    result = np.zeros(1, dtype=np.int64)
    kernel("ticks_at_ratios")(pack([price_x96], 3), result)

    assert result[0] == get_tick_at_sqrt_ratio(price_x96)


@pytest.mark.parametrize(("kernel", "stride"), [(compiled, 1), (interpreted, 4999)])
def test_prices_at_ticks(kernel: Callable[[str], Kernel], stride: int) -> None:
    ticks = np.unique([*range(MIN_TICK, MAX_TICK + 1, stride * 37), -2, -1, 0, 1, 2, MAX_TICK])
    results = np.zeros((len(ticks), 3), dtype=np.uint64)
    kernel("ratios_at_ticks")(ticks, results)

    assert unpack(results) == [get_sqrt_ratio_at_tick(tick) for tick in ticks.tolist()]


Step: TypeAlias = tuple[int, int, int, int, int]
"""Price, target, liquidity, signed amount, fee."""


def kernel_steps(kernel: Kernel, steps: Sequence[Step]) -> list[tuple[int, ...]]:
    """Steps through a kernel function."""
    prices, targets, liquidities_, amounts, fees_pips = zip(*steps, strict=True)
    numbers = np.hstack(
        [
            pack(prices, 3),
            pack(targets, 3),
            pack(liquidities_, 2),
            pack([abs(amount) for amount in amounts], 4),
        ]
    )
    results = np.zeros((len(steps), 15), dtype=np.uint64)
    exact_in = np.array([amount >= 0 for amount in amounts], dtype=np.int64)
    kernel(numbers, np.array(fees_pips, dtype=np.uint64), exact_in, results)
    columns = results[:, :3], results[:, 3:7], results[:, 7:11], results[:, 11:]
    return list(zip(*(unpack(column) for column in columns), strict=True))


@both
@settings(max_examples=300)
@given(
    price_x96=sqrt_prices(),
    target_x96=sqrt_prices(),
    liquidity=st.one_of(liquidities, st.just(0)),
    amount=st.one_of(wide(255), wide(255).map(lambda size: -size), st.just(MAX_INT256)),
    fee_pips=fees,
)
def test_steps(
    kernel: Callable[[str], Kernel],
    price_x96: int,
    target_x96: int,
    liquidity: int,
    amount: int,
    fee_pips: int,
) -> None:
    step = price_x96, target_x96, liquidity, amount, fee_pips

    assert kernel_steps(kernel("steps"), [step]) == [compute_swap_step(*step)]


@both
@given(
    price_x96=sqrt_prices(),
    target_x96=sqrt_prices(),
    liquidity=liquidities,
    fee_pips=fees,
    off=st.integers(-2, 2),
    exact_in=st.booleans(),
)
def test_steps_that_just_reach_their_target(
    kernel: Callable[[str], Kernel],
    price_x96: int,
    target_x96: int,
    liquidity: int,
    fee_pips: int,
    off: int,
    exact_in: bool,
) -> None:
    """Whether an amount reaches the target is asked in floats first: here they can't tell."""
    _, amount_in, amount_out, fee = compute_swap_step(
        price_x96, target_x96, liquidity, MAX_INT256 if exact_in else -MAX_INT256, fee_pips
    )
    size = max((amount_in + fee if exact_in else amount_out) + off, 1)
    step = price_x96, target_x96, liquidity, size if exact_in else -size, fee_pips

    assert kernel_steps(kernel("steps"), [step]) == [compute_swap_step(*step)]


def random_steps(count: int, seed: int) -> list[Step]:
    """Steps of all sizes; half of them near, as in a pool, half anywhere."""
    draw = Random(seed)  # noqa: S311  sizes to swap, not a secret
    steps = []
    for _ in range(count):
        price_x96 = get_sqrt_ratio_at_tick(draw.randrange(MIN_TICK, MAX_TICK)) + draw.getrandbits(20)
        away = price_x96 + draw.randrange(-price_x96 // 500, price_x96 // 500)
        target_x96 = draw.choice((away, get_sqrt_ratio_at_tick(draw.randrange(MIN_TICK, MAX_TICK))))
        liquidity = draw.getrandbits(draw.randrange(1, 129))
        amount = draw.getrandbits(draw.choice((draw.randrange(1, 256), liquidity.bit_length() or 1))) or 1
        steps.append(
            (
                price_x96,
                max(target_x96, MIN_SQRT_RATIO),
                liquidity,
                draw.choice((amount, -amount)),
                draw.choice((0, 100, 500, 3000, 10_000, 999_999)),
            )
        )
    return steps


def differing_steps(count: int, seed: int) -> list[Step]:
    steps = random_steps(count, seed)
    answers = kernel_steps(compiled("steps"), steps)
    return [step for step, answer in zip(steps, answers, strict=True) if answer != compute_swap_step(*step)]


def test_a_hundred_thousand_steps() -> None:
    assert differing_steps(100_000, seed=1) == []


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 22))
def test_two_million_steps(seed: int) -> None:
    assert differing_steps(100_000, seed) == []
