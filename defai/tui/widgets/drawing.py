"""A picture becomes lines of cells: braille dots, tinted bands, glyphs, an axis on the left and one below."""

import math
from collections.abc import Iterable, Sequence

from rich.segment import Segment
from textual.strip import Strip

from defai.tui.format import number, price_places
from defai.tui.themes import Palette
from defai.tui.widgets.canvas import Canvas
from defai.tui.widgets.picture import (
    GLYPHS,
    Band,
    Curve,
    Fan,
    Frame,
    Mark,
    Picture,
    extent,
    nice_step,
    stretch,
)


def frame_of(picture: Picture, width: int, height: int, blocks_per_dot: int) -> Frame | None:
    """How a picture lies in so many cells, the axes included; None where there is nothing to draw, or no room."""
    points = [point for curve in picture.curves for point in curve.points]
    if not points or width < 20 or height < 3:
        return None
    newest = max(block for block, _ in points)
    last = max([newest, *(fan.last_block for fan in picture.fans)])
    first = min(block for block, _ in points)
    oldest = max(first, last - (width * 2) * blocks_per_dot)
    low, high = extent(picture, min(oldest, newest))
    across = max(1, width - gutter_of(low, high, height - 1) - 1)
    dots = stretch(last - first + 1, across * 2) if blocks_per_dot == 1 else 1.0
    return Frame(last, blocks_per_dot, dots, low, high, across, height - 1)


def gutter_of(low: float, high: float, rows: int) -> int:
    """Cells that the labels of the value axis take."""
    step = nice_step(high - low, max(1, rows // 2))
    places = axis_places(step, high)
    return max(len(number(low, places)), len(number(high, places))) + 2


def draw(picture: Picture, width: int, height: int, blocks_per_dot: int, palette: Palette) -> list[Strip]:
    """The whole chart as strips of `width` cells."""
    blank = palette.style("muted")
    frame = frame_of(picture, width, height, blocks_per_dot)
    if frame is None:
        words = "" if picture.curves else picture.empty
        lines = [Strip([Segment(f" {words}", blank)]).adjust_cell_length(width, blank)]
        return lines + [Strip([Segment(" " * width, blank)])] * (height - 1)
    canvas = painted(picture, frame)
    step = nice_step(frame.high - frame.low, max(1, frame.height // 2))
    places = axis_places(step, frame.high)
    gutter = gutter_of(frame.low, frame.high, frame.height)
    labels = {row: (text, "muted") for row, text in axis_labels(frame, step, places).items()}
    now = picture.curves[0].points[-1][1]
    here = min(frame.height - 1, max(0, frame.y(now) >> 2))
    labels[here] = (number(now, places), "strong")
    strips = []
    for row in range(frame.height):
        label, ink = labels.get(row, ("", "faint"))
        text = f"{label:>{gutter - 1}}{'▸' if row == here else '┤'}" if label else " " * (gutter - 1) + "│"
        segments = [Segment(text, palette.style(ink)), *canvas.row(row, palette)]
        strips.append(Strip(segments).adjust_cell_length(width, blank))
    strips.append(
        block_axis(frame, gutter, width, palette)
        if picture.ends is None
        else plain_axis(picture.ends, gutter, width, palette)
    )
    return strips


def plain_axis(ends: tuple[str, str], gutter: int, width: int, palette: Palette) -> Strip:
    """The line below with words at its two ends."""
    first, last = (f" {words} " for words in ends)
    line = "─" * max(0, width - gutter - len(first) - len(last) - 1)
    pieces = (
        (" " * (gutter - 1) + "└", "faint"),
        (first, "muted"),
        (line, "faint"),
        (last, "muted"),
        ("─", "faint"),
    )
    segments = [Segment(text, palette.style(ink)) for text, ink in pieces]
    return Strip(segments).adjust_cell_length(width, palette.style("faint"))


def painted(picture: Picture, frame: Frame) -> Canvas:
    """Everything on a canvas, from behind to the front."""
    canvas = Canvas(frame.width, frame.height)
    for band in sorted(picture.bands, key=lambda one: not one.faint):
        paint_band(canvas, frame, band)
    for fan in picture.fans:
        paint_fan(canvas, frame, fan)
    for curve in reversed(picture.curves):
        paint_curve(canvas, frame, curve)
    for name in dict.fromkeys(band.name for band in picture.bands if band.name):
        name_band(canvas, frame, [band for band in picture.bands if band.name == name])
    for mark in picture.marks:
        paint_mark(canvas, frame, mark)
    return canvas


def axis_places(step: float, high: float) -> int:
    """Digits after the point that tell two labels apart, and no more than the figure needs."""
    power = math.floor(math.log10(step))
    needed = max(0, -power + (1 if round(step / 10**power, 1) == 2.5 else 0))
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
    """The line below: the oldest and the newest block in sight, round ones between them where there is room."""
    style, words = palette.style("faint"), palette.style("muted")
    room = width - gutter
    cells = ["─"] * room
    inks = [style] * room

    def put(text: str, at: int) -> None:
        span = range(max(0, at - 1), min(room, at + len(text) + 1))
        if at < 0 or at + len(text) > room or any(cells[cell] != "─" for cell in span):
            return
        for index, character in enumerate(f" {text} "):
            if 0 <= at - 1 + index < room:
                cells[at - 1 + index], inks[at - 1 + index] = character, words

    newest = f"block {number(frame.last_block, 0)}"
    put(newest, room - len(newest) - 1)
    if frame.first_block >= 0:
        put(number(frame.first_block, 0), 0)
    span = frame.last_block - frame.first_block
    step = max(1, round(nice_step(span, max(1, room // 24)))) if span > 8 and room > 40 else 0
    block = frame.first_block - frame.first_block % step + step if step else frame.last_block
    while block < frame.last_block:
        text = number(block, 0)
        put(text, (frame.x(block) >> 1) - len(text) // 2)
        block += step
    segments = [Segment(" " * (gutter - 1) + "└", style)]
    segments += [Segment(character, ink) for character, ink in zip(cells, inks, strict=True)]
    return Strip(segments).simplify().adjust_cell_length(width, style)


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
    """A tinted area with dotted edges; another's has its edges alone."""
    if band.last_block < frame.first_block:
        return
    x0, x1 = max(0, frame.x(band.first_block)), frame.x(band.last_block)
    top, bottom = frame.y(band.high), frame.y(band.low)
    ink = "faint" if band.faint else "band-edge"
    for column in () if band.faint else range(x0 >> 1, (x1 >> 1) + 1):
        canvas.tint(column, (top + 2) >> 2, max((top + 2) >> 2, (bottom - 2) >> 2))
    for x in range(x0, x1 + 1):
        if x % 3 != 2:
            canvas.dot(x, top, ink)
            canvas.dot(x, bottom, ink)


def name_band(canvas: Canvas, frame: Frame, bands: Sequence[Band]) -> None:
    """The owner's name on the upper edge of the newest band with room for it."""
    for band in reversed(bands):
        x0, x1 = max(0, frame.x(band.first_block)) >> 1, frame.x(band.last_block) >> 1
        row = frame.y(band.high) >> 2
        if x1 - x0 > len(band.name) + 6 and 0 <= row < frame.height:
            at = x0 + (x1 - x0 - len(band.name)) // 2 - 1
            canvas.words(at, row, f" {band.name} ", "muted" if band.faint else "band-edge")
            return


def paint_fan(canvas: Canvas, frame: Frame, fan: Fan) -> None:
    """Two lines from where a forecast was made to the edges of its band."""
    x0, x1 = frame.x(fan.first_block), frame.x(fan.last_block)
    if x1 <= x0 or x1 < 0:
        return
    for edge in (fan.low, fan.high):
        for x in range(max(0, x0), x1 + 1, 2):
            value = fan.start + (edge - fan.start) * (x - x0) / (x1 - x0)
            canvas.dot(x, frame.y(value), fan.ink)


def paint_mark(canvas: Canvas, frame: Frame, mark: Mark) -> None:
    """A glyph where something was executed: below the curve for a purchase, above it for a sale."""
    if not frame.first_block <= mark.block <= frame.last_block:
        return
    character, ink = GLYPHS[mark.sort]
    row = frame.y(mark.value) >> 2
    row += {"buy": 1, "sell": -1}.get(mark.sort, 0)
    canvas.glyph(frame.x(mark.block) >> 1, max(0, min(frame.height - 1, row)), character, ink)
