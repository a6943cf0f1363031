"""What the screens show: a fold over the event stream, bounded in memory however long it runs.

No widget reads an event; no event is kept for its own sake. `apply` says which parts of the screen it touched.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Collection, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import field
from decimal import Decimal
from operator import attrgetter
from typing import Any

from defai.domain.stream import (
    BlockArrived,
    ConnectionChanged,
    ExecutionSettled,
    PlaybackMoved,
    PoolCard,
    PoolQuote,
    SessionEnded,
    SessionStarted,
    SetupProgressed,
    StepCompleted,
    StreamEvent,
)
from defai.late_dataclass import dataclass
from defai.tui import folds
from defai.tui.chain_clock import ChainClock
from defai.tui.folds import step
from defai.tui.format import ratio_percent
from defai.tui.journal import JournalOfSession
from defai.tui.lines import AgentLine, LogLine
from defai.tui.models import ModelLine
from defai.tui.opening import STARTING
from defai.tui.pools import PoolState
from defai.tui.waiting import WaitingRoom

LOG_LINES = 2_000

Parts = AbstractSet[str]
"""Names of what changed, of `ALL_PARTS`."""
ALL_PARTS = frozenset(
    {
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
        "playback",
        "backtest",
    }
)


@dataclass(slots=True)
class FleetState:
    """Everything the terminal knows about the session.

    Attributes:
        opening: what is being done before anything was told.
        early: executions of decisions that have not been told yet.
        dropped: events that the stream says it left out.
    """

    opening: str = STARTING
    setup: SetupProgressed | None = None
    setup_done: list[str] = field(default_factory=list)
    started: SessionStarted | None = None
    ended: SessionEnded | None = None
    block: BlockArrived | None = None
    block_seen_at: float | None = None
    block_gap_s: float = 0.0
    chain_clock: ChainClock = field(default_factory=ChainClock)
    latency_ms: float | None = None
    latency_block: int = -1
    agents: dict[str, AgentLine] = field(default_factory=dict)
    pools: dict[str, PoolState] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=deque)
    acted: LogLine | None = None
    """The last decision of any agent that was more than to hold."""
    by_digest: dict[str, LogLine] = field(default_factory=dict)
    """The log's lines, each by the digest of the first decision it stands for."""
    early: "OrderedDict[str, ExecutionSettled]" = field(default_factory=OrderedDict)
    waiting_room: WaitingRoom = field(default_factory=WaitingRoom)
    models: dict[str, ModelLine] = field(default_factory=dict)
    journal: JournalOfSession = field(default_factory=JournalOfSession)
    connection: ConnectionChanged | None = None
    playback: PlaybackMoved | None = None
    events: int = 0
    dropped: int = 0
    generation: int = 0
    """Grows when the stream begins anew: what was pointed at before is no more."""
    _sums: "Sums | None" = None
    _summed_at: int = -1
    """What the agents come to together, as of so many events."""

    def apply(self, event: StreamEvent, now: float) -> Parts:
        """Take in one event.

        Args:
            event: what happened.
            now: seconds on the terminal's clock, for "how long ago".

        Returns:
            The parts of the screen that show something else now.
        """
        self.events += 1
        if type(event) is StepCompleted:  # nearly all of them are
            return step(self, event)
        if isinstance(event, BlockArrived):
            if self.block_seen_at is not None:
                self.block_gap_s = now - self.block_seen_at
            self.block_seen_at = now
            self.chain_clock.saw(now, event.timestamp)
            self.block = event
            return folds.block(self, event)
        fold: Callable[[FleetState, Any], Parts] | None = folds.FOLDS.get(event.kind)
        return fold(self, event) if fold is not None else set()

    def forget(self) -> None:
        """Begin anew: what follows tells everything again."""
        kept = {"opening", "events", "dropped", "journal", "connection", "generation", "playback"}
        fresh = FleetState()
        for name in self.__slots__:
            if name not in kept:
                setattr(self, name, getattr(fresh, name))
        self.generation += 1

    # -- what the screens ask ------------------------------------------------------------------------------------

    @property
    def equity_usd(self) -> Decimal | None:
        """What the fleet owns; None until every agent has said what it owns."""
        return self._together.equity_usd

    @property
    def pnl_percent(self) -> Decimal | None:
        """The fleet's equity against what it started with, in percent."""
        sums = self._together
        return None if sums.equity_usd is None else ratio_percent(sums.equity_usd, sums.initial_usd)

    @property
    def versus_hold_percent(self) -> Decimal | None:
        """The fleet's equity against having held, in percent."""
        sums = self._together
        return None if sums.equity_usd is None else ratio_percent(sums.equity_usd, sums.hodl_usd)

    @property
    def waiting(self) -> int:
        """How many decisions wait for the owner; agents that wait where nobody told what with."""
        return 0 if self.ended is not None else max(len(self.waiting_room.open), self._together.waiting)

    def in_state(self, *states: str) -> int:
        """How many agents are in one of these states."""
        return sum(self._together.states.get(state, 0) for state in states)

    @property
    def is_over(self) -> bool:
        """Whether nothing can be asked of the session any more: it has ended, or is played back."""
        return self.ended is not None or self.playback is not None

    @property
    def chain_time(self) -> int | None:
        """The newest block's timestamp."""
        return self.block.timestamp if self.block else None

    def here_s(self, chain_s: float | None) -> float | None:
        """Seconds that a time of the chain's takes here; None where it is about the same, unknown, or long over."""
        return None if chain_s is None or self.playback is not None else self.chain_clock.here_s(chain_s)

    def pool(self, address: str | None) -> PoolCard | None:
        """A pool's card by address."""
        state = self.pools.get(address or "")
        return state.card if state else None

    def quote(self, address: str | None) -> PoolQuote | None:
        """A pool's last quote by address."""
        state = self.pools.get(address or "")
        return state.quote if state else None

    def line_of(self, key: str) -> LogLine | None:
        """The log's line of a decision, by its digest or the line's key; None once it has left every log."""
        found = self.by_digest.get(key)
        if found is not None:
            return found
        every = (entry for line in self.agents.values() for entry in line.log)
        return next((entry for entry in every if key in {entry.key, entry.decision.digest}), None)

    @property
    def _together(self) -> "Sums":
        """What the agents come to, added up once however many ask between two events."""
        if self._sums is None or self._summed_at != self.events:
            self._sums, self._summed_at = summed(self.agents.values()), self.events
        return self._sums


_STATE, _PORTFOLIO = attrgetter("state"), attrgetter("portfolio")
_EQUITY, _INITIAL, _HODL = attrgetter("equity_usd"), attrgetter("initial_usd"), attrgetter("hodl_usd")


@dataclass(frozen=True, slots=True)
class Sums:
    """What all agents together own, began with and would own had they held; how they are.

    Attributes:
        equity_usd: None until every agent has said what it owns.
        waiting: how many wait for the owner.
        states: how many are in each state.
    """

    equity_usd: Decimal | None
    initial_usd: Decimal
    hodl_usd: Decimal
    waiting: int
    states: Mapping[str, int]


def summed(lines: Collection[AgentLine]) -> Sums:
    """What agents come to."""
    states = Counter(map(_STATE, lines))
    held = [portfolio for portfolio in map(_PORTFOLIO, lines) if portfolio is not None]
    none = Decimal(0)
    return Sums(
        sum(map(_EQUITY, held), none) if held and len(held) == len(lines) else None,
        sum(map(_INITIAL, held), none),
        sum(map(_HODL, held), none),
        states["waiting"] + sum(line.state != "waiting" for line in lines if line.request is not None),
        states,
    )
