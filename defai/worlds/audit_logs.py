"""Audit logs: where every decision is kept with its payload before anything is done about it."""

import json
import os
from contextlib import AsyncExitStack
from pathlib import Path

from defai.agent.ports import AuditLog
from defai.audit.record import AuditDomain
from defai.domain.decisions import Decision
from defai.errors import DefaiError


class MemoryAuditLog:
    """Keeps decisions in a list, in the order they were taken."""

    def __init__(self, domain: AuditDomain) -> None:
        self.domain = domain
        self.decisions: list[tuple[str, Decision]] = []

    async def append(self, agent: str, decision: Decision) -> None:
        """Keep a decision."""
        self.decisions.append((agent, decision))


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


def open_audit_log(domain: AuditDomain, path: Path | None, stack: AsyncExitStack) -> AuditLog:
    """A log in a file that closes with the stack, or in memory where there is no path."""
    if path is None:
        return MemoryAuditLog(domain)
    log = FileAuditLog(domain, path)
    stack.callback(log.close)
    return log
