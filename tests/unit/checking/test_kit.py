"""What authors import from `defai.testing` is there, and does what it says."""

import asyncio
import subprocess
import sys

import pytest
from hypothesis import given

import defai.testing
from defai.amm import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from defai.chain.mainnet import USDC_WETH_005
from defai.domain.chain_events import PoolEvent
from defai.testing import (
    ManualClock,
    event_sequences,
    market_of,
    next_block,
    pool_with_liquidity,
    sqrt_prices_x96,
    ticks,
)


@pytest.mark.parametrize("name", defai.testing.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(defai.testing, name).__doc__
    assert name in dir(defai.testing)


def test_other_names_are_not() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = defai.testing.nothing


def test_nobody_needs_hypothesis_who_generates_nothing() -> None:
    code = "import sys; from defai.testing import context_on; print('hypothesis' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@given(ticks(60, lowest=-7_000, highest=7_000))
def test_ticks_stand_on_their_spacing(tick: int) -> None:
    assert tick % 60 == 0
    assert -7_000 <= tick <= 7_000


@given(sqrt_prices_x96())
def test_prices_are_within_what_pools_have(sqrt_price_x96: int) -> None:
    assert MIN_SQRT_RATIO <= sqrt_price_x96 < MAX_SQRT_RATIO


@given(event_sequences())
def test_events_are_such_as_the_pool_would_emit(blocks: list[tuple[PoolEvent, ...]]) -> None:
    market = market_of({USDC_WETH_005: pool_with_liquidity()})
    for events in blocks:
        market.apply(next_block(market, events))
    assert market.swaps_forced == 0, "every swap was reproduced to the unit"


async def test_a_manual_clock_wakes_who_waits_when_it_is_moved() -> None:
    clock = ManualClock(100.0)
    woken: list[float] = []

    async def wait(moment: float) -> None:
        await clock.sleep_until(moment)
        woken.append(moment)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wait(101.0))
        tasks.create_task(wait(105.0))
        async with asyncio.timeout(60):
            while clock.waiting < 2:  # noqa: ASYNC110  a count, which no event tells
                await asyncio.sleep(0)
            await clock.advance(2)
            while clock.waiting > 1:  # noqa: ASYNC110  the same
                await asyncio.sleep(0)
            assert woken == [101.0]
            await clock.advance(10)
    assert woken == [101.0, 105.0]
    assert clock.monotonic() == 112.0
    with pytest.raises(ValueError, match="backwards"):
        await clock.advance(-1)
