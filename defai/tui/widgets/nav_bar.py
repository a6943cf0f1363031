"""The second line of every screen: where one can go, with the key that goes there."""

from collections.abc import Mapping

from rich.segment import Segment
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from defai.tui.actions import APPROVALS, LOGS, MODES, RISK, SHORT_NAMES
from defai.tui.fleet import FleetState
from defai.tui.themes import palette_of


class NavBar(Widget):
    """The screens by number; the one in front stands out, a count of what waits behind the name.

    Args:
        here: the mode of the screen it stands on.
    """

    class Chosen(Message):
        """A screen was clicked."""

        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode = mode

    def __init__(self, here: str) -> None:
        super().__init__(id="nav")
        self.here = here
        self._counts: Mapping[str, tuple[str, str]] = {}
        self._spots: list[tuple[int, int, str]] = []

    def display_counts(self, counts: Mapping[str, tuple[str, str]]) -> None:
        """Show what waits on some screens: by mode, words and their ink."""
        if counts != self._counts:
            self._counts = dict(counts)
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line: full names where there is room for them, short ones else, keys alone at the worst."""
        width = self.size.width
        if y:
            return Strip.blank(width, palette_of(self.app).style("muted", "surface"))
        named = {mode: name for mode, (_, name, _) in MODES.items()}
        short = {mode: SHORT_NAMES.get(mode, name) for mode, name in named.items()}
        bare = {mode: named[mode] if mode == self.here else "" for mode in named}
        for names in (named, short, bare):
            segments, used = self._row(names)
            if used <= width:
                break
        palette = palette_of(self.app)
        return Strip(segments).adjust_cell_length(width, palette.style("muted", "surface"))

    def _row(self, names: Mapping[str, str]) -> tuple[list[Segment], int]:
        palette = palette_of(self.app)
        segments: list[Segment] = []
        self._spots, at = [], 0
        for mode, (key, _, _) in MODES.items():
            ground = "background" if mode == self.here else "surface"
            count, ink = self._counts.get(mode, ("", "muted"))
            pieces = [(f" {key}", "accent")]
            if names[mode]:
                pieces.append((f" {names[mode]}", "strong" if mode == self.here else "muted"))
            if count:
                pieces.append((f" {count}", ink))
            pieces.append((" ", "muted"))
            size = sum(len(text) for text, _ in pieces)
            self._spots.append((at, at + size, mode))
            at += size
            segments += [Segment(text, palette.style(ink, ground)) for text, ink in pieces]
        return segments, at

    def on_click(self, event: events.Click) -> None:
        """Say which screen was clicked."""
        mode = next((mode for first, end, mode in self._spots if first <= event.x < end), None)
        if mode is not None:
            self.post_message(self.Chosen(mode))


def counts_of(fleet: FleetState) -> Mapping[str, tuple[str, str]]:
    """What waits on some screens: by mode, words and their ink."""
    found = {}
    if fleet.waiting:
        found[APPROVALS] = (f"{fleet.waiting}?", "waiting")
    stopped = fleet.in_state("stopped")
    if stopped:
        found[RISK] = (f"{stopped}■", "risk-denied")
    if fleet.journal.unread:
        found[LOGS] = (f"{fleet.journal.unread}!", "risk-denied")
    return found
