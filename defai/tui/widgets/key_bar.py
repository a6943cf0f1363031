"""The last line of every screen: the keys that do something here, and now."""

from collections.abc import Sequence

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from defai.tui.actions import EVERYWHERE, Act
from defai.tui.themes import palette_of


class KeyBar(Widget):
    """Keys with what they do; where room is short the less important give way. A click does it as well."""

    class Pressed(Message):
        """An action was clicked."""

        def __init__(self, act: Act) -> None:
            super().__init__()
            self.act = act

    def __init__(self) -> None:
        super().__init__(id="keys")
        self._acts: tuple[tuple[Act, str], ...] = ()
        self._spots: list[tuple[int, int, Act]] = []

    def display_acts(self, acts: Sequence[tuple[Act, str]]) -> None:
        """Show these actions, each with what it is called now."""
        if tuple(acts) != self._acts:
            self._acts = tuple(acts)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line: this screen's keys on the left, those that work everywhere on the right."""
        width = self.size.width
        if y:
            return Strip.blank(width, palette_of(self.app).style("muted", "surface"))
        shown = list(self._acts)
        while shown and sum(size(act, label) for act, label in shown) > width:
            worst = max(act.rank or 0 for act, _ in shown)
            at = max(index for index, (act, _) in enumerate(shown) if (act.rank or 0) == worst)
            del shown[at]
        left = [one for one in shown if one[0].scope != EVERYWHERE]
        right = [one for one in shown if one[0].scope == EVERYWHERE]
        gap = width - sum(size(act, label) for act, label in shown)
        palette = palette_of(self.app)
        plain = palette.style("muted", "surface")
        segments: list[Segment] = []
        self._spots, at = [], 0
        for side, space in ((left, gap), (right, 0)):
            for act, label in side:
                segments.append(Segment(f" {act.key}", palette.style("accent", "surface")))
                segments.append(Segment(f" {label} ", plain))
                self._spots.append((at, at + size(act, label), act))
                at += size(act, label)
            segments.append(Segment(" " * space, plain))
            at += space
        return Strip(segments).adjust_cell_length(width, plain)

    def on_click(self, event: events.Click) -> None:
        """Say which action was clicked."""
        act = next((act for first, end, act in self._spots if first <= event.x < end), None)
        if act is not None:
            self.post_message(self.Pressed(act))


def size(act: Act, label: str) -> int:
    """Cells an action takes."""
    return len(act.key) + len(label) + 3
