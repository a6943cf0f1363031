"""A session in one JSON object: what runs, how it stands, what waits for the owner."""

from typing import Any

from defai.domain.stream import AgentStateChanged, StepCompleted
from defai.domain.wire import plain
from defai.server.backlog import Backlog


def summary(backlog: Backlog) -> dict[str, Any]:
    """The last word on everything."""
    started, setup = _last(backlog, "session_started"), _last(backlog, "setup_progressed")
    block = _last(backlog, "block_arrived")
    changes = [
        event for event in backlog.latest("agent_state_changed") if isinstance(event, AgentStateChanged)
    ]
    states = {event.agent: event for event in changes}
    steps = [event for event in backlog.latest("step_completed") if isinstance(event, StepCompleted)]
    vaults = {card["name"]: card["vault"] for card in started["agents"]} if started else {}
    return {
        "network": started and started["network"],
        "chain_id": started and started["chain_id"],
        "run_directory": started and started["run_directory"],
        "setting_up": setup["text"] if setup and not started else None,
        "block_number": block and block["number"],
        "timestamp": block and block["timestamp"],
        "agents": [_agent(step, states.get(step.agent)) for step in steps],
        "approvals": [
            {**request, "vault": vaults.get(request["agent"])}
            for request in _all(backlog, "approval_requested")
        ],
        "events": backlog.newest,
        "ended": _last(backlog, "session_ended"),
    }


def _agent(step: StepCompleted, changed: AgentStateChanged | None) -> dict[str, Any]:
    held = step.portfolio
    return {
        "name": step.agent,
        "state": changed.state if changed else step.state,
        "reason": changed.reason if changed else "",
        "equity_usd": str(held.equity_usd),
        "hodl_usd": str(held.hodl_usd),
        "drawdown": None if held.drawdown is None else str(held.drawdown),
        "block_number": step.block_number,
    }


def _all(backlog: Backlog, kind: str) -> list[dict[str, Any]]:
    return [plain(event) for event in backlog.latest(kind)]


def _last(backlog: Backlog, kind: str) -> dict[str, Any] | None:
    told = _all(backlog, kind)
    return told[-1] if told else None
