"""The market's fold: what blocks do to it, and that it can be undone to the last row."""

import pytest

from defai.amm import Pool
from defai.chain.mainnet import USDC_WETH_005, USDC_WETH_030
from defai.domain.chain_events import LiquidityCollected, PoolEvent, PoolInitialized, PoolSwapped
from defai.errors import DivergenceError
from defai.market.state import REORG_DEPTH, WINDOW_BLOCKS, MarketState
from defai.testing.builders import (
    START_TICK,
    block_hash,
    liquidity_event,
    market_of,
    next_block,
    pool_with_liquidity,
    swap_block,
    swap_event,
)

LOW, HIGH = USDC_WETH_005, USDC_WETH_030


def two_pools() -> MarketState:
    return market_of({LOW: pool_with_liquidity(LOW), HIGH: pool_with_liquidity(HIGH)})


def test_a_swap_moves_its_own_pool_and_is_reproduced_exactly() -> None:
    market = two_pools()
    other = market.pools[HIGH.address].snapshot()
    twin = market.pools[LOW.address].copy()
    twin.swap(zero_for_one=True, amount_specified=10**11, timestamp=market.head.timestamp + 12)
    market.apply(swap_block(market, LOW, zero_for_one=True, amount_in=10**11))
    assert market.pools[LOW.address].snapshot() == twin.snapshot()
    assert market.pools[HIGH.address].snapshot() == other
    assert (market.swaps_exact, market.swaps_forced) == (1, 0)


def test_a_swap_that_no_exact_pool_can_have_done_is_forced_and_counted() -> None:
    market = two_pools()
    event = swap_event(market.pools[LOW.address].copy(), LOW, zero_for_one=True, amount_in=10**11)
    odd = PoolSwapped(
        LOW.address, "", "", event.amount0 + 7, event.amount1, event.sqrt_price_x96 - 5, event.liquidity,
        event.tick, 0, "",
    )  # fmt: skip
    market.apply(next_block(market, [odd]))
    assert (market.swaps_exact, market.swaps_forced) == (0, 1)
    assert market.pools[LOW.address].sqrt_price_x96 == odd.sqrt_price_x96


def test_every_block_gives_every_pool_a_row() -> None:
    market = two_pools()
    pool = market.pools[LOW.address].copy()
    down = swap_event(pool, LOW, zero_for_one=True, amount_in=4 * 10**11)
    up = swap_event(pool, LOW, zero_for_one=False, amount_in=5 * 10**20)
    market.apply(next_block(market, [down, up]))
    (row,) = market.windows[LOW.address]
    assert (row.block_number, row.base_fee_wei, row.swaps) == (101, market.head.base_fee_wei, 2)
    assert (row.amount0_in, row.amount1_in) == (down.amount0, up.amount1)
    assert (row.tick_low, row.tick_high) == (down.tick, max(START_TICK, up.tick))
    assert (row.sqrt_price_x96, row.tick, row.liquidity) == (up.sqrt_price_x96, up.tick, up.liquidity)
    (idle,) = market.windows[HIGH.address]
    assert (idle.swaps, idle.tick_low, idle.tick_high) == (0, START_TICK, START_TICK)


def test_liquidity_comes_and_goes() -> None:
    market = two_pools()
    twin = market.pools[LOW.address].copy()
    before = twin.liquidity
    ticks = (START_TICK - 100, START_TICK + 100)
    events: list[PoolEvent] = [liquidity_event(twin, LOW, ticks, 10**17)]
    market.apply(next_block(market, events))
    assert market.pools[LOW.address].liquidity == before + 10**17
    settled = LiquidityCollected(LOW.address, "others", "others", *ticks, 5, 5, 0, "")
    nothing = liquidity_event(twin.copy(), LOW, ticks, -1)
    empty = type(nothing)(LOW.address, "others", *ticks, 0, 0, 0, 0, "")
    events = [liquidity_event(twin, LOW, ticks, -(10**17)), settled, empty]
    market.apply(next_block(market, events))
    assert market.pools[LOW.address].liquidity == before
    assert ticks[0] not in market.pools[LOW.address].ticks


def test_a_pool_can_be_born_in_a_block() -> None:
    unborn = Pool(fee_pips=LOW.fee_pips, tick_spacing=LOW.tick_spacing)
    market = market_of({LOW: unborn})
    price = pool_with_liquidity(LOW).sqrt_price_x96
    market.apply(next_block(market, [PoolInitialized(LOW.address, price, START_TICK, 0, "")]))
    assert market.pools[LOW.address].tick == START_TICK


def test_events_of_other_pools_are_passed_over() -> None:
    market = market_of({LOW: pool_with_liquidity(LOW)})
    stranger = swap_event(pool_with_liquidity(HIGH), HIGH, zero_for_one=True, amount_in=10**9)
    before = market.pools[LOW.address].snapshot()
    market.apply(next_block(market, [stranger]))
    assert market.pools[LOW.address].snapshot() == before
    assert market.head.number == 101


@pytest.mark.parametrize("change", ["number", "parent"])
def test_a_block_that_does_not_follow_is_refused(change: str) -> None:
    market = two_pools()
    block = next_block(market)
    wrong = type(block)(
        block.number + (change == "number"),
        block.hash,
        block_hash(7) if change == "parent" else block.parent_hash,
        block.timestamp,
        block.base_fee_wei,
    )
    with pytest.raises(DivergenceError, match="does not follow block 100"):
        market.apply(wrong)
    assert market.head.number == 100


def test_an_impossible_event_leaves_the_fold_as_it_was_and_names_pool_and_block() -> None:
    market = two_pools()
    before = {address: pool.snapshot() for address, pool in market.pools.items()}
    pool = market.pools[LOW.address].copy()
    possible = swap_event(pool, LOW, zero_for_one=True, amount_in=10**10)
    twin = pool.copy()
    twin.mint("x", START_TICK - 40, START_TICK + 40, 10**18)
    impossible = liquidity_event(twin, LOW, (START_TICK - 40, START_TICK + 40), -(10**18))
    with pytest.raises(DivergenceError, match=r"USDC/WETH 0\.05 % diverged at block 101.*LiquidityBurned"):
        market.apply(next_block(market, [possible, impossible]))
    assert {address: pool.snapshot() for address, pool in market.pools.items()} == before
    assert (market.head.number, market.swaps_exact) == (100, 0)
    assert not market.windows[LOW.address]
    market.apply(next_block(market, [possible]))
    market.roll_back(100)
    assert {address: pool.snapshot() for address, pool in market.pools.items()} == before


def test_rolling_back_brings_back_the_rows_that_a_full_window_dropped() -> None:
    market = market_of({LOW: pool_with_liquidity(LOW)})
    for _ in range(WINDOW_BLOCKS):
        market.apply(next_block(market))
    rows, head = tuple(market.windows[LOW.address]), market.head
    for _ in range(REORG_DEPTH):
        market.apply(swap_block(market, LOW, zero_for_one=True, amount_in=10**9))
    assert market.windows[LOW.address][0] != rows[0]
    market.roll_back(head.number)
    assert tuple(market.windows[LOW.address]) == rows
    assert market.head == head
    assert market.swaps_exact == 0


def test_rolling_back_further_than_is_remembered_is_refused() -> None:
    market = market_of({LOW: pool_with_liquidity(LOW)})
    for _ in range(REORG_DEPTH + 1):
        market.apply(next_block(market))
    with pytest.raises(DivergenceError, match="deeper than the 16 blocks kept"):
        market.roll_back(100)


def test_rolling_back_to_the_newest_block_does_nothing() -> None:
    market = market_of({LOW: pool_with_liquidity(LOW)})
    market.apply(next_block(market))
    market.roll_back(101)
    assert market.head.number == 101


def test_another_branch_can_be_followed_after_rolling_back() -> None:
    market = market_of({LOW: pool_with_liquidity(LOW)})
    market.apply(swap_block(market, LOW, zero_for_one=True, amount_in=10**10))
    market.roll_back(100)
    twin = market.pools[LOW.address].copy()
    event = swap_event(twin, LOW, zero_for_one=False, amount_in=10**18)
    market.apply(next_block(market, [event], branch="ff"))
    assert market.pools[LOW.address].sqrt_price_x96 == twin.sqrt_price_x96
    assert market.head.hash == block_hash(101, "ff")
