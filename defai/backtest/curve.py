"""An agent's money over time: what every metric is computed from."""

from dataclasses import dataclass, field

from defai.agent.desk import Desk

SAMPLE_S = 60
"""Moments are kept at least this far apart."""


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
        in_range: whether liquidity of the agent's is in use; None while it has no position.
    """

    timestamps: list[int] = field(default_factory=list)
    block_numbers: list[int] = field(default_factory=list)
    equity_raw: list[int] = field(default_factory=list)
    hodl_raw: list[int] = field(default_factory=list)
    base_worth_raw: list[int] = field(default_factory=list)
    fees_raw: list[int] = field(default_factory=list)
    gas_raw: list[int] = field(default_factory=list)
    base_unit_raw: list[int] = field(default_factory=list)
    in_range: list[bool | None] = field(default_factory=list)

    def sample(self, desk: Desk) -> None:
        """Keep the present moment."""
        head, valued, base = desk.market.head, desk.valued(), desk.valuation.base
        positions = [position for position in desk.portfolio.positions if position.liquidity]
        self.timestamps.append(head.timestamp)
        self.block_numbers.append(head.number)
        self.equity_raw.append(valued.equity_raw)
        self.hodl_raw.append(valued.hodl_raw)
        self.base_worth_raw.append(valued.base_raw)
        self.fees_raw.append(valued.fees_raw)
        self.gas_raw.append(valued.gas_raw)
        self.base_unit_raw.append(desk.worth(base.address, 10**base.decimals))
        pools = desk.market.pools
        self.in_range.append(
            any(position.contains(pools[position.pool].tick) for position in positions) if positions else None
        )

    def is_due(self, timestamp: int) -> bool:
        """Whether enough time has passed to keep another moment."""
        return timestamp >= self.timestamps[-1] + SAMPLE_S

    def in_range_ratio(self) -> float | None:
        """Share of the time with a position in which its liquidity was in use; None where there was none."""
        inside = held = 0
        for index, state in enumerate(self.in_range[:-1]):
            lasted = self.timestamps[index + 1] - self.timestamps[index]
            if state is not None:
                held += lasted
                inside += lasted * state
        return inside / held if held else None
