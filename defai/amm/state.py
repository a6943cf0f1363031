"""The state of a pool: what the contract has in storage, with roll-back and copies."""

from operator import attrgetter
from typing import Final, NamedTuple, Self

from defai.amm.errors import AmmRevert, PoolStateError
from defai.amm.oracle import Observation, Oracle
from defai.amm.position import PositionState
from defai.amm.tick import TickState, max_liquidity_per_tick
from defai.amm.tick_map import TickMap
from defai.units import PIPS

_SCALARS: Final = (
    "sqrt_price_x96",
    "tick",
    "liquidity",
    "fee_growth_global0_x128",
    "fee_growth_global1_x128",
    "fee_protocol",
    "protocol_fees0",
    "protocol_fees1",
    "timestamp",
)
_scalars_of = attrgetter(*_SCALARS)


class PoolSnapshot(NamedTuple):
    """Everything that changes in a pool, at one moment. Equal snapshots mean equal pools. Don't change its parts."""

    scalars: tuple[int, ...]
    ticks: dict[int, TickState]
    words: dict[int, int]
    positions: dict[tuple[str, int, int], PositionState]
    observations: list[Observation]
    observation_index: int
    observation_cardinality: int


class PoolState:
    """Storage of a pool; `defai.amm.Pool` adds what can be done to it.

    Args:
        fee_pips: the swap fee in hundredths of a basis point, below 1,000,000.
        tick_spacing: only multiples of it can be a position's bounds; 1 to 16,383.

    Attributes:
        sqrt_price_x96: square root of token1 per token0 in smallest units, Q64.96; 0 before `initialize`.
        tick: the greatest tick whose price is not above the pool's; after a crossing to the left, one below that.
        liquidity: the liquidity in range.
        fee_growth_global0_x128: token0 fees per unit of liquidity since the beginning, Q128.128, wrapping.
        fee_growth_global1_x128: the same for token1.
        fee_protocol: two four-bit numbers, token0's below token1's; n > 0 means one n-th of the fee is the protocol's.
        protocol_fees0: token0 the protocol has not collected yet.
        protocol_fees1: token1 the protocol has not collected yet.
        timestamp: the time of the latest operation, in seconds.
        oracle: the observations.
        max_liquidity_per_tick: the most liquidity that may begin or end at one tick.

    Raises:
        PoolStateError: where no factory would deploy such a pool.
    """

    __slots__ = (
        *_SCALARS,
        "fee_pips",
        "max_liquidity_per_tick",
        "oracle",
        "position_states",
        "tick_map",
        "tick_spacing",
        "tick_states",
    )

    def __init__(self, *, fee_pips: int, tick_spacing: int) -> None:
        if not 0 <= fee_pips < PIPS:
            raise PoolStateError(f"A fee of {fee_pips} pips is not between 0 and {PIPS - 1}.")
        if not 0 < tick_spacing < 1 << 14:
            raise PoolStateError(f"A tick spacing of {tick_spacing} is not between 1 and 16383.")
        self.fee_pips = fee_pips
        self.tick_spacing = tick_spacing
        self.max_liquidity_per_tick = max_liquidity_per_tick(tick_spacing)
        self.sqrt_price_x96 = 0
        self.tick = 0
        self.liquidity = 0
        self.fee_growth_global0_x128 = 0
        self.fee_growth_global1_x128 = 0
        self.fee_protocol = 0
        self.protocol_fees0 = 0
        self.protocol_fees1 = 0
        self.timestamp = 0
        self.oracle = Oracle()
        self.tick_states: dict[int, TickState] = {}
        self.tick_map = TickMap(tick_spacing)
        self.position_states: dict[tuple[str, int, int], PositionState] = {}

    def snapshot(self) -> PoolSnapshot:
        """The whole state, to come back to with `restore`; as often as wanted."""
        oracle = self.oracle
        return PoolSnapshot(
            _scalars_of(self),
            self.tick_states.copy(),
            self.tick_map.words.copy(),
            self.position_states.copy(),
            oracle.observations.copy(),
            oracle.index,
            oracle.cardinality,
        )

    def restore(self, snapshot: PoolSnapshot) -> None:
        """Bring back the state of a snapshot, exactly."""
        self.adopt(
            snapshot._replace(
                ticks=snapshot.ticks.copy(),
                words=snapshot.words.copy(),
                positions=snapshot.positions.copy(),
                observations=snapshot.observations.copy(),
            )
        )

    def copy(self) -> Self:
        """An independent pool in the same state."""
        new = type(self).__new__(type(self))
        new.fee_pips = self.fee_pips
        new.tick_spacing = self.tick_spacing
        new.max_liquidity_per_tick = self.max_liquidity_per_tick
        new.adopt(self.snapshot())
        return new

    def adopt(self, snapshot: PoolSnapshot) -> None:
        """Like `restore`, but the snapshot's parts become the pool's own: it must not be used again."""
        scalars, self.tick_states, words, self.position_states, observations, index, cardinality = snapshot
        self.sqrt_price_x96, self.tick, self.liquidity = scalars[:3]
        self.fee_growth_global0_x128, self.fee_growth_global1_x128 = scalars[3:5]
        self.fee_protocol, self.protocol_fees0, self.protocol_fees1, self.timestamp = scalars[5:]
        self.tick_map = TickMap(self.tick_spacing)
        self.tick_map.words = words
        self.oracle = Oracle()
        self.oracle.observations, self.oracle.index, self.oracle.cardinality = (
            observations,
            index,
            cardinality,
        )

    def advance(self, timestamp: int | None) -> int:
        """The time of an operation: the given one, or, with None, that of the latest operation.

        Raises:
            PoolStateError: where time would run backwards.
        """
        if timestamp is None:
            return self.timestamp
        if timestamp < self.timestamp:
            raise PoolStateError(
                f"Time would run backwards, from {self.timestamp} to {timestamp}.",
                "Restore an earlier snapshot to go back.",
            )
        return timestamp

    def require_unlocked(self) -> None:
        """Refuse what needs an initialised pool.

        Raises:
            AmmRevert: 'LOK' before `initialize`.
        """
        if not self.sqrt_price_x96:
            raise AmmRevert("LOK")
