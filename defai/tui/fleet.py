"""What the screens show: a fold over the event stream, bounded in memory however long it runs.

No widget reads an event; no event is kept for its own sake. `apply` says which parts of the screen it touched.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from defai.domain.stream import (
    AgentStateChanged,
    BlockArrived,
    ExecutionSettled,
    HoldsAnchored,
    Notice,
    PoolCard,
    PoolQuote,
    PortfolioView,
    SessionEnded,
    SessionStarted,
    SetupProgressed,
    StepCompleted,
    StreamEvent,
)
from defai.tui.format import ratio_percent
from defai.tui.lines import HISTORY, AgentLine, LogLine, RecordLine, Trade

LOG_LINES = 1_000
RECORD_LINES = 400

Parts = set[str]
"""Names of what changed: "setup", "status", "agents", "chart", "log", "records", "notices", "ended"."""


@dataclass(slots=True)
class FleetState:
    """Everything the terminal knows about the session."""

    setup: SetupProgressed | None = None
    setup_done: list[str] = field(default_factory=list)
    started: SessionStarted | None = None
    ended: SessionEnded | None = None
    block: BlockArrived | None = None
    block_seen_at: float | None = None
    block_gap_s: float = 0.0
    latency_ms: float | None = None
    latency_block: int = -1
    agents: dict[str, AgentLine] = field(default_factory=dict)
    prices: dict[str, deque[tuple[int, float]]] = field(default_factory=dict)
    log: deque[LogLine] = field(default_factory=deque)
    records: deque[RecordLine] = field(default_factory=lambda: deque(maxlen=RECORD_LINES))
    notices: deque[Notice] = field(default_factory=lambda: deque(maxlen=100))
    by_digest: dict[str, LogLine] = field(default_factory=dict)
    early: "OrderedDict[str, ExecutionSettled]" = field(default_factory=OrderedDict)
    events: int = 0

    def apply(self, event: StreamEvent, now: float) -> Parts:
        """Take in one event.

        Args:
            event: what happened.
            now: seconds on the terminal's clock, for "how long ago".

        Returns:
            The parts of the screen that show something else now.
        """
        self.events += 1
        if isinstance(event, BlockArrived):
            if self.block_seen_at is not None:
                self.block_gap_s = now - self.block_seen_at
            self.block_seen_at = now
        folds: dict[str, Callable[[Any], Parts]] = {
            "setup_progressed": self._setup,
            "session_started": self._start,
            "block_arrived": self._block,
            "step_completed": self._step,
            "execution_settled": self._execution,
            "holds_anchored": self._anchored,
            "agent_state_changed": self._state,
            "notice": self._notice,
            "session_ended": self._end,
        }
        fold = folds.get(event.kind)
        return fold(event) if fold is not None else set()

    # -- what the status bar asks ------------------------------------------------------------------------------

    @property
    def equity_usd(self) -> Decimal | None:
        """What the fleet owns; None until every agent has said what it owns."""
        return self._total(lambda held: held.equity_usd)

    @property
    def pnl_percent(self) -> Decimal | None:
        """The fleet's equity against what it started with, in percent."""
        return ratio_percent(self.equity_usd, self._total(lambda held: held.initial_usd))

    @property
    def versus_hold_percent(self) -> Decimal | None:
        """The fleet's equity against having held, in percent."""
        return ratio_percent(self.equity_usd, self._total(lambda held: held.hodl_usd))

    @property
    def waiting(self) -> int:
        """How many agents wait for the owner."""
        return sum(line.waits for line in self.agents.values())

    def pool(self, address: str | None) -> PoolCard | None:
        """A pool's card by address."""
        pools = self.started.pools if self.started else ()
        return next((pool for pool in pools if pool.address == address), None)

    def quote(self, address: str | None) -> PoolQuote | None:
        """A pool's last quote by address."""
        quotes = self.block.pools if self.block else ()
        return next((quote for quote in quotes if quote.address == address), None)

    def line_of(self, key: str) -> LogLine | None:
        """The log's line of a decision, by its digest or the line's key; None once it has left every log."""
        found = self.by_digest.get(key)
        if found is not None:
            return found
        every = (entry for line in self.agents.values() for entry in line.log)
        return next((entry for entry in every if key in {entry.key, entry.decision.digest}), None)

    def _total(self, pick: Callable[[PortfolioView], Decimal]) -> Decimal | None:
        total = Decimal(0)
        for line in self.agents.values():
            if line.portfolio is None:
                return None
            total += pick(line.portfolio)
        return total if self.agents else None

    # -- the fold, one function an event ------------------------------------------------------------------------

    def _setup(self, event: SetupProgressed) -> Parts:
        if self.setup is not None and self.setup.step != event.step:
            self.setup_done = [*self.setup_done, self.setup.text][-40:]
        self.setup = event
        return {"setup"}

    def _start(self, event: SessionStarted) -> Parts:
        self.started = event
        self.agents = {card.name: AgentLine(card) for card in event.agents}
        self.prices = {pool.address: deque(maxlen=HISTORY) for pool in event.pools}
        return {"setup", "status", "agents", "chart", "log", "records"}

    def _block(self, event: BlockArrived) -> Parts:
        self.block = event
        for quote in event.pools:
            series = self.prices.setdefault(quote.address, deque(maxlen=HISTORY))
            series.append((event.number, float(quote.price)))
        return {"status", "chart", "agents"}

    def _step(self, event: StepCompleted) -> Parts:
        line = self.agents.get(event.agent)
        if line is None:
            return set()
        line.version += 1
        if line.state != event.state:
            line.state, line.wish = event.state, ""
        line.remember(event.portfolio, event.block_number, event.timestamp)
        if event.block_number != self.latency_block:
            self.latency_block, self.latency_ms = event.block_number, event.latency_ms
        else:
            self.latency_ms = max(self.latency_ms or 0.0, event.latency_ms)
        parts = {"agents", "status", "chart"}
        if event.decision is not None:
            self._decided(line, event)
            parts.add("log")
        return parts

    def _decided(self, line: AgentLine, event: StepCompleted) -> None:
        decision = event.decision
        if decision is None:
            return
        if decision.forecast is not None:
            line.forecasts.append(decision.forecast.value)
        last = line.last
        if last is not None and last.is_hold and decision.action == "hold" and decision.verdict == "approved":
            self.by_digest.pop(last.decision.digest, None)
            last.decision, last.timestamp, last.latency_ms = decision, event.timestamp, event.latency_ms
            last.seen += 1
            last.version += 1
            self.by_digest[decision.digest] = last
            return
        entry = LogLine(
            event.agent, decision, event.timestamp, event.latency_ms, event.block_number, key=decision.digest
        )
        entry.execution = self.early.pop(decision.digest, None)
        line.last = entry
        if not entry.is_hold:
            line.acted = entry
        line.log.append(entry)
        self.by_digest[decision.digest] = entry
        self.log.append(entry)
        if len(self.log) > LOG_LINES:
            self.by_digest.pop(self.log.popleft().decision.digest, None)

    def _execution(self, event: ExecutionSettled) -> Parts:
        entry = self.by_digest.get(event.digest)
        if entry is None:
            self.early[event.digest] = event
            if len(self.early) > 64:
                self.early.popitem(last=False)
        else:
            entry.execution = event
            entry.version += 1
        line = self.agents.get(event.agent)
        if line is not None:
            line.version += 1
            if event.status == "filled":
                self._mark(line, event, entry)
        parts = {"log", "agents", "chart"}
        if event.record_id is not None:
            self.records.append(RecordLine(f"#{event.record_id}", event.agent, event))
            if line is not None:
                line.records += 1
            parts.add("records")
        return parts

    def _mark(self, line: AgentLine, event: ExecutionSettled, entry: LogLine | None) -> None:
        series = self.prices.get(line.main_pool or "")
        if not series:
            return
        level = next(
            (value for number, value in reversed(series) if number <= event.block_number), series[-1][1]
        )
        line.trades.append(Trade(event.block_number, self._sort_of_trade(line, entry), level))

    def _sort_of_trade(self, line: AgentLine, entry: LogLine | None) -> str:
        """What was sold comes first in a swap's words; anything else moves liquidity."""
        pool = self.pool(line.main_pool)
        if entry is None or pool is None or entry.decision.action != "swap":
            return "liquidity"
        words = entry.decision.text.split()
        base = words.index(pool.base_symbol) if pool.base_symbol in words else len(words)
        quote = words.index(pool.quote_symbol) if pool.quote_symbol in words else len(words)
        return "liquidity" if base == quote else "sell" if base < quote else "buy"

    def _anchored(self, event: HoldsAnchored) -> Parts:
        self.records.append(RecordLine(f"⚓ {event.agent} {event.first_sequence}", event.agent, event))
        return {"records"}

    def _state(self, event: AgentStateChanged) -> Parts:
        line = self.agents.get(event.agent)
        if line is None:
            return set()
        line.state, line.state_reason, line.wish = event.state, event.reason, ""
        line.version += 1
        return {"agents", "status"}

    def _notice(self, event: Notice) -> Parts:
        self.notices.append(event)
        return {"notices"}

    def _end(self, event: SessionEnded) -> Parts:
        self.ended = event
        return {"ended", "status"}
