"""Whole swaps in the kernel against `Pool.swap`: results, refusals, and all the pool holds afterwards."""

from collections.abc import Sequence
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from defai.amm import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    AmmRevert,
    Pool,
    SwapResult,
    TickState,
    get_sqrt_ratio_at_tick,
    max_usable_tick,
    min_usable_tick,
)
from defai.amm.full_math import MAX_INT256, MIN_INT256
from defai.amm.kernel import KernelPool, SwapBatch, SwapOrder, empty_answers, orders, quote_many, swap_many
from defai.amm.limbs import batches
from defai.amm.packing import load, store

SPACINGS = ((100, 1), (500, 10), (3000, 60), (10_000, 200))


def seen(outcomes: Sequence[SwapResult | AmmRevert]) -> list[SwapResult | str]:
    """Results, and the reasons of refusals."""
    return [outcome if isinstance(outcome, SwapResult) else outcome.reason for outcome in outcomes]


def agree(pool: Pool, swaps: Sequence[SwapOrder]) -> list[SwapResult | str]:
    """The outcomes, having made sure that both ways give them, leave the same pool, and quote the same."""
    twin = pool.copy()
    before = pool.snapshot()
    quotes = seen(quote_many(pool, swaps, engine="kernel"))
    assert pool.snapshot() == before
    assert quotes == seen(quote_many(twin, swaps, engine="reference"))
    outcomes = seen(swap_many(pool, swaps, engine="kernel"))
    assert outcomes == seen(swap_many(twin, swaps, engine="reference"))
    assert pool.snapshot() == twin.snapshot()
    return outcomes


sizes = st.integers(1, 255).flatmap(lambda bits: st.integers(1, (1 << bits) - 1))
amounts = st.one_of(
    sizes, sizes.map(lambda size: -size), st.sampled_from([0, 1, -1, MAX_INT256, MIN_INT256, 1 << 255])
)
limits = st.one_of(
    st.none(),
    st.integers(MIN_TICK, MAX_TICK).map(get_sqrt_ratio_at_tick),
    st.integers(-3000, 3000).map(get_sqrt_ratio_at_tick),
    st.sampled_from(
        [-1, 0, MIN_SQRT_RATIO, MIN_SQRT_RATIO + 1, MAX_SQRT_RATIO - 1, MAX_SQRT_RATIO, 1 << 200]
    ),
)
waits = st.sampled_from([0, 0, 1, 12, 1 << 31])


@st.composite
def swap_lists(draw: st.DrawFn) -> list[SwapOrder]:
    """Swaps of any size to any limit, in the order of time."""
    time = 1000
    swaps = []
    for zero_for_one, amount, limit_x96, wait in draw(
        st.lists(st.tuples(st.booleans(), amounts, limits, waits), max_size=12)
    ):
        time += wait
        swaps.append(SwapOrder(zero_for_one, amount, limit_x96, time if wait else None))
    return swaps


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """A pool with liquidity of any size in a few ranges, near and far, and room for some observations."""
    fee_pips, spacing = draw(st.sampled_from(SPACINGS))
    pool = Pool(fee_pips=fee_pips, tick_spacing=spacing)
    start = draw(st.one_of(st.integers(-2000, 2000), st.integers(MIN_TICK, MAX_TICK - 1)))
    pool.initialize(get_sqrt_ratio_at_tick(start) + draw(st.integers(0, 100_000)), timestamp=1000)
    pool.set_fee_protocol(*draw(st.sampled_from([(0, 0), (4, 10), (7, 0)])))
    pool.increase_observation_cardinality_next(draw(st.integers(1, 5)))
    near = st.integers(-50, 50).map(lambda steps: start // spacing + steps)
    far = st.integers(min_usable_tick(spacing) // spacing, max_usable_tick(spacing) // spacing)
    for a, b, liquidity in draw(
        st.lists(
            st.tuples(
                st.one_of(near, far), st.one_of(near, far), st.integers(1, 127).map(lambda bits: 1 << bits)
            )
        )
    ):
        lower, upper = sorted((a * spacing, b * spacing))
        try:
            pool.mint("alice", lower, upper, min(liquidity, pool.max_liquidity_per_tick))
        except AmmRevert:
            continue  # the ticks are full, or the same, or beyond the end
    return pool


@settings(max_examples=200)
@given(pools(), swap_lists())
def test_any_swaps_in_any_pool(pool: Pool, swaps: list[SwapOrder]) -> None:
    agree(pool, swaps)


@settings(max_examples=60)
@given(pools(), swap_lists())
def test_any_swaps_interpreted(pool: Pool, swaps: list[SwapOrder]) -> None:
    """The same code read by Python."""
    twin, arrays, before = pool.copy(), load(pool), load(pool)
    times: list[int] = []
    for swap in swaps:
        times.append(swap.timestamp or (times[-1] if times else pool.timestamp))
    asked = orders(
        [swap.zero_for_one for swap in swaps],
        [swap.amount_specified for swap in swaps],
        [swap.sqrt_price_limit_x96 for swap in swaps],
        np.array(times, dtype=np.int64),
    )
    answers = empty_answers(len(swaps))
    with np.errstate(over="ignore"):
        batches.run_orders(arrays, asked, answers, True)
    store(arrays, before, pool)

    assert seen(list(SwapBatch(answers))) == seen(swap_many(twin, swaps, engine="reference"))
    assert pool.snapshot() == twin.snapshot()


def random_life(seed: int, count: int) -> tuple[int, int]:
    """A random pool and its swaps both ways; how many swaps went through, and how many ticks they crossed."""
    draw = Random(seed)  # noqa: S311  sizes to swap, not a secret
    fee_pips, spacing = draw.choice(SPACINGS)
    pool = Pool(fee_pips=fee_pips, tick_spacing=spacing)
    start = draw.choice((0, draw.randrange(-200_000, 200_000)))
    now = draw.choice((0, 1_700_000_000, (1 << 32) - 500))
    pool.initialize(get_sqrt_ratio_at_tick(start) + draw.getrandbits(20), timestamp=now)
    pool.set_fee_protocol(*draw.choice(((0, 0), (4, 10), (7, 0))))
    pool.increase_observation_cardinality_next(draw.choice((1, 3, 20)))
    bits = draw.randrange(30, 100)
    for _ in range(draw.randrange(1, 40)):
        lower = start // spacing * spacing + spacing * draw.randrange(-60, 60)
        upper = lower + spacing * draw.randrange(1, draw.choice((20, 300)))
        pool.mint("alice", lower, upper, min(draw.getrandbits(bits) + 1, pool.max_liquidity_per_tick // 40))
    swaps = []
    for _ in range(count):
        size = draw.getrandbits(draw.randrange(1, draw.choice((bits, bits, bits + 20, 255)))) + 1
        somewhere = pool.tick + draw.randrange(-3000, 3000)
        limit = draw.choice((None, None, None, get_sqrt_ratio_at_tick(somewhere), draw.getrandbits(160)))
        now += draw.choice((0, 0, 1, 12, 1000))
        swaps.append(SwapOrder(draw.random() < 0.5, draw.choice((size, -size)), limit, now))
    results = [outcome for outcome in agree(pool, swaps) if isinstance(outcome, SwapResult)]
    return len(results), sum(result.ticks_crossed for result in results)


def test_thousands_of_swaps_across_many_ticks() -> None:
    lives = [random_life(seed, 150) for seed in range(30)]

    assert sum(swaps for swaps, _ in lives) > 2500
    assert sum(crossed for _, crossed in lives) > 3000


@pytest.mark.long
@pytest.mark.parametrize("seed", range(1000, 1040))
def test_many_thousand_swaps(seed: int) -> None:
    swaps, _ = random_life(seed, 3000)

    assert swaps > 0


@pytest.mark.parametrize("zero_for_one", [True, False])
@pytest.mark.parametrize("exact_in", [True, False])
def test_all_the_liquidity_there_can_be(zero_for_one: bool, exact_in: bool) -> None:
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(0), timestamp=1)
    most = pool.max_liquidity_per_tick
    for width in range(1, 20):
        pool.mint("alice", -width * 10_000, width * 10_000, most)
    pool.mint("alice", min_usable_tick(10), max_usable_tick(10), most)
    sign = 1 if exact_in else -1
    swaps = [SwapOrder(zero_for_one, sign * (1 << bits)) for bits in range(100, 180, 4)]

    outcomes = agree(pool, [*swaps, SwapOrder(not zero_for_one, sign * MAX_INT256)])
    assert any(isinstance(outcome, SwapResult) and outcome.ticks_crossed > 3 for outcome in outcomes)


@pytest.mark.parametrize(
    ("net", "zero_for_one", "reason"),
    [
        (-(10**19), False, "LS"),
        (10**19, True, "LS"),
        ((1 << 127) - 1, False, "LA"),
        (-(1 << 127), True, "LA"),
    ],
)
def test_liquidity_out_of_bounds_is_refused_and_leaves_no_trace(
    net: int, zero_for_one: bool, reason: str
) -> None:
    """No pool on a chain has such ticks; one of which not all is known may."""
    pool = Pool.from_state(
        fee_pips=500,
        tick_spacing=10,
        sqrt_price_x96=get_sqrt_ratio_at_tick(5),
        tick=5,
        liquidity=(1 << 128) - 5 if reason == "LA" else 10**18,
        fee_growth_global0_x128=7,
        fee_growth_global1_x128=(1 << 256) - 1,
        ticks={
            tick: TickState(liquidity_gross=abs(net), liquidity_net=net if tick in {-100, 100} else 0)
            for tick in (-100, -50, 50, 100)
        },
    )
    small, much = SwapOrder(zero_for_one, 10**12, None, 5), SwapOrder(zero_for_one, MAX_INT256, None, 5)

    outcomes = agree(pool, [small, much, small])
    assert outcomes[1] == reason
    assert pool.timestamp == 5


def test_a_pool_that_is_not_initialised() -> None:
    pool = Pool(fee_pips=500, tick_spacing=10)

    assert agree(pool, [SwapOrder(True, 1), SwapOrder(False, 0), SwapOrder(False, 1 << 255)]) == [
        "LOK",
        "AS",
        "",
    ]


def test_a_pool_without_liquidity_moves_for_nothing() -> None:
    pool = Pool(fee_pips=500, tick_spacing=1)
    pool.initialize(get_sqrt_ratio_at_tick(0), timestamp=1)
    ends = [get_sqrt_ratio_at_tick(tick) for tick in (-256, -257, 0, 255, 256, 511, -1)]
    swaps = [SwapOrder(limit < pool.sqrt_price_x96, 1000, limit) for limit in ends]

    agree(pool, swaps)
    assert agree(pool, [SwapOrder(True, 5), SwapOrder(False, 5)])[0].__class__ is SwapResult


def test_columns_are_the_same_swaps() -> None:
    pool = Pool(fee_pips=500, tick_spacing=10)
    pool.initialize(get_sqrt_ratio_at_tick(0), timestamp=1)
    pool.mint("alice", -1000, 1000, 10**18)
    twin = pool.copy()
    draw = Random(3)  # noqa: S311  sizes to swap, not a secret
    directions = [draw.random() < 0.5 for _ in range(300)]
    sizes_ = [draw.randrange(-(10**15), 10**15) for _ in range(300)]
    times = sorted(draw.randrange(1, 5000) for _ in range(300))
    kernel = KernelPool(pool)
    quoted = kernel.quote(zero_for_one=np.array(directions), amounts=np.array(sizes_, dtype=np.int64))
    first = kernel.swap(zero_for_one=directions[:100], amounts=sizes_[:100], timestamps=times[:100])
    kernel.store()
    second = kernel.swap(
        zero_for_one=np.array(directions[100:]),
        amounts=np.array(sizes_[100:], dtype=np.int64),
        timestamps=np.array(times[100:]),
        sqrt_price_limits_x96=[None] * 200,
    )
    asked = [
        SwapOrder(direction, size, None, time)
        for direction, size, time in zip(directions, sizes_, times, strict=True)
    ]

    assert seen(list(quoted)) == seen(quote_many(twin, asked, engine="reference"))
    assert seen([*first, *second]) == seen(swap_many(twin, asked, engine="reference"))
    assert kernel.store().snapshot() == twin.snapshot()
    assert len(second) == 200
    assert not second.reverted.all()
    assert second.sqrt_prices_x96[-1] == pool.sqrt_price_x96
    assert second.ticks[-1] == pool.tick
    assert second.liquidities[-1] == pool.liquidity
    assert second.ticks_crossed.sum() == sum(
        result.ticks_crossed for result in second if isinstance(result, SwapResult)
    )
