"""A pair read as a pool: the contract's amounts, whatever the price and depth it is said to have."""

import pickle
from random import Random

import pytest

from defai.amm import AmmRevert, PairPool, PoolStateError, V2Pair
from defai.amm.frozen import FrozenPair, freeze
from defai.amm.pair_pool import worst_average_out


def some(rng: Random) -> PairPool:
    return PairPool(rng.randrange(10**6, 10**16), rng.randrange(10**9, 10**25), 5)


def test_swaps_give_what_the_pair_gives() -> None:
    rng = Random(4)  # noqa: S311  no secret
    for _ in range(300):
        pool, pair = some(rng), V2Pair()
        pair.mint("others", pool.reserve0, pool.reserve1)
        for _ in range(3):
            zero = rng.random() < 0.5
            amount = rng.randrange(1, max((pool.reserve0, pool.reserve1)[not zero] // 5, 2))
            quoted = pool.quote(zero_for_one=zero, amount_specified=amount)
            if not -min(quoted.amount0, quoted.amount1):
                continue
            got = pair.swap_exact_in(zero_for_one=zero, amount_in=amount)
            assert pool.swap(zero_for_one=zero, amount_specified=amount) == quoted
            assert (quoted.amount0, quoted.amount1) == ((amount, -got) if zero else (-got, amount))
            assert (pool.reserve0, pool.reserve1) == (pair.reserve0, pair.reserve1)
            assert quoted[2:5] == (pool.sqrt_price_x96, pool.liquidity, pool.tick)


def test_a_limit_is_met_and_not_passed() -> None:
    rng = Random(5)  # noqa: S311  the same
    for _ in range(500):
        pool, zero, part = some(rng), rng.random() < 0.5, rng.randrange(500, 999)
        limit = pool.sqrt_price_x96 * part // 1_000 if zero else pool.sqrt_price_x96 * 1_000 // part
        most = pool.amount_to(limit, zero_for_one=zero)
        if not most:
            continue
        at = pool.quote(zero_for_one=zero, amount_specified=most).sqrt_price_x96
        beyond = pool.quote(zero_for_one=zero, amount_specified=most + 2 + most // 10**6).sqrt_price_x96
        assert at >= limit if zero else at <= limit
        assert beyond <= limit * 1_000_001 // 1_000_000 if zero else beyond >= limit * 999_999 // 1_000_000
        stopped = pool.quote(zero_for_one=zero, amount_specified=10**40, sqrt_price_limit_x96=limit)
        assert max(stopped.amount0, stopped.amount1) == most
        got = -min(stopped.amount0, stopped.amount1)
        assert got >= worst_average_out(most, limit, zero_for_one=zero), (
            "its average is better than its limit"
        )


def test_a_swap_on_the_chain_is_folded_in_and_a_wrong_one_refused() -> None:
    pool = PairPool(10**12, 5 * 10**20, 5)
    other = pool.copy()
    done = other.swap(zero_for_one=False, amount_specified=10**17)
    told = {"sqrt_price_x96": done.sqrt_price_x96, "liquidity": done.liquidity, "tick": done.tick}
    with pytest.raises(PoolStateError, match="does not lead to the price"):
        pool.replay_swap(amount0=done.amount0 - 10**6, amount1=done.amount1, **told)
    assert pool.replay_swap(amount0=done.amount0, amount1=done.amount1, timestamp=6, **told)
    assert (pool.reserve0, pool.reserve1) == (other.reserve0, other.reserve1)
    generous = PairPool(pool.reserve0 + 10**8, pool.reserve1)
    state = {"sqrt_price_x96": generous.sqrt_price_x96, "liquidity": generous.liquidity}
    assert not pool.replay_swap(amount0=10**8, amount1=0, tick=generous.tick, **state), (
        "a gift, no router's swap"
    )


def test_liquidity_keeps_the_price_as_the_router_does() -> None:
    pool = PairPool()
    with pytest.raises(AmmRevert):
        pool.quote(zero_for_one=True, amount_specified=1)
    assert pool.provide(3 * 10**9, 10**18) == (3 * 10**9, 10**18)
    assert pool.provide(10**9, 10**18) == (10**9, 10**18 // 3)
    assert pool.provide(10**10, 3 * 10**17) == (9 * 10**8, 3 * 10**17)


def test_what_a_pair_has_not_is_refused() -> None:
    pool = PairPool(10**12, 5 * 10**20)
    for what in ("mint", "burn", "update_liquidity", "fee_growth_inside", "mean_tick", "initialize"):
        with pytest.raises(AmmRevert, match="no positions, no ticks"):
            getattr(pool, what)(0, 0)
    most = pool.quote(zero_for_one=True, amount_specified=10**40).amount0
    assert pool.reserve0 + most == (1 << 112) - 1, "what it can hold"
    with pytest.raises(AmmRevert, match="112 bits"):
        pool.swap(zero_for_one=True, amount_specified=10**40)
    with pytest.raises(AmmRevert, match="what goes in"):
        pool.quote(zero_for_one=True, amount_specified=-5)


def test_a_frozen_pair_quotes_and_does_not_move() -> None:
    pool = PairPool(10**12, 5 * 10**20, 7)
    frozen = freeze(pool)
    assert isinstance(frozen, FrozenPair)
    quoted = pool.quote(zero_for_one=True, amount_specified=10**9)
    with pytest.raises(TypeError, match="to be looked at"):
        frozen.swap(zero_for_one=True, amount_specified=10**9)
    with pytest.raises(TypeError, match="to be looked at"):
        frozen.set_reserves(1, 1)
    for one in (frozen, pickle.loads(pickle.dumps(frozen)), frozen.copy()):  # noqa: S301  our own
        assert one.quote(zero_for_one=True, amount_specified=10**9) == quoted
    before = pool.snapshot()
    pool.swap(zero_for_one=True, amount_specified=10**9)
    assert frozen.quote(zero_for_one=True, amount_specified=10**9) == quoted
    pool.restore(before)
    assert pool.snapshot() == before
