"""The author's API, on one page: subclass `Strategy`, look at a `Context`, return an `Intent` with a reason.

    from defai.strategy.api import Annotated, Context, Field, Hold, Intent, Strategy, Swap, Target, unit

    class Patient(Strategy):
        '''Sell one ether when the forecast says that its price falls by more than it costs to sell.'''

        api_version = 1
        edge_bps: Annotated[float, Field(gt=0, le=100, description="asked for after costs"), unit("bps")] = 5.0

        def features(self) -> tuple[str, ...]:
            return ("return_1", "return_12")

        def target(self) -> Target:
            return Target(kind="return", horizon_blocks=12)

        def decide(self, ctx: Context) -> Intent:
            one = 10**ctx.base.decimals
            if ctx.forecast is None or ctx.balance(ctx.base) < one:
                return Hold(reason="waits for a forecast and for an ether to sell")
            falls_bps = -ctx.base_move_bps(ctx.forecast.value)
            cost_bps = ctx.quote(ctx.base, one).cost_bps
            if falls_bps - cost_bps < self.edge_bps:
                return Hold(reason=f"{falls_bps:.1f} bp to win for {cost_bps:.1f} bp")
            return ctx.swap(ctx.base, one, reason=f"falls by {falls_bps:.1f} bp, costs {cost_bps:.1f} bp")

Everything a decision may depend on is in the context, and in nothing else: no clock, no file, no network, no global
that changes, no randomness but `ctx.rng`. That is what lets anyone decide again later and find the same intent.
What a strategy would remember it reads from `ctx.outcomes`, `ctx.positions` and the pools' history.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Annotated, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from defai.domain.decisions import Action, FeatureRow, Forecast
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
from defai.domain.operations import SwapInPair
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address, Token
from defai.models.targets import Target
from defai.strategy.costs import Costs
from defai.strategy.edge import Edge, model_edge
from defai.strategy.outcome import Outcome
from defai.strategy.parameters import unit
from defai.strategy.pool_view import PoolView, Quote
from defai.strategy.sizing import aligned_band, size_for_risk, worst_move_bps

__all__ = [
    "API_VERSION",
    "Action",
    "Annotated",
    "Batch",
    "ClosePosition",
    "CollectFees",
    "Context",
    "Costs",
    "DecreaseLiquidity",
    "Edge",
    "FeatureRow",
    "Field",
    "Forecast",
    "Hold",
    "IncreaseLiquidity",
    "Intent",
    "OpenPosition",
    "Outcome",
    "PoolKey",
    "PoolView",
    "Position",
    "Quote",
    "Rebalance",
    "Strategy",
    "Swap",
    "SwapInPair",
    "Target",
    "Token",
    "unit",
]

API_VERSION: Final = 1
"""Raised when a plugin written for the API before it would behave differently."""


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
        costs: what gas costs; what a swap costs besides is on its `quote`.
        rng: the only randomness a decision may use; seeded by agent and block.
        outcomes: what came of the agent's own latest decisions, the newest last; see `Outcome`.
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
    outcomes: tuple[Outcome, ...] = ()

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

    def band(
        self, half_width: float, *, center: int | None = None, pool: PoolView | None = None
    ) -> tuple[int, int]:
        """A range of ticks around a pool's tick (or `center`), aligned outwards to the pool's tick spacing.

        It ends where the range of ticks ends.

        Args:
            half_width: in ticks; one tick is a hundredth of a percent of price.
            center: the middle, in ticks.
            pool: the main pool by default.
        """
        where = pool or self.pool
        return aligned_band(where.tick if center is None else center, half_width, where.key.tick_spacing)

    def quote(self, sold: Token, amount_in_raw: int, *, pool: PoolView | None = None) -> Quote:
        """What selling an amount of a token would give now, exactly.

        Args:
            sold: one of the pool's two tokens.
            amount_in_raw: in its smallest unit, above zero.
            pool: the main pool by default.

        Raises:
            ValueError: for an amount or a token that cannot be sold there.
        """
        where = pool or self.pool
        return where.quote(zero_for_one=where.sells_zero(sold), amount_in_raw=amount_in_raw)

    def swap(self, sold: Token, amount_in_raw: int, *, reason: str, pool: PoolView | None = None) -> Swap:
        """The intent to sell an amount of a token; arguments and errors as for `quote`."""
        where = pool or self.pool
        zero = where.sells_zero(sold)
        return Swap(pool=where.key.address, zero_for_one=zero, amount_in_raw=amount_in_raw, reason=reason)

    def size_for_risk(self, risk: float, *, move_bps: float | None = None) -> int:
        """Worth, in the numeraire's smallest unit, of which an adverse move loses a share of the equity.

        Never more than the equity; 0 where no move is known, since nothing can be said of the risk then.

        Args:
            risk: share of the equity that may be lost, above 0 and at most 1.
            move_bps: the move to survive, in basis points of price; by default the worst that the forecast's band
                allows, where the forecast is in ticks and has a band.
        """
        move = worst_move_bps(self.forecast) if move_bps is None else move_bps
        return size_for_risk(self.equity_raw, risk, move)

    def base_held_raw(self) -> int:
        """All of `base` that the agent has, in its smallest unit: idle, in positions, and in fees they are owed.

        A liquidity position's delta: how much its worth follows the base token's price, now.
        """
        held = self.balance(self.base)
        for position in self.positions:
            for view in self.pools:
                if view.key.address == position.pool and self.base in {view.key.token0, view.key.token1}:
                    side = 0 if view.key.token0 == self.base else 1
                    held += view.contents(position)[side] + view.owed(position)[side]
        return held

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

    One declaration of a field gives validation, the TOML key, the command line's `--param`, the form, the space of a
    search and the digest in the audit record. Instances are frozen: state lives in the market and the portfolio, which
    `decide` is given.

    Attributes:
        api_version: the version of this API the class was written for; one that names none was written for the first.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=False, validate_default=True)
    api_version: ClassVar[int] = 1

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

    def stated_edge(self, ctx: Context) -> Edge | None:
        """For what it acts upon this block; None where it acts for no edge that has an interval. Pure.

        An agent whose edge has an interval that is not above zero stays flat: intents that go in become holds, those
        that go out pass. Of a forecast return, of fees or of fees over LVR the edge is that the model has beaten its
        baseline; a strategy that knows better says so with `Edge.between`.
        """
        return model_edge(self.target(), ctx.forecast)

    def on_start(self, ctx: Context) -> str:  # noqa: ARG002  it is the author who looks
        """Say why it cannot work here, upon the first block it would decide on; empty where it can. Pure.

        With a reason the agent stops before its first decision, and is asked again when the operator resumes it.
        """
        return ""

    def on_outcome(self, outcome: Outcome) -> str:  # noqa: ARG002  the same
        """Say something about what came of a decision, for the log; empty for nothing. Pure.

        Words for people: no decision depends on them. The next one finds the outcome in `ctx.outcomes`.
        """
        return ""
