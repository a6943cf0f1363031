"""The corners of 256-bit arithmetic that a pool's own numbers hardly reach."""

from collections.abc import Callable

import pytest

from defai.amm import AmmRevert
from defai.amm.full_math import mul_div, mul_div_rounding_up, to_uint128, to_uint256
from defai.amm.liquidity_math import add_delta
from defai.amm.oracle import Observation, Oracle, not_after, wrap_int56
from defai.amm.sqrt_price_math import (
    get_amount0_delta,
    get_next_sqrt_price_from_amount0,
    get_next_sqrt_price_from_amount1,
)
from defai.amm.swap_math import compute_swap_step
from defai.amm.tick import EMPTY_TICK, Growth, TickState, updated
from defai.amm.tick_map import TickMap

MAX_256 = (1 << 256) - 1
Q96 = 1 << 96


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: mul_div(1, 1, 0), ""),
        (lambda: mul_div(MAX_256, 2, 1), ""),
        (lambda: mul_div_rounding_up(1, 1, 0), ""),
        (lambda: mul_div_rounding_up(MAX_256, 2, 1), ""),
        (lambda: to_uint128(1 << 128), ""),
        (lambda: to_uint256(-1), ""),
        (lambda: add_delta(1, -2), "LS"),
        (lambda: add_delta((1 << 128) - 1, 1), "LA"),
        (lambda: get_amount0_delta(0, Q96, 1, round_up=True), ""),
        (lambda: get_next_sqrt_price_from_amount0(Q96, 1, 1, add=False), ""),
        (lambda: get_next_sqrt_price_from_amount0(1 << 159, 1 << 100, (1 << 37) - 1, add=False), ""),
        (lambda: get_next_sqrt_price_from_amount0(Q96, 1, MAX_256, add=True), ""),
        (lambda: get_next_sqrt_price_from_amount1(Q96, 1, 1, add=False), ""),
        (lambda: get_next_sqrt_price_from_amount1(Q96, 1, 1 << 64, add=True), ""),
        (lambda: TickMap(60).flip(61), ""),
    ],
)
def test_what_does_not_fit_is_refused(call: Callable[[], object], reason: str) -> None:
    with pytest.raises(AmmRevert) as revert:
        call()

    assert revert.value.reason == reason


def test_products_may_need_512_bits_on_the_way() -> None:
    assert mul_div(MAX_256, MAX_256, MAX_256) == MAX_256
    assert mul_div_rounding_up(MAX_256, MAX_256 - 1, MAX_256) == MAX_256 - 1
    assert mul_div_rounding_up(10, 1, 3) == 4


def test_where_the_denominator_overflows_the_price_is_less_precise() -> None:
    assert get_next_sqrt_price_from_amount0(Q96, 10, 0, add=True) == Q96
    # As in v3-core's own test: more token0 than 256 bits can multiply with the price leaves a price of one.
    assert get_next_sqrt_price_from_amount0(Q96, 1, MAX_256 >> 1, add=True) == 1
    assert (
        get_next_sqrt_price_from_amount0(1 << 159, 1 << 127, 1 << 100, add=True)
        == (1 << 223) // ((1 << 64) + (1 << 100)) + 1
    )


def test_a_ticks_net_liquidity_stays_within_128_signed_bits() -> None:
    growth = Growth(1, 2, 3, 4, 5)
    crowded = TickState(liquidity_gross=1, liquidity_net=(1 << 127) - 1)
    with pytest.raises(AmmRevert):
        updated(crowded, below=True, liquidity_delta=1, upper=False, growth=growth, max_liquidity=1 << 127)
    fresh = updated(EMPTY_TICK, below=True, liquidity_delta=7, upper=True, growth=growth, max_liquidity=8)

    assert fresh == (7, -7, 1, 2, 3, 4, 5)
    assert updated(
        EMPTY_TICK, below=False, liquidity_delta=7, upper=False, growth=growth, max_liquidity=8
    ) == (
        7,
        7,
        *(0,) * 5,
    )


def test_clocks_and_sums_wrap() -> None:
    assert wrap_int56(1 << 55) == -(1 << 55)
    assert wrap_int56(-1) == -1
    assert not_after(10, (1 << 32) - 5, 5)
    assert not not_after(10, 5, (1 << 32) - 5)
    assert not_after(10, 3, 5)


def test_a_mean_between_observations_is_cut_off_towards_zero() -> None:
    oracle = Oracle()
    oracle.observations = [Observation(10, 0, 0, initialized=True), Observation(12, -5, 7, initialized=True)]
    oracle.index, oracle.cardinality = 1, 2

    assert oracle.observe(12, [1], tick=0, liquidity=0) == [(-2, 3)]


@pytest.mark.parametrize("target_x96", [Q96 * 3 // 2, Q96 // 2])
def test_an_amount_that_just_reaches_the_target_reaches_it(target_x96: int) -> None:
    liquidity = 10**18 + 7
    _, amount_in, amount_out, fee = compute_swap_step(Q96, target_x96, liquidity, 1 << 200, 3000)

    assert compute_swap_step(Q96, target_x96, liquidity, amount_in + fee, 3000)[0] == target_x96
    assert compute_swap_step(Q96, target_x96, liquidity, amount_in + fee - 1, 3000)[0] != target_x96
    assert compute_swap_step(Q96, target_x96, liquidity, -amount_out, 3000)[0] == target_x96
    assert compute_swap_step(Q96, target_x96, liquidity, 1 - amount_out, 3000)[0] != target_x96
