"""What is not on the chain yet cannot be verified: the session says why not, and what it waits for."""

from decimal import Decimal

import pytest

from defai.domain.decisions import Decision, ExecutionStatus
from defai.domain.intents import Hold, Intent, Swap
from defai.risk.limits import Limits
from defai.session.told import Book
from defai.session.whereabouts import off_chain
from tests.unit.agent.ports import KEY, Stand

BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="cheap")
HOLD = Hold(reason="then")


async def decided(*intents: Intent, limits: Limits | None = None) -> tuple[Stand, Decision]:
    stand = Stand(*intents, limits=limits)
    decision = await stand.block()
    assert decision is not None
    return stand, decision


def said(stand: Stand, decision: Decision) -> str:
    book = Book()
    for event in stand.events:
        book.hear(event)
    return off_chain(stand.agent, decision.sequence, decision.digest, book)


async def test_a_hold_waits_for_the_next_anchor() -> None:
    stand, decision = await decided(HOLD)
    assert said(stand, decision) == (
        "Decision a:0 is not on the chain yet: it moved nothing, so it is anchored with the agent's next trade, "
        "or when 3 wait (1 do)."
    )
    await stand.agent.flush()
    stand.ports.settle()
    await stand.agent.settle()
    assert not said(stand, decision)


async def test_a_trade_is_under_way_until_a_block_has_it() -> None:
    stand, decision = await decided(BUY)
    assert said(stand, decision).endswith("is not on the chain yet: its transaction is under way.")
    stand.ports.settle()
    await stand.agent.settle()
    assert not said(stand, decision)


@pytest.mark.parametrize(
    ("status", "why"),
    [
        (ExecutionStatus.REVERTED, "its transaction reverted, so it is anchored with"),
        (ExecutionStatus.REFUSED, "its transaction was never taken, so it is anchored with"),
    ],
)
async def test_what_failed_waits_like_what_moved_nothing(status: ExecutionStatus, why: str) -> None:
    stand, decision = await decided(BUY)
    stand.ports.settle(status, "no")
    await stand.agent.settle()
    assert why in said(stand, decision)


async def test_what_waits_for_the_owner_says_so() -> None:
    stand, decision = await decided(BUY, limits=Limits(approval_above_usd=Decimal(999)))
    assert "it waits for the owner" in said(stand, decision)
