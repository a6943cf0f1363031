"""The kernel against what others recorded: v3-core's tests, the on-chain Quoter, a pool's whole life."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from defai.amm import AmmRevert, Pool, SwapResult, TickState
from defai.amm.kernel import Outcome, SwapOrder, quote_many, swap_many

pytestmark = pytest.mark.realdata

VECTORS = "univ3_vectors"
RECORDED = "degenbot_wbtc_weth_03_block24407242"


def test_all_160_swaps_of_v3_core_come_out_as_its_tests_expect(real_data: Path) -> None:
    cases = json.loads((real_data / VECTORS / "v3core_pool_swaps.json").read_text())["cases"]

    assert len(cases) == 160
    assert [mismatch for case in cases if (mismatch := _difference(case))] == []


def test_all_40_answers_of_the_quoter_come_out_the_same(real_data: Path) -> None:
    recorded = json.loads((real_data / VECTORS / f"{RECORDED}_pool.json").read_text())
    quotes = json.loads((real_data / VECTORS / f"{RECORDED}_onchain_quotes.json").read_text())["entries"]
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
    orders = []
    for question in quotes:
        _, kind, pair, amount = question.split("|")
        sign = 1 if kind == "quoteExactInputSingle" else -1
        orders.append(SwapOrder(pair == "WBTC->WETH", sign * int(amount)))
    answers = {}
    for question, order, result in zip(
        quotes, orders, quote_many(pool, orders, engine="kernel"), strict=True
    ):
        assert isinstance(result, SwapResult)
        received, paid = result[:2] if order.zero_for_one else result[1::-1]
        answers[question] = {"value": -paid if order.amount_specified > 0 else received}

    assert len(quotes) == 40
    assert answers == quotes


def test_the_whole_life_of_a_pool_is_exact(real_data: Path) -> None:
    """An event doesn't say what was asked for: exact input, exact output and the price are tried."""
    folder = real_data / "univ3_events" / "ethereum_weth_ens_03_genesis"
    recorded = json.loads((folder / "events.json").read_text())
    config = recorded["config"]
    pool = Pool(fee_pips=config["fee"], tick_spacing=config["tick_spacing"])
    pool.initialize(int(config["initial_sqrt_price_X96"]))
    counts: Counter[str] = Counter()
    for event in recorded["events"]:
        counts[event["kind"]] += 1
        amounts = int(event["amount0"]), int(event["amount1"])
        if event["kind"] == "SWAP":
            wanted = (*amounts, int(event["sqrt_price_x96"]), int(event["liquidity"]), event["tick"])
            order = _order_that_gives(pool, wanted)
            assert order is not None
            assert _numbers(swap_many(pool, [order], engine="kernel")[0]) == wanted
        else:
            owner = event["recipient"] or event["msg_sender"]
            change = pool.mint if event["kind"] == "MINT" else pool.burn
            assert change(owner, event["tick_lower"], event["tick_upper"], int(event["liquidity"])) == amounts

    assert counts == {"SWAP": 63, "MINT": 3, "BURN": 2}


def _order_that_gives(pool: Pool, wanted: tuple[int, ...]) -> SwapOrder | None:
    zero_for_one = wanted[0] > 0
    received, paid = max(wanted[:2]), min(wanted[:2])
    guesses = [
        SwapOrder(zero_for_one, received),
        SwapOrder(zero_for_one, paid),
        SwapOrder(zero_for_one, (1 << 255) - 1, wanted[2]),
    ]
    outcomes = quote_many(pool, guesses, engine="kernel")
    return next(
        (guess for guess, outcome in zip(guesses, outcomes, strict=True) if _numbers(outcome) == wanted), None
    )


def _numbers(outcome: Outcome) -> tuple[int, ...]:
    return outcome[:5] if isinstance(outcome, SwapResult) else ()


def _difference(case: dict[str, Any]) -> str:
    """What differs between a case's expectation and ours; '' if nothing does."""
    pool = Pool(fee_pips=case["fee"], tick_spacing=case["tickSpacing"])
    pool.initialize(int(case["startSqrtPriceX96"]))
    for position in case["positions"]:
        pool.mint("lp", position["tickLower"], position["tickUpper"], int(position["liquidity"]))
    expected, limit = case["expected"], case["sqrtPriceLimitX96"]
    amount = (1 << 255) - 1 if case["amount"] is None else int(case["amount"])
    order = SwapOrder(
        case["zeroForOne"],
        -amount if case["exactOut"] else amount,
        None if limit is None else int(limit),
    )
    result = swap_many(pool, [order], engine="kernel")[0]
    if isinstance(result, AmmRevert):
        return (
            "" if expected.get("swapError", "").endswith(f"revert {result.reason}") else f"{case}: {result}"
        )
    ours = {
        "amount0Delta": str(result.amount0),
        "amount1Delta": str(result.amount1),
        "feeGrowthGlobal0X128Delta": str(pool.fee_growth_global0_x128),
        "feeGrowthGlobal1X128Delta": str(pool.fee_growth_global1_x128),
        "tickAfter": pool.tick,
    }
    wrong = {name: (value, expected.get(name)) for name, value in ours.items() if value != expected.get(name)}
    return f"{case['pool']}: {wrong}" if wrong else ""
