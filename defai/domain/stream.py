"""What a session tells the world: immutable events on a bounded bus.

The terminal, the journal and the event server consume these and nothing else. Every event is a flat dataclass of
JSON-able values (Decimals become strings) with a `kind` of its own: `defai.domain.wire` reads and writes them.
None means "not known" or "does not apply"; nobody invents a number for it.
What changes only now and then has events of its own in `defai.domain.happenings`. Fields are added at the end, with a
default, and never taken away: a run's journal is read again years later.
"""

from decimal import Decimal
from typing import Final, Literal, TypeAlias

from defai.domain.happenings import (
    ApprovalRequested,
    ApprovalResolved,
    ConnectionChanged,
    EventsDropped,
    ForecastJudged,
    Happening,
    LiquiditySeen,
    LogRecorded,
    ModelSeen,
    ParametersChanged,
    PlaybackMoved,
    RiskMeasured,
    StreamRestarted,
    SwapsSeen,
)
from defai.domain.views import (
    ChallengeView,
    CheckView,
    DecisionView,
    DepthLevel,
    DriftView,
    ForecastView,
    LiquidityBar,
    ParameterCard,
    PnlParts,
    PoolQuote,
    PortfolioView,
    PositionView,
    SwapView,
    SwitchView,
)
from defai.late_dataclass import dataclass

__all__ = [
    "WIRE_VERSION",
    "AgentCard",
    "AgentStateChanged",
    "ApprovalRequested",
    "ApprovalResolved",
    "BlockArrived",
    "ChallengeView",
    "CheckView",
    "ConnectionChanged",
    "DecisionView",
    "DepthLevel",
    "DriftView",
    "EventsDropped",
    "ExecutionSettled",
    "ForecastJudged",
    "ForecastView",
    "HoldsAnchored",
    "LiquidityBar",
    "LiquiditySeen",
    "LogRecorded",
    "ModelSeen",
    "Notice",
    "ParameterCard",
    "ParametersChanged",
    "PlaybackMoved",
    "PnlParts",
    "PoolCard",
    "PoolQuote",
    "PortfolioView",
    "PositionView",
    "RiskMeasured",
    "SessionEnded",
    "SessionStarted",
    "SetupProgressed",
    "StepCompleted",
    "StreamEvent",
    "StreamRestarted",
    "SwapView",
    "SwapsSeen",
    "SwitchView",
]

WIRE_VERSION: Final = 1
"""Raised when whoever reads events of the version before would misread them; added fields do not raise it."""


@dataclass(frozen=True, slots=True)
class SetupProgressed:
    """The session is being set up: which step of how many, and what it is doing now."""

    step: int
    steps: int
    text: str
    kind: Literal["setup_progressed"] = "setup_progressed"


@dataclass(frozen=True, slots=True)
class PoolCard:
    """A pool the session watches."""

    address: str
    name: str
    fee_pips: int
    base_symbol: str
    quote_symbol: str
    tick_spacing: int


@dataclass(frozen=True, slots=True)
class AgentCard:
    """An agent of the fleet and where its money is.

    Attributes:
        vault: address of its vault; None in worlds without a chain.
        pools: addresses of the pools it looks at, the main one first.
        parameters: of its strategy, as text.
    """

    name: str
    strategy: str
    agent_id: int
    vault: str | None
    pools: tuple[str, ...]
    parameters: dict[str, str]
    model_digest: str | None
    form: tuple[ParameterCard, ...] = ()
    """The parameters with type, bounds and meaning, in the strategy's order."""


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """Everything is up; blocks follow."""

    network: str
    chain_id: int
    seed: int
    first_block: int
    numeraire: str
    pools: tuple[PoolCard, ...]
    agents: tuple[AgentCard, ...]
    run_directory: str | None
    kind: Literal["session_started"] = "session_started"


@dataclass(frozen=True, slots=True)
class BlockArrived:
    """A block was read and folded. `read_ms` is what reading it took."""

    number: int
    hash: str
    timestamp: int
    base_fee_wei: int
    pools: tuple[PoolQuote, ...]
    read_ms: float
    kind: Literal["block_arrived"] = "block_arrived"


@dataclass(frozen=True, slots=True)
class StepCompleted:
    """An agent finished a block. `latency_ms` runs from the block's arrival to the decision."""

    agent: str
    block_number: int
    timestamp: int
    state: str
    decision: DecisionView | None
    portfolio: PortfolioView
    latency_ms: float
    kind: Literal["step_completed"] = "step_completed"


@dataclass(frozen=True, slots=True)
class ExecutionSettled:
    """A decision's transaction is in a block. `text` says what came of it: "885.10 USDC for 0.42 WETH"."""

    agent: str
    digest: str
    sequence: int
    decided_block: int
    block_number: int
    status: str
    transaction_hash: str | None
    record_id: int | None
    gas_used: int
    gas_usd: Decimal
    text: str
    error: str
    kind: Literal["execution_settled"] = "execution_settled"


@dataclass(frozen=True, slots=True)
class HoldsAnchored:
    """A batch of decisions that moved nothing was anchored: its Merkle root stands on chain."""

    agent: str
    first_sequence: int
    count: int
    root: str
    block_number: int
    transaction_hash: str | None
    kind: Literal["holds_anchored"] = "holds_anchored"


@dataclass(frozen=True, slots=True)
class AgentStateChanged:
    """An agent is now running, paused, waiting (for the owner) or stopped (circuit breaker), and why."""

    agent: str
    state: str
    reason: str
    kind: Literal["agent_state_changed"] = "agent_state_changed"


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence for the operator. Levels: "info", "warning", "error"."""

    level: str
    sentence: str
    hint: str = ""
    kind: Literal["notice"] = "notice"


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """The last event: why it ended and the exit code it stands for (0 where it was asked to)."""

    sentence: str
    hint: str
    exit_code: int
    kind: Literal["session_ended"] = "session_ended"


StreamEvent: TypeAlias = (
    SetupProgressed
    | SessionStarted
    | BlockArrived
    | StepCompleted
    | ExecutionSettled
    | HoldsAnchored
    | AgentStateChanged
    | Notice
    | SessionEnded
    | Happening
)
"""Any of them; `kind` tells them apart."""
