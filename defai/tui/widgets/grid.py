"""A list of lines with a header, drawn line by line: only the lines in sight, and of those only what changed."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar, Generic

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from defai.tui.messages import LineOpened, LineSelected, SortChanged
from defai.tui.themes import Palette, palette_of
from defai.tui.widgets.columns import Column, L, Line, Spans, fit, lay_out
from defai.tui.widgets.roll import Roll
from defai.tui.widgets.strips import row_strip, title_spans

__all__ = ["Column", "Line", "LineGrid", "Spans"]


class LineGrid(ScrollView, Generic[L], can_focus=True):
    """A scrolling list with a cursor that stays on its line when others come and go.

    Args:
        columns: the columns, from the left.
        empty: the sentence shown while there is no line.
        follow: whether the cursor stays on the first line, when it is there, as newer ones arrive.
        source: the widget's id, which its messages carry.
        words: what a filter searches of a line; a list without it cannot be filtered.
        sortable: whether the lines can be sorted by the columns that stand for something.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "up", show=False),
        Binding("down,j", "move(1)", "down", show=False),
        Binding("pageup,ctrl+b", "page(-1)", "page up", show=False),
        Binding("pagedown,ctrl+f", "page(1)", "page down", show=False),
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
        words: Callable[[L], str] | None = None,
        sortable: bool = False,
    ) -> None:
        super().__init__(id=source)
        self._columns = tuple(columns)
        self._plan: list[tuple[Column[L], int]] = []
        self.roll = Roll(self._columns, words, sortable=sortable)
        self._painted: dict[int, tuple[str, int, object]] = {}
        self._area = Size(0, 0)
        self.empty = empty
        self._follow = follow
        self._kept = ""
        self._header = int(header)
        self._given: object = None
        self._palette: Palette | None = None
        self.source = source

    # -- what the screens ask ------------------------------------------------------------------------------------

    @property
    def selected(self) -> L | None:
        """The line under the cursor."""
        lines = self.roll.listed
        return lines[self.cursor] if 0 <= self.cursor < len(lines) else None

    def show(self, lines: Sequence[L], context: object = None) -> None:
        """List these lines. Repaints those in sight that are new, moved or of a newer version.

        Args:
            lines: the lines, from the top.
            context: whatever else the cells depend on; where it changes, all lines in sight are compared anew.
        """
        self._given = context
        self._arrange(lambda: self.roll.take(lines))

    def sift(self, wanted: str) -> None:
        """List only the lines that have these words."""
        if wanted != self.roll.wanted:
            self.roll.wanted = wanted
            self._arrange(self.roll.arrange)
            self.refresh()

    def sort(self, title: str, *, descending: bool) -> None:
        """Order the lines by a column; an empty title keeps the order they come in."""
        self.roll.order = (title, descending)
        self._arrange(self.roll.arrange)
        self.refresh()

    def select(self, key: str) -> None:
        """Put the cursor on a line; nothing happens where it is not listed."""
        if (index := self.roll.index_of(key)) is not None:
            self.cursor = index

    def keep_cursor(self) -> None:
        """Let the cursor stay on this very line, also where it is the first and newer ones arrive."""
        self._kept = self.selected.key if self.selected else ""

    def widen(self, title: str, width: int) -> None:
        """Give a column at least so much room."""
        if any(column.title == title and column.width < width for column in self._columns):
            self._columns = tuple(replace(c, width=width) if c.title == title else c for c in self._columns)
            self.on_resize()

    def repaint(self) -> None:
        """Draw everything anew: another theme, another size."""
        self._painted.clear()
        self._palette = None
        self.refresh()

    def _arrange(self, change: Callable[[], None]) -> None:
        """Change the lines, keep the cursor on its own, and repaint what looks different."""
        key = self.selected.key if self.selected else None
        before = len(self.roll.listed)
        change()
        count = len(self.roll.listed)
        if self.scrollable_content_region.size != self._area:
            self.on_resize()
        if count != before:
            self._measure()
            if not before or count < before:
                self.refresh()
        stays = key is None or (self._follow and self.cursor == 0 and key != self._kept)
        if key is not None and not stays and (self.selected is None or self.selected.key != key):
            index = self.roll.index_of(key)
            self.set_reactive(
                LineGrid.cursor, min(self.cursor, max(0, count - 1)) if index is None else index
            )
        self._refresh_changed()
        now = self.selected.key if self.selected else None
        if now is not None and now != key:
            self.post_message(LineSelected(self.source, now))

    def _measure(self) -> None:
        """Tell the scrollbar how long the list is; a layout only where that makes it appear or go."""
        size = Size(self._area.width, len(self.roll.listed) + self._header)
        overflows = size.height > self._area.height
        if overflows == self.show_vertical_scrollbar and size.width == self.virtual_size.width:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    # -- drawing -------------------------------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight: the header, a line of the list, or the sentence of the empty list."""
        width = self._area.width
        if y < self._header:
            titles = tuple(title_spans(column, room, self.roll.order) for column, room in self._plan)
            return row_strip(titles, "surface", width, self.palette)
        index = y - self._header + self.scroll_offset.y
        if index >= len(self.roll.listed):
            words = self.roll.sentence(self.empty) if not self.roll.listed and y == self._header else ""
            return row_strip(
                (fit(((words, "muted"),), max(0, width - 2)),), "background", width, self.palette
            )
        line = self.roll.listed[index]
        self._painted[index] = (line.key, line.version, self._given)
        ground = "background"
        if index == self.cursor:
            ground = "cursor-row" if self.has_focus else "cursor-row-idle"
        cells = tuple(fit(c.cell(line), w, right=c.right) for c, w in self._plan)
        return row_strip(cells, ground, width, self.palette, pointed=index == self.cursor)

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
        for index in range(top, min(top + rows, len(self.roll.listed))):
            line = self.roll.listed[index]
            if self._painted.get(index) != (line.key, line.version, self._given):
                regions.append(Region(0, index - top + self._header, width, 1))
        if regions:
            self.refresh(*regions)

    def _refresh_index(self, index: int) -> None:
        self.refresh(Region(0, index - self.scroll_offset.y + self._header, self._area.width, 1))

    # -- hands ---------------------------------------------------------------------------------------------------

    def validate_cursor(self, cursor: int) -> int:
        """Keep the cursor on the list."""
        return max(0, min(cursor, len(self.roll.listed) - 1))

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
            self.keep_cursor()
            self.post_message(LineOpened(self.source, self.selected.key))

    def on_click(self, event: events.Click) -> None:
        """Select the line; a double click opens it; a click on a title sorts by it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        if offset.y < self._header:
            self._click_title(offset.x)
            return
        index = offset.y - self._header + self.scroll_offset.y
        if index >= len(self.roll.listed):
            return
        if index == self.cursor and event.chain >= 2:
            self.open_selected()
        self.cursor = index

    def _click_title(self, x: int) -> None:
        left = 1
        for column, width in self._plan:
            if left <= x < left + width and column.title in self.roll.sort_titles:
                title, descending = self.roll.order
                largest_first = not descending if title == column.title else column.right
                self.post_message(SortChanged(self.source, column.title, descending=largest_first))
            left += width + 2

    def watch_has_focus(self, has_focus: bool) -> None:
        """Show the cursor at full strength, or faintly."""
        super().watch_has_focus(has_focus)
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
