"""What waits for the owner, and what became of what did."""

from collections import deque
from dataclasses import field

from defai.domain.stream import ApprovalRequested, ApprovalResolved
from defai.late_dataclass import dataclass
from defai.tui.format import age

RESOLVED_LINES = 100


def outcome_words(event: ApprovalResolved) -> str:
    """What became of a request, and by whom where it was somebody: "rejected by you", "expired"."""
    return f"{event.outcome} by {event.by}" if event.by not in {"", "nobody"} else event.outcome


def left_words(left_s: float, here_s: float | None) -> str:
    """How much time is left, in a few letters: "4m", and "≈9s" where the chain's clock goes at another pace."""
    return age(left_s) if here_s is None else f"≈{age(here_s)}"


@dataclass(slots=True)
class RequestLine:
    """A decision that waits or waited for the owner.

    Attributes:
        wish: what the owner asked for and has not happened yet: "approving", "rejecting", or nothing.
    """

    request: ApprovalRequested
    resolved: ApprovalResolved | None = None
    wish: str = ""
    version: int = 0

    @property
    def key(self) -> str:
        """The decision's digest."""
        return self.request.digest

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.resolved is None

    @property
    def state(self) -> str:
        """How it stands, in a word."""
        return self.wish or (self.resolved.outcome if self.resolved else "waits")

    def left_s(self, now: int | None) -> int | None:
        """Seconds until it expires, on the chain's clock; None where it does not, or waits no more."""
        if self.request.expires_at is None or now is None or not self.is_open:
            return None
        return max(0, self.request.expires_at - now)

    @property
    def words(self) -> str:
        """What a filter searches."""
        one = self.request
        return f"{one.agent} {one.action} {one.text} {one.reason} {one.rule} {self.state} {one.digest}"


@dataclass(slots=True)
class WaitingRoom:
    """Requests by digest: the open ones, and the last of those that are resolved."""

    open: dict[str, RequestLine] = field(default_factory=dict)
    done: deque[RequestLine] = field(default_factory=lambda: deque(maxlen=RESOLVED_LINES))

    def ask(self, event: ApprovalRequested) -> RequestLine:
        """Take in a request; the same one again replaces what was known of it."""
        known = self.open.get(event.digest)
        if known is not None:
            known.request = event
            known.version += 1
            return known
        line = self.open[event.digest] = RequestLine(event)
        return line

    def resolve(self, event: ApprovalResolved) -> RequestLine | None:
        """Take in what became of a request; None where it was never heard of."""
        line = self.open.pop(event.digest, None)
        if line is not None:
            line.resolved, line.wish = event, ""
            line.version += 1
            self.done.append(line)
        return line

    def find(self, digest: str) -> RequestLine | None:
        """A request by its decision's digest."""
        return self.open.get(digest) or next((one for one in self.done if one.key == digest), None)

    @property
    def lines(self) -> list[RequestLine]:
        """The open ones, the one that expires first on top, then the others, the newest on top."""
        never = 1 << 62
        waiting = sorted(self.open.values(), key=lambda one: (one.request.expires_at or never, one.key))
        return [*waiting, *reversed(self.done)]
