from dataclasses import replace
from decimal import Decimal

import pytest

from defai.domain.stream import (
    AgentStateChanged,
    ExecutionSettled,
    SessionStarted,
    StepCompleted,
    StreamEvent,
)
from defai.testing.stream import demo_stream
from defai.tui.fleet import LOG_LINES, RECORD_LINES, FleetState
from defai.tui.lines import HISTORY


def folded(events: list[StreamEvent]) -> FleetState:
    fleet = FleetState()
    for second, event in enumerate(events):
        fleet.apply(event, float(second))
    return fleet


def test_the_same_seed_gives_the_same_events_and_another_seed_others() -> None:
    assert list(demo_stream(3, 20)) == list(demo_stream(3, 20))
    assert list(demo_stream(3, 20)) != list(demo_stream(4, 20))


def test_fleet_figures_are_unknown_until_every_agent_has_said_what_it_owns(
    session: list[StreamEvent],
) -> None:
    steps = [index for index, event in enumerate(session) if isinstance(event, StepCompleted)]
    early = folded(session[: steps[3]])
    assert early.equity_usd is early.pnl_percent is early.versus_hold_percent is None
    known = folded(session[: steps[3] + 1])
    lines = [line.portfolio for line in known.agents.values() if line.portfolio]
    assert known.equity_usd == sum((one.equity_usd for one in lines), Decimal(0))
    assert known.pnl_percent is not None


def test_a_run_of_holds_is_one_line_with_the_latest_decision(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    line = fleet.agents["hold"].log[-1]
    assert len(fleet.agents["hold"].log) == 1
    assert (line.seen, line.first_block, line.decision.block_number) == (60, 1_065, 1_124)
    assert fleet.line_of(line.decision.digest) is line


def test_every_decision_is_in_the_log_once(session: list[StreamEvent]) -> None:
    decisions = [event for event in session if isinstance(event, StepCompleted) and event.decision]
    assert sum(line.seen for line in folded(session).log) == len(decisions)


def test_executions_find_their_decision_before_and_after_it(session: list[StreamEvent]) -> None:
    at = next(index for index, event in enumerate(session) if isinstance(event, ExecutionSettled))
    settled = session[at]
    assert isinstance(settled, ExecutionSettled)
    late = folded(session[: at + 1]).line_of(settled.digest)
    assert late is not None
    assert late.execution == settled
    start = next(index for index, event in enumerate(session) if isinstance(event, SessionStarted))
    early = folded([*session[: start + 1], settled, *session[start + 1 : at]]).line_of(settled.digest)
    assert early is not None
    assert early.execution == settled


def test_what_was_sold_decides_how_a_swap_is_marked(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    for line in fleet.agents.values():
        for trade in line.trades:
            decision = next(
                one for one in line.log if one.execution and one.execution.block_number == trade.block
            )
            words = decision.decision.text
            expected = "sell" if "WETH ->" in words else "buy" if "USDC ->" in words else "liquidity"
            assert trade.sort == expected
    assert {trade.sort for line in fleet.agents.values() for trade in line.trades} == {
        "buy",
        "sell",
        "liquidity",
    }


def test_a_denied_decision_and_a_failed_one_are_told_from_a_good_one(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    marks = {line.mark for line in fleet.log}
    assert {"hold", "approved", "denied"} <= marks
    line = next(line for line in fleet.log if line.mark == "approved")
    assert line.execution is not None
    line.execution = replace(line.execution, status="reverted", error="slippage")
    assert line.mark == "failed"
    line.execution = None
    assert line.mark == "pending"


def test_a_position_knows_since_when_it_is_out_of_range() -> None:
    events = list(demo_stream(7, 200, end=False))
    fleet, out = FleetState(), []
    for event in events:
        fleet.apply(event, 0.0)
        if isinstance(event, StepCompleted) and event.agent == "lp-wide":
            line = fleet.agents["lp-wide"]
            assert line.position is not None
            assert (line.out_since is None) == line.position.in_range
            if line.out_since is not None:
                assert line.out_since <= event.timestamp
                out.append(line.out_since)
    assert out


def test_a_wish_is_over_when_the_state_changes(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    fleet.agents["tiers"].wish = "pausing"
    parts = fleet.apply(AgentStateChanged("tiers", "paused", "by its owner"), 0.0)
    assert (fleet.agents["tiers"].state, fleet.agents["tiers"].wish) == ("paused", "")
    assert "agents" in parts
    assert fleet.apply(AgentStateChanged("nobody", "paused", ""), 0.0) == set()


@pytest.mark.parametrize("blocks", [2_600])
def test_memory_is_bounded_however_long_it_runs(blocks: int) -> None:
    fleet = FleetState()
    for event in demo_stream(2, blocks, 4, end=False):
        fleet.apply(event, 0.0)
    assert len(fleet.log) <= LOG_LINES
    assert len(fleet.records) <= RECORD_LINES
    assert len(fleet.by_digest) <= LOG_LINES
    assert all(len(series) == HISTORY for series in fleet.prices.values())
    assert all(len(line.equity) == HISTORY for line in fleet.agents.values())
    assert set(fleet.by_digest) == {line.decision.digest for line in fleet.log}
