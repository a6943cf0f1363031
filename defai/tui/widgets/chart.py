"""A curve over blocks, with bands shaded behind it and executions marked on it."""

from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from defai.tui.themes import Palette, palette_of
from defai.tui.widgets.drawing import draw, frame_of
from defai.tui.widgets.picture import ZOOMS, Band, Curve, Fan, Frame, Mark, Picture

__all__ = ["Band", "Curve", "Fan", "LineChart", "Mark", "Picture"]


class LineChart(Widget, can_focus=True):
    """Draws a `Picture` in braille, with the value axis on the left and blocks below."""

    class Resized(Message):
        """It has another size than what it shows was chosen for."""

    def __init__(self, source: str) -> None:
        super().__init__(id=source)
        self.source = source
        self._picture = Picture()
        self._strips: list[Strip] | None = None
        self._zoom = 0
        self._palette: Palette | None = None

    @property
    def is_shown(self) -> bool:
        """Whether there is any of it on the screen."""
        return self.size.area > 0

    @property
    def frame(self) -> Frame | None:
        """How blocks and values lie on it now; None while there is nothing to draw."""
        return frame_of(self._picture, self.size.width, self.size.height, ZOOMS[self._zoom])

    def oldest(self, newest: int | None) -> int | None:
        """The oldest block that can be in sight when the newest is this one."""
        return None if newest is None else newest - self.size.width * 2 * ZOOMS[self._zoom]

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
        """Draw for the new size, and have what is in it looked up: it depends on how much there is room for."""
        self.redraw()
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        """One line of the drawing, which is made once per picture and size."""
        if self._palette is None:
            self._palette = palette_of(self.app)
        if self._strips is None:
            self._strips = draw(
                self._picture, self.size.width, self.size.height, ZOOMS[self._zoom], self._palette
            )
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(self.size.width, palette_of(self.app).style("muted"))
