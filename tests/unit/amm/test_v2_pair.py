"""What a v2 pair refuses, and what its clock adds up."""

from collections.abc import Callable

import pytest

from defai.amm import AmmRevert, V2Pair
from defai.amm.v2_pair import NOBODY, get_amount_in, get_amount_out


@pytest.fixture
def pair() -> V2Pair:
    pair = V2Pair()
    pair.mint("alice", 10**18, 4 * 10**18, timestamp=100)
    return pair


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda pair: pair.mint("bob", 0, 1), "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"),
        (lambda pair: pair.mint("bob", -1, 1), ""),
        (lambda pair: pair.mint("bob", 1 << 112, 1 << 112), "UniswapV2: OVERFLOW"),
        (lambda pair: pair.donate((1 << 256) - 1, 0), "ds-math-add-overflow"),
        (lambda pair: pair.burn("bob", 1), "ds-math-sub-underflow"),
        (lambda pair: pair.burn("alice", 0), "UniswapV2: INSUFFICIENT_LIQUIDITY_BURNED"),
        (lambda pair: pair.swap(amount0_in=1), "UniswapV2: INSUFFICIENT_OUTPUT_AMOUNT"),
        (lambda pair: pair.swap(amount0_out=10**18), "UniswapV2: INSUFFICIENT_LIQUIDITY"),
        (lambda pair: pair.swap(amount0_out=1), "UniswapV2: INSUFFICIENT_INPUT_AMOUNT"),
        (lambda pair: pair.swap(amount0_out=1, amount1_out=-1), ""),
        (lambda pair: pair.swap(amount0_in=10**15, amount1_out=4 * 10**15), "UniswapV2: K"),
        (lambda pair: pair.swap(amount0_in=1 << 255, amount1_out=1), "ds-math-mul-overflow"),
        (lambda _: V2Pair().mint("bob", 10, 10), "ds-math-sub-underflow"),
        (lambda _: V2Pair().mint("bob", 1000, 1000), "UniswapV2: INSUFFICIENT_LIQUIDITY_MINTED"),
        (lambda _: V2Pair().burn("bob", 0), ""),
        (lambda _: get_amount_out(0, 1, 1), "UniswapV2Library: INSUFFICIENT_INPUT_AMOUNT"),
        (lambda _: get_amount_out(1, 0, 1), "UniswapV2Library: INSUFFICIENT_LIQUIDITY"),
        (lambda _: get_amount_in(0, 1, 1), "UniswapV2Library: INSUFFICIENT_OUTPUT_AMOUNT"),
        (lambda _: get_amount_in(1, 0, 1), "UniswapV2Library: INSUFFICIENT_LIQUIDITY"),
        (lambda _: get_amount_in(2, 1, 1), "ds-math-sub-underflow"),
        (lambda _: get_amount_in(1, 1, 1), ""),
    ],
)
def test_a_refusal_has_the_contracts_name_and_changes_nothing(
    pair: V2Pair, call: Callable[[V2Pair], object], reason: str
) -> None:
    before = pair.snapshot()
    with pytest.raises(AmmRevert) as revert:
        call(pair)

    assert revert.value.reason == reason
    assert str(revert.value)
    assert pair.snapshot() == before


def test_the_first_mint_locks_a_little_away(pair: V2Pair) -> None:
    assert pair.liquidity_of == {NOBODY: 1000, "alice": 2 * 10**18 - 1000}
    assert pair.burn("alice", 10**18) == (5 * 10**17, 2 * 10**18)


def test_swaps_go_both_ways(pair: V2Pair) -> None:
    reserve0, reserve1 = 10**18, 4 * 10**18
    bought = 997 * 10**15 * reserve1 // (reserve0 * 1000 + 997 * 10**15)
    reserve0, reserve1 = reserve0 + 10**15, reserve1 - bought
    returned = 997 * bought * reserve0 // (reserve1 * 1000 + 997 * bought)

    assert pair.swap_exact_in(zero_for_one=True, amount_in=10**15) == bought
    assert pair.swap_exact_in(zero_for_one=False, amount_in=bought) == returned
    assert (pair.reserve0, pair.reserve1) == (reserve0 - returned, reserve1 + bought)


def test_gifts_are_kept_apart_until_someone_counts_them(pair: V2Pair) -> None:
    pair.donate(5, 7)
    assert (pair.reserve0, pair.balance0) == (10**18, 10**18 + 5)
    assert pair.skim() == (5, 7)
    pair.donate(5, 7)
    pair.sync(timestamp=110)
    assert (pair.reserve0, pair.reserve1) == (10**18 + 5, 4 * 10**18 + 7)
    assert pair.price0_cumulative_x112 == 10 * (4 << 112)
    assert pair.price1_cumulative_x112 == 10 * ((1 << 112) // 4)


def test_the_protocol_takes_a_sixth_of_the_growth() -> None:
    pair = V2Pair(fee_to="protocol")
    pair.mint("alice", 10**18, 10**18)
    pair.burn("alice", 10**9)
    assert "protocol" not in pair.liquidity_of
    for _ in range(20):
        pair.swap_exact_in(zero_for_one=True, amount_in=10**17)
        pair.swap_exact_in(zero_for_one=False, amount_in=10**17)
    growth = pair.reserve0 * pair.reserve1 / pair.k_last
    pair.mint("bob", 10**18, 10**18)

    share = pair.liquidity_of["protocol"] / (pair.liquidity_of["alice"] + pair.liquidity_of["protocol"])
    assert share == pytest.approx((1 - growth**-0.5) / 6, rel=1e-6)
