"""The lines the screens are made of: an agent, a decision. Bounded, and each knows when it changed."""

from collections import deque
from dataclasses import field
from decimal import Decimal

from defai.domain.answers import Explanation, Verification
from defai.domain.stream import (
    AgentCard,
    ApprovalRequested,
    CheckView,
    DecisionView,
    ExecutionSettled,
    ForecastJudged,
    ForecastView,
    HoldsAnchored,
    PortfolioView,
    PositionView,
)
from defai.late_dataclass import dataclass
from defai.tui.format import ratio_percent
from defai.tui.series import Series

DECISIONS_PER_AGENT = 400


@dataclass(slots=True)
class LogLine:
    """A decision and what came of it. A run of holds shares one line, which counts them and shows the latest.

    Attributes:
        first_block: the block of the run's first decision; the decision's own where there is one only.
        first_timestamp: that block's.
        seen: how many decisions the line stands for; 1 for anything but a run of holds.
        asked_about: whether somebody wanted to know more of this very decision: no later hold joins its line.
        resolved: what the owner made of it where it had to wait: "approved", "rejected", "expired", "withdrawn";
            `resolved_because` is the reason that was given.
        explanation, verification: what was asked of the session about it, once it has answered.
        rating: what the owner thinks of it: "good", "bad" or nothing.
        explained: digest of the decision it was asked about; `explanation_refused` says why there is no answer.
    """

    agent: str
    decision: DecisionView
    timestamp: int
    latency_ms: float
    first_block: int
    seen: int = 1
    execution: ExecutionSettled | None = None
    version: int = 0
    key: str = ""
    resolved: str = ""
    resolved_because: str = ""
    asked_about: bool = False
    explanation: Explanation | None = None
    verification: Verification | None = None
    verifying: bool = False
    rating: str = ""
    explained: str = ""
    explanation_refused: str = ""
    first_timestamp: int = 0

    @property
    def is_hold(self) -> bool:
        """Whether nothing was to be done, and nobody had to say no."""
        return self.decision.action == "hold"

    @property
    def mark(self) -> str:
        """How it went: a word of `MARKS`."""
        if self.decision.verdict == "denied":
            return "denied"
        if self.decision.verdict == "needs_approval" and self.execution is None:
            return {"": "needs_approval", "approved": "pending"}.get(self.resolved, "refused")
        if self.is_hold:
            return "hold"
        if self.execution is None:
            return "pending"
        if self.execution.status != "filled":
            return "failed"
        return "approved" if self.decision.verdict == "needs_approval" else self.decision.verdict

    @property
    def words(self) -> str:
        """What a filter searches."""
        one = self.decision
        record = self.execution.record_id if self.execution else None
        return (
            f"{self.agent} {one.action} {one.text} {one.reason} {one.verdict_reason} {self.mark} "
            f"{one.digest} #{'' if record is None else record}"
        )


MARKS = {
    "approved": ("✓", "pnl-up", "approved and carried out"),
    "clipped": ("≤", "waiting", "made smaller by the guard"),
    "denied": ("✗", "risk-denied", "denied by the guard"),
    "needs_approval": ("?", "waiting", "waits for the owner"),
    "refused": ("✗", "waiting", "not carried out without the owner's yes"),
    "failed": ("✗", "risk-denied", "did not go through"),
    "pending": ("…", "muted", "under way"),
    "hold": ("·", "muted", "nothing to do"),
}
"""Glyph, ink and words of each outcome."""

STATES = {
    "running": ("●", "pnl-up"),
    "paused": ("║", "muted"),
    "waiting": ("?", "waiting"),
    "drifted": ("≈", "waiting"),
    "stopped": ("■", "risk-denied"),
}
"""Glyph and ink of each state of an agent; an unknown one reads "-"."""


@dataclass(slots=True)
class BandSpan:
    """A liquidity band, as long as it stood: prices in quote per base, and its ticks."""

    first_block: int
    last_block: int
    low: float
    high: float
    tick_lower: int
    tick_upper: int


@dataclass(slots=True)
class Trade:
    """An execution, as the chart marks it: "buy" or "sell" of the base token, or "liquidity"."""

    block: int
    sort: str
    level: float


@dataclass(slots=True)
class AgentLine:
    """All the screens know about one agent. What changes with every block stands together: that is quicker to reach.

    Attributes:
        wish: what was asked for and has not happened yet: "pausing", "resuming", or nothing.
        out_since: timestamp of the block in which its position left its range; None while inside or flat.
        equity: what it owned, and what it would own had it held.
        forecasts: block and forecast, oldest first; `judged` are those whose outcome is known.
        gauges: how close it is to its limits; `breaker` is why its circuit breaker stopped it.
        request: what it waits for its owner with.
        drifted: why it holds whatever it is asked, though it runs: its model has drifted; empty while it has not.
    """

    card: AgentCard
    version: int = 0
    state: str = ""
    portfolio: PortfolioView | None = None
    last: LogLine | None = None
    timestamp: int | None = None
    block_number: int | None = None
    out_since: int | None = None
    equity: Series = field(default_factory=lambda: Series(2))
    bands: deque[BandSpan] = field(default_factory=lambda: deque(maxlen=64))
    forecasts: deque[tuple[int, ForecastView]] = field(default_factory=lambda: deque(maxlen=256))
    state_reason: str = ""
    wish: str = ""
    acted: LogLine | None = None
    records: int = 0
    gauges: tuple[CheckView, ...] = ()
    breaker: str = ""
    request: ApprovalRequested | None = None
    drifted: str = ""
    trades: deque[Trade] = field(default_factory=lambda: deque(maxlen=256))
    judged: deque[ForecastJudged] = field(default_factory=lambda: deque(maxlen=256))
    anchors: deque[HoldsAnchored] = field(default_factory=lambda: deque(maxlen=64))
    log: deque[LogLine] = field(default_factory=lambda: deque(maxlen=DECISIONS_PER_AGENT))

    @property
    def key(self) -> str:
        """The agent's name."""
        return self.card.name

    @property
    def main_pool(self) -> str | None:
        """Address of its main pool; None where it looks at none."""
        return self.card.pools[0] if self.card.pools else None

    @property
    def pnl_percent(self) -> Decimal | None:
        """Equity against what it started with, in percent."""
        return (
            ratio_percent(self.portfolio.equity_usd, self.portfolio.initial_usd) if self.portfolio else None
        )

    @property
    def versus_hold_percent(self) -> Decimal | None:
        """Equity against having held what it started with, in percent."""
        return ratio_percent(self.portfolio.equity_usd, self.portfolio.hodl_usd) if self.portfolio else None

    @property
    def position(self) -> PositionView | None:
        """Its newest position in its main pool, or else its newest at all."""
        positions = self.portfolio.positions if self.portfolio else ()
        return self.position_in(positions) if positions else None

    def position_in(self, positions: tuple[PositionView, ...]) -> PositionView:
        """Of some positions the newest in its main pool, or else the newest at all."""
        if len(positions) == 1:
            return positions[0]
        return max(positions, key=lambda one: (one.pool == self.main_pool, one.token_id))

    @property
    def standing(self) -> tuple[str, str]:
        """How it stands, a word of `STATES`, and why."""
        if self.drifted and self.state == "running":
            return "drifted", self.drifted
        return self.state, self.state_reason

    @property
    def waits(self) -> bool:
        """Whether it waits for its owner."""
        return self.state == "waiting" or self.request is not None

    @property
    def words(self) -> str:
        """What a filter searches."""
        last = self.acted or self.last
        waits = "waiting" if self.waits else ""
        return (
            f"{self.card.name} {self.card.strategy} {self.standing[0]} {waits} {last.words if last else ''}"
        )

    def anchor_of(self, sequence: int) -> HoldsAnchored | None:
        """The anchor that covers a decision that moved nothing; None while it waits for one."""
        found = (
            one for one in self.anchors if one.first_sequence <= sequence < one.first_sequence + one.count
        )
        return next(found, None)

    def remember(self, portfolio: PortfolioView, block_number: int, timestamp: int) -> None:
        """Take in what it owns after a block: the curve, the band, and since when it is out of range."""
        self.portfolio = portfolio
        self.block_number, self.timestamp = block_number, timestamp
        self.equity.append(block_number, portfolio.equity_usd, portfolio.hodl_usd)
        if not portfolio.positions:
            self.out_since = None
            return
        positions = portfolio.positions
        position = positions[0] if len(positions) == 1 else self.position_in(positions)
        if position.in_range:
            self.out_since = None
        elif self.out_since is None:
            self.out_since = timestamp
        if position.pool != self.main_pool:
            return
        lower, upper = position.tick_lower, position.tick_upper
        span = self.bands[-1] if self.bands else None
        if (
            span is not None
            and span.tick_lower == lower
            and span.tick_upper == upper
            and block_number - span.last_block <= 2
        ):
            span.last_block = block_number
        else:
            low, high = float(position.price_lower), float(position.price_upper)
            self.bands.append(BandSpan(block_number, block_number, low, high, lower, upper))
