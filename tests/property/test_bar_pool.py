"""A pool that follows bars keeps the minute-bar rule to the unit, whatever the path."""

from hypothesis import given
from hypothesis import strategies as st

from defai.amm import get_sqrt_ratio_at_tick
from defai.chain.mainnet import USDC_WETH_005
from defai.market.bars import fee_growth_x128, path_inside
from defai.worlds.bar_pool import BarPool

FEE = USDC_WETH_005.fee_pips
TICKS = st.integers(-300, 300)
AMOUNTS = st.integers(0, 10**24)
LIQUIDITY = st.integers(1, 10**24)
BARS = st.lists(st.tuples(TICKS, AMOUNTS, AMOUNTS, st.integers(0, 10**24)), min_size=1, max_size=30)
RANGES = st.tuples(st.integers(-25, 25), st.integers(1, 20)).map(
    lambda drawn: (drawn[0] * 10, (drawn[0] + drawn[1]) * 10)
)


def followed(start: int, own: list[tuple[tuple[int, int], int]]) -> BarPool:
    moving = BarPool(USDC_WETH_005, start, 10**18, 0)
    for number, (ticks, liquidity) in enumerate(own):
        moving.pool.mint(f"owner-{number}", *ticks, liquidity)
    moving.touched(start)
    return moving


@given(start=TICKS, ticks=RANGES, liquidity=LIQUIDITY, bars=BARS)
def test_one_position_earns_what_the_rule_says(
    start: int, ticks: tuple[int, int], liquidity: int, bars: list[tuple[int, int, int, int]]
) -> None:
    moving = followed(start, [(ticks, liquidity)])
    expected, tick = [0, 0], start
    for number, (close, amount0, amount1, others) in enumerate(bars):
        moving.follow(close, amount0, amount1, others, number + 1)
        part, whole = path_inside(tick, close, *ticks)
        for zero, amount in enumerate((amount0, amount1)):
            expected[zero] += fee_growth_x128(amount, FEE, others + liquidity, part, whole)
        tick = close
    assert moving.pool.fee_growth_inside(*ticks) == tuple(expected)
    assert moving.pool.tick == tick
    assert moving.pool.sqrt_price_x96 == get_sqrt_ratio_at_tick(tick)


@given(start=TICKS, own=st.lists(st.tuples(RANGES, LIQUIDITY), max_size=4), bars=BARS)
def test_liquidity_in_range_is_the_others_and_those_of_ours_that_hold_the_tick(
    start: int, own: list[tuple[tuple[int, int], int]], bars: list[tuple[int, int, int, int]]
) -> None:
    moving = followed(start, own)
    for number, (close, amount0, amount1, others) in enumerate(bars):
        moving.follow(close, amount0, amount1, others, number + 1)
        mine = sum(liquidity for (lower, upper), liquidity in own if lower <= close < upper)
        assert moving.pool.liquidity == others + mine


@given(start=TICKS, own=st.lists(st.tuples(RANGES, LIQUIDITY), min_size=1, max_size=4), bars=BARS)
def test_positions_never_earn_more_than_the_fees_that_were_paid(
    start: int, own: list[tuple[tuple[int, int], int]], bars: list[tuple[int, int, int, int]]
) -> None:
    moving = followed(start, own)
    for number, (close, amount0, amount1, others) in enumerate(bars):
        moving.follow(close, amount0, amount1, others, number + 1)
    earned = [0, 0]
    for number, (ticks, _) in enumerate(own):
        moving.pool.burn(f"owner-{number}", *ticks, 0)
        for zero, fee in enumerate(moving.pool.collect(f"owner-{number}", *ticks, 2**128 - 1, 2**128 - 1)):
            earned[zero] += fee
    for zero in (0, 1):
        assert earned[zero] * 1_000_000 <= sum(bar[1 + zero] for bar in bars) * FEE


@given(
    start=TICKS, ticks=RANGES, liquidity=LIQUIDITY, sold=st.integers(1, 10**22), zero_for_one=st.booleans()
)
def test_a_swap_of_ours_leaves_no_trace_in_the_price(
    start: int, ticks: tuple[int, int], liquidity: int, sold: int, zero_for_one: bool
) -> None:
    moving = followed(start, [(ticks, liquidity)])
    before = moving.pool.snapshot()
    moving.pool.swap(zero_for_one=zero_for_one, amount_specified=sold)
    paid = moving.pool.fee_growth_inside(*ticks)
    moving.touched(start)
    assert (moving.pool.tick, moving.pool.sqrt_price_x96) == (start, before.scalars[0])
    assert moving.pool.liquidity == before.scalars[2]
    assert moving.pool.fee_growth_inside(*ticks) == paid
