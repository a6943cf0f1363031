"""The pool against what others recorded: v3-core's own expectations, and the on-chain Quoter's answers."""

import json
from pathlib import Path
from typing import Any

import pytest

from defai.amm import AmmRevert, Pool, TickState, get_sqrt_ratio_at_tick

pytestmark = pytest.mark.realdata


def test_all_160_swaps_of_v3_core_come_out_as_its_tests_expect(real_data: Path) -> None:
    cases = json.loads((real_data / "univ3_vectors" / "v3core_pool_swaps.json").read_text())["cases"]

    assert len(cases) == 160
    assert [mismatch for case in cases if (mismatch := _difference(case))] == []


def test_all_40_answers_of_the_quoter_come_out_the_same(real_data: Path) -> None:
    folder = real_data / "univ3_vectors"
    recorded = json.loads((folder / "degenbot_wbtc_weth_03_block24407242_pool.json").read_text())
    quotes = json.loads((folder / "degenbot_wbtc_weth_03_block24407242_onchain_quotes.json").read_text())[
        "entries"
    ]
    scalars = recorded["scalars"]
    pool = Pool.from_state(
        fee_pips=scalars["fee"],
        tick_spacing=scalars["tick_spacing"],
        sqrt_price_x96=scalars["sqrt_price_x96"],
        tick=scalars["tick"],
        liquidity=scalars["liquidity"],
        fee_growth_global0_x128=0,
        fee_growth_global1_x128=0,
        ticks={
            int(tick): TickState(liquidity_gross=gross, liquidity_net=net)
            for tick, (gross, net, _) in recorded["tick_data"].items()
        },
    )
    answers = {}
    for question in quotes:
        _, kind, pair, amount = question.split("|")
        zero_for_one = pair == "WBTC->WETH"
        exact_in = kind == "quoteExactInputSingle"
        result = pool.quote(
            zero_for_one=zero_for_one, amount_specified=int(amount) if exact_in else -int(amount)
        )
        received, paid = (
            (result.amount0, result.amount1) if zero_for_one else (result.amount1, result.amount0)
        )
        answers[question] = {"value": -paid if exact_in else received}

    assert len(quotes) == 40
    assert answers == quotes


def test_the_ticks_of_a_recorded_pool_add_up_to_its_liquidity(real_data: Path) -> None:
    recorded = json.loads(
        (real_data / "univ3_vectors" / "degenbot_wbtc_weth_03_block24407242_pool.json").read_text()
    )
    scalars = recorded["scalars"]
    lower = [net for tick, (_, net, _) in recorded["tick_data"].items() if int(tick) <= scalars["tick"]]

    assert sum(lower) == scalars["liquidity"]
    price = scalars["sqrt_price_x96"]
    assert get_sqrt_ratio_at_tick(scalars["tick"]) <= price < get_sqrt_ratio_at_tick(scalars["tick"] + 1)


def _difference(case: dict[str, Any]) -> str:
    """What differs between a case's expectation and ours; '' if nothing does."""
    pool = Pool(fee_pips=case["fee"], tick_spacing=case["tickSpacing"])
    pool.initialize(int(case["startSqrtPriceX96"]))
    paid = [
        pool.mint("lp", position["tickLower"], position["tickUpper"], int(position["liquidity"]))
        for position in case["positions"]
    ]
    expected, limit = case["expected"], case["sqrtPriceLimitX96"]
    amount = (1 << 255) - 1 if case["amount"] is None else int(case["amount"])
    try:
        result = pool.swap(
            zero_for_one=case["zeroForOne"],
            amount_specified=-amount if case["exactOut"] else amount,
            sqrt_price_limit_x96=None if limit is None else int(limit),
        )
    except AmmRevert as revert:
        return (
            "" if expected.get("swapError", "").endswith(f"revert {revert.reason}") else f"{case}: {revert}"
        )
    ours = {
        "amount0Before": str(sum(amount0 for amount0, _ in paid)),
        "amount1Before": str(sum(amount1 for _, amount1 in paid)),
        "amount0Delta": str(result.amount0),
        "amount1Delta": str(result.amount1),
        "feeGrowthGlobal0X128Delta": str(pool.fee_growth_global0_x128),
        "feeGrowthGlobal1X128Delta": str(pool.fee_growth_global1_x128),
        "tickAfter": pool.tick,
    }
    wrong = {name: (value, expected.get(name)) for name, value in ours.items() if value != expected.get(name)}
    return f"{case['pool']}: {wrong}" if wrong else ""
