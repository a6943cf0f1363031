"""An agent's money over time: what every metric is computed from."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from defai.agent.desk import Desk
from defai.amm import get_sqrt_ratio_at_tick
from defai.amm.limbs.arrays import Words
from defai.backtest.columns import IntColumn
from defai.backtest.metrics import HeldBand
from defai.domain.tokens import Address
from defai.portfolio.pnl import Valued
from defai.worlds.bar_words import BASE_UNIT, EQUITY, FEES, GAS, HODL, IN_BASE

SAMPLE_S = 60
"""Moments are kept at least this far apart."""


class Provided(NamedTuple):
    """Liquidity between two ticks of a pool."""

    pool: Address
    tick_lower: int
    tick_upper: int
    liquidity: int


@dataclass(slots=True)
class EquityCurve:
    """Columns, one entry a moment, the first before the agent's first step, the last after its last.

    Worths are in the numeraire's smallest unit, at the pricing pool's price of the moment.

    Attributes:
        timestamps: seconds since 1970, never falling.
        equity_raw: worth of everything, less all gas paid.
        hodl_raw: worth of the balances it began with.
        base_worth_raw: the part of `equity_raw` (gas not taken off) that is held in the base token, positions
            included: worth of what a hedge would have to sell.
        fees_raw: fees earned so far, collected or owed, at present prices.
        gas_raw: gas paid so far.
        base_unit_raw: worth of one whole base token.
        positions: what it provides, by token id, with the entry from which on it does.
        executions: how many there had been when the latest moment was kept.
    """

    timestamps: IntColumn = field(default_factory=IntColumn)
    block_numbers: IntColumn = field(default_factory=IntColumn)
    equity_raw: IntColumn = field(default_factory=IntColumn)
    hodl_raw: IntColumn = field(default_factory=IntColumn)
    base_worth_raw: IntColumn = field(default_factory=IntColumn)
    fees_raw: IntColumn = field(default_factory=IntColumn)
    gas_raw: IntColumn = field(default_factory=IntColumn)
    base_unit_raw: IntColumn = field(default_factory=IntColumn)
    positions: list[tuple[int, dict[int, Provided]]] = field(default_factory=list)
    executions: int = 0

    def sample(self, desk: Desk, timestamp: int | None = None, valued: Valued | None = None) -> None:
        """Keep the present moment.

        Args:
            desk: the agent's.
            timestamp: the moment it counts as, where that is not the newest block's: settling takes blocks of its own.
            valued: the portfolio at present prices, where that is known already.
        """
        head, base = desk.market.head, desk.valuation.base
        valued = valued or desk.valued()
        self.timestamps.append(head.timestamp if timestamp is None else timestamp)
        self.block_numbers.append(head.number)
        self.equity_raw.append(valued.equity_raw)
        self.hodl_raw.append(valued.hodl_raw)
        self.base_worth_raw.append(valued.base_raw)
        self.fees_raw.append(valued.fees_raw)
        self.gas_raw.append(valued.gas_raw)
        self.base_unit_raw.append(desk.worth(base.address, 10**base.decimals))
        self._keep_positions(len(self.timestamps) - 1, desk)

    def extend(self, desk: Desk, timestamps: NDArray[np.int64], block_number: int, worths: Words) -> None:
        """Keep moments through which the agent did nothing.

        Args:
            desk: the agent's.
            timestamps: the moments.
            block_number: the first one's block; each of the others has the next one.
            worths: what everything was worth; see `defai.worlds.bar_words`.
        """
        self._keep_positions(len(self.timestamps), desk)
        self.timestamps.extend_array(timestamps)
        self.block_numbers.extend_array(np.arange(block_number, block_number + len(timestamps)))
        for column, at in (
            (self.equity_raw, EQUITY),
            (self.hodl_raw, HODL),
            (self.base_worth_raw, IN_BASE),
            (self.fees_raw, FEES),
            (self.gas_raw, GAS),
            (self.base_unit_raw, BASE_UNIT),
        ):
            column.extend_words(worths[:, 2 * at : 2 * at + 2])

    def reserve(self, moments: int) -> None:
        """Make room for so many more."""
        for column in (
            *(self.timestamps, self.block_numbers, self.equity_raw, self.hodl_raw),
            *(self.base_worth_raw, self.fees_raw, self.gas_raw, self.base_unit_raw),
        ):
            column.reserve(moments)

    def _keep_positions(self, row: int, desk: Desk) -> None:
        provided = provided_by(desk)
        if not self.positions or self.positions[-1][1] != provided:
            self.positions.append((row, provided))
        self.executions = desk.portfolio.executions

    def share(self, other: "EquityCurve") -> None:
        """Keep what is the same as in another curve once."""
        for name in ("timestamps", "block_numbers", "hodl_raw", "base_unit_raw", "gas_raw"):
            setattr(self, name, getattr(self, name).shared_with(getattr(other, name)))

    def is_due(self, desk: Desk) -> bool:
        """Whether enough time has passed to keep another moment, or a position has changed."""
        if desk.market.head.timestamp >= self.timestamps[-1] + SAMPLE_S:
            return True
        return desk.portfolio.executions != self.executions and provided_by(desk) != self.positions[-1][1]

    def bands(self, desk: Desk) -> list[HeldBand]:
        """The liquidity that was provided, from when to when."""
        return [
            _band(provided, first, last, desk)
            for provided, first, last in _spans(self.positions, len(self.timestamps) - 1)
        ]


def provided_by(desk: Desk) -> dict[int, Provided]:
    """What an agent provides, by token id."""
    return {
        position.token_id: Provided(
            position.pool, position.tick_lower, position.tick_upper, position.liquidity
        )
        for position in desk.portfolio.positions
        if position.liquidity
    }


def _spans(
    positions: Sequence[tuple[int, dict[int, Provided]]], end: int
) -> Iterator[tuple[Provided, int, int]]:
    """What was provided, with the row in which it was first there and the one in which it no longer was."""
    open_since: dict[int, tuple[Provided, int]] = {}
    for row, present in positions:
        for token_id, (provided, since) in list(open_since.items()):
            if present.get(token_id) != provided:
                yield provided, since, row
                del open_since[token_id]
        for token_id, provided in present.items():
            open_since.setdefault(token_id, (provided, row))
    for provided, since in open_since.values():
        yield provided, since, end


def _band(provided: Provided, first: int, last: int, desk: Desk) -> HeldBand:
    key = desk.market.keys[provided.pool]
    bounds = sorted(
        float(desk.valuation.base_price(get_sqrt_ratio_at_tick(tick)))
        for tick in (provided.tick_lower, provided.tick_upper)
    )
    whole = 10 ** ((key.token0.decimals + key.token1.decimals) / 2)
    return HeldBand(first, last, provided.liquidity / whole, *bounds)
