"""What has been told, for those who come later or read slowly: the newest events, and of older ones what still holds.

The session's thread appends and never waits. Readers keep nothing but their place; whoever falls behind the oldest
event that is kept goes on from there, told how many are missing, and hears of each thing that changed meanwhile once.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from defai.domain.stream import StreamEvent

CAPACITY: Final = 8_192

_KEYS: Final[dict[str, Callable[[Any], str]]] = {
    "setup_progressed": lambda _: "",
    "session_started": lambda _: "",
    "session_ended": lambda _: "",
    "block_arrived": lambda _: "",
    "step_completed": lambda event: event.agent,
    "agent_state_changed": lambda event: event.agent,
    "parameters_changed": lambda event: event.agent,
    "risk_measured": lambda event: event.agent,
    "liquidity_seen": lambda event: event.pool,
    "model_seen": lambda event: event.key,
    "approval_requested": lambda event: event.digest,
}
"""Events that hold until the next of their kind about the same thing; the others are over once they are told."""


@dataclass(frozen=True, slots=True)
class Told:
    """An event with its number, counted from 1."""

    sequence: int
    event: StreamEvent


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader gets next.

    Attributes:
        missed: events before these that it will never get; of what they changed, `events` begins with the last word.
    """

    events: Sequence[Told]
    missed: int = 0


class Backlog:
    """Bounded, and safe between the thread that appends and the one that reads.

    Args:
        capacity: newest events that are kept whole.
        later: calls what it is given a little later on the appending thread: what a block brings is news, and the
            agents decide upon it first. Without it readers are woken at once.
    """

    def __init__(
        self, capacity: int = CAPACITY, later: Callable[[Callable[[], None]], object] | None = None
    ) -> None:
        self._recent: deque[Told] = deque()
        self._capacity = capacity
        self._standing: dict[tuple[str, str], Told] = {}
        self._lock = threading.Lock()
        self._wakes: list[Callable[[], None]] = []
        self._later, self._waking = later, False
        self.newest = 0

    def append(self, event: StreamEvent) -> None:
        """Keep an event; the oldest gives way where there are too many."""
        with self._lock:
            self.newest += 1
            self._recent.append(Told(self.newest, event))
            if len(self._recent) > self._capacity:
                self._retire(self._recent.popleft())
            due = bool(self._wakes) and not self._waking
            self._waking |= due
        if due and self._later is not None:
            self._later(self.wake)
        elif due:
            self.wake()

    def wake(self) -> None:
        """Wake the readers that wait."""
        with self._lock:
            wakes, self._wakes = self._wakes, []
            self._waking = False
        for wake in wakes:
            wake()

    def read(self, after: int, most: int) -> Reading:
        """The events behind a number, the oldest first.

        Args:
            after: the last one that the reader has; 0 for none.
            most: so many newest ones at a time; what still holds of older ones is not counted.
        """
        with self._lock:
            first = self._recent[0].sequence if self._recent else self.newest + 1
            if after + 1 >= first:
                begin = after + 1 - first
                return Reading(
                    [self._recent[at] for at in range(begin, min(begin + most, len(self._recent)))]
                )
            standing = sorted(
                (told for told in self._standing.values() if told.sequence > after), key=_sequence
            )
            events = standing + [self._recent[at] for at in range(min(most, len(self._recent)))]
            return Reading(events, missed=first - 1 - after - len(standing))

    def wake_on_next(self, after: int, wake: Callable[[], None]) -> None:
        """Call this once when there are events behind a number: now, or later on the appending thread."""
        with self._lock:
            if self.newest <= after:
                self._wakes.append(wake)
                return
        wake()

    def latest(self, kind: str) -> list[StreamEvent]:
        """The last word of each thing that a kind of event is about, the oldest first."""
        found: dict[str, Told] = {}
        with self._lock:
            every = [*sorted(self._standing.values(), key=_sequence), *self._recent]
        for told in every:
            if told.event.kind == kind:
                found[_KEYS[kind](told.event)] = told
            elif told.event.kind == "approval_resolved" and kind == "approval_requested":
                found.pop(told.event.digest, None)
        return [told.event for told in found.values()]

    def _retire(self, told: Told) -> None:
        event = told.event
        if event.kind == "approval_resolved":
            self._standing.pop(("approval_requested", event.digest), None)
        elif event.kind in _KEYS:
            self._standing[event.kind, _KEYS[event.kind](event)] = told


def _sequence(told: Told) -> int:
    return told.sequence
