"""A list of lines with a header, drawn line by line: only the lines in sight, and of those only what changed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Protocol, TypeVar

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from defai.tui.messages import LineOpened, LineSelected
from defai.tui.themes import Palette, palette_of

Spans = tuple[tuple[str, str], ...]
"""Pieces of text, each with its ink."""


class Line(Protocol):
    """What a grid lists: something with a stable key and a version that grows when it changes."""

    @property
    def key(self) -> str:
        """What stays the same while the line changes."""
        ...

    @property
    def version(self) -> int:
        """What grows when the line changes."""
        ...


L = TypeVar("L", bound=Line)


@dataclass(frozen=True)
class Column(Generic[L]):
    """A column.

    Attributes:
        cell: what stands in it for a line.
        width: cells it needs.
        grow: its share of the room that is left over; 0 keeps it as it is.
        rank: the higher, the earlier it gives way where room is short; 0 never does.
        right: whether it is aligned to the right.
    """

    title: str
    cell: Callable[[L], Spans]
    width: int
    grow: int = 0
    rank: int = 0
    right: bool = False


def fit(spans: Spans, width: int, *, right: bool = False) -> Spans:
    """Cut or pad pieces of text to a width in cells; what is cut ends in "…"."""
    used = sum(cell_len(text) for text, _ in spans)
    if used <= width:
        pad = ((" " * (width - used), "muted"),) if used < width else ()
        return (*pad, *spans) if right else (*spans, *pad)
    kept: list[tuple[str, str]] = []
    room = width
    for text, ink in spans:
        size = cell_len(text)
        if size < room:
            kept.append((text, ink))
            room -= size
            continue
        kept.append((set_cell_size(text, max(0, room - 1)) + ("…" if room else ""), ink))
        break
    return tuple(kept)


def lay_out(columns: Sequence[Column[L]], width: int) -> list[tuple[Column[L], int]]:
    """Which columns fit into a width, with two cells between them, and how wide each gets."""
    kept = list(columns)
    while len(kept) > 1 and sum(column.width + 2 for column in kept) - 2 > width:
        victim = max(kept, key=lambda column: column.rank)
        if victim.rank == 0:
            break
        kept.remove(victim)
    spare = max(0, width - sum(column.width + 2 for column in kept) + 2)
    shares = sum(column.grow for column in kept)
    widths = [column.width + (spare * column.grow // shares if shares else 0) for column in kept]
    left = spare - sum(widths) + sum(column.width for column in kept)
    if shares:
        last = max(index for index, column in enumerate(kept) if column.grow)
        widths[last] += left
    return list(zip(kept, widths, strict=True))


class LineGrid(ScrollView, Generic[L], can_focus=True):
    """A scrolling list with a cursor that stays on its line when others come and go.

    Args:
        columns: the columns, from the left.
        empty: the sentence shown while there is no line.
        follow: whether the cursor stays on the first line, when it is there, as newer ones arrive.
        source: the widget's id, which its messages carry.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup", "page(-1)", "page up", show=False),
        Binding("pagedown", "page(1)", "page down", show=False),
        Binding("home,g", "move(-1000000)", "first", show=False),
        Binding("end,G", "move(1000000)", "last", show=False),
    ]

    cursor: reactive[int] = reactive(0, init=False)

    def __init__(
        self,
        columns: Sequence[Column[L]],
        *,
        empty: str,
        source: str,
        follow: bool = False,
        header: bool = True,
    ) -> None:
        super().__init__(id=source)
        self._columns = tuple(columns)
        self._plan: list[tuple[Column[L], int]] = []
        self._lines: Sequence[L] = ()
        self._painted: dict[int, tuple[str, int, object]] = {}
        self._area = Size(0, 0)
        self._empty = empty
        self._follow = follow
        self._header = int(header)
        self._given: object = None
        self._palette: Palette | None = None
        self.source = source

    # -- what the screens ask ------------------------------------------------------------------------------------

    @property
    def selected(self) -> L | None:
        """The line under the cursor."""
        return self._lines[self.cursor] if 0 <= self.cursor < len(self._lines) else None

    def show(self, lines: Sequence[L], context: object = None) -> None:
        """List these lines. Repaints those in sight that are new, moved or of a newer version.

        Args:
            lines: the lines, from the top.
            context: whatever else the cells depend on; where it changes, all lines in sight are compared anew.
        """
        key = self.selected.key if self.selected else None
        before = len(self._lines)
        self._lines, self._given = lines, context
        if self.scrollable_content_region.size != self._area:
            self.on_resize()
        if len(lines) != before:
            self._measure()
            if not before or not lines:
                self.refresh()
        stays = key is None or (self._follow and self.cursor == 0)
        if not stays and (self.selected is None or self.selected.key != key):
            index = next((at for at, line in enumerate(lines) if line.key == key), None)
            self.set_reactive(
                LineGrid.cursor, min(self.cursor, max(0, len(lines) - 1)) if index is None else index
            )
        self._refresh_changed()
        now = self.selected.key if self.selected else None
        if now is not None and now != key:
            self.post_message(LineSelected(self.source, now))

    def _measure(self) -> None:
        """Tell the scrollbar how long the list is; a layout only where that makes it appear or go."""
        size = Size(self._area.width, len(self._lines) + self._header)
        overflows = size.height > self._area.height
        if overflows == self.show_vertical_scrollbar and size.width == self.virtual_size.width:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def select(self, key: str) -> None:
        """Put the cursor on a line; nothing happens where it is not listed."""
        index = next((at for at, line in enumerate(self._lines) if line.key == key), None)
        if index is not None:
            self.cursor = index

    def widen(self, title: str, width: int) -> None:
        """Give a column at least so much room."""
        if any(column.title == title and column.width < width for column in self._columns):
            self._columns = tuple(
                replace(column, width=width) if column.title == title else column for column in self._columns
            )
            self.on_resize()

    def repaint(self) -> None:
        """Draw everything anew: another theme, another size."""
        self._painted.clear()
        self._palette = None
        self.refresh()

    # -- drawing -------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight: the header, a line of the list, or the sentence of the empty list."""
        width = self._area.width
        if y < self._header:
            return self._strip(
                tuple((fit(((c.title, "muted"),), w, right=c.right)) for c, w in self._plan), "surface", width
            )
        index = y - self._header + self.scroll_offset.y
        if index >= len(self._lines):
            words = self._empty if not self._lines and y == self._header else ""
            return self._strip((fit(((words, "muted"),), max(0, width - 2)),), "background", width)
        line = self._lines[index]
        self._painted[index] = (line.key, line.version, self._given)
        ground = "background"
        if index == self.cursor:
            ground = "cursor-row" if self.has_focus else "cursor-row-idle"
        cells = tuple(fit(c.cell(line), w, right=c.right) for c, w in self._plan)
        return self._strip(cells, ground, width, pointed=index == self.cursor)

    def _strip(self, cells: tuple[Spans, ...], ground: str, width: int, *, pointed: bool = False) -> Strip:
        palette = self.palette
        gap = palette.style("muted", ground)
        lead = palette.style("accent", ground)
        segments = [Segment("▌" if pointed else " ", lead)]
        for index, spans in enumerate(cells):
            if index:
                segments.append(Segment("  ", gap))
            segments.extend(Segment(text, palette.style(ink, ground)) for text, ink in spans)
        return Strip(segments).adjust_cell_length(width, gap)

    @property
    def palette(self) -> Palette:
        """The inks of the current theme."""
        if self._palette is None:
            self._palette = palette_of(self.app)
        return self._palette

    def _refresh_changed(self) -> None:
        top, width = self.scroll_offset.y, self._area.width
        rows = self._area.height - self._header
        regions = []
        for index in range(top, min(top + rows, len(self._lines))):
            line = self._lines[index]
            if self._painted.get(index) != (line.key, line.version, self._given):
                regions.append(Region(0, index - top + self._header, width, 1))
        if regions:
            self.refresh(*regions)

    def _refresh_index(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y + self._header, self._area.width, 1))

    # -- hands ---------------------------------------------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on the list."""
        return max(0, min(cursor, len(self._lines) - 1))

    def watch_cursor(self, before: int, now: int) -> None:
        """Redraw the two lines concerned, scroll the new one into sight, tell the screen."""
        self._refresh_index(before)
        self._refresh_index(now)
        rows = max(1, self._area.height - self._header)
        top = self.scroll_offset.y
        if now < top:
            self.scroll_to(y=now, animate=False, force=True)
        elif now >= top + rows:
            self.scroll_to(y=now - rows + 1, animate=False, force=True)
        if self.selected is not None:
            self.post_message(LineSelected(self.source, self.selected.key))

    def action_move(self, by: int) -> None:
        """Move the cursor by so many lines."""
        self.cursor += by

    def action_page(self, by: int) -> None:
        """Move the cursor by so many pages."""
        self.cursor += by * max(1, self._area.height - self._header - 1)

    def open_selected(self) -> None:
        """Tell the screen that the line under the cursor is to be opened."""
        if self.selected is not None:
            self.post_message(LineOpened(self.source, self.selected.key))

    def on_click(self, event: events.Click) -> None:
        """Select the line; a click on the selected one, or a double click, opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._header:
            return
        index = offset.y - self._header + self.scroll_offset.y
        if index >= len(self._lines):
            return
        if index == self.cursor and event.chain >= 2:
            self.open_selected()
        self.cursor = index

    def on_focus(self) -> None:
        """Show the cursor at full strength."""
        self._refresh_index(self.cursor)

    def on_blur(self) -> None:
        """Show the cursor faintly."""
        self._refresh_index(self.cursor)

    def watch_show_vertical_scrollbar(self) -> None:
        """Lay the columns out anew: the scrollbar takes a cell of their room."""
        if self._area:
            self.on_resize()

    def on_resize(self) -> None:
        """Lay the columns out for the room there is."""
        self._area = self.scrollable_content_region.size
        self._plan = lay_out(self._columns, max(1, self._area.width - 2))
        self._measure()
        self.repaint()
