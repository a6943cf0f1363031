from dataclasses import replace
from decimal import Decimal

import pytest

from defai.domain.stream import (
    AgentStateChanged,
    ApprovalResolved,
    ConnectionChanged,
    EventsDropped,
    ExecutionSettled,
    HoldsAnchored,
    LogRecorded,
    Notice,
    ParametersChanged,
    RiskMeasured,
    SessionStarted,
    StepCompleted,
    StreamEvent,
    StreamRestarted,
)
from defai.testing.stream import demo_stream
from defai.testing.surroundings import demo_request
from defai.tui.fleet import FleetState
from defai.tui.folds import LOG_LINES
from defai.tui.pools import TAPE_LINES
from defai.tui.series import OLDER, RECENT
from defai.tui.waiting import outcome_words
from defai.tui.widgets.risk_table import brief


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
    assert len(fleet.by_digest) <= LOG_LINES
    assert all(RECENT <= len(pool.prices) <= 2 * RECENT + OLDER for pool in fleet.pools.values())
    assert all(pool.prices.first_block == 1_065 for pool in fleet.pools.values())
    assert all(len(pool.tape) == TAPE_LINES for pool in fleet.pools.values())
    assert all(len(line.equity) <= 2 * RECENT + OLDER for line in fleet.agents.values())
    assert set(fleet.by_digest) == {line.key for line in fleet.log}
    assert all(fleet.line_of(line.decision.digest) is line for line in list(fleet.log)[-5:])


def test_a_request_waits_until_it_is_resolved(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    digest = fleet.agents["lp-wide"].log[-1].decision.digest
    fleet.apply(demo_request("lp-wide", digest, 1_124, 1_000), 0.0)
    assert (fleet.waiting, fleet.agents["lp-wide"].waits) == (1, True)
    line = fleet.waiting_room.open[digest]
    assert (line.is_open, line.left_s(1_010), line.left_s(99_999)) == (True, 242, 0)
    fleet.apply(ApprovalResolved("lp-wide", digest, "rejected", "the owner", "too wide"), 0.0)
    assert (fleet.waiting, fleet.agents["lp-wide"].waits) == (0, False)
    assert fleet.waiting_room.find(digest) is line
    assert (line.state, fleet.journal.lines[-1].text) == ("rejected", "rejected by the owner: too wide")
    found = fleet.line_of(digest)
    assert found is not None
    assert (found.resolved, found.resolved_because) == ("rejected", "too wide")


def test_requests_are_listed_by_what_expires_first() -> None:
    fleet = folded([])
    for name, expires_in_s in (("a", 90), ("b", 30), ("c", 60)):
        fleet.apply(demo_request(name, f"0x{name}", 1, 1_000, expires_in_s=expires_in_s), 0.0)
    fleet.apply(ApprovalResolved("c", "0xc", "expired", "", ""), 0.0)
    assert [line.request.agent for line in fleet.waiting_room.lines] == ["b", "a", "c"]


def test_what_is_said_twice_is_counted_and_errors_stay_unread() -> None:
    fleet = folded([LogRecorded("info", "x", "again", 1.0), LogRecorded("info", "x", "again", 2.0)])
    fleet.apply(Notice("error", "It broke.", "Mend it."), 0.0)
    assert [(line.text, line.seen) for line in fleet.journal.lines] == [
        ("again", 2),
        ("It broke. Mend it.", 1),
    ]
    assert fleet.journal.unread == 1


def test_a_stream_that_begins_anew_leaves_nothing_of_before(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    fleet.apply(StreamRestarted("back to block 1,065"), 0.0)
    assert (fleet.block, fleet.agents, len(fleet.log), fleet.generation) == (None, {}, 0, 1)
    assert fleet.journal.lines[-1].text == "back to block 1,065"
    for event in session:
        fleet.apply(event, 0.0)
    assert len(fleet.log) == len(folded(session).log)


def test_what_the_stream_left_out_is_counted(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    assert fleet.apply(EventsDropped(120, "too slow"), 0.0) >= {"status"}
    assert fleet.dropped == 120


def test_a_lost_connection_is_known_and_said_once() -> None:
    fleet = folded([ConnectionChanged("disconnected", "ws://x", "reset", n, 1.0) for n in range(3)])
    assert [line.text for line in fleet.journal.lines] == ["disconnected ws://x: reset"]
    assert fleet.connection is not None


def test_other_parameters_are_the_agents_from_then_on(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    fleet.apply(
        ParametersChanged("lp-wide", {"sigmas": "5", "floor_ticks": "80", "patience": "3"}, "0x", 1_124), 0.0
    )
    card = fleet.agents["lp-wide"].card
    assert card.parameters["sigmas"] == "5"
    assert [one.value for one in card.form] == ["5", "80", "3"]


def test_how_close_an_agent_is_to_its_limits_is_kept(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    last = next(one for one in reversed(session) if isinstance(one, RiskMeasured) and one.agent == "tiers")
    assert fleet.agents["tiers"].gauges == last.gauges


def test_a_hold_knows_its_anchor(session: list[StreamEvent]) -> None:
    anchor = next(event for event in session if isinstance(event, HoldsAnchored))
    line = folded(session).agents[anchor.agent]
    assert line.anchor_of(anchor.first_sequence) == anchor
    assert line.anchor_of(anchor.first_sequence + anchor.count) is None


def test_many_agents_remember_less_each() -> None:
    few, many = folded(list(demo_stream(1, 1, 4))), folded(list(demo_stream(1, 1, 300)))
    assert (few.agents["hold"].log.maxlen or 0) > (many.agents["hold"].log.maxlen or 0) >= 24


def test_a_run_of_holds_keeps_when_it_began(session: list[StreamEvent]) -> None:
    fleet = folded(session)
    times = {event.block_number: event.timestamp for event in session if isinstance(event, StepCompleted)}
    runs = [line for line in fleet.log if line.seen > 1]
    assert runs
    assert all(line.first_timestamp == times[line.first_block] <= line.timestamp for line in fleet.log)


def test_a_request_that_nobody_answered_is_not_said_to_be_somebodys_doing() -> None:
    assert outcome_words(ApprovalResolved("tiers", "0x1", "expired", "nobody", "too late")) == "expired"
    assert (
        outcome_words(ApprovalResolved("tiers", "0x1", "rejected", "terminal", "")) == "rejected by terminal"
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [(0, "0"), (999, "999"), (5_403, "5.4k"), (25_000, "25k"), (973_986, "974k"), (1_500_000, "1.5M")],
)
def test_amounts_in_brief(amount: int, words: str) -> None:
    assert brief(Decimal(amount)) == words
