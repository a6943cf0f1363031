"""Lines of a list as strips of cells."""

from rich.cells import cell_len
from rich.segment import Segment
from textual.strip import Strip

from defai.tui.themes import Palette
from defai.tui.widgets.columns import Column, L, Spans, fit


def row_strip(
    cells: tuple[Spans, ...], ground: str, width: int, palette: Palette, *, pointed: bool = False
) -> Strip:
    """Cells side by side, two apart; the line pointed at has a bar before it.

    Neighbours of one ink become one segment: whatever is drawn is cut, styled and written segment by segment.
    """
    pieces = [("▌" if pointed else " ", "accent")]
    for index, spans in enumerate(cells):
        if index:
            pieces.append(("  ", "muted"))
        pieces.extend(spans)
    segments, used, written, look = [], 0, "", "accent"
    for text, ink in pieces:
        used += len(text) if text.isascii() else cell_len(text)
        if ink == look:
            written += text
        else:
            segments.append(Segment(written, palette.style(look, ground)))
            written, look = text, ink
    segments.append(Segment(written, palette.style(look, ground)))
    if used < width:
        segments.append(Segment(" " * (width - used), palette.style("muted", ground)))
        used = width
    strip = Strip(segments, used)  # told how long it is, it need not find out
    return strip if used == width else strip.crop(0, width)


def title_spans(column: Column[L], width: int, order: tuple[str, bool]) -> Spans:
    """A column's title, with an arrow where it sorts the list."""
    title, descending = order
    if not title or column.title != title:
        return fit(((column.title, "muted"),), width, right=column.right)
    arrow = "▾" if descending else "▴"
    words = f"{arrow}{column.title}" if column.right else f"{column.title}{arrow}"
    return fit(((words, "accent"),), width, right=column.right)
