"""Texts that change: drawn anew where they differ, never laid out anew for it where that can be spared."""

from typing import ClassVar

from rich.text import Text
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widgets import Static

from defai.tui.themes import palette_of


class TextView(Static):
    """A page inside a panel.

    Args:
        name: the widget's id; None without one.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(id=name)
        self._text: Text | None = None

    def display_text(self, text: Text) -> None:
        """Show a text. A layout costs as much as painting half the screen, and moves nothing at the same length."""
        before = self._text
        if before is not None and before == text:
            return
        self._text = text
        lines = text.plain.count("\n")
        self.update(text, layout=before is None or before.plain.count("\n") != lines)


class TextPanel(ScrollView, can_focus=True):
    """A panel that is one page and scrolls: whatever length the page gets, nothing around it is laid out for it.

    Args:
        name: the widget's id.
    """

    DEFAULT_CLASSES: ClassVar[str] = "panel"

    class Resized(Message):
        """It has another size than what it shows was written for."""

    def __init__(self, name: str) -> None:
        super().__init__(id=name)
        self._shown: tuple[Text, int, str] | None = None
        self._strips: list[Strip] = []

    def display_text(self, text: Text) -> None:
        """Show a text whose lines are as wide as the panel at most; what is wider is cut."""
        width, ground = self.scrollable_content_region.width, palette_of(self.app).style("muted")
        if self._shown == (text, width, self.app.theme):
            return
        self._shown = (text, width, self.app.theme)
        self._strips = []
        for line in text.split("\n"):
            line.truncate(width, overflow="ellipsis")
            line.stylize_before(ground)
            self._strips.append(Strip([one for one in line.render(self.app.console) if one.text]))
        self._measure(width)
        self.refresh()

    def on_resize(self) -> None:
        """Have the page written anew."""
        self.post_message(self.Resized())

    def _measure(self, width: int) -> None:
        """Tell the scrollbar how long the page is; a layout only where the panel has another width."""
        size = Size(width, len(self._strips))
        if size.width == self.virtual_size.width:
            self.set_reactive(ScrollView.virtual_size, size)
            self._scroll_update(size)
        else:
            self.virtual_size = size

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        width, blank = self.scrollable_content_region.width, palette_of(self.app).style("muted")
        index = y + self.scroll_offset.y
        if index >= len(self._strips):
            return Strip.blank(width, blank)
        return self._strips[index].adjust_cell_length(width, blank)
