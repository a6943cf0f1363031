"""Momentum: a slope that is measured and sure, an edge that pays both ways, or nothing."""

from collections.abc import Sequence
from dataclasses import replace
from random import Random

import pytest

from defai.chain.mainnet import USDC, WETH
from defai.domain.intents import Swap
from defai.strategy.api import Context
from defai.testing.bars import walking_bars
from defai.testing.builders import START_TICK
from tests.strategies.scenes import (
    after,
    bars_along,
    dear,
    decide,
    dry,
    equity_usd,
    held,
    live_through,
    newborn,
    reasons,
)


def path(moves: Sequence[int], end: int = START_TICK) -> list[int]:
    """One tick a block after these moves, the newest last, ending where the pool stands."""
    ticks = [end]
    for move in reversed(moves):
        ticks.insert(0, ticks[0] - move)
    return ticks


GOING_ON = [100, 90, 80, 70, 60, -50, -60, -70, -80, -90, -100, -110, -120, -130, -140, -150, -160, -170]
TURNING = [100 * (-1) ** i for i in range(18)]


@pytest.mark.parametrize(("sign", "zero_for_one"), [(1, True), (-1, False)])
def test_a_move_that_goes_on_is_followed(sign: int, zero_for_one: bool) -> None:
    ctx = after(path([sign * move for move in GOING_ON]))
    intent = decide("momentum", ctx, horizon=1)
    assert isinstance(intent, Swap)
    assert intent.zero_for_one == zero_for_one, "dollars in where the tick falls: ether gets dearer"
    assert intent.reason.startswith("buy WETH" if zero_for_one else "sell WETH")


def owning(base: float, moves: Sequence[int]) -> Context:
    """30,000 dollars of which so much is ether, after these moves."""
    money, ether = int(30_000 * 10**6 * (1 - base)), int(15 * 10**18 * base)
    return replace(after(path(moves)), balances={USDC.address: money, WETH.address: ether})


def test_moves_that_turn_are_not_followed() -> None:
    assert "don't go on, holds 50% WETH: slope -1.00" in held("momentum", after(path(TURNING)), horizon=1)


def test_a_slope_that_may_be_chance_is_not_followed_and_one_in_doubt_changes_nothing() -> None:
    chance = [100, 30, -80, -90, 20, 120, 100, -10, 5, 90]
    assert isinstance(decide("momentum", owning(0.5, chance), horizon=1, sureness=0.5), Swap)
    assert "in doubt" in held("momentum", owning(0.5, chance), horizon=1, sureness=2.0)
    assert "in doubt" in held("momentum", owning(0.7, chance), horizon=1, sureness=2.0), "it stays"
    assert "moves don't go on" in held("momentum", owning(0.5, chance), horizon=1, sureness=3.0)


@pytest.mark.parametrize(("base", "zero_for_one"), [(0.7, False), (0.3, True)])
def test_once_moves_no_longer_go_on_it_goes_back(base: float, zero_for_one: bool) -> None:
    intent = decide("momentum", owning(base, TURNING), horizon=1)
    assert isinstance(intent, Swap)
    assert intent.zero_for_one == zero_for_one
    assert "don't go on any more" in intent.reason
    worth = intent.amount_in_raw if zero_for_one else intent.amount_in_raw * 2_000 // 10**12
    assert worth == pytest.approx(6_000 * 10**6, rel=0.02)
    assert "holds 55%" in held("momentum", owning(0.55, TURNING), horizon=1), "a little off is not worth it"


def test_only_the_horizons_own_moves_count() -> None:
    halves = [half for move in GOING_ON for half in (3 * move, -2 * move)]
    assert isinstance(decide("momentum", after(path(halves)), horizon=2), Swap)
    assert "don't go on" in held("momentum", after(path(halves)), horizon=1)


def test_an_edge_that_does_not_pay_for_getting_in_and_out_is_let_go() -> None:
    small = after(path([move // 10 for move in GOING_ON]))
    assert held("momentum", small, horizon=1).startswith("no edge after costs")
    assert held("momentum", dear(after(path(GOING_ON))), horizon=1).startswith("no edge after costs")


def test_with_too_little_to_go_by_it_waits() -> None:
    assert "waits for 4" in held("momentum", newborn(after([START_TICK])))
    assert "has seen 3 moves" in held("momentum", after(path([1, 2, 3])), horizon=1)
    assert "slope +0.00" in held("momentum", after([START_TICK] * 40), horizon=1)


def test_no_more_is_held_than_may_be() -> None:
    assert "moves go on, holds 70% WETH" in held("momentum", owning(0.7, GOING_ON), horizon=1)
    less = decide("momentum", owning(0.97, GOING_ON), horizon=1)
    assert isinstance(less, Swap)
    assert not less.zero_for_one, "more than the tilt is too much, even of what rises"
    nothing = replace(owning(0.5, GOING_ON), balances={})
    assert "has no" in held("momentum", nothing, horizon=1)


def test_a_pool_that_can_not_take_the_trade_is_left_alone() -> None:
    assert "too little liquidity" in held("momentum", dry(after(path(GOING_ON))), horizon=1)


async def test_in_a_run_it_earns_where_moves_go_on() -> None:
    draw, move, ticks = Random(3), 0.0, [200_000]  # noqa: S311  a test's draw, not a secret
    for _ in range(400):
        move = 0.9 * move + draw.gauss(0.0, 10.0)
        ticks.append(ticks[-1] + round(move))
    bars = bars_along(ticks, liquidity=5 * 10**18)
    one, idle = await live_through("momentum", bars, horizon=3), await live_through("hold", bars)
    assert one.tape.swaps > 5
    assert equity_usd(one) > equity_usd(idle) + 50


async def test_in_a_run_on_a_random_walk_it_hardly_trades() -> None:
    one = await live_through("momentum", walking_bars(500, seed=4))
    assert one.tape.swaps <= 4
    assert any("moves don't go on" in reason for reason in reasons(one))
