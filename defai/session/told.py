"""What a session has told of decisions' outcomes, bounded: to answer what came of one without reading the journal."""

from collections import OrderedDict
from typing import Final

from defai.domain.stream import ExecutionSettled, HoldsAnchored, StreamEvent

KEPT: Final = 10_000


class Book:
    """Executions by digest, and how far each agent's decisions are anchored."""

    def __init__(self) -> None:
        self._executions: OrderedDict[str, ExecutionSettled] = OrderedDict()
        self._anchored: dict[str, tuple[int, str | None]] = {}

    def hear(self, event: StreamEvent) -> None:
        """Take in an event of the stream."""
        if isinstance(event, ExecutionSettled):
            self._executions[event.digest] = event
            if len(self._executions) > KEPT:
                self._executions.popitem(last=False)
        elif isinstance(event, HoldsAnchored):
            self._anchored[event.agent] = event.first_sequence + event.count, event.transaction_hash

    def execution(self, digest: str) -> ExecutionSettled | None:
        """What came of a decision; None while it is under way, or where nothing was sent."""
        return self._executions.get(digest)

    def is_anchored(self, agent: str, sequence: int) -> bool:
        """Whether a decision that has no record of its own is on the chain in a batch."""
        return sequence < self._anchored.get(agent, (0, None))[0]
