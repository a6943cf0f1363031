"""The bars world passes what every world passes, but for what asks for exact swaps: its bars have none."""

from collections.abc import Sequence

import pytest

from defai.agent.ports import Seat, World
from defai.chain.mainnet import USDC_WETH_005
from defai.domain.tokens import Token
from defai.testing.bars import walking_bars
from defai.testing.stage import VALUATION, Witness
from defai.testing.world import CHECKS, Suite
from defai.units import GWEI
from defai.worlds.bars import BarsWorld
from defai.worlds.seating import SeatRequest

POOL = USDC_WETH_005.address
BARS = walking_bars(400, tick=200_300)


def bars_world(requests: Sequence[SeatRequest]) -> BarsWorld:
    return BarsWorld(BARS, USDC_WETH_005, VALUATION, requests, base_fee_wei=7 * GWEI, first_row=10)


async def _balance(world: World, seat: Seat, token: Token) -> int:
    assert isinstance(world, BarsWorld)
    return world.balance(seat.name, token.address)


async def _sequence(world: World, seat: Seat) -> int | None:  # noqa: ARG001  its log takes whatever comes
    return None


SUITE = Suite(bars_world, Witness(_balance, _sequence))
OF_EXACT_SWAPS = "blocks_follow_one_another"


@pytest.mark.parametrize("check", sorted(CHECKS.keys() - {OF_EXACT_SWAPS}))
async def test_it_passes_the_suite(check: str) -> None:
    await CHECKS[check](SUITE)


async def test_bars_follow_one_another_and_are_what_the_columns_say() -> None:
    async with SUITE.stage() as stage:
        before = stage.opening.market.head
        for _ in range(6):
            arrival, _ = await stage.block()
            block = arrival.block
            assert block.number == before.number + 1
            assert block.parent_hash == before.hash != block.hash
            assert block.timestamp == before.timestamp + 60
            row = stage.opening.market.windows[POOL][-1]
            assert (row.block_number, row.timestamp) == (block.number, block.timestamp)
            assert row.tick == BARS.close_tick[block.number - 1] == stage.opening.market.pools[POOL].tick
            before = block
