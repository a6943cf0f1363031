"""What an agent's strategy is told of its own doings, when it may refuse to begin, and what its words may do."""

import logging

import pytest

from defai.agent.agent import AgentState
from defai.agent.asking import OUTCOMES_KEPT, Asking
from defai.domain.decisions import Action, ExecutionStatus
from defai.domain.stream import AgentStateChanged, Notice
from defai.strategy.api import Context, Hold, Outcome, Swap
from defai.testing.builders import context_on, pool_with_liquidity
from defai.testing.scripted import Scripted
from tests.unit.agent.ports import KEY, Stand

BUY = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="cheap")


class Picky(Scripted):
    """Wants to be told something before it starts, and has something to say about everything."""

    refusal: str = ""

    def on_start(self, ctx: Context) -> str:
        """Refuse."""
        return self.refusal.format(block=ctx.block_number)

    def on_outcome(self, outcome: Outcome) -> str:
        """Comment."""
        return f"{outcome.action.name} filled: {outcome.filled}"


class Broken(Scripted):
    """Raises in its hooks."""

    def on_start(self, ctx: Context) -> str:  # noqa: ARG002  it fails whatever it is shown
        """Fail."""
        raise ValueError("no")

    def on_outcome(self, outcome: Outcome) -> str:
        """Give nonsense."""
        return outcome.gas_used  # type: ignore[return-value]  # nonsense is the point


async def test_what_came_of_decisions_is_in_the_next_context() -> None:
    stand = Stand(BUY, BUY, BUY)
    for status in (ExecutionStatus.FILLED, ExecutionStatus.REVERTED, ExecutionStatus.REFUSED):
        await stand.block()
        stand.ports.settle(status, gas=100_000)
    await stand.block()
    seen = [[outcome.filled for outcome in context.outcomes] for context in stand.strategy.seen]
    assert seen == [[], [True], [True, False], [True, False]], "no block has what was refused"
    filled, reverted = stand.strategy.seen[-1].outcomes
    assert (filled.action, filled.gas_used, filled.block_number) == (Action.SWAP, 100_000, 200)
    assert filled.decided_block == stand.strategy.seen[0].block_number
    assert (filled.delta(KEY.token0), filled.delta(KEY.token1)) == (-(10**6), 10**15)
    assert filled.gas_raw > 0
    assert reverted.token_deltas == ()


async def test_only_the_latest_outcomes_are_told() -> None:
    stand = Stand(*[BUY] * (OUTCOMES_KEPT + 3))
    for _ in range(OUTCOMES_KEPT + 2):
        await stand.block()
        stand.ports.settle()
    await stand.block()
    told = [outcome.decided_block for outcome in stand.strategy.seen[-1].outcomes]
    assert told == [context.block_number for context in stand.strategy.seen[2:-1]]


async def test_a_strategy_that_cannot_work_here_decides_nothing() -> None:
    stand = stand_with(Picky(refusal="not before block {block}").then(BUY))
    assert await stand.block() is None
    assert stand.agent.state is AgentState.STOPPED
    assert stand.agent.state_reason == f"scripted cannot start: not before block {stand.market.head.number}"
    assert stand.agent.decisions["decisions"] == 0
    assert await stand.block() is None
    stand.agent.change_state(AgentState.RUNNING, "resumed by the operator")
    assert await stand.block() is None, "it is asked again, and refuses again"
    assert len(stand.heard(AgentStateChanged)) == 3


async def test_a_strategy_says_something_about_what_came_of_it() -> None:
    stand = stand_with(Picky().then(BUY))
    await stand.block()
    stand.ports.settle()
    await stand.block()
    assert [notice.sentence for notice in stand.heard(Notice)] == ["a: SWAP filled: True"]


async def test_hooks_that_fail_stop_their_agent_with_the_reason() -> None:
    stand = stand_with(Broken())
    assert await stand.block() is None
    assert stand.agent.state_reason == "scripted.on_start raised ValueError: no"
    asking = Asking("broken")
    asking.comment(Broken(), some_outcome())
    assert asking.fault == "broken.on_outcome gave int, not text"


@pytest.mark.parametrize("error", [ValueError("x"), SystemExit(3), RecursionError("deep")])
def test_whatever_is_raised_becomes_a_hold_with_the_reason(
    error: BaseException, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asking, strategy = Asking("s"), Scripted().then(error, Hold(reason="again"))
    context = context_on({KEY: pool_with_liquidity(KEY)})
    assert asking.decide(strategy.decide, context, strategy.stated_edge) == Hold(
        reason=f"s.decide raised {type(error).__name__}: {error}"
    )
    assert asking.fault
    (kept,) = caplog.records
    assert kept.exc_info, "the log says where"
    assert kept.exc_info[1] is error
    assert asking.decide(strategy.decide, context, strategy.stated_edge) == Hold(reason="again")
    assert not asking.fault


def some_outcome() -> Outcome:
    return Outcome(1, 2, Action.SWAP, True, (), (), (), 3, 4)


def stand_with(strategy: Scripted) -> Stand:
    return Stand(strategy=strategy)
