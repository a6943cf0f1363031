"""The ports of a world: what an agent and its session need from where they run, and nothing more.

A world is `World(feed, executor, audit_log, clock)`. Backtest, paper, fork and live differ in this object alone.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias, runtime_checkable

from defai.audit.charter import Charter
from defai.audit.outbox import Anchor
from defai.audit.record import AuditDomain
from defai.domain.chain_events import Block
from defai.domain.decisions import Approval, Decision, Execution, Plan
from defai.domain.operations import Call, Operation
from defai.domain.tokens import Address
from defai.market.state import MarketState, PoolReport
from defai.models.trained import TrainedModel


@dataclass(frozen=True, slots=True)
class Arrival:
    """A block with what the chain reports of the pools after it.

    Attributes:
        reports: for the tripwire; empty where there is no chain to ask.
        read_ms: what reading it took.
    """

    block: Block
    reports: Mapping[Address, PoolReport] = field(default_factory=dict)
    read_ms: float = 0.0


class Feed(Protocol):
    """Blocks, one after the other. One feed serves all agents."""

    async def due(self) -> None:
        """Wait until `next` has a block to give: its time has come, or it is there. May be cancelled at any moment."""

    async def next(self) -> Arrival | None:
        """The next block. In lock-step worlds asking for it makes it: everyone has acted. None: there is no more.

        Once asked for, a block is to be waited for: given up half-way, transactions are sent that nobody settles.
        """

    async def make_block(self) -> Arrival | None:
        """A block at once, not at its time: to live through history, or to settle in. None where none can be had."""

    def begin(self) -> None:
        """From now on blocks are due at their time, where the world keeps one."""


@dataclass(frozen=True, slots=True)
class Submission:
    """What an agent hands to its world: a batch to anchor, and behind it a decision with its plan, or neither.

    Attributes:
        approval: the owner's, where the decision waited for it.
    """

    agent: str
    anchor: Anchor
    decision: Decision | None = None
    plan: Plan | None = None
    approval: Approval | None = None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a submission: in which block it landed or failed, and what it did.

    Attributes:
        landed: whether anchor and record are on the log.
        execution: what the plan did; None where the submission carried no decision.
    """

    landed: bool
    block_number: int
    transaction_hash: str | None
    gas_used: int = 0
    gas_cost_wei: int = 0
    execution: Execution | None = None
    error: str = ""


class Executor(Protocol):
    """Carries plans out. A submission made upon block N is carried out in N + 1 at the earliest."""

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """The calls that carry out a plan's operations, as the agent's vault would make them."""

    async def submit(self, submission: Submission) -> None:
        """Take a submission; at most one per agent is under way."""

    async def settled(self, agent: str) -> Settlement | None:
        """What became of the agent's submission, once; None while it is under way or where there was none."""


@runtime_checkable
class OwnedExecutor(Protocol):
    """An executor whose vaults want their owner's signature under a decision that waits for him."""

    async def approve(self, agent: str, decision: Decision, deadline: int, signature: bytes) -> Approval:
        """The owner's approval, checked; signed here where the signature is empty and his key is here.

        Args:
            agent: whose vault it is.
            decision: what is approved.
            deadline: until when.
            signature: the owner's over the vault's `approvalDigest`; empty where he signs here.

        Raises:
            ConfigError: where the signature is not the owner's, or there is none and nobody here can sign.
        """


class AuditLog(Protocol):
    """Keeps every decision with its payload, those too whose payload does not go on chain."""

    @property
    def domain(self) -> AuditDomain:
        """Where records stand: it is part of every decision's digest."""

    async def append(self, agent: str, decision: Decision) -> None:
        """Keep a decision, before anything is done about it."""


class Clock(Protocol):
    """Time, as the world has it."""

    def monotonic(self) -> float:
        """Seconds from some fixed moment."""

    async def sleep_until(self, moment: float) -> None:
        """Wait for a moment of `monotonic`; at once where time is not real."""


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent's place in a world: its number, its vault, its money, and where its chain of decisions stands."""

    name: str
    agent_id: int
    vault: Address | None
    balances: Mapping[Address, int]
    next_sequence: int = 0
    last_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Opening:
    """What a world hands over when it is open: the market as of its newest block, and the agents' seats."""

    market: MarketState
    seats: tuple[Seat, ...]


Notices: TypeAlias = Callable[[Address | None], Mapping[str, bytes]]
"""Gives what each agent's key is to send to itself, told where the models will be registered."""


@dataclass(frozen=True, slots=True)
class ModelChange:
    """A model takes over from another.

    Attributes:
        parent: digest of the model before.
        reason: why, in a sentence.
    """

    model: TrainedModel
    parent: str
    reason: str


@runtime_checkable
class PublicWorld(Protocol):
    """A world whose chain others can look at."""

    @property
    def rpc_url(self) -> str:
        """Where its chain answers; may hold a secret."""

    async def announce(self, write: Notices, models: Sequence[TrainedModel]) -> None:
        """Register models and put on the chain what the agents set out with. The world is open, nobody has acted.

        Raises:
            DefaiError: where the node refuses something.
        """

    async def announce_switch(self, change: ModelChange) -> None:
        """Register a model that takes over, and put on the chain from whom and why.

        Raises:
            DefaiError: where the node refuses something.
        """

    async def amend(self, amendments: Mapping[str, bytes]) -> None:
        """Let agents' keys say what of their charters is another now, ahead of what they send next.

        Args:
            amendments: what each agent's key is to send to itself.

        Raises:
            DefaiError: where the node refuses something.
        """


@runtime_checkable
class LastingWorld(Protocol):
    """A world that is still there when the process has ended: a run in it can be taken up again.

    Attributes:
        note: what its operator should know of how it was opened; empty where there is nothing.
    """

    note: str

    @property
    def charters(self) -> Mapping[str, Charter]:
        """What the agents announced when the run began, by agent; empty before."""

    def was_sent(self, agent: str, block_number: int) -> bool:
        """Whether an earlier process sent something upon a block that came onto the chain."""

    def carried(self, agent: str, block_number: int) -> Decision | None:
        """The decision that went with what was sent; None where something was anchored only."""

    def submissions(self, agent: str) -> int:
        """How many submissions of an agent there were, of this and earlier processes."""

    async def place_of(self, agent_id: int) -> tuple[int, str]:
        """Where an agent's chain of decisions stands: the number of its next one, and the digest of the one before."""

    async def behind(self) -> int:
        """How many blocks there are after the newest one that the feed gave."""


class World(Protocol):
    """The four ports, and the two moments around them."""

    @property
    def feed(self) -> Feed:
        """Blocks."""

    @property
    def executor(self) -> Executor:
        """Carries plans out."""

    @property
    def audit_log(self) -> AuditLog:
        """Keeps decisions."""

    @property
    def clock(self) -> Clock:
        """Time."""

    @property
    def network(self) -> str:
        """What kind of world it is, in a word."""

    @property
    def chain_id(self) -> int:
        """The chain's id; 0 where there is no chain."""

    def warm_up(self, wanted: int) -> int:
        """How many of the wanted blocks there are to live through, once open, before the agents join."""

    async def open(self) -> Opening:
        """Set the world up.

        Raises:
            DefaiError: where it cannot be, in a sentence.
        """

    async def records(self) -> int:
        """How many audit records stand on the log, as the log itself counts them."""

    async def close(self) -> None:
        """Let everything go; safe to call twice and after a failed `open`."""
