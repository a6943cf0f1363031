"""Events of what changes now and then: in a pool, with an owner, a model, a limit, a reader of the stream.

Like all events they are flat, frozen and JSON-able; `defai.domain.stream` has them all in one union.
"""

from decimal import Decimal
from typing import Literal, TypeAlias

from defai.domain.views import (
    ChallengeView,
    CheckView,
    DepthLevel,
    DriftView,
    ForecastView,
    LiquidityBar,
    SwapView,
    SwitchView,
)
from defai.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class SwapsSeen:
    """A pool's swaps in one block, in order. Told once the agents have decided, so after the block's steps.

    `left_out` is how many more there were: of very many only the last and the agents' own are told.
    """

    pool: str
    block_number: int
    timestamp: int
    swaps: tuple[SwapView, ...]
    left_out: int = 0
    kind: Literal["swaps_seen"] = "swaps_seen"


@dataclass(frozen=True, slots=True)
class LiquiditySeen:
    """A pool's liquidity near its price, by tick, lowest tick first; told when it changed, or every few blocks.

    Attributes:
        tick: the pool's, when this was measured.
        bars: of equal width in ticks, bounded in number.
        depth: what moves the price by 10, 50, 100 and 200 basis points.
    """

    pool: str
    block_number: int
    tick: int
    bars: tuple[LiquidityBar, ...]
    depth: tuple[DepthLevel, ...]
    kind: Literal["liquidity_seen"] = "liquidity_seen"


@dataclass(frozen=True, slots=True)
class ApprovalRequested:
    """A decision waits for the owner.

    Attributes:
        text: what would be done, in a few words; `before` is what stands now ("197,000…199,500, out of range").
        reason: why the strategy wants it; `rule` is why it has to wait.
        moved_usd: worth of all it moves, `swap_usd` of what it swaps.
        swap_cost_usd: pool fees and impact, estimated; `gas_usd` likewise.
        foregone_usd_per_minute: what waiting costs in fees, estimated from what was earned; None where not known.
        expires_at: seconds since 1970, by the chain's clock; None where it never expires.
    """

    agent: str
    digest: str
    sequence: int
    block_number: int
    timestamp: int
    action: str
    text: str
    reason: str
    rule: str
    checks: tuple[CheckView, ...]
    forecast: ForecastView | None
    moved_usd: Decimal | None = None
    swap_usd: Decimal | None = None
    swap_cost_usd: Decimal | None = None
    gas_usd: Decimal | None = None
    foregone_usd_per_minute: Decimal | None = None
    expires_at: int | None = None
    before: str = ""
    kind: Literal["approval_requested"] = "approval_requested"


@dataclass(frozen=True, slots=True)
class ApprovalResolved:
    """A decision waits no more: "approved", "rejected", "expired" or "withdrawn", by whom and why."""

    agent: str
    digest: str
    outcome: str
    by: str
    reason: str
    block_number: int | None = None
    kind: Literal["approval_resolved"] = "approval_resolved"


@dataclass(frozen=True, slots=True)
class ParametersChanged:
    """An agent decides by other parameters from now on.

    Attributes:
        parameters: all of them, as `AgentCard.parameters` has them.
        strategy_digest: of the source with them.
        transaction_hash: where that was announced on the chain; None where there is none, or it is not known.
    """

    agent: str
    parameters: dict[str, str]
    strategy_digest: str
    block_number: int
    transaction_hash: str | None = None
    kind: Literal["parameters_changed"] = "parameters_changed"


@dataclass(frozen=True, slots=True)
class ModelSeen:
    """A model that agents ask, with the summary of its card; told at the start and whenever something of it changes.

    Attributes:
        key: what stays the same when another model takes over.
        digest: the one that serves now.
        target: what it forecasts, in words; `unit` is what one stands for.
        trained_on: where its rows are from, in words; `trained_until` is the last block among them.
        metrics: out of sample, by forecaster ("model" and each baseline) and by name of the metric.
        baseline: the best of them; `gain` is what the model's loss is lower by, `gain_low` and `gain_high` its 95 %
            interval, `gain_share` the gain as a share of the baseline's loss.
        band_level, band_coverage: the share of outcomes its band is meant to hold, and held.
        drift: None where nobody watches.
        retraining: whether a challenger is being trained now.
        challenges, switches: the last of them, oldest first.
    """

    key: str
    agents: tuple[str, ...]
    name: str
    digest: str
    target: str
    unit: str
    trained_on: str
    trained_until: int
    trained_until_timestamp: int
    samples: int
    trees: int
    metrics: dict[str, dict[str, float | None]]
    loss: str
    baseline: str
    gain: float
    gain_low: float
    gain_high: float
    gain_share: float | None
    beats_baseline: bool
    band_level: float | None
    band_coverage: float | None
    importance: tuple[tuple[str, float], ...]
    limits: tuple[str, ...]
    drift: DriftView | None = None
    retraining: bool = False
    challenges: tuple[ChallengeView, ...] = ()
    switches: tuple[SwitchView, ...] = ()
    block_number: int | None = None
    kind: Literal["model_seen"] = "model_seen"


@dataclass(frozen=True, slots=True)
class ForecastJudged:
    """What came of a forecast, once its horizon had passed; one at a time, so that horizons do not overlap.

    Attributes:
        key: of the model that was asked, as in `ModelSeen`; `agents` ask it.
        name, unit: of what it forecasts; `value`, `low`, `high` and `outcome` are in that unit.
        decided_block: when it was made; `block_number` is when its outcome was known.
        low, high: its band; None without one.
    """

    key: str
    agents: tuple[str, ...]
    name: str
    unit: str
    decided_block: int
    block_number: int
    value: float
    low: float | None
    high: float | None
    outcome: float
    kind: Literal["forecast_judged"] = "forecast_judged"


@dataclass(frozen=True, slots=True)
class RiskMeasured:
    """How close an agent is to its limits; told when it acted or changed its state, and every few blocks.

    Attributes:
        gauges: "drawdown", "turnover", "exposure" and "failures" as of now; "slippage", "trade" and "gas" of the last
            plan that was measured, missing until there was one.
        breaker: why its circuit breaker stopped it; empty while it has not.
    """

    agent: str
    block_number: int
    gauges: tuple[CheckView, ...]
    breaker: str = ""
    kind: Literal["risk_measured"] = "risk_measured"


@dataclass(frozen=True, slots=True)
class LogRecorded:
    """A line of the log, without secrets. Levels: "info", "warning", "error". `time` is seconds since 1970."""

    level: str
    logger: str
    text: str
    time: float
    kind: Literal["log_recorded"] = "log_recorded"


@dataclass(frozen=True, slots=True)
class EventsDropped:
    """Events that never got here: this reader was too slow, or came back too late. Said by the stream itself."""

    count: int
    reason: str
    kind: Literal["events_dropped"] = "events_dropped"


@dataclass(frozen=True, slots=True)
class ConnectionChanged:
    """Whether the session can be heard: "connected", "connecting" or "disconnected". Made where it is listened to.

    Attributes:
        retry_in_s: when the next attempt is made; None where none is.
    """

    state: str
    url: str
    reason: str = ""
    attempt: int = 0
    retry_in_s: float | None = None
    kind: Literal["connection_changed"] = "connection_changed"


@dataclass(frozen=True, slots=True)
class StreamRestarted:
    """Forget what was shown: the events that follow begin anew, after a leap back in time or a gap too wide."""

    reason: str
    kind: Literal["stream_restarted"] = "stream_restarted"


@dataclass(frozen=True, slots=True)
class PlaybackMoved:
    """Where the playing of a finished run is.

    Attributes:
        block_number: the last block that was played; `first_block` and `last_block` are the run's.
        speed: blocks a second.
        playing: whether it moves; at the end it does not.
    """

    block_number: int
    first_block: int
    last_block: int
    timestamp: int
    speed: float
    playing: bool
    at_end: bool
    kind: Literal["playback_moved"] = "playback_moved"


Happening: TypeAlias = (
    SwapsSeen
    | LiquiditySeen
    | ApprovalRequested
    | ApprovalResolved
    | ParametersChanged
    | ModelSeen
    | ForecastJudged
    | RiskMeasured
    | LogRecorded
    | EventsDropped
    | ConnectionChanged
    | StreamRestarted
    | PlaybackMoved
)
"""Any of them."""
