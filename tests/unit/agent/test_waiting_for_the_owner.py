"""A decision above the threshold waits for its owner: carried out with his word, else one that moved nothing."""

import json
from decimal import Decimal

import pytest

from defai.agent.agent import AgentState
from defai.agent.returning import Returning
from defai.domain.decisions import Action, Approval
from defai.domain.intents import Hold, Intent, Rebalance, Swap
from defai.domain.stream import AgentStateChanged, ApprovalRequested, ApprovalResolved
from defai.errors import NotFoundError
from defai.risk.limits import Limits
from defai.testing.builders import START_TICK
from tests.unit.agent.ports import KEY, Stand

LIMITS = Limits(approval_above_usd=Decimal(999), approval_waits_s=60)
APPROVAL = Approval(10**10, b"signed")


BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="cheap")
_AROUND = START_TICK // 10 * 10
BAND = Rebalance(pool=KEY.address, tick_lower=_AROUND, tick_upper=_AROUND + 600, reason="out of range")


def waiting(*intents: Intent) -> Stand:
    return Stand(*(intents or (BUY, Hold(reason="then"))), limits=LIMITS)


async def test_it_is_sealed_with_its_calls_and_not_sent() -> None:
    stand = waiting()
    decision = await stand.block()
    assert decision is not None
    assert (decision.action, stand.agent.state) == (Action.SWAP, AgentState.WAITING)
    assert json.loads(decision.payload)["verdict"]["status"] == "needs_approval"
    assert stand.agent.pending is not None
    assert stand.agent.pending.judged.plan is not None
    assert decision.action_digest == stand.agent.pending.judged.plan.action_digest
    assert stand.heard(AgentStateChanged)[0].reason.endswith("waits for the owner")
    assert await stand.block() is None
    assert stand.ports.submitted == []
    assert len(stand.strategy.seen) == 1


async def test_the_owner_is_told_what_why_how_much_and_until_when() -> None:
    stand = waiting()
    decision = await stand.block()
    (request,) = stand.heard(ApprovalRequested)
    assert decision is not None
    assert (request.agent, request.digest, request.sequence) == ("a", decision.digest, 0)
    assert (request.action, request.reason) == ("swap", "cheap")
    assert request.rule == "moves 1,000 USD, above 999 USD: waits for the owner"
    assert request.moved_usd == request.swap_usd == Decimal(1_000)
    assert request.expires_at == stand.market.head.timestamp + 60
    assert {check.name for check in request.checks} >= {"trade", "turnover", "slippage", "gas"}
    fee = Decimal(1_000) * KEY.fee_pips / 1_000_000
    assert request.swap_cost_usd is not None
    assert fee <= request.swap_cost_usd < fee * 3
    assert request.gas_usd is not None
    assert request.before == ""


async def test_a_band_counts_with_all_it_moves() -> None:
    stand = waiting(BAND)
    await stand.block()
    (request,) = stand.heard(ApprovalRequested)
    assert request.moved_usd is not None
    assert request.swap_usd is not None
    assert request.moved_usd > request.swap_usd


async def test_approved_it_goes_out_with_the_owners_word() -> None:
    stand = waiting(Hold(reason="first"), BUY, Hold(reason="then"))
    await stand.block()
    decision = await stand.block()
    await stand.block()
    await stand.agent.approve(APPROVAL, "the owner")
    (submission,) = stand.ports.submitted
    assert (submission.decision, submission.approval) == (decision, APPROVAL)
    assert submission.plan is not None
    assert submission.anchor.count == 1
    assert (stand.agent.state, stand.agent.pending) == (AgentState.RUNNING, None)
    (told,) = stand.heard(ApprovalResolved)
    assert (told.outcome, told.by) == ("approved", "the owner")
    stand.ports.settle(gas=100_000)
    after = await stand.block()
    assert after is not None
    assert after.sequence == 2
    assert stand.agent.decisions["trades"] == 1


async def test_turnover_counts_from_the_block_decided_upon() -> None:
    stand = waiting()
    await stand.block()
    decided = stand.market.head.timestamp
    for _ in range(3):
        await stand.block()
    await stand.agent.approve(APPROVAL, "the owner")
    assert stand.desk.turnover.swaps == ((decided, 1_000 * 10**6),)


async def test_rejected_it_is_one_that_moved_nothing_and_anchored_at_once() -> None:
    stand = waiting(Hold(reason="first"), BUY, Hold(reason="then"))
    await stand.block()
    decision = await stand.block()
    assert decision is not None
    await stand.agent.dismiss("rejected", "the owner", "too much")
    (submission,) = stand.ports.submitted
    assert (submission.decision, submission.plan) == (None, None)
    assert (submission.anchor.count, submission.anchor.last_digest) == (2, decision.digest)
    (told,) = stand.heard(ApprovalResolved)
    assert (told.outcome, told.reason) == ("rejected", "too much")
    assert stand.heard(AgentStateChanged)[-1].reason == "rejected by the owner: too much"
    assert stand.agent.decisions["denied"] == 1
    assert stand.desk.turnover.swaps == ()
    stand.ports.settle()
    after = await stand.block()
    assert after is not None
    assert (after.sequence, after.previous_digest) == (2, decision.digest)


async def test_its_time_runs_out() -> None:
    stand = waiting()
    await stand.block()
    expires_at = stand.market.head.timestamp + 60
    while stand.market.head.timestamp < expires_at:
        assert stand.heard(ApprovalResolved) == []
        await stand.block()
    (told,) = stand.heard(ApprovalResolved)
    assert (told.outcome, told.by) == ("expired", "nobody")
    assert len(stand.ports.submitted) == 1
    with pytest.raises(NotFoundError, match="No decision of a waits"):
        await stand.agent.approve(APPROVAL, "the owner")
    with pytest.raises(NotFoundError, match="No decision of a waits"):
        await stand.agent.dismiss("rejected", "the owner", "late")


async def test_below_the_threshold_nothing_waits() -> None:
    stand = Stand(BUY, limits=Limits(approval_above_usd=Decimal(1_000)))
    await stand.block()
    (submission,) = stand.ports.submitted
    assert submission.approval is None
    assert stand.heard(ApprovalRequested) == []


async def test_what_waited_is_withdrawn_even_where_the_process_ended_before_it_noted_that() -> None:
    """It had asked the owner, and was killed before the end of the block: only the journal knows of the decision."""
    before = Stand(BUY, limits=LIMITS)
    decision = await before.block()
    assert decision is not None
    assert before.agent.state is AgentState.WAITING
    after = Stand(limits=LIMITS, market=before.market, kind=Returning)
    agent = after.agent
    assert isinstance(agent, Returning)
    await agent.relive(decision, sent=False)
    assert after.heard(ApprovalResolved) == []
    agent.give_up(0)
    (resolved,) = after.heard(ApprovalResolved)
    assert (resolved.digest, resolved.outcome) == (decision.digest, "withdrawn")
    assert (agent.state, agent.decisions["denied"]) == (AgentState.RUNNING, 1)
    await agent.flush()
    (submission,) = after.ports.submitted
    assert submission.decision is None, "it is anchored as one that moved nothing"


async def test_what_was_answered_before_the_end_is_not_withdrawn_as_well() -> None:
    before = Stand(BUY, Hold(reason="enough"), limits=LIMITS)
    first = await before.block()
    assert first is not None
    after = Stand(limits=LIMITS, market=before.market, kind=Returning)
    agent = after.agent
    assert isinstance(agent, Returning)
    await before.agent.dismiss("rejected", "the owner", "no")
    await agent.relive(first, sent=True, carried=None)
    before.ports.settle()
    second = await before.block()
    assert second is not None
    await agent.relive(second, sent=False)
    agent.give_up(1)
    assert after.heard(ApprovalResolved) == []
    assert agent.state is AgentState.RUNNING
    assert agent.decisions == before.agent.decisions


async def test_what_is_remembered_to_wait_is_withdrawn() -> None:
    before = Stand(BUY, limits=LIMITS, kind=Returning)
    decision = await before.block()
    assert decision is not None
    assert isinstance(before.agent, Returning)
    after = Stand(limits=LIMITS, market=before.market, kind=Returning)
    agent = after.agent
    assert isinstance(agent, Returning)
    agent.recall(before.agent.remember(), [decision])
    agent.give_up(0)
    (resolved,) = after.heard(ApprovalResolved)
    assert (resolved.digest, resolved.outcome) == (decision.digest, "withdrawn")
    assert (agent.state, agent.decisions["denied"]) == (AgentState.RUNNING, 1)
