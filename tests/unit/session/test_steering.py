"""What an operator's word does where a node does not answer, or an agent fails."""

import asyncio
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import pytest

from defai.agent.agent import AgentState
from defai.agent.ports import Submission
from defai.domain.intents import Hold, Swap
from defai.errors import DivergenceError, NotRunningError
from defai.risk.limits import Limits
from defai.session.session import decided
from defai.session.steering import Steering
from tests.unit.agent.ports import KEY, Stand


async def test_all_are_halted_before_anything_is_withdrawn_and_though_a_node_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    buy = Swap(pool=KEY.address, zero_for_one=True, amount_in_raw=10**9, reason="cheap")
    waits, trades = Stand(buy, limits=Limits(approval_above_usd=Decimal(999))), Stand(Hold(reason="not now"))
    states: list[AgentState] = []

    async def nobody_answers(_: Submission) -> None:
        states.extend(stand.agent.state for stand in (waits, trades))
        raise NotRunningError("No node answers.")

    for stand in (waits, trades):
        await stand.block()
    assert waits.agent.pending is not None
    monkeypatch.setattr(waits.ports, "submit", nobody_answers)
    session = cast("Any", SimpleNamespace(agents=[waits.agent, trades.agent]))
    with pytest.raises(NotRunningError):
        await Steering(session).halt_all()
    assert states == [AgentState.PAUSED, AgentState.PAUSED]


async def test_where_a_step_fails_those_of_the_others_come_to_their_end_first() -> None:
    sent = []

    async def fails() -> None:
        raise DivergenceError("the chain says otherwise")

    async def sends() -> None:
        sent.append(await asyncio.to_thread(str, "a transaction"))

    with pytest.raises(DivergenceError):
        await decided([fails(), sends()])
    assert sent == ["a transaction"]
