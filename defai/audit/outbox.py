"""The outbox: an agent's chain of decisions, and those of them that still have to reach the audit log.

A decision that moves something is recorded inside its own transaction. All others - holds, denials, and
transactions that reverted - wait here, in order, and are anchored as one Merkle root: on their own when a batch is
full, or ahead of the next record, since the contract takes sequences without a gap.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from defai.audit.merkle import merkle_root
from defai.audit.record import AuditDomain, Draft, seal
from defai.domain.decisions import ZERO_DIGEST, Decision


@dataclass(frozen=True, slots=True)
class Anchor:
    """A batch of decisions that moved nothing, as the contract takes it. `count` 0 is the empty batch."""

    root: str = ZERO_DIGEST
    first_sequence: int = 0
    count: int = 0
    last_digest: str = ZERO_DIGEST


class Sealed(Protocol):
    """A decision as far as an outbox needs it."""

    @property
    def sequence(self) -> int:
        """Its number."""

    @property
    def digest(self) -> str:
        """Its digest."""


class Waiting(NamedTuple):
    """A decision that waits, as far as an outbox needs it: the rest of it is kept elsewhere."""

    sequence: int
    digest: str


class Outbox:
    """Seals an agent's decisions and keeps those not yet on the log.

    Args:
        agent_id: the agent's number.
        domain: where its records are kept.
        sequence: number of the next decision.
        last_digest: digest of the decision before it.

    Attributes:
        root_of: how the root over a batch is found; there are quicker ways for many.
    """

    def __init__(
        self, agent_id: int, domain: AuditDomain, sequence: int = 0, last_digest: str = ZERO_DIGEST
    ) -> None:
        self.agent_id = agent_id
        self.domain = domain
        self.next_sequence = sequence
        self.last_digest = last_digest
        self.root_of: Callable[[Sequence[str]], str] = merkle_root
        self._waiting: list[Sealed] = []
        self._in_flight = 0
        self._carried: Sealed | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def seal(self, draft: Draft) -> Decision:
        """Give a decision its number and its digest; it is the last of the chain from now on."""
        decision = seal(
            draft,
            self.domain,
            agent_id=self.agent_id,
            sequence=self.next_sequence,
            previous_digest=self.last_digest,
        )
        self.next_sequence += 1
        self.last_digest = decision.digest
        return decision

    def keep(self, decision: Decision) -> None:
        """Let a sealed decision wait for the next anchor."""
        self._waiting.append(decision)

    def take_last(self, digest: str) -> bool:
        """Let a decision wait no more that goes with its own transaction after all: the last of those that wait.

        Returns:
            Whether it was the last.
        """
        if not self._waiting or self._waiting[-1].digest != digest:
            return False
        self._waiting.pop()
        return True

    def resume(self, sequence: int, last_digest: str, waiting: Iterable[Sealed], *, anchored: bool) -> None:
        """Go on after decisions that were sealed, and perhaps anchored, elsewhere.

        Args:
            sequence: number of the next decision.
            last_digest: digest of the decision before it.
            waiting: those of them that wait to be anchored.
            anchored: whether what waited here has been anchored.
        """
        if anchored:
            self._waiting.clear()
        self._waiting.extend(waiting)
        self.next_sequence, self.last_digest = sequence, last_digest

    def adopt(self, decision: Decision) -> None:
        """Take a decision as the last of the chain that was sealed elsewhere.

        Raises:
            ValueError: where it does not follow the one before it.
        """
        if (decision.sequence, decision.previous_digest) != (self.next_sequence, self.last_digest):
            raise ValueError(f"decision {decision.sequence} does not follow {self.next_sequence - 1}")
        self.next_sequence, self.last_digest = decision.sequence + 1, decision.digest

    @property
    def on_log(self) -> int:
        """So many decisions are on the log, or nothing says that they are not."""
        return self.next_sequence - len(self._waiting) - (self._carried is not None)

    def carries(self, digest: str) -> bool:
        """Whether a decision's own transaction is under way."""
        return self._carried is not None and self._carried.digest == digest

    def send(self, decision: Decision | None = None) -> Anchor:
        """Take what waits to be sent now, ahead of `decision` where a record goes with it.

        Until `landed` or `failed` says what became of it, nothing else can be sent.

        Raises:
            RuntimeError: where something is under way already.
        """
        if self._in_flight or self._carried:
            raise RuntimeError("an anchor is under way already")
        batch = self._waiting
        self._in_flight, self._carried = len(batch), decision
        if not batch:
            return Anchor()
        root = self.root_of([waiting.digest for waiting in batch])
        return Anchor(root, batch[0].sequence, len(batch), batch[-1].digest)

    def landed(self) -> tuple[Sealed, ...]:
        """What was sent is on the log: forget it, and hand over the decisions it anchored."""
        sent = tuple(self._waiting[: self._in_flight])
        del self._waiting[: self._in_flight]
        self._in_flight, self._carried = 0, None
        return sent

    def failed(self) -> None:
        """What was sent did not land: it waits again, the record that failed behind it, in order."""
        if self._carried is not None:
            self._waiting.insert(self._in_flight, self._carried)
        self._in_flight, self._carried = 0, None
