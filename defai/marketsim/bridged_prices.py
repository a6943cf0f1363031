"""Recorded prices, filled in: what a price may have done between two that are on record."""

from collections import OrderedDict
from decimal import Context, Decimal
from math import sqrt
from typing import Final

from defai.errors import ConfigError
from defai.marketsim.draws import Draws
from defai.marketsim.prices import PricePath, PricePoint, RecordedPath
from defai.units import PIPS

_CONTEXT: Final = Context(prec=28)
_LOOK_BACK: Final = 24
_ROWS_KEPT: Final = 64
_SMALLEST_SHARE: Final = 0.01
"""A drawn price stays above this share of the straight line between its neighbours."""


class BridgedPath(PricePath):
    """A recorded path with points made up in between, at regular moments; the recorded ones stay as they are.

    Between two recorded prices runs a Brownian bridge with the volatility of the 24 recorded steps before, so that
    what has been seen of it tells nothing of the price it leads to. The same seed gives the same points anywhere.

    Args:
        recorded: the prices on record.
        pieces: how many steps each of the recorded ones becomes.
        seed: of the bridges.

    Raises:
        ConfigError: where the recorded steps cannot be divided like that.
    """

    def __init__(self, recorded: RecordedPath, pieces: int, seed: int) -> None:
        if not 1 <= pieces <= recorded.step_seconds:
            raise ConfigError(
                f"A step of {recorded.step_seconds:,} s of {recorded.source} cannot be divided by {pieces:,}."
            )
        self.source = recorded.source
        self.length = (len(recorded.timestamps) - 1) * pieces + 1
        self.gaps = recorded.gaps
        self.warning = recorded.warning
        self.step_seconds = recorded.step_seconds // pieces
        self.typical_move_pips = max(1, round(recorded.typical_move_pips / sqrt(pieces)))
        self._recorded = recorded
        self._pieces = pieces
        self._seed = seed
        self._rows: OrderedDict[int, list[Decimal]] = OrderedDict()

    def _point(self, index: int) -> PricePoint:
        row, piece = divmod(index, self._pieces)
        if not piece:
            return self._recorded[row]
        before, after = self._recorded[row], self._recorded[row + 1]
        timestamp = before.timestamp + (after.timestamp - before.timestamp) * piece // self._pieces
        return PricePoint(timestamp, self._bridge(row)[piece])

    def _bridge(self, row: int) -> list[Decimal]:
        """The prices from a recorded one, at 0, up to the next one, which is not among them."""
        known = self._rows.get(row)
        if known is not None:
            return known
        draws, walk = Draws(self._seed, "bridge", row), [0.0]
        for _ in range(self._pieces):
            walk.append(walk[-1] + draws.normal())
        begin, end = self._recorded[row].quote_per_base, self._recorded[row + 1].quote_per_base
        scale = self._deviation(row) / sqrt(self._pieces)
        prices = []
        for piece in range(self._pieces):
            share = piece / self._pieces
            swing = max(1 + scale * (walk[piece] - share * walk[-1]), _SMALLEST_SHARE)
            line = begin + (end - begin) * piece / self._pieces
            prices.append(
                _CONTEXT.multiply(line, _CONTEXT.create_decimal(round(swing * PIPS**2))).scaleb(-12)
            )
        self._rows[row] = prices
        if len(self._rows) > _ROWS_KEPT:
            self._rows.popitem(last=False)
        return prices

    def _deviation(self, row: int) -> float:
        """Root mean square of the recorded moves that led to a row, as a share of the price."""
        moves = [self._recorded.move_pips(step) for step in range(max(row - _LOOK_BACK + 1, 1), row + 1)]
        if not moves:
            return self._recorded.typical_move_pips / PIPS
        return sqrt(sum(move * move for move in moves) / len(moves)) / PIPS
