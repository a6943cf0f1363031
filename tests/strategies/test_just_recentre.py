"""Just re-centre: the band follows the price, where that isn't too dear."""

from dataclasses import replace

from defai.chain.mainnet import USDC, WETH
from defai.domain.intents import Rebalance
from defai.testing.builders import START_TICK
from tests.strategies.scenes import (
    band,
    bars_along,
    both,
    dear,
    decide,
    dry,
    held,
    live_through,
    newborn,
    reasons,
)

ABOVE, BELOW = band(START_TICK + 10, START_TICK + 20), band(START_TICK - 20, START_TICK - 10)


def test_it_opens_around_the_price() -> None:
    for ctx in (both(), newborn(both())):
        intent = decide("just_recentre", ctx, half_width=300)
        assert isinstance(intent, Rebalance)
        assert (intent.tick_lower, intent.tick_upper) == (START_TICK - 300, START_TICK + 300)
        assert intent.reason.startswith("open a band")


def test_it_moves_when_the_price_is_outside_on_either_side_and_says_what_that_costs() -> None:
    sides = ((ABOVE, {USDC.address: 30_000 * 10**6}), (BELOW, {WETH.address: 15 * 10**18}))
    for position, balances in sides:
        outside = replace(both(), positions=(replace(position, liquidity=1),), balances=balances)
        intent = decide("just_recentre", outside)
        assert isinstance(intent, Rebalance)
        assert intent.tick_lower < START_TICK < intent.tick_upper
        assert intent.reason.startswith("re-centre")
        cost = float(intent.reason.split(" for ")[1].split()[0])
        gas, fee_of_half = 20 / 30_000 * 10_000, 5 / 2
        assert gas + fee_of_half < cost < gas + 3 * fee_of_half, "gas, the fee, and some impact"


def test_inside_it_stays_and_right_at_the_edge_it_knows_which_is_which() -> None:
    first, last = band(START_TICK, START_TICK + 10), band(START_TICK - 10, START_TICK)
    assert held("just_recentre", replace(both(), positions=(first,))) == "the tick is inside the band"
    assert isinstance(decide("just_recentre", replace(both(), positions=(last,))), Rebalance)


def test_it_has_the_patience_it_is_told_to_have() -> None:
    ctx = replace(both(), positions=(ABOVE,))
    assert "for 8 of 9 blocks" in held("just_recentre", ctx, patience=8)
    assert isinstance(decide("just_recentre", ctx, patience=7), Rebalance)


def test_what_is_too_dear_is_not_done() -> None:
    ctx = replace(both(), positions=(ABOVE,))
    assert "too dear" in held("just_recentre", dear(ctx))
    money = replace(ctx, balances={USDC.address: 30_000 * 10**6})
    assert "too dear" in held("just_recentre", dry(money)), "a swap that the pool can't take"
    assert held("just_recentre", replace(ctx, equity_raw=0)) == "there is nothing to provide"


async def test_in_a_run_it_moves_once_for_each_time_the_price_leaves() -> None:
    ticks = [200_000] * 20 + [200_150] * 20 + [199_990] * 20
    one = await live_through("just_recentre", bars_along(ticks), half_width=100)
    assert one.tape.mints == 3
    moved = [row for row, reason in enumerate(reasons(one)) if reason.startswith(("open", "re-centre"))]
    assert moved == [0, 19, 39]
