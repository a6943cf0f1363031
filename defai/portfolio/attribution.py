"""Where an agent's gain came from, counted block by block: integers in the numeraire's smallest unit."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.portfolio.pnl import Valued, Worth, contents

LVR_INTERVAL_S: Final = 900
"""LVR depends on how often the rebalancing portfolio trades; this is how often where nothing else is said."""


@dataclass(slots=True)
class _Band:
    """Liquidity since it was put in, or changed.

    Attributes:
        put0, put1: its contents then.
        held0, held1: its contents when the rebalancing portfolio was adjusted last.
    """

    position: Position
    put0: int
    put1: int
    held0: int
    held1: int


@dataclass(frozen=True, slots=True)
class Moment:
    """What an agent owns at the end of a block, and at which prices.

    Attributes:
        balance: idle base tokens, in their smallest unit.
        base_is_zero: whether the base is token0 of its pools.
        worth: worth in the numeraire's smallest unit.
    """

    timestamp: int
    valued: Valued
    balance: int
    base: Address
    base_is_zero: bool
    pools: Mapping[Address, Pool]
    keys: Mapping[Address, PoolKey]
    worth: Worth


@dataclass(frozen=True, slots=True)
class Parts:
    """See `defai.domain.views.PnlParts`; None where it cannot be told."""

    impermanent_loss_raw: int
    lvr_raw: int
    swap_cost_raw: int | None
    realized_raw: int
    unrealized_raw: int


@dataclass(slots=True)
class Attribution:
    """Counts from the first moment it is shown.

    Impermanent loss: worth of what was put into a band less worth of what it holds, at present prices while it is
    open and at those of its last block once it is closed. LVR: at every adjustment, worth of what the band held at the
    one before less worth of what it holds now, both at the new price; see `defai.backtest.metrics` for the source. The
    average cost of the base tokens, idle or in bands, tells realized gains from unrealized ones: whatever adds to them
    adds what they are worth then, whatever takes some away takes a part of the cost.

    Attributes:
        initial_raw: the equity that gains are counted from.
        interval_s: how often the rebalancing portfolio is adjusted, at the soonest.
    """

    initial_raw: int
    interval_s: int = LVR_INTERVAL_S
    _bands: dict[int, _Band] = field(default_factory=dict)
    _lost_raw: int = 0
    _lvr_raw: int = 0
    _swap_cost_raw: int | None = 0
    _amount: int | None = None
    _cost_raw: int = 0
    _due: int = 0

    def swapped(self, cost_raw: int | None) -> None:
        """Count what own swaps cost beyond the price before them; None where that is not known, from then on."""
        known = self._swap_cost_raw is not None and cost_raw is not None
        self._swap_cost_raw = (self._swap_cost_raw or 0) + (cost_raw or 0) if known else None

    def look(self, now: Moment) -> Parts:
        """Count up to a moment, and say where the gain came from."""
        self._follow_bands(now)
        adjusts = now.timestamp >= self._due
        open_loss = open_lvr = 0
        for held in now.valued.positions:
            band = self._bands[held.position.token_id]
            open_loss += self._worth(now, band, band.put0, band.put1) - held.value_raw
            moved = self._worth(now, band, band.held0, band.held1) - held.value_raw
            if adjusts:
                self._lvr_raw += moved
                band.held0, band.held1 = held.amount0, held.amount1
            else:
                open_lvr += moved
        if adjusts:
            self._due = now.timestamp + self.interval_s
        unrealized = self._follow_base(now)
        return Parts(
            impermanent_loss_raw=self._lost_raw + open_loss,
            lvr_raw=self._lvr_raw + open_lvr,
            swap_cost_raw=self._swap_cost_raw,
            realized_raw=now.valued.equity_raw - self.initial_raw - unrealized,
            unrealized_raw=unrealized,
        )

    def _follow_bands(self, now: Moment) -> None:
        current = {held.position.token_id: held for held in now.valued.positions}
        for token_id, band in list(self._bands.items()):
            held = current.get(token_id)
            if held is None or held.position.liquidity != band.position.liquidity:
                self._close(now, self._bands.pop(token_id))
        for token_id, held in current.items():
            if token_id not in self._bands:
                amounts = held.amount0, held.amount1
                self._bands[token_id] = _Band(held.position, *amounts, *amounts)

    def _close(self, now: Moment, band: _Band) -> None:
        taken = self._worth(now, band, *contents(now.pools[band.position.pool], band.position))
        self._lost_raw += self._worth(now, band, band.put0, band.put1) - taken
        self._lvr_raw += self._worth(now, band, band.held0, band.held1) - taken

    def _follow_base(self, now: Moment) -> int:
        """The present worth of the base tokens less what they cost, once their cost has followed their amount."""
        amount = now.balance
        for held in now.valued.positions:
            zero = now.base_is_zero
            amount += held.amount0 + held.owed0 if zero else held.amount1 + held.owed1
        before = self._amount
        if before is None:
            self._cost_raw = now.worth(now.base, amount)
        elif amount > before:
            self._cost_raw += now.worth(now.base, amount - before)
        elif amount < before:
            self._cost_raw -= self._cost_raw * (before - amount) // before
        self._amount = amount
        return now.worth(now.base, amount) - self._cost_raw

    @staticmethod
    def _worth(now: Moment, band: _Band, amount0: int, amount1: int) -> int:
        key = now.keys[band.position.pool]
        return now.worth(key.token0.address, amount0) + now.worth(key.token1.address, amount1)
