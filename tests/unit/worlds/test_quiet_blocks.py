"""Blocks that a record leaves out: for who looks back they are there, one row each."""

from defai.chain.mainnet import USDC_WETH_005
from defai.domain.chain_events import Block
from defai.market.state import WINDOW_BLOCKS
from defai.testing.builders import pool_with_liquidity
from defai.worlds.replay_market import ReplayedMarket

POOL = USDC_WETH_005.address


def block(number: int) -> Block:
    return Block(number, f"0x{number:064x}", f"0x{number - 1:064x}", 1_000 + 12 * number, 7)


def market(*numbers: int) -> ReplayedMarket:
    made = ReplayedMarket((USDC_WETH_005,), {POOL: pool_with_liquidity()}, block(1))
    for number in numbers:
        made.apply(block(number))
    return made


def test_blocks_in_which_nothing_happened_are_filled_in() -> None:
    rows = market(5, 6, 10).windows[POOL]
    assert [row.block_number for row in rows] == [5, 6, 7, 8, 9, 10]
    assert [row.timestamp for row in rows] == [1_000 + 12 * number for number in range(5, 11)]
    assert {(row.swaps, row.amount0_in, row.tick_low == row.tick == row.tick_high) for row in rows} == {
        (0, 0, True)
    }
    assert {row.base_fee_wei for row in rows} == {7}


def test_no_more_are_filled_in_than_are_kept() -> None:
    rows = market(5, 50_000_000).windows[POOL]
    assert len(rows) == WINDOW_BLOCKS
    assert [rows[0].block_number, rows[-1].block_number] == [50_000_001 - WINDOW_BLOCKS, 50_000_000]
