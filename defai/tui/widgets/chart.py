"""A curve over blocks, with bands shaded behind it and executions marked on it."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from defai.tui.format import number, price_places
from defai.tui.themes import Palette, palette_of
from defai.tui.widgets.canvas import Canvas

GLYPHS = {"buy": ("▲", "pnl-up"), "sell": ("▼", "pnl-down"), "liquidity": ("◆", "accent")}
"""How an execution is marked: bought or sold the base token, or moved liquidity."""
ZOOMS = (1, 2, 4, 8, 16)
"""Blocks per column of dots."""


@dataclass(frozen=True, slots=True)
class Curve:
    """Points (block, value), blocks ascending, in an ink."""

    points: Sequence[tuple[int, float]]
    ink: str


@dataclass(frozen=True, slots=True)
class Band:
    """A range of values that held from a block to a block."""

    first_block: int
    last_block: int
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Mark:
    """Something that happened at a block and a value; `sort` is a key of `GLYPHS`."""

    block: int
    value: float
    sort: str


@dataclass(frozen=True, slots=True)
class Picture:
    """What a chart shows. The first curve is drawn last, on top."""

    curves: tuple[Curve, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[Mark, ...] = ()
    band_name: str = ""
    empty: str = ""


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 2.5 or 5 times a power of ten that cuts a span into at most `most` parts."""
    raw = span / max(1, most)
    power: float = 10.0 ** math.floor(math.log10(raw))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)


@dataclass(frozen=True, slots=True)
class Frame:
    """How blocks and values become dots."""

    last_block: int
    blocks_per_dot: int
    dots_per_block: int
    low: float
    high: float
    width: int
    height: int

    def x(self, block: int) -> int:
        """Column of dots of a block; the newest stands at the right edge."""
        return self.width * 2 - 1 - (self.last_block - block) * self.dots_per_block // self.blocks_per_dot

    def y(self, value: float) -> int:
        """Row of dots of a value, from the top; may lie outside."""
        return round((self.high - value) / (self.high - self.low) * (self.height * 4 - 1))

    @property
    def first_block(self) -> int:
        """The oldest block in sight."""
        return self.last_block - (self.width * 2 - 1) * self.blocks_per_dot // self.dots_per_block


class LineChart(Widget, can_focus=True):
    """Draws a `Picture` in braille, with the value axis on the left and blocks below."""

    def __init__(self, source: str) -> None:
        super().__init__(id=source)
        self.source = source
        self._picture = Picture()
        self._strips: list[Strip] | None = None
        self._zoom = 0
        self._palette: Palette | None = None

    def display_picture(self, picture: Picture) -> None:
        """Show another picture."""
        if picture != self._picture:
            self._picture = picture
            self.redraw()

    def zoom(self, by: int) -> None:
        """Show a longer (1) or a shorter (-1) time."""
        self._zoom = max(0, min(len(ZOOMS) - 1, self._zoom + by))
        self.redraw()

    def repaint(self) -> None:
        """Draw everything anew: another theme."""
        self._palette = None
        self.redraw()

    def redraw(self) -> None:
        """Forget what was drawn."""
        self._strips = None
        self.refresh()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.redraw()

    def render_line(self, y: int) -> Strip:
        """One line of the drawing, which is made once per picture and size."""
        if self._palette is None:
            self._palette = palette_of(self.app)
        if self._strips is None:
            self._strips = draw(
                self._picture, self.size.width, self.size.height, ZOOMS[self._zoom], self._palette
            )
        return self._strips[y] if y < len(self._strips) else Strip.blank(self.size.width)


def draw(picture: Picture, width: int, height: int, blocks_per_dot: int, palette: Palette) -> list[Strip]:
    """The whole chart as strips of `width` cells."""
    blank = palette.style("muted")
    points = [point for curve in picture.curves for point in curve.points]
    if not points or width < 20 or height < 3:
        words = picture.empty if not points else ""
        lines = [Strip([Segment(f" {words}", blank)]).adjust_cell_length(width, blank)]
        return lines + [Strip([Segment(" " * width, blank)])] * (height - 1)
    last = max(block for block, _ in points)
    rows = height - 1
    first = min(block for block, _ in points)
    oldest = max(first, last - (width * 2) * blocks_per_dot)
    dots_per_block = stretch(last - first + 1, width * 2 - 20) if blocks_per_dot == 1 else 1
    low, high = extent(picture, oldest)
    step = nice_step(high - low, max(1, rows // 2))
    places = axis_places(step, high)
    gutter = max(len(number(low, places)), len(number(high, places))) + 2
    frame = Frame(last, blocks_per_dot, dots_per_block, low, high, max(1, width - gutter - 1), rows)
    canvas = Canvas(frame.width, rows)
    for band in picture.bands:
        paint_band(canvas, frame, band)
    for curve in reversed(picture.curves):
        paint_curve(canvas, frame, curve)
    if picture.band_name and picture.bands:
        name_band(canvas, frame, picture.bands, picture.band_name)
    for mark in picture.marks:
        paint_mark(canvas, frame, mark)
    labels = axis_labels(frame, step, places)
    strips = []
    for row in range(rows):
        label = labels.get(row)
        text = f"{label:>{gutter - 1}}┤" if label else " " * (gutter - 1) + "│"
        segments = [Segment(text, palette.style("muted" if label else "faint")), *canvas.row(row, palette)]
        strips.append(Strip(segments).adjust_cell_length(width, blank))
    strips.append(block_axis(frame, gutter, width, palette))
    return strips


def stretch(blocks: int, dots: int) -> int:
    """Dots a block gets while there are few of them: as many as show them all, eight at most."""
    return max(1, min(8, dots // max(1, blocks)))


def extent(picture: Picture, oldest: int) -> tuple[float, float]:
    """The values to show: the curves', and the newest band's edges unless they would flatten the curves."""
    values = [value for curve in picture.curves for block, value in curve.points if block >= oldest]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) * 1e-3 or 1.0
    low, high = low - span * 0.06, high + span * 0.06
    if picture.bands:
        band = picture.bands[-1]
        reach = span * 1.5
        low = min(low, max(band.low - span * 0.05, low - reach))
        high = max(high, min(band.high + span * 0.05, high + reach))
    return low, high


def axis_places(step: float, high: float) -> int:
    """Digits after the point that tell two labels apart, and no more than the figure needs."""
    needed = max(
        0,
        -math.floor(math.log10(step))
        + (1 if round(step / 10 ** math.floor(math.log10(step)), 1) == 2.5 else 0),
    )
    return min(needed, max(needed, price_places(high))) if needed else 0


def axis_labels(frame: Frame, step: float, places: int) -> dict[int, str]:
    """Labels by row, at round values."""
    labels = {}
    value = math.ceil(frame.low / step) * step
    while value <= frame.high:
        labels[min(frame.height - 1, max(0, frame.y(value) // 4))] = number(value, places)
        value += step
    return labels


def block_axis(frame: Frame, gutter: int, width: int, palette: Palette) -> Strip:
    """The line below: the oldest and the newest block in sight."""
    newest = f"block {number(frame.last_block, 0)}"
    oldest = number(frame.first_block, 0) if frame.first_block >= 0 else ""
    room = max(0, width - gutter - len(oldest) - len(newest) - 1)
    line = "─" * max(0, room - 2)
    style = palette.style("faint")
    return Strip(
        [
            Segment(" " * (gutter - 1) + "└", style),
            Segment(oldest, palette.style("muted")),
            Segment(f" {line} " if room >= 2 else " " * room, style),
            Segment(newest, palette.style("muted")),
        ]
    ).adjust_cell_length(width, style)


def paint_curve(canvas: Canvas, frame: Frame, curve: Curve) -> None:
    """A continuous line through the points in sight."""
    before: tuple[int, int] | None = None
    for block, value in in_sight(curve.points, frame):
        x, y = frame.x(block), frame.y(value)
        if before is None:
            canvas.dot(x, y, curve.ink)
        elif x == before[0]:
            canvas.column(x, before[1], y, curve.ink)
        else:
            connect(canvas, before, (x, y), curve.ink)
        before = (x, y)


def connect(canvas: Canvas, start: tuple[int, int], end: tuple[int, int], ink: str) -> None:
    """A line between two dots, the later one to the right."""
    (x0, y0), (x1, y1) = start, end
    height = y0
    for x in range(x0 + 1, x1 + 1):
        target = y0 + round((y1 - y0) * (x - x0) / (x1 - x0))
        nearest = height + (1 if target > height else -1 if target < height else 0)
        canvas.column(x, nearest, target, ink)
        height = target


def in_sight(points: Iterable[tuple[int, float]], frame: Frame) -> Iterable[tuple[int, float]]:
    """The points that fall on the canvas."""
    first = frame.first_block
    return (point for point in points if point[0] >= first)


def paint_band(canvas: Canvas, frame: Frame, band: Band) -> None:
    """A tinted area with dotted edges."""
    if band.last_block < frame.first_block:
        return
    x0, x1 = max(0, frame.x(band.first_block)), frame.x(band.last_block)
    top, bottom = frame.y(band.high), frame.y(band.low)
    for column in range(x0 >> 1, (x1 >> 1) + 1):
        canvas.tint(column, (top + 2) >> 2, max((top + 2) >> 2, (bottom - 2) >> 2))
    for x in range(x0, x1 + 1):
        if x % 3 != 2:
            canvas.dot(x, top, "band-edge")
            canvas.dot(x, bottom, "band-edge")


def name_band(canvas: Canvas, frame: Frame, bands: Sequence[Band], name: str) -> None:
    """The owner's name on the upper edge of the newest band with room for it."""
    for band in reversed(bands):
        x0, x1 = max(0, frame.x(band.first_block)) >> 1, frame.x(band.last_block) >> 1
        row = frame.y(band.high) >> 2
        if x1 - x0 > len(name) + 6 and 0 <= row < frame.height:
            canvas.words(x0 + (x1 - x0 - len(name)) // 2 - 1, row, f" {name} ", "band-edge")
            return


def paint_mark(canvas: Canvas, frame: Frame, mark: Mark) -> None:
    """A glyph where something was executed: below the curve for a purchase, above it for a sale."""
    if not frame.first_block <= mark.block <= frame.last_block:
        return
    character, ink = GLYPHS[mark.sort]
    row = frame.y(mark.value) >> 2
    row += {"buy": 1, "sell": -1}.get(mark.sort, 0)
    canvas.glyph(frame.x(mark.block) >> 1, max(0, min(frame.height - 1, row)), character, ink)
