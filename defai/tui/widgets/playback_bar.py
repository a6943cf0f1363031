"""A slider over a finished run: where its playing is, how fast, and a click goes anywhere."""

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from defai.domain.stream import PlaybackMoved
from defai.tui.format import clock, number
from defai.tui.themes import palette_of


class PlaybackBar(Widget):
    """One line above the keys; there only while a run is played back."""

    class Sought(Message):
        """A block was clicked."""

        def __init__(self, block: int) -> None:
            super().__init__()
            self.block = block

    def __init__(self) -> None:
        super().__init__(id="playback")
        self.display = False
        self._at: PlaybackMoved | None = None
        self._rail = (0, 0)

    def display_playback(self, at: PlaybackMoved | None) -> None:
        """Show where the playing is."""
        if at != self._at:
            self._at = at
            self.display = at is not None
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """A glyph, the rail with a knob, the block, the time, the speed."""
        width, at, palette = self.size.width, self._at, palette_of(self.app)
        if y or at is None:
            return Strip.blank(width, palette_of(self.app).style("muted", "surface"))
        state = "►" if at.playing else "■" if at.at_end else "║"
        left = f" {state} {number(at.first_block, 0)} "
        block = f"block {number(at.block_number, 0)} of {number(at.last_block, 0)}"
        right = f" {block} · {clock(at.timestamp)} UTC · {at.speed:g} blocks/s "
        room = max(3, width - len(left) - len(right))
        span = max(1, at.last_block - at.first_block)
        spot = min(room - 1, max(0, (at.block_number - at.first_block) * (room - 1) // span))
        self._rail = (len(left), room)
        pieces = (
            (left, "accent"),
            ("━" * spot, "primary"),
            ("●", "strong"),
            ("─" * (room - spot - 1), "line"),
            (right, "foreground"),
        )
        segments = [Segment(text, palette.style(ink, "surface")) for text, ink in pieces]
        return Strip(segments).adjust_cell_length(width, palette.style("muted", "surface"))

    def on_click(self, event: events.Click) -> None:
        """Go to the block that was clicked."""
        first, room = self._rail
        if self._at is not None and first <= event.x < first + room:
            span = self._at.last_block - self._at.first_block
            self.post_message(
                self.Sought(self._at.first_block + (event.x - first) * span // max(1, room - 1))
            )
