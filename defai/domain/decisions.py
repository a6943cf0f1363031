"""From a forecast to what came of it: the records an agent leaves behind. All of them are frozen."""

from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum

from defai.domain.intents import Intent
from defai.domain.operations import Call, Operation
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.units import Q24

ZERO_DIGEST = "0x" + "00" * 32
"""The digest that stands for "none": no model, no features, no previous decision."""


@dataclass(frozen=True, slots=True)
class FeatureRow:
    """The features of one pool at one block, as integers, in the order of their specification.

    Attributes:
        spec_digest: digest of the feature specification (names, versions, scales) that gave the row.
    """

    block_number: int
    names: tuple[str, ...]
    values: tuple[int, ...]
    spec_digest: str


@dataclass(frozen=True, slots=True)
class Forecast:
    """A model's answer on one feature row.

    Attributes:
        value_x24: the forecast times 2**24, exactly what the chain would compute.
        low_x24: lower end of the band, None where the model has no band.
        unit: what one stands for, e.g. "ticks".
        name: what is forecast, e.g. "volatility of the next 12 blocks".
        beats_baseline: whether it beat its baseline out of sample; None where that was not measured.
    """

    value_x24: int
    unit: str
    name: str
    model_digest: str
    low_x24: int | None = None
    high_x24: int | None = None
    beats_baseline: bool | None = None

    @property
    def value(self) -> float:
        """The forecast as a float, exact."""
        return self.value_x24 / Q24

    @property
    def low(self) -> float | None:
        """Lower end of the band as a float; None where the model has no band."""
        return None if self.low_x24 is None else self.low_x24 / Q24

    @property
    def high(self) -> float | None:
        """Upper end of the band as a float; None where the model has no band."""
        return None if self.high_x24 is None else self.high_x24 / Q24


class VerdictStatus(Enum):
    """What the guard says to an intent."""

    APPROVED = "approved"
    CLIPPED = "clipped"
    DENIED = "denied"
    NEEDS_APPROVAL = "needs_approval"


@dataclass(frozen=True, slots=True)
class Check:
    """One limit and how close the plan comes to it."""

    name: str
    value: Decimal
    limit: Decimal
    unit: str
    ok: bool


@dataclass(frozen=True, slots=True)
class Verdict:
    """The guard's answer: the intent it lets through (smaller than asked where it clipped), and why."""

    status: VerdictStatus
    intent: Intent
    checks: tuple[Check, ...] = ()
    reason: str = ""


class Action(IntEnum):
    """What a decision does, as its record says it. The numbers are part of the record: never reuse one."""

    HOLD = 0
    SWAP = 1
    OPEN = 2
    INCREASE = 3
    DECREASE = 4
    COLLECT = 5
    CLOSE = 6
    REBALANCE = 7
    BATCH = 8

    @classmethod
    def _missing_(cls, value: object) -> "Action | None":
        """A number that stands for nothing: a stranger's record may hold any byte, and is verified all the same."""
        if not isinstance(value, int) or not 0 <= value < 256:
            return None
        member = int.__new__(cls, value)
        member._name_, member._value_ = f"UNKNOWN_{value}", value
        return member


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision, as it is recorded: the EIP-712 struct, its digest, and what the digests stand for.

    Attributes:
        agent_id: the agent's number in the vaults' factory.
        sequence: the agent's decisions are numbered from 0 without a gap, holds included.
        previous_digest: digest of the agent's decision before this one: a hash chain.
        block_number, block_hash: the block decided upon.
        strategy_digest: source and parameters of the strategy.
        forecast_x24: the forecast in fixed point; 0 where there was none (then model_digest is zero too).
        action_digest: digest of the calls to be made; zero for a hold.
        payload_digest: keccak256 of `payload`.
        digest: the EIP-712 digest of all of the above.
        payload: canonical JSON: features, intent, reason, verdict. It is emitted in the record's event.
    """

    agent_id: int
    sequence: int
    previous_digest: str
    block_number: int
    block_hash: str
    strategy_digest: str
    model_digest: str
    features_digest: str
    forecast_x24: int
    action: Action
    action_digest: str
    payload_digest: str
    digest: str
    payload: bytes = field(repr=False)


class ExecutionStatus(Enum):
    """What became of a plan."""

    FILLED = "filled"
    REVERTED = "reverted"
    REFUSED = "refused"
    """The world never took it: too little gas money, a rejected transaction."""


@dataclass(frozen=True, slots=True)
class Execution:
    """What came of a decision, taken from the receipt.

    Attributes:
        token_deltas: change of the vault's balance by token address, in smallest units.
        opened: positions minted or changed, as they stand after it.
        closed: NFTs burned.
        record_id: the audit record's token id; None in worlds without a chain or where it reverted.
        gas_cost_wei: gas_used times the price paid.
        error: why it reverted or was refused, in words; empty otherwise.
    """

    agent: str
    decision_digest: str
    status: ExecutionStatus
    block_number: int
    transaction_hash: str
    token_deltas: tuple[tuple[Address, int], ...] = ()
    opened: tuple[Position, ...] = ()
    closed: tuple[int, ...] = ()
    record_id: int | None = None
    gas_used: int = 0
    gas_cost_wei: int = 0
    fees_collected: tuple[tuple[Address, int], ...] = ()
    error: str = ""


@dataclass(frozen=True, slots=True)
class Approval:
    """The owner's word for one decision, and no other.

    Attributes:
        deadline: until when it holds: seconds since 1970, by the chain's clock.
        signature: over the decision's digest and the deadline; empty in worlds whose vaults check none.
    """

    deadline: int
    signature: bytes = field(repr=False, default=b"")


@dataclass(frozen=True, slots=True)
class Plan:
    """An intent, worked out: the operations, the calls that carry them, their digest and a gas estimate."""

    intent: Intent
    operations: tuple[Operation, ...]
    calls: tuple[Call, ...]
    action_digest: str
    gas_estimate: int
