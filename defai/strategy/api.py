"""The author's API, on one page: subclass `Strategy`, look at a `Context`, return an `Intent` with a reason.

class Patient(Strategy):
    '''Sell one ether when the forecast says the price falls by more than it costs.'''

    edge_bps: Annotated[float, Field(gt=0)] = 5.0

    def target(self) -> Target:
        return Target(kind="return", horizon_blocks=12)

    def decide(self, ctx: Context) -> Intent:
        ...
        return Hold(reason="no edge after costs")
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from defai.amm import Pool, max_usable_tick, min_usable_tick
from defai.domain.decisions import FeatureRow, Forecast
from defai.domain.intents import (
    Batch,
    ClosePosition,
    CollectFees,
    DecreaseLiquidity,
    Hold,
    IncreaseLiquidity,
    Intent,
    OpenPosition,
    Rebalance,
    Swap,
)
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address, Token
from defai.market.window import Window
from defai.models.targets import Target

__all__ = [
    "API_VERSION",
    "Annotated",
    "Batch",
    "ClosePosition",
    "CollectFees",
    "Context",
    "Costs",
    "DecreaseLiquidity",
    "Field",
    "Hold",
    "IncreaseLiquidity",
    "Intent",
    "OpenPosition",
    "PoolView",
    "Position",
    "Quote",
    "Rebalance",
    "Strategy",
    "Swap",
    "Target",
]

API_VERSION = 1
"""Raised when a plugin written for the API before it would behave differently."""


@dataclass(frozen=True, slots=True)
class Quote:
    """What a swap would give now, exactly: the pool's own arithmetic on its present state.

    Attributes:
        amount_in_raw: what the pool would take (less than offered where liquidity ends).
        cost_bps: fee and impact together, against the price before the swap, in basis points.
    """

    amount_in_raw: int
    amount_out_raw: int
    sqrt_price_after_x96: int
    cost_bps: float


@dataclass(frozen=True, slots=True)
class PoolView:
    """A pool as it stands after the block decided upon, with its recent past. Reading never changes it."""

    key: PoolKey
    state: Pool
    history: Window

    @property
    def tick(self) -> int:
        """The current tick: log base 1.0001 of token1 per token0, in smallest units, rounded down."""
        return self.state.tick

    @property
    def sqrt_price_x96(self) -> int:
        """The current price's square root: of token1 per token0, in smallest units, Q64.96."""
        return self.state.sqrt_price_x96

    @property
    def fee_bps(self) -> float:
        """The swap fee in basis points."""
        return self.key.fee_pips / 100

    def quote(self, *, zero_for_one: bool, amount_in_raw: int) -> Quote:
        """Quote an exact-input swap against the present state.

        Raises:
            ValueError: where the amount is not positive.
        """
        if amount_in_raw <= 0:
            raise ValueError("a quote needs a positive amount in")
        before = self.state.sqrt_price_x96
        result = self.state.quote(zero_for_one=zero_for_one, amount_specified=amount_in_raw)
        paid, got = (result.amount0, -result.amount1) if zero_for_one else (result.amount1, -result.amount0)
        square = before * before
        fair = (paid * square) >> 192 if zero_for_one else (paid << 192) // square
        cost = (fair - got) * 10_000 / fair if fair else 0.0
        return Quote(paid, got, result.sqrt_price_x96, cost)


@dataclass(frozen=True, slots=True)
class Costs:
    """What acting costs now, in the numeraire, as Decimals for people and floats for arithmetic.

    Attributes:
        gas_usd: cost of the gas of one swap through the vault, its record included.
        rebalance_gas_usd: the same for closing a position, swapping and opening another.
    """

    gas_usd: float
    rebalance_gas_usd: float


@dataclass(frozen=True, slots=True)
class Context:
    """Everything a decision may look at, as of one block. It offers no clock, no network and no future.

    Attributes:
        pools: the strategy's pools, in the order `Strategy.pools` names them; `pool` is the first.
        features: the feature row of `pool`; None until there is history enough.
        forecast: the model's answer on that row; None without a model or without features.
        positions: the agent's open positions.
        balances: the vault's idle tokens by address, in smallest units.
        numeraire: the token that counts as a dollar; `base` is the other token of `pool`.
        equity_raw: worth of everything the agent owns, in the numeraire's smallest unit.
        rng: the only randomness a decision may use; seeded by agent and block.
    """

    block_number: int
    timestamp: int
    base_fee_wei: int
    pools: tuple[PoolView, ...]
    features: FeatureRow | None
    forecast: Forecast | None
    positions: tuple[Position, ...]
    balances: Mapping[Address, int]
    numeraire: Token
    base: Token
    equity_raw: int
    costs: Costs
    rng: Random

    @property
    def pool(self) -> PoolView:
        """The strategy's main pool."""
        return self.pools[0]

    @property
    def position(self) -> Position | None:
        """The open position in the main pool, if any; the newest where there are several."""
        mine = [position for position in self.positions if position.pool == self.pool.key.address]
        return mine[-1] if mine else None

    def balance(self, token: Token) -> int:
        """Idle balance of a token, in its smallest unit."""
        return self.balances.get(token.address, 0)

    def band(self, half_width: float, *, center: int | None = None) -> tuple[int, int]:
        """A range of ticks around the pool's tick (or `center`), aligned outwards to the pool's tick spacing.

        It ends where the range of ticks ends.

        Args:
            half_width: in ticks; one tick is a hundredth of a percent of price.
            center: the middle, in ticks.
        """
        spacing = self.pool.key.tick_spacing
        middle = self.pool.tick if center is None else center
        lowest, highest = min_usable_tick(spacing), max_usable_tick(spacing)
        lower = int((middle - half_width) // spacing) * spacing
        upper = -int(-(middle + half_width) // spacing) * spacing
        lower = min(max(lower, lowest), highest - spacing)
        return lower, min(max(upper, lower + spacing), highest)

    def base_value_raw(self, amount_raw: int) -> int:
        """Worth of an amount of `base` at the main pool's price, in the numeraire's smallest unit."""
        square = self.pool.sqrt_price_x96**2
        if self.pool.key.token0 == self.base:
            return (amount_raw * square) >> 192
        return (amount_raw << 192) // square

    def base_amount_raw(self, worth_raw: int) -> int:
        """How much of `base` an amount of the numeraire is worth at the main pool's price."""
        square = self.pool.sqrt_price_x96**2
        if self.pool.key.token0 == self.base:
            return (worth_raw << 192) // square
        return (worth_raw * square) >> 192

    def base_move_bps(self, ticks: float) -> float:
        """A move of the pool's tick, as a move of the base token's price: a tick is a basis point of price.

        Ticks count token1 per token0, so where `base` is token1 its price falls as the tick rises.
        """
        return ticks if self.pool.key.token0 == self.base else -ticks

    def base_share(self) -> float:
        """Share of the idle balances' worth that is held in `base`, 0..1; 0 where there is nothing."""
        base = self.base_value_raw(self.balance(self.base))
        total = base + self.balance(self.numeraire)
        return base / total if total else 0.0

    def usd(self, amount_raw: int) -> Decimal:
        """An amount of the numeraire as a person would write it."""
        return self.numeraire.to_decimal(amount_raw)


class Strategy(BaseModel, ABC):
    """A strategy: its fields are its parameters, `decide` is all it must do.

    One declaration of a field gives validation, the TOML key, the command line's `--param` and the digest in the
    audit record. Instances are frozen; state lives in the market and the portfolio, which `decide` is given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)

    @abstractmethod
    def decide(self, ctx: Context) -> Intent:
        """Say what to do upon this block, and why. Pure: the same context gives the same intent."""

    def pools(self) -> tuple[str, ...]:
        """The pools it looks at, the main one first, by the names of the network's pool list."""
        return ("USDC/WETH 0.05 %",)

    def features(self) -> tuple[str, ...]:
        """Names of the features its model is given, from the feature library; empty without a model."""
        return ()

    def target(self) -> Target | None:
        """What its model forecasts; None where it needs no forecast."""
        return None
