"""What a chart shows: curves over blocks, bands behind them, forecasts ahead of them, marks on them."""

import math
from collections.abc import Sequence

from defai.late_dataclass import dataclass

GLYPHS = {"buy": ("▲", "pnl-up"), "sell": ("▼", "pnl-down"), "liquidity": ("◆", "accent")}
"""How an execution is marked: bought or sold the base token, or moved liquidity."""
ZOOMS = (1, 2, 4, 8, 16, 64, 256, 1024, 4096)
"""Blocks per column of dots."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (block, value), blocks ascending, in an ink."""

    points: Sequence[tuple[int, float]]
    ink: str


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values that held from a block to a block; `faint` ones are another's than the one looked at."""

    first_block: int
    last_block: int
    low: float
    high: float
    name: str = ""
    faint: bool = False


@dataclass(frozen=True, slots=True)
class Fan:
    """A forecast: from a value at a block to where it may be at a later one."""

    first_block: int
    last_block: int
    start: float
    low: float
    high: float
    ink: str = "accent"


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a block and a value; `sort` is a key of `GLYPHS`."""

    block: int
    value: float
    sort: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart shows. The first curve is drawn last, on top; its last value stands at the axis."""

    curves: tuple[Curve, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    empty: str = ""
    fans: tuple[Fan, ...] = ()
    ends: tuple[str, str] | None = None
    """What stands below at the oldest and the newest point where those are not blocks."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How blocks and values become dots."""

    last_block: int
    blocks_per_dot: int
    dots_per_block: float
    low: float
    high: float
    width: int
    height: int

    def x(self, block: int) -> int:
        """Column of dots of a block; the newest stands at the right edge."""
        return self.width * 2 - 1 - int((self.last_block - block) * self.dots_per_block / self.blocks_per_dot)

    def y(self, value: float) -> int:
        """Row of dots of a value, from the top; may lie outside."""
        return round((self.high - value) / (self.high - self.low) * (self.height * 4 - 1))

    @property
    def first_block(self) -> int:
        """The oldest block in sight."""
        return self.last_block - int((self.width * 2 - 1) * self.blocks_per_dot / self.dots_per_block)


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that cuts a span into at most `most` parts."""
    raw = span / max(1, most)
    power: float = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)


def stretch(blocks: int, dots: int) -> float:
    """Dots a block gets while there are few of them: as many as show them all, eight at most."""
    return max(1.0, min(8.0, dots / max(1, blocks)))


def extent(picture: Picture, oldest: int) -> tuple[float, float]:
    """The values to show: the curves' and forecasts', and the newest band's edges unless they would flatten them."""
    values = [value for curve in picture.curves for block, value in curve.points if block >= oldest]
    values += [edge for fan in picture.fans for edge in (fan.low, fan.high)]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) * 1e-3 or 1.0
    low, high = low - span * 0.06, high + span * 0.06
    near = [band for band in picture.bands if not band.faint][-1:]
    for band in near:
        reach = span * 1.5
        low = min(low, max(band.low - span * 0.05, low - reach))
        high = max(high, min(band.high + span * 0.05, high + reach))
    return low, high
