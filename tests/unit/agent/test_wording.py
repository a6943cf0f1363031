"""Words for people and values for the record."""

from decimal import Decimal

import pytest

from defai.agent.views import pool_quotes, portfolio_view
from defai.agent.wording import ACTIONS, amount_text, canonical, execution_text, intent_text, verdict_record
from defai.chain.mainnet import USDC, WETH
from defai.domain.decisions import Action, Check, Execution, ExecutionStatus, Verdict, VerdictStatus
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.position import Position
from defai.domain.tokens import Token
from defai.testing.builders import swap_block
from tests.unit.agent.ports import KEY, Stand

KEYS = {KEY.address: KEY}
TOKENS = {USDC.address: USDC, WETH.address: WETH}
BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=1_234_560_000, reason="")

STRANGE = Swap(pool="0xdead", zero_for_one=True, amount_in_raw=1, reason="")
OPEN = OpenPosition(pool="0x", tick_lower=-10, tick_upper=2_000, amount0_raw=1, amount1_raw=1, reason="")


@pytest.mark.parametrize(
    ("token", "raw", "text"),
    [
        (USDC, 1_234_560_000, "1,234.56 USDC"),
        (USDC, 99_999_999, "100.000 USDC"),
        (USDC, 100_000_000, "100.00 USDC"),
        (USDC, 1, "0.000001 USDC"),
        (USDC, 0, "0.00 USDC"),
        (USDC, -1_500_000, "-1.5000 USDC"),
        (WETH, 123_456_789_012_345_678, "0.12346 WETH"),
        (WETH, 1, "0.000000000000000001 WETH"),
        (Token("0x", "COIN", 0), 7, "7 COIN"),
    ],
)
def test_amounts(token: Token, raw: int, text: str) -> None:
    assert amount_text(token, raw) == text


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        (Hold(reason=""), "hold"),
        (BUY, "swap 1,234.56 USDC → WETH"),
        (STRANGE, "swap in a pool that is not watched, 0xdead"),
        (OPEN, "open -10…2,000"),
        (Rebalance(pool="0x", tick_lower=-1_000, tick_upper=10, reason=""), "rebalance to -1,000…10"),
        (IncreaseLiquidity(token_id=4, amount0_raw=1, amount1_raw=1, reason=""), "add liquidity to #4"),
        (DecreaseLiquidity(token_id=4, liquidity=1, reason=""), "take liquidity out of #4"),
        (CollectFees(token_id=4, reason=""), "collect fees of #4"),
        (ClosePosition(token_id=4, reason=""), "close #4"),
        (Batch(intents=(BUY, ClosePosition(token_id=4, reason="")), reason=""), "swap 1,234.56 USDC → WETH, close #4"),
    ],
)  # fmt: skip
def test_every_intent_has_words_and_an_action(intent: Intent, text: str) -> None:
    assert intent_text(intent, KEYS) == text
    assert isinstance(ACTIONS[type(intent)], Action)


def test_a_swap_with_a_minimum_says_it() -> None:
    assert intent_text(BUY, KEYS, 5 * 10**17) == "swap 1,234.56 USDC → at least 0.50000 WETH"


def test_no_two_kinds_share_an_action() -> None:
    assert len(set(ACTIONS.values())) == len(ACTIONS) == len(Action)


def outcome(
    *,
    deltas: tuple[tuple[str, int], ...] = (),
    opened: tuple[int, ...] = (),
    closed: tuple[int, ...] = (),
    error: str = "",
) -> Execution:
    positions = tuple(Position(number, KEY.address, 0, 10, 1, 0, 0, 0, 0, 1) for number in opened)
    return Execution(
        "a",
        "0x",
        ExecutionStatus.FILLED,
        1,
        "0x",
        token_deltas=deltas,
        opened=positions,
        closed=closed,
        error=error,
    )


@pytest.mark.parametrize(
    ("execution", "text"),
    [
        (outcome(), "nothing moved"),
        (outcome(error="Too little received"), "Too little received"),
        (
            outcome(error="TooLittleReceived(received=2980165816801397828, minimumOut=2991196898228709976)"),
            "the price moved: 36.9 bp less than the least it takes",
        ),
        (
            outcome(deltas=((USDC.address, -(10**6)), (WETH.address, 10**15))),
            "0.0010000 WETH for 1.0000 USDC",
        ),
        (
            outcome(deltas=((USDC.address, 10**6), (WETH.address, 10**18))),
            "received 1.0000 USDC and 1.0000 WETH",
        ),
        (outcome(deltas=((USDC.address, -(10**6)),), opened=(3,)), "opened #3, spent 1.0000 USDC"),
        (outcome(deltas=((USDC.address, 0),), closed=(1, 2)), "closed #1, #2"),
    ],
)
def test_what_came_of_it(execution: Execution, text: str) -> None:
    assert execution_text(execution, TOKENS) == text


def test_records_become_values_without_floats() -> None:
    check = Check("gas", Decimal("1.5"), Decimal(20), "USD", ok=True)
    verdict = Verdict(VerdictStatus.CLIPPED, BUY, (check,), "smaller")
    assert verdict_record(verdict) == {
        "status": "clipped", "reason": "smaller", "checks": {"gas": ["1.500000", "20.000000", True]},
    }  # fmt: skip
    assert canonical(verdict)["checks"][0]["value"] == "1.500000"
    assert canonical(verdict)["status"] == "clipped"
    assert canonical(Batch(intents=(BUY,), reason="r"))["intents"][0]["kind"] == "Swap"


async def test_a_portfolio_for_people() -> None:
    stand = Stand()
    position = Position(3, KEY.address, 199_800, 200_100, 10**16, 0, 0, 0, 0, 1)
    stand.desk.portfolio = type(stand.desk.portfolio)(
        initial=stand.desk.portfolio.initial, balances=stand.desk.portfolio.balances, positions=(position,)
    )
    view = portfolio_view(stand.desk, TOKENS)
    assert dict(view.balances) == {"USDC": Decimal(15_000), "WETH": Decimal("7.5")}
    (seen,) = view.positions
    assert seen.price_lower < seen.price_upper
    assert seen.price_lower == pytest.approx(Decimal(2_042), abs=2)
    assert not seen.in_range
    assert view.equity_usd == view.hodl_usd + seen.value_usd + seen.fees_owed_usd
    assert 0 < view.base_share < 1


async def test_a_pool_for_people() -> None:
    stand = Stand()
    (before,) = pool_quotes(stand.market, stand.desk.valuation)
    assert before.swaps == 0
    stand.market.apply(swap_block(stand.market, KEY, zero_for_one=True, amount_in=10**9))
    (after,) = pool_quotes(stand.market, stand.desk.valuation)
    assert (after.address, after.swaps, after.tick) == (KEY.address, 1, stand.market.pools[KEY.address].tick)
    assert after.price > before.price, "dollars went in, so the ether got dearer"
    assert after.price.as_tuple().exponent == -4
