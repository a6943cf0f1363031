"""Volatility exit: in the band in calm, out of it in turbulence, back when it is over."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from defai.domain.intents import ClosePosition, Rebalance
from defai.strategy.api import Context
from defai.testing.builders import START_TICK
from tests.strategies.scenes import after, band, bars_along, decide, held, live_through, newborn, reasons

SHORT: dict[str, Any] = {"fast": 10, "slow": 100, "calm_blocks": 5}
INSIDE = band(START_TICK - 500, START_TICK + 500)


def wobble(count: int, ticks: int) -> list[int]:
    return [ticks * (i % 2) for i in range(count)]


def at(moves: Sequence[int], *, positioned: bool) -> Context:
    """A past that ends where the pool stands."""
    ctx = after([START_TICK + move - moves[-1] for move in moves])
    return replace(ctx, positions=(INSIDE,)) if positioned else ctx


CALM, STORM = wobble(120, 5), [*wobble(110, 5), *wobble(11, 60)]


def test_in_calm_it_opens_a_band_and_keeps_it() -> None:
    intent = decide("volatility_exit", at(CALM, positioned=False), **SHORT)
    assert isinstance(intent, Rebalance)
    assert intent.reason.startswith("open at")
    assert "1.00 times the usual" in held("volatility_exit", at(CALM, positioned=True), **SHORT)


def test_in_turbulence_it_leaves_and_stays_out() -> None:
    intent = decide("volatility_exit", at(STORM, positioned=True), **SHORT)
    assert isinstance(intent, ClosePosition)
    assert intent.token_id == INSIDE.token_id
    assert intent.reason.startswith("leave: 60.0 ticks a block")
    assert held("volatility_exit", at(STORM, positioned=False), **SHORT).startswith("stands aside")


def test_between_leaving_and_coming_back_there_is_room_for_doubt() -> None:
    fresh = at([*wobble(110, 5), *wobble(11, 8)], positioned=False)
    assert held("volatility_exit", fresh, **SHORT).startswith(
        "stands aside: 8.0 ticks a block, 1.49 times the usual"
    )
    stays = at([*wobble(110, 5), *wobble(11, 8)], positioned=True)
    assert held("volatility_exit", stays, **SHORT).startswith("in the band")


def test_until_it_knows_what_is_usual_it_waits() -> None:
    assert "waits to know" in held("volatility_exit", newborn(at(CALM, positioned=False)), **SHORT)
    assert "100 of 101" in held("volatility_exit", at(CALM[:100], positioned=False), **SHORT)
    assert isinstance(decide("volatility_exit", at(CALM[:101], positioned=False), **SHORT), Rebalance)


def test_a_price_that_never_moves_is_calm() -> None:
    assert isinstance(decide("volatility_exit", at([0] * 120, positioned=False), **SHORT), Rebalance)


def test_a_band_that_was_left_is_moved_only_in_calm_and_after_a_while() -> None:
    beyond = (band(START_TICK + 100, START_TICK + 200),)
    just = replace(at([*[150] * 115, *[0] * 4], positioned=True), positions=beyond)
    assert held("volatility_exit", just, **SHORT).startswith("stands aside"), "a jump is turbulence"
    soon = {**SHORT, "return_at": 20.0}
    assert "for 4 of 6 blocks" in held("volatility_exit", just, **soon)
    long = replace(at([*[150] * 100, *[0] * 19], positioned=True), positions=beyond)
    intent = decide("volatility_exit", long, **SHORT)
    assert isinstance(intent, Rebalance)
    assert intent.reason.startswith("re-centre")


async def test_in_a_run_it_is_out_while_it_is_wild() -> None:
    ticks = [200_000 + move for move in (*wobble(140, 4), *wobble(40, 80), *wobble(160, 4))]
    one = await live_through("volatility_exit", bars_along(ticks), **SHORT)
    said = reasons(one)
    left = next(row for row, reason in enumerate(said) if reason.startswith("leave"))
    back = [row for row, reason in enumerate(said) if reason.startswith(("open", "re-centre"))]
    assert 139 <= left <= 145
    assert len(back) == 2
    assert back[0] < left < 180 < back[1]
    assert (one.tape.mints, len(one.agent.desk.portfolio.positions)) == (2, 1)
