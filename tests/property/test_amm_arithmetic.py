"""Ticks, prices, amounts and liquidity: what must hold for every number."""

from fractions import Fraction

from hypothesis import assume, example, given, reject
from hypothesis import strategies as st

from defai.amm import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    AmmRevert,
    amounts_for_liquidity,
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
    liquidity_for_amounts,
)
from defai.amm.sqrt_price_math import (
    get_amount0_delta,
    get_amount1_delta,
    get_next_sqrt_price_from_amount0,
    get_next_sqrt_price_from_amount1,
)
from defai.amm.swap_math import compute_swap_step
from defai.amm.tick_map import TickMap

ticks = st.integers(MIN_TICK, MAX_TICK)
amounts = st.integers(0, 160).flatmap(lambda bits: st.integers(0, 1 << bits))
liquidities = st.integers(1, 127).flatmap(lambda bits: st.integers(1, 1 << bits))


@st.composite
def sqrt_prices(draw: st.DrawFn) -> int:
    """A price anywhere, or next to a tick's own."""
    tick = draw(st.integers(MIN_TICK, MAX_TICK - 1))
    low, high = get_sqrt_ratio_at_tick(tick), get_sqrt_ratio_at_tick(tick + 1)
    return draw(st.one_of(st.just(low), st.just(high - 1), st.integers(low, high - 1)))


@given(sqrt_prices())
@example(MIN_SQRT_RATIO)
@example(MAX_SQRT_RATIO - 1)
def test_the_tick_of_a_price_is_the_greatest_whose_ratio_is_not_above_it(price_x96: int) -> None:
    tick = get_tick_at_sqrt_ratio(price_x96)

    assert get_sqrt_ratio_at_tick(tick) <= price_x96 < get_sqrt_ratio_at_tick(tick + 1)


@given(ticks)
def test_a_ratio_is_near_the_power_it_stands_for(tick: int) -> None:
    ratio_x96 = get_sqrt_ratio_at_tick(tick)

    assert abs(ratio_x96 / 2**96 / 1.0001 ** (tick / 2) - 1) < 1e-9
    assert MIN_SQRT_RATIO <= ratio_x96 <= MAX_SQRT_RATIO


@given(sqrt_prices(), sqrt_prices(), liquidities)
def test_amounts_are_the_exact_quotients_rounded(a_x96: int, b_x96: int, liquidity: int) -> None:
    low, high = sorted((a_x96, b_x96))
    exact0 = Fraction(liquidity << 96) * (high - low) / (low * high)
    exact1 = Fraction(liquidity * (high - low), 1 << 96)

    assert get_amount0_delta(a_x96, b_x96, liquidity, round_up=False) == exact0.__floor__()
    assert get_amount0_delta(a_x96, b_x96, liquidity, round_up=True) == exact0.__ceil__()
    assert get_amount1_delta(a_x96, b_x96, liquidity, round_up=False) == exact1.__floor__()
    assert get_amount1_delta(a_x96, b_x96, liquidity, round_up=True) == exact1.__ceil__()


@given(sqrt_prices(), liquidities, amounts, st.booleans())
def test_a_price_never_moves_further_than_the_amount_pays_for(
    price_x96: int, liquidity: int, amount: int, add: bool
) -> None:
    try:
        after0 = get_next_sqrt_price_from_amount0(price_x96, liquidity, amount, add=add)
        after1 = get_next_sqrt_price_from_amount1(price_x96, liquidity, amount, add=add)
    except AmmRevert:
        reject()
    if add:
        assert after0 <= price_x96 <= after1
        assert get_amount0_delta(price_x96, after0, liquidity, round_up=True) <= amount
        assert get_amount1_delta(price_x96, after1, liquidity, round_up=True) <= amount
    else:
        assert after1 <= price_x96 <= after0
        assert get_amount0_delta(price_x96, after0, liquidity, round_up=False) >= amount
        assert get_amount1_delta(price_x96, after1, liquidity, round_up=False) >= amount


@given(
    sqrt_prices(),
    sqrt_prices(),
    liquidities,
    amounts.filter(bool),
    st.booleans(),
    st.sampled_from([0, 100, 500, 3000, 10_000, 999_999]),
)
def test_a_step_is_rounded_in_the_pools_favour(
    price_x96: int, target_x96: int, liquidity: int, amount: int, exact_in: bool, fee_pips: int
) -> None:
    remaining = amount if exact_in else -amount
    after_x96, amount_in, amount_out, fee = compute_swap_step(
        price_x96, target_x96, liquidity, remaining, fee_pips
    )
    low, high = sorted((price_x96, after_x96))
    exact0 = Fraction(liquidity << 96) * (high - low) / (low * high)
    exact1 = Fraction(liquidity * (high - low), 1 << 96)
    exact_input, exact_output = (exact0, exact1) if price_x96 >= target_x96 else (exact1, exact0)

    assert min(price_x96, target_x96) <= after_x96 <= max(price_x96, target_x96)
    assert amount_in >= exact_input
    assert amount_out <= exact_output
    assert fee * (1_000_000 - fee_pips) >= amount_in * fee_pips
    if exact_in:
        assert amount_in + fee <= amount
        assert after_x96 == target_x96 or amount_in + fee == amount
    else:
        assert amount_out <= amount
        assert after_x96 == target_x96 or amount_out == amount


@given(sqrt_prices(), sqrt_prices(), sqrt_prices(), amounts, amounts)
def test_liquidity_never_costs_more_than_the_amounts_offered(
    price_x96: int, a_x96: int, b_x96: int, amount0: int, amount1: int
) -> None:
    assume(a_x96 != b_x96)
    try:
        liquidity = liquidity_for_amounts(price_x96, a_x96, b_x96, amount0, amount1)
    except AmmRevert:
        reject()
    used0, used1 = amounts_for_liquidity(price_x96, a_x96, b_x96, liquidity)

    assert used0 <= amount0
    assert used1 <= amount1


@given(
    st.sets(st.integers(-3000, 3000)),
    st.sampled_from([1, 10, 60]),
    st.integers(-200_000, 200_000),
    st.booleans(),
)
def test_the_map_finds_the_next_tick_or_the_end_of_the_word(
    compressed: set[int], spacing: int, tick: int, lte: bool
) -> None:
    tick_map = TickMap(spacing, [number * spacing for number in compressed])
    found, initialized = tick_map.next_initialized_tick_within_one_word(tick, lte=lte)
    here = tick // spacing if lte else tick // spacing + 1
    word = range(here, (here >> 8 << 8) - 1, -1) if lte else range(here, ((here >> 8) + 1) << 8)
    hits = [number for number in word if number in compressed]

    assert initialized == bool(hits)
    assert found == (hits[0] if hits else word[-1]) * spacing
