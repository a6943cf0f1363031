"""Audit logs: where every decision is kept with its payload before anything is done about it."""

import json
import os
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, overload

from defai.agent.ports import AuditLog
from defai.audit.canonical import digest
from defai.audit.holds import HoldChain
from defai.audit.record import AuditDomain
from defai.domain.decisions import Action, Decision
from defai.errors import ConfigError, DefaiError
from defai.worlds.sent_log import whole_lines


class MemoryAuditLog:
    """Keeps decisions in memory, in the order they were taken.

    Attributes:
        decisions: with the agent who took them.
        holds: decisions to hold that were sealed many at once, by agent; they are not among `decisions`.
    """

    def __init__(self, domain: AuditDomain) -> None:
        self.domain = domain
        self.decisions: list[tuple[str, Decision]] = []
        self.holds: dict[str, HoldChain] = {}

    async def append(self, agent: str, decision: Decision) -> None:
        """Keep a decision."""
        self.decisions.append((agent, decision))

    def of(self, agent: str) -> Sequence[Decision]:
        """All decisions of an agent."""
        one_by_one = [decision for name, decision in self.decisions if name == agent]
        holds = self.holds.get(agent)
        return one_by_one if holds is None else DecisionChain(one_by_one, holds)


class DecisionChain(Sequence[Decision]):
    """An agent's decisions in their order: those sealed one by one, and its holds, made when they are looked at.

    Args:
        one_by_one: the former, in order.
        holds: the latter.
    """

    def __init__(self, one_by_one: Sequence[Decision], holds: HoldChain) -> None:
        self._one_by_one, self._holds = one_by_one, holds
        runs = [(decision.sequence, 1, -1 - at) for at, decision in enumerate(one_by_one)]
        row = 0
        for sequence, count in holds.sequences():
            runs.append((sequence, count, row))
            row += count
        self._runs = sorted(runs)
        self._first = self._runs[0][0] if runs else 0

    def __len__(self) -> int:
        return len(self._one_by_one) + len(self._holds)

    @overload
    def __getitem__(self, index: int) -> Decision: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Decision]: ...
    def __getitem__(self, index: int | slice) -> Decision | Sequence[Decision]:
        """One of them, or a list of some."""
        if isinstance(index, slice):
            return [self[at] for at in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no decision {index} among {len(self)}")
        sequence = self._first + index % len(self)
        at = bisect_right(self._runs, sequence, key=lambda run: run[0]) - 1
        begin, _, row = self._runs[at]
        return self._one_by_one[-1 - row] if row < 0 else self._holds.decision(row + sequence - begin)


class FileAuditLog:
    """Keeps decisions in a file of JSON lines, flushed one by one: what is in it survives the process.

    Args:
        domain: where records stand.
        path: the file; it is appended to.
    """

    def __init__(self, domain: AuditDomain, path: Path) -> None:
        self.domain = domain
        self._path = path
        self._file = path.open("a", encoding="utf-8")
        self._failed = False

    async def append(self, agent: str, decision: Decision) -> None:
        """Keep a decision.

        Raises:
            DefaiError: where it cannot be written; then nothing must be done about the decision either.
        """
        line = {
            "agent": agent,
            "agent_id": decision.agent_id,
            "sequence": decision.sequence,
            "digest": decision.digest,
            "previous_digest": decision.previous_digest,
            "block_number": decision.block_number,
            "block_hash": decision.block_hash,
            "strategy_digest": decision.strategy_digest,
            "model_digest": decision.model_digest,
            "features_digest": decision.features_digest,
            "forecast_x24": decision.forecast_x24,
            "action": int(decision.action),
            "action_digest": decision.action_digest,
            "payload": decision.payload.decode(),
        }
        try:
            self._file.write(json.dumps(line, separators=(",", ":")) + "\n")
            self._file.flush()
        except OSError as error:
            self._failed = True
            raise DefaiError(
                f"The decision log {self._path} cannot be written: {os.strerror(error.errno or 0)}.",
                "No decision is acted on that cannot be kept: make room and start again.",
            ) from error

    def close(self) -> None:
        """Close the file; what could not be written has been said by `append`."""
        try:
            self._file.close()
        except OSError:
            if not self._failed:
                raise


def read_decisions(path: Path) -> dict[str, list[Decision]]:
    """The decisions in a file of a `FileAuditLog`, by agent; what a crash left of a last line is cut off.

    Raises:
        ConfigError: where it is no such file.
    """
    decisions: dict[str, list[Decision]] = {}
    try:
        for raw in whole_lines(path):
            line = json.loads(raw)
            decisions.setdefault(line["agent"], []).append(decision_of(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ConfigError(f"{path} is no journal of decisions.", "Name another --run-dir.") from error
    return decisions


def decision_of(line: Mapping[str, Any]) -> Decision:
    """A decision as a line of a `FileAuditLog` has it; its payload's digest computed anew."""
    payload = line["payload"].encode()
    return Decision(
        agent_id=line["agent_id"],
        sequence=line["sequence"],
        previous_digest=line["previous_digest"],
        block_number=line["block_number"],
        block_hash=line["block_hash"],
        strategy_digest=line["strategy_digest"],
        model_digest=line["model_digest"],
        features_digest=line["features_digest"],
        forecast_x24=line["forecast_x24"],
        action=Action(line["action"]),
        action_digest=line["action_digest"],
        payload_digest=digest(payload),
        digest=line["digest"],
        payload=payload,
    )


def open_audit_log(domain: AuditDomain, path: Path | None, stack: AsyncExitStack) -> AuditLog:
    """A log in a file that closes with the stack, or in memory where there is no path."""
    if path is None:
        return MemoryAuditLog(domain)
    log = FileAuditLog(domain, path)
    stack.callback(log.close)
    return log
