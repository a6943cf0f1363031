"""Volatility exit: in the band in calm, out of it in turbulence, back when it is over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from defai.domain.intents import ClosePosition, Rebalance
from defai.strategy.api import Context
from defai.testing.builders import START_TICK
from tests.strategies.scenes import (
    after,
    band,
    bars_along,
    dear,
    decide,
    held,
    live_through,
    newborn,
    reasons,
)

SHORT: dict[str, Any] = {"fast": 10, "slow": 250, "rest": 30}
INSIDE = band(START_TICK - 500, START_TICK + 500)


def wobble(count: int, ticks: int) -> list[int]:
    return [ticks * (i % 2) for i in range(count)]


def at(moves: Sequence[int], *, positioned: bool) -> Context:
    """A past that ends where the pool stands."""
    ctx = after([START_TICK + move - moves[-1] for move in moves])
    return replace(ctx, positions=(INSIDE,)) if positioned else ctx


CALM = wobble(260, 5)
STORM = [*wobble(250, 5), *wobble(11, 120)]
PAST = [*wobble(250, 5), *wobble(10, 60), *wobble(20, 5)]
OVER = [*PAST, *wobble(22, 5)]
LIVELY = [*wobble(250, 5), *wobble(11, 9)]


def test_in_calm_it_opens_a_band_and_keeps_it() -> None:
    intent = decide("volatility_exit", at(CALM, positioned=False), **SHORT)
    assert isinstance(intent, Rebalance)
    assert intent.reason.startswith("open a band at")
    assert "in the band: 1.00" in held("volatility_exit", at(CALM, positioned=True), **SHORT)


def test_in_turbulence_it_leaves_and_stays_out_until_it_has_been_calm_for_long() -> None:
    intent = decide("volatility_exit", at(STORM, positioned=True), **SHORT)
    assert isinstance(intent, ClosePosition)
    assert intent.token_id == INSIDE.token_id
    assert intent.reason.startswith(
        "leave: 4.90 times the usual moves, takes 108.0 bp, leaving costs 10.0 bp"
    )
    for moves in (STORM, PAST):
        assert "stands aside: up to 4." in held("volatility_exit", at(moves, positioned=False), **SHORT)
    assert isinstance(decide("volatility_exit", at(OVER, positioned=False), **SHORT), Rebalance)


def test_where_leaving_costs_more_than_it_saves_it_stays() -> None:
    small = at([move // 4 for move in STORM], positioned=True)
    assert "takes 6.7 bp, leaving costs 10.0 bp" in held("volatility_exit", small, **SHORT)
    assert held("volatility_exit", dear(at(STORM, positioned=True)), **SHORT).startswith("in the band")
    assert isinstance(decide("volatility_exit", dear(small, 1.0), **SHORT), ClosePosition)


def test_between_leaving_and_coming_back_there_is_room_for_doubt() -> None:
    assert "stands aside: up to 1.7" in held("volatility_exit", at(LIVELY, positioned=False), **SHORT)
    assert "in the band: 1.7" in held("volatility_exit", at(LIVELY, positioned=True), **SHORT)


def test_until_it_knows_what_is_usual_it_waits() -> None:
    assert "waits to know" in held("volatility_exit", newborn(at(CALM, positioned=False)), **SHORT)
    assert "250 of 251" in held("volatility_exit", at(CALM[:250], positioned=False), **SHORT)
    assert isinstance(decide("volatility_exit", at(CALM[:251], positioned=False), **SHORT), Rebalance)


def test_a_price_that_never_moves_is_calm() -> None:
    assert isinstance(decide("volatility_exit", at([0] * 260, positioned=False), **SHORT), Rebalance)


def test_a_band_that_was_left_is_moved_only_in_calm_and_after_a_while() -> None:
    beyond = (band(START_TICK + 100, START_TICK + 200),)
    jumped = replace(at([*[150] * 250, *[0] * 20], positioned=True), positions=beyond)
    assert "stands aside" in held("volatility_exit", jumped, **SHORT), "a jump is turbulence"
    assert "for 20 of 31 blocks" in held("volatility_exit", jumped, **{**SHORT, "return_at": 20.0})
    long = replace(at([*[150] * 220, *[0] * 45], positioned=True), positions=beyond)
    intent = decide("volatility_exit", long, **SHORT)
    assert isinstance(intent, Rebalance)
    assert intent.reason.startswith("re-centre")


async def test_in_a_run_it_is_out_while_it_is_wild() -> None:
    ticks = [200_000 + move for move in (*wobble(300, 4), *wobble(40, 80), *wobble(160, 4))]
    one = await live_through("volatility_exit", bars_along(ticks), **SHORT)
    said = reasons(one)
    left = next(row for row, reason in enumerate(said) if reason.startswith("leave"))
    back = [row for row, reason in enumerate(said) if reason.startswith(("open", "re-centre"))]
    assert 299 <= left <= 305
    assert len(back) == 2
    assert back[0] < left < 340 + SHORT["rest"] <= back[1]
    assert (one.tape.mints, len(one.agent.desk.portfolio.positions)) == (2, 1)
