"""What the stream tells of pools: whose swap it was, what it cost, and where liquidity lies."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

import pytest

from defai.agent.pool_views import LIQUIDITY_EVERY_BLOCKS, SWAPS_TOLD
from defai.chain.mainnet import USDC
from defai.domain.chain_events import PoolEvent
from defai.domain.stream import HoldsAnchored, LiquiditySeen, StreamEvent, SwapsSeen
from defai.market.swap_cost import cost_of_transaction
from defai.market.valuation import Valuation
from defai.session.onlooking import Onlooker
from defai.testing.builders import (
    liquidity_event,
    market_of,
    next_block,
    pool_with_liquidity,
    swap_block,
    swap_event,
)
from tests.unit.agent.ports import KEY

VALUATION = Valuation(KEY, USDC)


class Scene:
    """A market with an onlooker."""

    def __init__(self) -> None:
        self.market = market_of({KEY: pool_with_liquidity(KEY)})
        self.heard: list[StreamEvent] = []
        self.onlooker = Onlooker(self.market, VALUATION, [KEY.address], self.heard.append)
        self.block()

    def block(self, *swaps: tuple[str, bool, int]) -> list[StreamEvent]:
        """A block with swaps: transaction, whether token0 is sold, amount."""
        pool, events = self.market.pools[KEY.address].copy(), []
        for transaction, zero, amount in swaps:
            event = swap_event(pool, KEY, zero_for_one=zero, amount_in=amount)
            events.append(replace(event, transaction_hash=transaction))
        return self.take(events)

    def take(self, events: Sequence[PoolEvent]) -> list[StreamEvent]:
        self.market.apply(next_block(self.market, events))
        self.heard.clear()
        self.onlooker.after_block()
        return list(self.heard)


def test_swaps_say_which_side_what_price_and_whose() -> None:
    scene = Scene()
    scene.onlooker.hear(HoldsAnchored("tiers", 0, 1, "0x", 102, "0xmine"))
    (seen,) = scene.block(("0xother", True, 2_000 * 10**6), ("0xmine", False, 10**18))
    assert isinstance(seen, SwapsSeen)
    buy, sell = seen.swaps
    assert (buy.side, buy.agent, buy.quote_amount) == ("buy", None, Decimal(2_000))
    assert (sell.side, sell.agent, sell.base_amount) == ("sell", "tiers", Decimal(1))
    assert buy.price == pytest.approx(buy.quote_amount / buy.base_amount)
    assert sell.price < buy.price, "each pays the fee"
    assert buy.cost_bps is not None
    assert sell.cost_bps is not None
    assert 5 < buy.cost_bps < 6
    assert 5 < sell.cost_bps < 6
    (after,) = scene.block(("0xmine", True, 10**6))
    assert isinstance(after, SwapsSeen)
    assert after.swaps[0].agent is None, "a hash belongs to one block"


def test_of_very_many_swaps_the_last_and_the_own_are_told() -> None:
    scene = Scene()
    scene.onlooker.hear(HoldsAnchored("tiers", 0, 1, "0x", 102, "0xmine"))
    many = [(f"0x{at}", True, 10**6) for at in range(SWAPS_TOLD + 10)]
    (seen,) = scene.block(("0xmine", True, 10**6), *many)
    assert isinstance(seen, SwapsSeen)
    assert (len(seen.swaps), seen.left_out) == (SWAPS_TOLD + 1, 10)
    assert seen.swaps[0].agent == "tiers"
    assert seen.swaps[-1].transaction_hash == f"0x{SWAPS_TOLD + 9}"


def test_liquidity_is_told_when_it_changed_and_every_few_blocks() -> None:
    scene = Scene()
    quiet = [scene.block() for _ in range(LIQUIDITY_EVERY_BLOCKS - 1)]
    assert quiet == [[]] * len(quiet)
    (seen,) = scene.block()
    assert isinstance(seen, LiquiditySeen)
    pool = scene.market.pools[KEY.address].copy()
    tick = pool.tick // 10 * 10
    (changed,) = scene.take([liquidity_event(pool, KEY, (tick - 100, tick + 100), 10**18)])
    assert isinstance(changed, LiquiditySeen)
    here = [bar for bar in changed.bars if bar.tick_lower <= changed.tick < bar.tick_upper]
    assert here[0].liquidity > seen.bars[len(seen.bars) // 2].liquidity
    assert here[0].price_lower < here[0].price_upper
    depths = [level.buy_quote for level in changed.depth if level.buy_quote is not None]
    assert depths == sorted(depths)
    assert len(depths) == 4


def test_a_transaction_costs_what_its_swaps_lost() -> None:
    scene = Scene()
    scene.block(("0xother", True, 10**12), ("0xmine", False, 10**18))
    cost = cost_of_transaction(scene.market, VALUATION, "0xmine")
    assert cost is not None
    worth = VALUATION.worth_raw(scene.market.pools[KEY.address], VALUATION.base.address, 10**18)
    assert 0.0005 < cost / worth < 0.0007, "the fee and a little impact, and nothing of the swap before it"
    assert cost_of_transaction(scene.market, VALUATION, "0xnobody") is None
    first = market_of({KEY: pool_with_liquidity(KEY)})
    first.apply(swap_block(first, KEY, zero_for_one=True, amount_in=10**6))
    assert cost_of_transaction(first, VALUATION, "") is None, "nobody knows the price before the first block"
