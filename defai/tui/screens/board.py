"""What every full screen has: the status bar, the footer, and a sentence for a terminal that is too small."""

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Footer, Static

from defai.tui.fleet import FleetState, Parts
from defai.tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from defai.tui.app import DefaiApp

LEAST_WIDTH = 60
LEAST_HEIGHT = 16
ALL_PARTS = frozenset({"setup", "status", "agents", "chart", "log", "records", "notices", "ended"})


class Board(Screen[None]):
    """A full screen between the status bar and the footer.

    Attributes:
        scope: its name in the action registry.
    """

    scope: ClassVar[str] = ""

    def __init__(self) -> None:
        super().__init__()
        self._titles: dict[Widget, tuple[str, str]] = {}
        self._banner = ""

    def entitle(self, widget: Widget, title: str, subtitle: str = "") -> None:
        """Set a panel's titles; its border is drawn anew only where they changed."""
        if self._titles.get(widget) != (title, subtitle):
            self._titles[widget] = (title, subtitle)
            widget.border_title, widget.border_subtitle = title, subtitle

    @property
    def terminal(self) -> "DefaiApp":
        """The app, by its own type."""
        return cast("DefaiApp", self.app)

    @property
    def fleet(self) -> FleetState:
        """What there is to show."""
        return self.terminal.fleet

    def compose(self) -> ComposeResult:
        """Status bar, body, footer; and what replaces them in too small a terminal."""
        yield StatusBar()
        yield Static(id="banner")
        with Vertical(id="body"):
            yield from self.compose_body()
        yield Footer(compact=True)
        yield Static(id="too-small")

    def compose_body(self) -> ComposeResult:
        """What stands between the status bar and the footer."""
        raise NotImplementedError

    def paint(self, parts: Parts) -> None:
        """Show what changed in some parts of the state."""
        raise NotImplementedError

    def paint_all(self) -> None:
        """Show everything as it stands."""
        self.paint_status()
        self.paint(set(ALL_PARTS))

    def paint_status(self) -> None:
        """Show the status bar, and a banner where the figures are old."""
        app = self.terminal
        self.query_one(StatusBar).display_status(
            self.fleet, app.clock(), stale=app.is_stale, leaving=app.leaving
        )
        banner = self.query_one("#banner", Static)
        words = app.banner
        if words != self._banner:
            self._banner = words
            banner.update(words)
            banner.display = bool(words)

    def on_mount(self) -> None:
        """Paint once everything is there; and again whenever the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())
        self.paint_all()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was in front."""
        if self.is_mounted:
            self.paint_all()

    def on_resize(self, event: events.Resize) -> None:
        """Give way to a sentence where there is no room for more."""
        width, height = event.size
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        self.set_class(small, "-too-small")
        self.call_after_refresh(self.paint_all)
        if small:
            self.query_one("#too-small", Static).update(
                f"defai needs a terminal of at least {LEAST_WIDTH} x {LEAST_HEIGHT}; this one is {width} x {height}."
            )

    def repaint(self) -> None:
        """Draw everything anew in the current theme."""
        for widget in self.query("LineGrid, LineChart, FleetTable, DecisionLog, RecordList"):
            getattr(widget, "repaint", widget.refresh)()
        self.query_one(StatusBar).refresh()
        self.paint_all()
