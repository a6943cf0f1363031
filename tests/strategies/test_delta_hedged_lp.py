"""Delta-hedged liquidity: what the band sells the reserve buys back, where that isn't too dear."""

from dataclasses import replace

import pytest

from defai.chain.mainnet import USDC, WETH
from defai.domain.intents import ClosePosition, OpenPosition, Swap
from defai.domain.position import Position
from defai.strategy.api import Context
from defai.testing.builders import START_TICK
from tests.strategies.scenes import (
    HALF,
    band,
    bars_along,
    both,
    dear,
    decide,
    dry,
    held,
    live_through,
    reasons,
)


def owning(base: float, *positions: Position) -> Context:
    """30,000 dollars of which so much is base, idle; positions come on top and are counted by nobody."""
    ctx = both()
    money, ether = int(30_000 * 10**6 * (1 - base)), int(15 * 10**18 * base)
    return replace(ctx, balances={USDC.address: money, WETH.address: ether}, positions=positions)


def test_it_provides_a_part_and_keeps_the_rest() -> None:
    intent = decide("delta_hedged_lp", both(), lp_share=0.4, half_width=500)
    assert isinstance(intent, OpenPosition)
    offered = {USDC.address: intent.amount0_raw, WETH.address: intent.amount1_raw}
    assert offered == {token: amount * 4 // 10 for token, amount in HALF.items()}
    assert (intent.tick_lower, intent.tick_upper) == (START_TICK - 500, START_TICK + 500)


@pytest.mark.parametrize(("base", "zero_for_one"), [(0.4, True), (0.6, False)])
def test_a_share_that_has_strayed_is_brought_back(base: float, zero_for_one: bool) -> None:
    intent = decide("delta_hedged_lp", owning(base))
    assert isinstance(intent, Swap)
    assert intent.zero_for_one == zero_for_one
    worth = intent.amount_in_raw if zero_for_one else intent.amount_in_raw * 2_000 // 10**12
    assert worth == pytest.approx(3_000 * 10**6, rel=0.02)
    assert "instead of 50%" in intent.reason


def test_base_in_the_band_counts() -> None:
    ctx = both()
    whole = band(START_TICK - 20_000, START_TICK - 10)
    assert "within" in held(
        "delta_hedged_lp", replace(ctx, positions=(band(START_TICK - 10, START_TICK + 10, 1),))
    )
    intent = decide(
        "delta_hedged_lp", replace(ctx, positions=(replace(whole, liquidity=10**15),)), patience=500
    )
    assert isinstance(intent, Swap)
    assert not intent.zero_for_one, "a band below the price is all ether here: some of the idle ether is sold"


def test_within_the_drift_nothing_is_done() -> None:
    ctx = replace(owning(0.52), positions=(band(START_TICK - 10, START_TICK + 10, 1),))
    assert "within 3% of 50%" in held("delta_hedged_lp", ctx)
    assert isinstance(decide("delta_hedged_lp", ctx, drift=0.01), Swap)


def test_what_is_too_dear_or_can_not_be_had_is_not_done() -> None:
    assert "too dear" in held("delta_hedged_lp", dear(owning(0.6)))
    assert "too dear" in held("delta_hedged_lp", dry(owning(0.6)))
    all_in_band = replace(owning(0.6), balances={USDC.address: 0, WETH.address: 0})
    assert "no USDC left to swap" in held("delta_hedged_lp", all_in_band)
    assert held("delta_hedged_lp", replace(both(), equity_raw=0)) == "there is nothing to provide"


def test_a_band_that_was_left_for_long_is_closed() -> None:
    ctx = replace(both(), positions=(band(START_TICK + 10, START_TICK + 20),))
    intent = decide("delta_hedged_lp", ctx, patience=7)
    assert isinstance(intent, ClosePosition)
    assert intent.token_id == 7
    assert not isinstance(decide("delta_hedged_lp", ctx, patience=8), ClosePosition)


async def test_in_a_run_the_share_is_kept_and_a_band_that_was_left_is_opened_anew() -> None:
    ticks = [*range(200_000, 200_400, 4), *range(200_400, 199_200, -6), *[199_200] * 60]
    one = await live_through("delta_hedged_lp", bars_along(ticks), half_width=500, patience=20)
    valued = one.agent.desk.valued()
    share = valued.base_raw / (valued.equity_raw + valued.gas_raw)
    assert share == pytest.approx(0.5, abs=0.05)
    said = reasons(one)
    assert one.tape.mints == 2
    assert sum("to mend" in reason for reason in said) == one.tape.swaps >= 3
    assert any("out of the band for 21 blocks" in reason for reason in said)
