"""A v2 pair over any life."""

from hypothesis import assume, given, reject
from hypothesis import strategies as st

from defai.amm import AmmRevert, V2Pair
from defai.amm.v2_pair import get_amount_in, get_amount_out

reserves = st.integers(3, 111).flatmap(lambda bits: st.integers(1 << (bits - 1), (1 << bits) - 1))
amounts = st.integers(1, 100).flatmap(lambda bits: st.integers(1, 1 << bits))


def new_pair(reserve0: int, reserve1: int, fee_to: str | None = None) -> V2Pair:
    pair = V2Pair(fee_to)
    try:
        pair.mint("founder", reserve0, reserve1, timestamp=100)
    except AmmRevert:
        reject()
    return pair


@given(reserves, reserves, st.lists(st.tuples(st.booleans(), amounts), max_size=8))
def test_the_product_of_the_reserves_never_falls(
    reserve0: int, reserve1: int, swaps: list[tuple[bool, int]]
) -> None:
    pair = new_pair(reserve0, reserve1)
    for zero_for_one, amount_in in swaps:
        product = pair.reserve0 * pair.reserve1
        before = pair.snapshot()
        try:
            pair.swap_exact_in(zero_for_one=zero_for_one, amount_in=amount_in)
        except AmmRevert:
            assert pair.snapshot() == before
        assert pair.reserve0 * pair.reserve1 >= product


@given(reserves, reserves, amounts)
def test_the_quoted_output_is_the_most_there_is(reserve0: int, reserve1: int, amount_in: int) -> None:
    pair = new_pair(reserve0, reserve1)
    assume(reserve0 + amount_in < 1 << 112)
    amount_out = get_amount_out(amount_in, reserve0, reserve1)
    greedy = pair.copy()
    try:
        greedy.swap(amount0_in=amount_in, amount1_out=amount_out + 1)
    except AmmRevert as revert:
        assert revert.reason in {"UniswapV2: K", "UniswapV2: INSUFFICIENT_LIQUIDITY"}  # noqa: PT017  both may be
    else:
        raise AssertionError("more than the quoted amount came out")
    if amount_out:
        pair.swap(amount0_in=amount_in, amount1_out=amount_out)
        assert (pair.reserve0, pair.reserve1) == (reserve0 + amount_in, reserve1 - amount_out)


@given(reserves, reserves, amounts)
def test_the_quoted_input_is_enough(reserve0: int, reserve1: int, amount_out: int) -> None:
    assume(amount_out < reserve1)
    cost = get_amount_in(amount_out, reserve0, reserve1)
    assume(reserve0 + cost < 1 << 112)
    pair = new_pair(reserve0, reserve1)

    pair.swap(amount0_in=cost, amount1_out=amount_out)
    assert get_amount_out(cost, reserve0, reserve1) >= amount_out


@given(reserves, reserves, amounts, amounts, st.sampled_from([None, "protocol"]))
def test_minting_and_burning_at_once_never_pays(
    reserve0: int, reserve1: int, amount0: int, amount1: int, fee_to: str | None
) -> None:
    pair = new_pair(reserve0, reserve1, fee_to)
    try:
        minted = pair.mint("alice", amount0, amount1)
        got0, got1 = pair.burn("alice", minted)
    except AmmRevert:
        return
    assert got0 <= amount0
    assert got1 <= amount1
    assert pair.total_supply == sum(pair.liquidity_of.values())
