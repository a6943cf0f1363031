"""An agent's step: what it decides, when it may not, and that nothing an author writes reaches another agent."""

import json
from decimal import Decimal

import pytest

from defai.agent.agent import AgentState
from defai.audit.merkle import merkle_root
from defai.domain.decisions import ZERO_DIGEST, Action, ExecutionStatus, FeatureRow, Forecast
from defai.domain.intents import Batch, ClosePosition, OpenPosition, Rebalance, Swap
from defai.domain.stream import AgentStateChanged, ExecutionSettled, HoldsAnchored, Notice, StepCompleted
from defai.risk.limits import Limits
from defai.strategy.api import Hold
from defai.testing.builders import swap_block
from tests.unit.agent.ports import KEY, Stand

BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="cheap")
FILLED, REVERTED, REFUSED = ExecutionStatus.FILLED, ExecutionStatus.REVERTED, ExecutionStatus.REFUSED


async def test_a_hold_is_a_decision_that_waits_for_its_anchor() -> None:
    stand = Stand(Hold(reason="one"), Hold(reason="two"), Hold(reason="three"))
    decisions = [await stand.block() for _ in range(2)]
    assert stand.ports.submitted == []
    decisions.append(await stand.block())
    assert [decision.sequence for decision in decisions if decision] == [0, 1, 2]
    (submission,) = stand.ports.submitted
    assert (submission.decision, submission.plan) == (None, None)
    assert (submission.anchor.first_sequence, submission.anchor.count) == (0, 3)
    assert submission.anchor.root == merkle_root([decision.digest for decision in decisions if decision])
    assert [agent for agent, _ in stand.ports.kept] == ["a"] * 3
    assert stand.agent.decisions == {"decisions": 3, "trades": 0, "holds": 3, "denied": 0, "records": 0}


async def test_a_decision_says_what_it_was_made_from() -> None:
    stand = Stand(BUY)
    decision = await stand.block()
    assert decision is not None
    head = stand.market.head
    assert (decision.block_number, decision.block_hash) == (head.number, head.hash)
    assert decision.action is Action.SWAP
    assert decision.strategy_digest == "0x" + "11" * 32
    assert decision.model_digest == decision.features_digest == ZERO_DIGEST
    payload = json.loads(decision.payload)
    assert payload["intent"] == {
        "kind": "Swap", "pool": KEY.address, "zero_for_one": True, "amount_in_raw": 10**9, "reason": "cheap",
    }  # fmt: skip
    assert payload["reason"] == "cheap"
    assert payload["verdict"]["status"] == "approved"
    assert payload["features"] is None


async def test_nothing_is_decided_while_something_is_under_way() -> None:
    stand = Stand(BUY, BUY)
    assert await stand.block() is not None
    for _ in range(3):
        assert await stand.block() is None
    assert len(stand.strategy.seen) == len(stand.ports.submitted) == 1
    assert [step.decision is None for step in stand.heard(StepCompleted)] == [False, True, True, True]
    stand.ports.settle()
    assert await stand.block() is not None
    assert len(stand.ports.submitted) == 2


async def test_what_came_of_a_decision_is_folded_before_the_next() -> None:
    stand = Stand(BUY)
    decision = await stand.block()
    assert decision is not None
    before = stand.desk.portfolio
    stand.ports.settle(gas=100_000)
    await stand.block()
    after = stand.desk.portfolio
    assert {token: after.balances[token] - held for token, held in before.balances.items()} == {
        KEY.token0.address: -(10**6), KEY.token1.address: 10**15,
    }  # fmt: skip
    assert stand.strategy.seen[1].balances == after.balances
    assert after.gas_wei == 100_000 * 10**10
    (settled,) = stand.heard(ExecutionSettled)
    assert (settled.digest, settled.status, settled.record_id, settled.gas_used) == (
        decision.digest, "filled", 1, 100_000,
    )  # fmt: skip
    assert settled.text == "0.0010000 WETH for 1.0000 USDC"
    assert stand.agent.decisions["trades"] == stand.agent.decisions["records"] == 1
    assert stand.agent.gas_used == 100_000


async def test_a_record_carries_the_holds_before_it() -> None:
    stand = Stand(Hold(reason=""), Hold(reason=""), BUY)
    decisions = [await stand.block() for _ in range(3)]
    (submission,) = stand.ports.submitted
    assert submission.decision == decisions[2]
    assert (submission.anchor.first_sequence, submission.anchor.count) == (0, 2)
    stand.ports.settle()
    await stand.block()
    (anchored,) = stand.heard(HoldsAnchored)
    assert (anchored.first_sequence, anchored.count, anchored.root) == (0, 2, submission.anchor.root)
    assert len(stand.agent.outbox) == 1, "the newest hold alone waits"


@pytest.mark.parametrize("status", [REVERTED, REFUSED])
async def test_a_failed_decision_goes_back_and_is_anchored_in_its_place(status: ExecutionStatus) -> None:
    stand = Stand(Hold(reason=""), BUY, Hold(reason=""), BUY)
    first = [await stand.block() for _ in range(2)]
    stand.ports.settle(status, "Too little received")
    second = [await stand.block() for _ in range(1)]
    assert second[0] is not None
    anchor = stand.ports.submitted[1].anchor
    expected = [decision.digest for decision in [*first, *second] if decision]
    assert (anchor.first_sequence, anchor.count) == (0, 3)
    assert anchor.root == merkle_root(expected)
    (settled,) = stand.heard(ExecutionSettled)
    assert (settled.status, settled.error, settled.record_id) == (status.value, "Too little received", None)
    assert stand.desk.portfolio.balances == stand.desk.portfolio.initial
    assert stand.agent.decisions["trades"] == stand.agent.decisions["records"] == 0


@pytest.mark.parametrize(
    "answer",
    [
        ZeroDivisionError("division by zero"), KeyError("x"), SystemExit(3), RecursionError("deep"),
        None, "buy", 3, Swap,
        Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=1.5, reason=""),  # type: ignore[arg-type]  # nonsense
        Swap(pool=KEY.address, zero_for_one=1, amount_in_raw=1, reason=""),  # type: ignore[arg-type]  # the same
        Swap(pool=None, zero_for_one=True, amount_in_raw=1, reason=""),  # type: ignore[arg-type]  # the same
        Hold(reason=None),  # type: ignore[arg-type]  # the same
        Hold(reason="\ud800"), Hold(reason="x" * 1_001),
        Batch(intents=[BUY], reason=""),  # type: ignore[arg-type]  # the same
        Batch(intents=(Hold(reason=""),), reason=""),  # type: ignore[arg-type]  # the same
        Batch(intents=(ClosePosition(token_id=1.0, reason=""),), reason=""),  # type: ignore[arg-type]  # the same
    ],
)  # fmt: skip
async def test_a_strategy_that_raises_or_talks_nonsense_stops_its_agent_alone(answer: object) -> None:
    stand = Stand(answer)
    decision = await stand.block()
    assert decision is not None, "that it stopped is a decision too, and on record"
    assert decision.action is Action.HOLD
    assert stand.agent.state is AgentState.STOPPED
    (change,) = stand.heard(AgentStateChanged)
    assert change.state == "stopped"
    assert change.reason.startswith("scripted.decide ")
    assert json.loads(decision.payload)["reason"] == change.reason
    assert await stand.block() is None
    stand.agent.change_state(AgentState.RUNNING, "resumed")
    assert await stand.block() is not None


@pytest.mark.parametrize(
    ("intent", "why"),
    [
        (Swap(pool="0xdead", zero_for_one=True, amount_in_raw=1, reason=""), "not one the agent watches"),
        (Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=-1, reason=""), "positive amount"),
        (
            Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**30, reason=""),
            "of which the vault has",
        ),
        (ClosePosition(token_id=5, reason=""), "not one of the vault's"),
        (Rebalance(pool=KEY.address, tick_lower=-(10**9), tick_upper=0, reason=""), "lies outside"),
        (
            OpenPosition(
                pool=KEY.address, tick_lower=0, tick_upper=10, amount0_raw=-1, amount1_raw=0, reason=""
            ),
            "less than nothing",
        ),
        (Batch(intents=(), reason=""), "asks for nothing"),
    ],
)
async def test_what_cannot_be_done_is_denied_and_on_record(intent: object, why: str) -> None:
    stand = Stand(intent)
    decision = await stand.block()
    assert decision is not None
    assert (decision.action, decision.action_digest) == (Action.HOLD, ZERO_DIGEST)
    assert stand.agent.state is AgentState.RUNNING
    assert stand.agent.decisions["denied"] == 1
    (step,) = stand.heard(StepCompleted)
    assert step.decision is not None
    assert step.decision.verdict == "denied"
    assert why in step.decision.verdict_reason
    assert len(stand.agent.outbox) == 1


async def test_a_paused_agent_decides_nothing_and_still_settles() -> None:
    stand = Stand(BUY, BUY)
    await stand.block()
    stand.agent.change_state(AgentState.PAUSED, "paused by the operator")
    stand.ports.settle()
    assert await stand.block() is None
    assert stand.agent.decisions["trades"] == 1
    assert stand.heard(StepCompleted)[-1].state == "paused"
    stand.agent.change_state(AgentState.PAUSED, "once more")
    stand.agent.change_state(AgentState.RUNNING, "resumed")
    assert [change.reason for change in stand.heard(AgentStateChanged)] == [
        "paused by the operator",
        "resumed",
    ]
    assert await stand.block() is not None


async def test_too_many_failures_in_a_row_break_the_circuit() -> None:
    stand = Stand(BUY, BUY, BUY, BUY, BUY, limits=Limits(max_failures=2))
    await stand.block()
    stand.ports.settle(REVERTED, "Too little received")
    await stand.block()
    stand.ports.settle(FILLED)
    await stand.block()
    assert stand.agent.state.value == "running"
    stand.ports.settle(REVERTED, "Too little received")
    await stand.block()
    stand.ports.settle(REFUSED, "insufficient funds")
    assert await stand.block() is None
    assert stand.agent.state is AgentState.STOPPED
    reason = stand.heard(AgentStateChanged)[-1].reason
    assert reason == "2 transactions in a row failed: insufficient funds"


async def test_anchors_that_fail_are_said_and_counted() -> None:
    stand = Stand(limits=Limits(max_failures=2), anchor_every=1)
    for _ in range(2):
        await stand.block()
        stand.ports.settle(REVERTED, "WrongSequence")
    await stand.block()
    assert [notice.sentence for notice in stand.heard(Notice)] == [
        "a could not anchor its decisions: WrongSequence"
    ] * 2
    assert stand.agent.state is AgentState.STOPPED


async def test_an_anchor_that_lands_does_not_excuse_trades_that_fail() -> None:
    stand = Stand(BUY, Hold(reason=""), BUY, limits=Limits(max_failures=2), anchor_every=1)
    await stand.block()
    stand.ports.settle(REVERTED, "no")
    await stand.block()
    stand.ports.settle(FILLED)
    await stand.block()
    stand.ports.settle(REVERTED, "no")
    await stand.block()
    assert stand.agent.state is AgentState.STOPPED


async def test_a_drawdown_breaks_the_circuit() -> None:
    stand = Stand(limits=Limits(max_drawdown=Decimal("0.05")))
    await stand.block()
    assert stand.agent.state.value == "running"
    stand.market.apply(swap_block(stand.market, KEY, zero_for_one=False, amount_in=4 * 10**21))
    await stand.agent.step(0.0)
    assert stand.agent.state is AgentState.STOPPED
    assert "drawdown" in stand.heard(AgentStateChanged)[-1].reason
    assert "over the limit of 5%" in stand.heard(AgentStateChanged)[-1].reason


async def test_flushing_anchors_what_waits_unless_something_is_under_way() -> None:
    stand = Stand()
    await stand.agent.flush()
    assert stand.ports.submitted == []
    assert await stand.agent.settle()
    await stand.block()
    await stand.agent.flush()
    assert stand.ports.submitted[0].anchor.count == 1
    assert not await stand.agent.settle()
    await stand.agent.flush()
    assert len(stand.ports.submitted) == 1
    stand.ports.settle()
    assert await stand.agent.settle()
    assert len(stand.agent.outbox) == 0


class Oracle:
    """A model that forecasts the first feature's own value."""

    def predict(self, row: FeatureRow) -> Forecast:
        return Forecast(row.values[0] << 8, "ticks", "an echo", "0x" + "33" * 32, low_x24=-5, high_x24=5)


async def test_features_and_forecast_are_part_of_the_decision() -> None:
    stand = Stand(features=("return_1", "volatility_6"), model=Oracle())
    early = await stand.block()
    assert early is not None
    assert stand.strategy.seen[0].features is None
    assert early.model_digest == early.features_digest == ZERO_DIGEST
    for _ in range(10):
        stand.market.apply(swap_block(stand.market, KEY, zero_for_one=True, amount_in=10**10))
    late = await stand.block()
    assert late is not None
    seen = stand.strategy.seen[1]
    assert seen.features is not None
    assert seen.forecast is not None
    assert late.forecast_x24 == seen.forecast.value_x24 == seen.features.values[0] << 8
    assert late.model_digest == "0x" + "33" * 32
    assert json.loads(late.payload)["features"] == dict(
        zip(seen.features.names, seen.features.values, strict=True)
    )
    view = stand.heard(StepCompleted)[-1].decision
    assert view is not None
    assert view.forecast is not None
    assert (view.forecast.name, view.forecast.low) == ("an echo", -5 / (1 << 24))


async def test_chance_depends_on_agent_and_block_alone() -> None:
    draws = []
    for _ in range(2):
        stand = Stand()
        await stand.block()
        await stand.block()
        draws.append([context.rng.random() for context in stand.strategy.seen])
    assert draws[0] == draws[1]
    assert draws[0][0] != draws[0][1]


async def test_costs_and_equity_are_what_the_desk_says() -> None:
    stand = Stand()
    await stand.block()
    (context,) = stand.strategy.seen
    assert context.equity_raw == stand.desk.valued().equity_raw
    assert 0 < context.costs.gas_usd < context.costs.rebalance_gas_usd < 50
    assert (context.numeraire, context.base) == (KEY.token0, KEY.token1)
