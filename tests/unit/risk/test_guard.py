"""Each limit on both of its sides, the order of verdicts, and what clipping leaves."""

from dataclasses import replace
from decimal import Decimal

import pytest
from pydantic import ValidationError

from defai.domain.decisions import VerdictStatus
from defai.domain.intents import ClosePosition, Hold, Swap
from defai.risk.guard import Exposure, clip, judge
from defai.risk.limits import Limits

SWAP = Swap(pool="0xpool", zero_for_one=True, amount_in_raw=1_000, reason="why not")
LIMITS = Limits(
    max_slippage_bps=50,
    max_trade_usd=Decimal(1_000),
    max_turnover_usd=Decimal(5_000),
    max_base_share=Decimal("0.8"),
    max_gas_usd=Decimal(20),
    max_drawdown=Decimal("0.25"),
)
CALM = Exposure(
    swap_usd=Decimal(100),
    impact_bps=Decimal(1),
    gas_usd=Decimal(1),
    base_share_after=Decimal("0.5"),
    turnover_usd=Decimal(0),
    drawdown=Decimal(0),
    moved_usd=Decimal(100),
)
EPSILON = Decimal("0.000001")


def test_what_is_within_all_limits_is_approved_with_every_check() -> None:
    verdict = judge(SWAP, CALM, LIMITS, clipped=False)
    assert verdict.status is VerdictStatus.APPROVED
    assert verdict.intent == SWAP
    assert verdict.reason == ""
    assert {check.name for check in verdict.checks} == {
        "slippage", "trade", "turnover", "gas", "drawdown", "exposure",
    }  # fmt: skip
    assert all(check.ok for check in verdict.checks)


@pytest.mark.parametrize(
    ("name", "at_the_limit"),
    [
        ("slippage", replace(CALM, impact_bps=Decimal(50))),
        ("trade", replace(CALM, swap_usd=Decimal(1_000))),
        ("turnover", replace(CALM, turnover_usd=Decimal(4_900))),
        ("gas", replace(CALM, gas_usd=Decimal(20))),
        ("drawdown", replace(CALM, drawdown=Decimal("0.25"))),
        ("exposure", replace(CALM, base_share_after=Decimal("0.8"))),
    ],
)
def test_a_limit_holds_on_both_sides(name: str, at_the_limit: Exposure) -> None:
    assert judge(SWAP, at_the_limit, LIMITS, clipped=False).status is VerdictStatus.APPROVED
    fields = {
        "slippage": "impact_bps", "trade": "swap_usd", "turnover": "turnover_usd",
        "gas": "gas_usd", "drawdown": "drawdown", "exposure": "base_share_after",
    }  # fmt: skip
    beyond = replace(at_the_limit, **{fields[name]: getattr(at_the_limit, fields[name]) + EPSILON})
    verdict = judge(SWAP, beyond, LIMITS, clipped=False)
    assert verdict.status is VerdictStatus.DENIED
    assert [check.name for check in verdict.checks if not check.ok] == [name]
    assert verdict.reason.startswith(f"{name} ")
    assert "over the limit of" in verdict.reason


def test_every_broken_limit_is_named() -> None:
    bad = replace(CALM, gas_usd=Decimal("21.5"), impact_bps=Decimal(99))
    reason = judge(SWAP, bad, LIMITS, clipped=True).reason
    assert reason == "slippage 99.00 over the limit of 50.00 bp; gas 21.50 over the limit of 20.00 USD"


def test_where_no_base_is_bought_its_share_is_not_looked_at() -> None:
    verdict = judge(SWAP, replace(CALM, base_share_after=None), LIMITS, clipped=False)
    assert "exposure" not in {check.name for check in verdict.checks}


def test_holding_is_always_allowed() -> None:
    hold = Hold(reason="nothing to do")
    dreadful = replace(CALM, drawdown=Decimal(1), gas_usd=Decimal(10**9))
    verdict = judge(hold, dreadful, LIMITS, clipped=False)
    assert (verdict.status, verdict.intent, verdict.checks) == (VerdictStatus.APPROVED, hold, ())


def test_above_the_threshold_it_waits_for_the_owner() -> None:
    limits = LIMITS.model_copy(update={"approval_above_usd": Decimal(100)})
    assert judge(SWAP, CALM, limits, clipped=False).status is VerdictStatus.APPROVED
    above = replace(CALM, moved_usd=Decimal(100) + EPSILON)
    verdict = judge(SWAP, above, limits, clipped=True)
    assert verdict.status is VerdictStatus.NEEDS_APPROVAL
    assert verdict.reason == "moves 100 USD, above 100 USD: waits for the owner"
    denied = judge(SWAP, replace(above, gas_usd=Decimal(21)), limits, clipped=False)
    assert denied.status is VerdictStatus.DENIED, "what is not allowed does not wait to be"


def test_a_clipped_intent_says_so() -> None:
    verdict = judge(SWAP, CALM, LIMITS, clipped=True)
    assert (verdict.status, verdict.reason) == (VerdictStatus.CLIPPED, "cut down to 100.00 USD")


def test_a_swap_is_cut_to_the_largest_allowed() -> None:
    assert clip(SWAP, Decimal(4_000), LIMITS) == replace(SWAP, amount_in_raw=250)
    assert clip(SWAP, Decimal(1_000), LIMITS) is SWAP
    assert clip(SWAP, Decimal(0), LIMITS.model_copy(update={"max_trade_usd": Decimal(0)})) is SWAP
    nothing = clip(SWAP, Decimal(4_000), LIMITS.model_copy(update={"max_trade_usd": Decimal(0)}))
    assert isinstance(nothing, Swap)
    assert nothing.amount_in_raw == 0


def test_what_is_no_swap_cannot_be_cut() -> None:
    close = ClosePosition(token_id=1, reason="enough")
    assert clip(close, Decimal(10**9), LIMITS) is close


@pytest.mark.parametrize(
    "field",
    [
        {"max_slippage_bps": 0}, {"max_slippage_bps": 5_001}, {"max_base_share": "1.1"}, {"max_drawdown": "-0.1"},
        {"max_trade_usd": -1}, {"max_failures": 0}, {"max_trade_usd": "NaN"}, {"max_gas_usd": "Infinity"},
        {"max_trades": 3},
    ],
)  # fmt: skip
def test_a_limit_that_limits_nothing_is_refused(field: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Limits.model_validate(field)
