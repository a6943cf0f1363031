"""The reference: what the base token costs elsewhere, in the quote token, block by block."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from itertools import pairwise
from typing import Final

from defai.errors import ConfigError
from defai.units import PIPS

_CONTEXT: Final = Context(prec=40)
_SAMPLE: Final = 2_000


@dataclass(frozen=True, slots=True)
class PricePoint:
    """One moment of the reference.

    Attributes:
        timestamp: in seconds since 1970, UTC.
        quote_per_base: quote tokens for one base token (dollars for one ether).
    """

    timestamp: int
    quote_per_base: Decimal


class PricePath(ABC):
    """Reference prices by index, one a block, the first at 0. Iterating gives them in order.

    Attributes:
        source: where they come from, in a few words.
        length: how many there are; None where there is no end.
        gaps: steps missing between the timestamps.
        warning: a sentence about what is wrong with the source but can be lived with; empty otherwise.
        step_seconds: the usual time from one point to the next.
        typical_move_pips: a usual move from one point to the next, in millionths of the price: what is calm here.
    """

    source: str
    length: int | None
    gaps: int
    warning: str
    step_seconds: int
    typical_move_pips: int

    @abstractmethod
    def _point(self, index: int) -> PricePoint:
        """The point at an index that exists."""

    def __getitem__(self, index: int) -> PricePoint:
        """The point at an index.

        Raises:
            ConfigError: where the path has no such point.
        """
        if index < 0 or (self.length is not None and index >= self.length):
            raise ConfigError(
                f"{self.source} has {self.length} prices; block {index} would need one more.",
                "Run fewer blocks, or give a longer file.",
            )
        return self._point(index)

    def __iter__(self) -> Iterator[PricePoint]:
        index = 0
        while self.length is None or index < self.length:
            yield self._point(index)
            index += 1

    def move_pips(self, index: int) -> int:
        """How far the price moved to this point from the one before, in millionths of that, without its sign."""
        if index <= 0:
            return 0
        before, after = self[index - 1].quote_per_base, self[index].quote_per_base
        return _move_pips(before, after)


def _move_pips(before: Decimal, after: Decimal) -> int:
    change = _CONTEXT.abs(_CONTEXT.subtract(after, before))
    return int(_CONTEXT.divide(_CONTEXT.multiply(change, Decimal(PIPS)), before))


class RecordedPath(PricePath):
    """Prices that were recorded, with their own timestamps.

    Args:
        source: where they come from.
        timestamps: seconds since 1970, rising.
        quote_per_base: as many prices, all positive.
        gaps: steps missing between the timestamps.
        warning: a sentence about the gaps, if any.
    """

    def __init__(
        self,
        source: str,
        timestamps: Sequence[int],
        quote_per_base: Sequence[Decimal],
        *,
        gaps: int = 0,
        warning: str = "",
    ) -> None:
        if len(timestamps) != len(quote_per_base):
            raise ValueError("there must be as many prices as timestamps")
        self.source = source
        self.length = len(timestamps)
        self.gaps = gaps
        self.warning = warning
        self._timestamps = tuple(timestamps)
        self._quote_per_base = tuple(quote_per_base)
        steps = sorted(after - before for before, after in pairwise(self._timestamps))
        self.step_seconds = steps[len(steps) // 2] if steps else 1
        self.typical_move_pips = self._median_move()
        half = self.step_seconds // 2
        self._missing = [
            (after - before + half) // self.step_seconds - 1 for before, after in pairwise(self._timestamps)
        ]

    @property
    def timestamps(self) -> tuple[int, ...]:
        """The moments of all points, in seconds since 1970."""
        return self._timestamps

    def rows(self, first: int, last: int) -> "RecordedPath":
        """The points `first` up to and without `last`, as a path of their own; at least two."""
        return RecordedPath(
            self.source,
            self._timestamps[first:last],
            self._quote_per_base[first:last],
            gaps=sum(self._missing[first : last - 1]),
            warning=self.warning,
        )

    def _point(self, index: int) -> PricePoint:
        return PricePoint(self._timestamps[index], self._quote_per_base[index])

    def _median_move(self) -> int:
        stride = max(1, len(self._timestamps) // _SAMPLE)
        moves = sorted(self.move_pips(index) for index in range(1, len(self._timestamps), stride))
        return max(1, moves[len(moves) // 2]) if moves else 1
