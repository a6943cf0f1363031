"""How each event changes what the screens show: one function a kind of event.

Each returns the names of the parts that changed.
"""

from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from defai.domain.stream import (
    AgentStateChanged,
    ApprovalRequested,
    ApprovalResolved,
    BlockArrived,
    ConnectionChanged,
    DecisionView,
    EventsDropped,
    ExecutionSettled,
    ForecastJudged,
    HoldsAnchored,
    LiquiditySeen,
    LogRecorded,
    ModelSeen,
    Notice,
    ParametersChanged,
    PlaybackMoved,
    RiskMeasured,
    SessionEnded,
    SessionStarted,
    SetupProgressed,
    StepCompleted,
    StreamRestarted,
    SwapsSeen,
)
from defai.tui.lines import DECISIONS_PER_AGENT, AgentLine, LogLine, Trade
from defai.tui.models import ModelLine
from defai.tui.pools import PoolState
from defai.tui.series import RECENT, Series
from defai.tui.waiting import outcome_words

if TYPE_CHECKING:
    from defai.tui.fleet import FleetState

LOG_LINES: Final = 2_000
LINES_OF_ALL_AGENTS: Final = 12_000
"""Decisions kept of all agents together: many agents remember fewer each."""
POINTS_OF_ALL_AGENTS: Final = 64 * RECENT

Parts = AbstractSet[str]

_RISKED: Final = frozenset({"risk"})
_STEPPED: Final = frozenset({"agents", "status", "chart"})
_DECIDED: Final = frozenset({"agents", "status", "chart", "log", "card"})


def setup(fleet: "FleetState", event: SetupProgressed) -> Parts:
    """The session is being set up."""
    if fleet.setup is not None and fleet.setup.step != event.step:
        fleet.setup_done = [*fleet.setup_done, fleet.setup.text][-40:]
    fleet.setup = event
    return {"setup"}


def start(fleet: "FleetState", event: SessionStarted) -> Parts:
    """Everything is up: the agents and the pools have names now."""
    fleet.started = event
    count = max(1, len(event.agents))
    lines = max(24, min(DECISIONS_PER_AGENT, LINES_OF_ALL_AGENTS // count))
    points = max(128, min(RECENT, POINTS_OF_ALL_AGENTS // count))
    fleet.agents = {
        card.name: AgentLine(card, equity=Series(2, points, points), log=deque(maxlen=lines))
        for card in event.agents
    }
    fleet.pools = {pool.address: PoolState(pool) for pool in event.pools}
    return {"setup", "status", "agents", "chart", "log", "card", "pools"}


def block(fleet: "FleetState", event: BlockArrived) -> Parts:
    """A block: every pool has a price."""
    for quote in event.pools:
        pool = fleet.pools.get(quote.address)
        if pool is not None:
            pool.quoted(event.number, quote)
    return {"status", "chart", "agents", "pools", "approvals"}


def step(fleet: "FleetState", event: StepCompleted) -> Parts:
    """An agent is through with a block: the most frequent of all events, thousands a second of a large fleet."""
    line = fleet.agents.get(event.agent)
    if line is None:
        return set()
    line.version += 1
    if line.state != event.state:
        line.state, line.wish = event.state, ""
    block_number, latency_ms = event.block_number, event.latency_ms
    line.remember(event.portfolio, block_number, event.timestamp)
    if block_number != fleet.latency_block:
        fleet.latency_block, fleet.latency_ms = block_number, latency_ms
    elif fleet.latency_ms is None or latency_ms > fleet.latency_ms:
        fleet.latency_ms = latency_ms
    decision = event.decision
    if decision is None:
        return _STEPPED
    if decision.forecast is not None:
        line.forecasts.append((decision.block_number, decision.forecast))
    last = line.last
    if (
        decision.action == "hold"
        and decision.verdict == "approved"
        and last is not None
        and last.decision.action == "hold"
        and not last.asked_about
    ):
        last.decision, last.timestamp, last.latency_ms = decision, event.timestamp, latency_ms
        last.explanation = last.verification = None
        last.rating = ""
        last.seen += 1
        last.version += 1
    else:
        decided(fleet, line, event, decision)
    return _DECIDED


def decided(fleet: "FleetState", line: AgentLine, event: StepCompleted, decision: DecisionView) -> None:
    """Put a decision on the log: anything but a hold after a hold, which changes that one's line alone."""
    entry = LogLine(
        event.agent,
        decision,
        event.timestamp,
        event.latency_ms,
        event.block_number,
        key=decision.digest,
        first_timestamp=event.timestamp,
    )
    entry.execution = fleet.early.pop(decision.digest, None)
    line.last = entry
    if not entry.is_hold:
        line.acted = fleet.acted = entry
    line.log.append(entry)
    fleet.by_digest[decision.digest] = entry
    fleet.log.append(entry)
    if len(fleet.log) > LOG_LINES:
        fleet.by_digest.pop(fleet.log.popleft().key, None)


def settled(fleet: "FleetState", event: ExecutionSettled) -> Parts:
    """A decision's transaction is in a block."""
    entry = fleet.by_digest.get(event.digest)
    if entry is None:
        fleet.early[event.digest] = event
        if len(fleet.early) > 64:
            fleet.early.popitem(last=False)
    else:
        entry.execution = event
        entry.version += 1
    line = fleet.agents.get(event.agent)
    if line is not None:
        line.version += 1
        line.records += event.record_id is not None
        if event.status == "filled":
            mark(fleet, line, event, entry)
    return {"log", "card", "agents", "chart"}


def mark(fleet: "FleetState", line: AgentLine, event: ExecutionSettled, entry: LogLine | None) -> None:
    """Remember an execution as the chart marks it."""
    pool = fleet.pools.get(line.main_pool or "")
    level = pool.prices.at(event.block_number) if pool else None
    if pool is not None and level is not None:
        line.trades.append(Trade(event.block_number, sort_of_trade(pool, entry), level))


def sort_of_trade(pool: PoolState, entry: LogLine | None) -> str:
    """What was sold comes first in a swap's words; anything else moves liquidity."""
    if entry is None or entry.decision.action != "swap":
        return "liquidity"
    words = entry.decision.text.split()
    places = [
        words.index(symbol) if symbol in words else len(words)
        for symbol in (pool.card.base_symbol, pool.card.quote_symbol)
    ]
    return "liquidity" if places[0] == places[1] else "sell" if places[0] < places[1] else "buy"


def anchored(fleet: "FleetState", event: HoldsAnchored) -> Parts:
    """A batch of decisions that moved nothing is on the chain."""
    line = fleet.agents.get(event.agent)
    if line is None:
        return set()
    line.anchors.append(event)
    for entry in reversed(line.log):  # an anchor is of decisions just taken
        if entry.decision.sequence < event.first_sequence:
            break
        if entry.decision.sequence < event.first_sequence + event.count:
            entry.version += 1
    return {"log", "card"}


def state(fleet: "FleetState", event: AgentStateChanged) -> Parts:
    """An agent runs, pauses, waits or stopped."""
    line = fleet.agents.get(event.agent)
    if line is None:
        return set()
    line.state, line.state_reason, line.wish = event.state, event.reason, ""
    line.version += 1
    if event.state in {"stopped", "waiting"}:
        level = "error" if event.state == "stopped" else "warning"
        write(fleet, level, event.agent, f"{event.state}: {event.reason}")
    return {"agents", "status", "risk", "journal"}


def swaps(fleet: "FleetState", event: SwapsSeen) -> Parts:
    """A pool's swaps of a block."""
    pool = fleet.pools.get(event.pool)
    if pool is not None:
        pool.swapped(event)
    return {"pools"}


def liquidity(fleet: "FleetState", event: LiquiditySeen) -> Parts:
    """A pool's liquidity by tick."""
    pool = fleet.pools.get(event.pool)
    if pool is not None:
        pool.liquidity = event
    return {"pools"}


def requested(fleet: "FleetState", event: ApprovalRequested) -> Parts:
    """A decision waits for the owner."""
    fleet.waiting_room.ask(event)
    line = fleet.agents.get(event.agent)
    if line is not None:
        line.request = event
        line.version += 1
    return {"approvals", "agents", "status", "log", "card"}


def resolved(fleet: "FleetState", event: ApprovalResolved) -> Parts:
    """A decision waits no more."""
    fleet.waiting_room.resolve(event)
    line = fleet.agents.get(event.agent)
    if line is not None and line.request is not None and line.request.digest == event.digest:
        line.request = None
        line.version += 1
    entry = fleet.line_of(event.digest)
    if entry is not None:
        entry.resolved, entry.resolved_because = event.outcome, event.reason
        entry.version += 1
    why = f": {event.reason}" if event.reason else ""
    write(fleet, "info", event.agent, outcome_words(event) + why)
    return {"approvals", "agents", "status", "log", "card", "journal"}


def parameters(fleet: "FleetState", event: ParametersChanged) -> Parts:
    """An agent decides by other parameters from now on."""
    line = fleet.agents.get(event.agent)
    if line is None:
        return set()
    form = tuple(replace(one, value=event.parameters.get(one.name, one.value)) for one in line.card.form)
    line.card = replace(line.card, parameters=dict(event.parameters), form=form)
    line.version += 1
    write(fleet, "info", event.agent, "decides by other parameters from now on")
    return {"agents", "journal"}


def model(fleet: "FleetState", event: ModelSeen) -> Parts:
    """A model's card, or what changed of it."""
    line = fleet.models.get(event.key)
    if line is None:
        fleet.models[event.key] = ModelLine(event)
    else:
        line.seen, line.version = event, line.version + 1
    reason = event.drift.reason if event.drift is not None else ""
    turned = [one for name in event.agents if (one := fleet.agents.get(name)) and one.drifted != reason]
    for agent in turned:
        agent.drifted = reason
        agent.version += 1
    return {"models", "agents", "risk"} if turned else {"models"}


def judged(fleet: "FleetState", event: ForecastJudged) -> Parts:
    """What came of a forecast."""
    for name in event.agents:
        line = fleet.agents.get(name)
        if line is not None:
            line.judged.append(event)
    return {"agents"}


def risk(fleet: "FleetState", event: RiskMeasured) -> Parts:
    """How close an agent is to its limits."""
    line = fleet.agents.get(event.agent)
    if line is None:
        return set()
    line.gauges, line.breaker = event.gauges, event.breaker
    line.version += 1
    return _RISKED


def log(fleet: "FleetState", event: LogRecorded) -> Parts:
    """A line of the session's log."""
    fleet.journal.take(event.level, event.logger, event.text, event.time, newest(fleet))
    return {"journal"}


def notice(fleet: "FleetState", event: Notice) -> Parts:
    """A sentence for the operator."""
    write(fleet, event.level, "session", f"{event.sentence} {event.hint}".strip())
    return {"journal"}


def dropped(fleet: "FleetState", event: EventsDropped) -> Parts:
    """The stream left events out."""
    fleet.dropped += event.count
    write(fleet, "warning", "stream", f"{event.count:,} events were left out: {event.reason}")
    return {"status", "journal"}


def connection(fleet: "FleetState", event: ConnectionChanged) -> Parts:
    """The session can be heard, or cannot."""
    known, fleet.connection = fleet.connection, event
    if known is None or known.state != event.state:
        level = "warning" if event.state == "disconnected" else "info"
        why = f": {event.reason}" if event.reason else ""
        write(fleet, level, "connection", f"{event.state} {event.url}{why}")
    return {"status", "journal"}


def restarted(fleet: "FleetState", event: StreamRestarted) -> Parts:
    """What follows begins anew."""
    fleet.forget()
    write(fleet, "info", "stream", event.reason or "begins anew")
    return {
        "setup",
        "status",
        "agents",
        "chart",
        "log",
        "card",
        "pools",
        "approvals",
        "models",
        "risk",
        "journal",
    }


def playback(fleet: "FleetState", event: PlaybackMoved) -> Parts:
    """Where the playing of a finished run is."""
    fleet.playback = event
    return {"playback", "status"}


def end(fleet: "FleetState", event: SessionEnded) -> Parts:
    """The last event: what waited for the owner waits no more."""
    fleet.ended = event
    return {"status", "agents", "approvals"}


def write(fleet: "FleetState", level: str, who: str, text: str) -> None:
    """Put a sentence of our own into the journal, at the chain's time."""
    fleet.journal.take(level, who, text, fleet.chain_time, newest(fleet))


def newest(fleet: "FleetState") -> int | None:
    """The newest block's number."""
    return fleet.block.number if fleet.block else None


FOLDS: Final[Mapping[str, Callable[["FleetState", Any], Parts]]] = {
    "setup_progressed": setup,
    "session_started": start,
    "execution_settled": settled,
    "holds_anchored": anchored,
    "agent_state_changed": state,
    "swaps_seen": swaps,
    "liquidity_seen": liquidity,
    "approval_requested": requested,
    "approval_resolved": resolved,
    "parameters_changed": parameters,
    "model_seen": model,
    "forecast_judged": judged,
    "risk_measured": risk,
    "log_recorded": log,
    "notice": notice,
    "events_dropped": dropped,
    "connection_changed": connection,
    "stream_restarted": restarted,
    "playback_moved": playback,
    "session_ended": end,
}
"""By the event's kind; blocks and steps, which are most of them, are looked up by their class."""
