"""What stands around every full screen: where we are above, what one can do here below."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.geometry import Size
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Static

from defai.tui.actions import EVERYWHERE, OF_A_RUNNING_SESSION, TYPING, Act, acts
from defai.tui.compositor import SparingCompositor
from defai.tui.fleet import ALL_PARTS, FleetState, Parts
from defai.tui.widgets.filter_bar import FilterBar
from defai.tui.widgets.key_bar import KeyBar
from defai.tui.widgets.nav_bar import NavBar, counts_of
from defai.tui.widgets.playback_bar import PlaybackBar
from defai.tui.widgets.status_bar import StatusBar

if TYPE_CHECKING:
    from defai.tui.app import DefaiApp

LEAST_WIDTH = 60
LEAST_HEIGHT = 16

SUMMED: Final = frozenset({"agents", "approvals", "journal"})
"""Parts of which the bars show sums: they go with the list that shows them one by one."""
KEYLESS: Final = frozenset({"status", "risk", "chart", "card", "log", "pools", "journal"})
"""Parts on which it does not depend what can be done; a decision on the log always changes its agent as well."""


class Ground(Vertical):
    """Holds what covers it all: there is nothing of its own to draw."""

    BLANK = True


class Frame(Screen[None]):
    """A full screen between its bars.

    Attributes:
        scope: its name in the action registry.
        panels: ids of its panels, in the order one goes through them; the first list among them is its main one.
    """

    ALLOW_IN_MAXIMIZED_VIEW = "#head,#foot"
    ESCAPE_TO_MINIMIZE = False
    BLANK = True

    scope: ClassVar[str] = ""
    panels: ClassVar[tuple[str, ...]] = ()

    def __init__(self) -> None:
        super().__init__()
        self._compositor = SparingCompositor()
        self._titles: dict[Widget, tuple[str, str]] = {}
        self._words = ""
        self._fitted: Size | None = None
        self._status, self._nav, self._banner = (
            StatusBar(),
            NavBar(self.scope),
            Static(id="banner", markup=False),
        )
        self._playback, self._keys = PlaybackBar(), KeyBar()

    # -- what it is made of ----------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Status, navigation, body, keys; and what replaces them in too small a terminal."""
        self._fit_in()
        with Ground(id="head"):
            yield self._status
            self._nav.here = self.app.current_mode
            yield self._nav
            yield self._banner
        with Ground(id="body"):
            yield from self.compose_body()
        with Ground(id="foot"):
            yield self._playback
            yield FilterBar()
            yield self._keys
        yield Static(id="too-small")

    def compose_body(self) -> ComposeResult:
        """What stands between the bars."""
        raise NotImplementedError

    def _fit_in(self) -> None:
        """Be of the terminal's width and height from the start: told later, every widget is styled once more."""
        app, (width, height) = self.terminal, self.app.size
        for cells, steps in ((width, app.HORIZONTAL_BREAKPOINTS), (height, app.VERTICAL_BREAKPOINTS)):
            self.set_class(True, max(step for step in steps or () if step[0] <= cells)[1], update=False)

    @property
    def terminal(self) -> "DefaiApp":
        """The app, by its own type."""
        return cast("DefaiApp", self.app)

    @property
    def fleet(self) -> FleetState:
        """What there is to show."""
        return self.terminal.fleet

    def entitle(self, widget: Widget, title: str, subtitle: str = "", *, marked_up: bool = False) -> None:
        """Set a panel's titles, as they are or marked up; its border is drawn anew only where they changed."""
        if self._titles.get(widget) != (title, subtitle):
            self._titles[widget] = (title, subtitle)
            # As content, not as text: the names of others are no markup, and escaping them as such does not always do.
            widget.border_title = Content.from_markup(title) if marked_up else Content(title)
            widget.border_subtitle = Content(subtitle)

    def _compositor_refresh(self) -> None:
        """Textual's; but while nothing is shown nothing is drawn: it drew the first screen once for nobody."""
        if not self.app._batch_count:  # noqa: SLF001  there is no other way to know
            super()._compositor_refresh()

    # -- painting --------------------------------------------------------------------------------------------------

    def paint(self, parts: Parts) -> None:
        """Show what changed in some parts of the state."""
        raise NotImplementedError

    def paint_all(self) -> None:
        """Show everything as it stands."""
        self.paint_bars()
        self.paint(set(ALL_PARTS))

    def paint_bars(self, parts: Parts = ALL_PARTS) -> None:
        """Show in the bars what changed in some parts of the state; a banner where the figures are old."""
        app = self.terminal
        anew = self._status.display_place(self.fleet, app.clock(), stale=app.is_stale, leaving=app.leaving)
        if not parts.isdisjoint(SUMMED):
            anew |= self._status.display_sums(self.fleet)
            self._nav.display_counts(counts_of(self.fleet))
        if anew:
            self._draw_status()
        words = app.banner
        if words != self._words:
            self._words = words
            self._banner.update(words)
            self._banner.display = bool(words)
        self._playback.display_playback(self.fleet.playback)
        if not parts <= KEYLESS:
            self.paint_keys()

    def _draw_status(self) -> None:
        """Draw it at once, where nothing else is to be drawn: asked by messages it waits for a clock and costs more."""
        status = self._status
        due = self._layout_required or self._scroll_required or self._repaint_required or self._dirty_widgets
        if due or self.app.screen is not self or status not in self._compositor:
            status.refresh()
            return
        status._set_dirty()  # noqa: SLF001  half of a refresh: the other half sends the messages
        self._compositor.update_widgets({status})
        self._compositor_refresh()

    def paint_keys(self) -> None:
        """Show the keys that do something now."""
        self._keys.display_acts([(act, self.called(act)) for act in self._at_hand() if act.rank is not None])

    def _at_hand(self) -> Iterable[Act]:
        """What a key does at this moment: letters are typed where there is a place for them, a dialog takes all."""
        if self.app.screen is not self:
            yield from (act for act in self.offers() if act.action == "back")
        elif isinstance(self.focused, Input):
            yield from acts(TYPING)
            yield from (typed for act in self.offers() if (typed := act.while_typing) is not None)
        else:
            yield from self.offers()

    def action_submit(self) -> None:
        """Take what is typed, as enter does."""
        if isinstance(self.focused, Input):
            self.call_later(self.focused.action_submit)

    def action_next_field(self) -> None:
        """Go on, as tab does."""
        self.focus_next()

    def offers(self) -> Iterable[Act]:
        """What can be done here, now."""
        for act in acts(self.scope, EVERYWHERE):
            place = self.app if act.scope == EVERYWHERE else self
            name, _, argument = act.action.partition("(")
            if self.fleet.is_over and name in OF_A_RUNNING_SESSION:
                continue
            if place.check_action(name, (argument.strip("()'"),) if argument else ()):
                yield act

    def called(self, act: Act) -> str:
        """What an action is called as things stand."""
        played = self.fleet.playback
        return "stand still" if act.action == "play" and played is not None and played.playing else act.label

    def repaint(self) -> None:
        """Draw everything anew in the current theme."""
        for widget in self.query("LineGrid, LineChart, LiquidityBars, StatusBar, NavBar, KeyBar"):
            getattr(widget, "repaint", widget.refresh)()
        self.paint_all()

    # -- what the app and the widgets say --------------------------------------------------------------------------

    def on_mount(self) -> None:
        """Paint once everything is there; and again whenever the theme changes."""
        self.app.theme_changed_signal.subscribe(self, lambda _: self.repaint())
        self.paint_all()

    def on_screen_resume(self, event: events.ScreenResume) -> None:
        """Catch up with what happened while another screen was in front; at first all is styled and painted."""
        if self._fitted is None:
            event.refresh_styles = False
        elif self.is_mounted:
            self.paint_all()

    def on_screen_suspend(self) -> None:
        """With a dialog in front there is something to close."""
        if self.is_mounted:
            self.paint_keys()

    def on_resize(self, event: events.Resize) -> None:
        """Give way to a sentence where there is no room for more; the same size is told several times."""
        if event.size == self._fitted:
            return
        self._fitted = event.size
        width, height = event.size
        small = width < LEAST_WIDTH or height < LEAST_HEIGHT
        self.set_class(small, "-too-small")
        self.call_after_refresh(self.paint_all)
        if small:
            self.query_one("#too-small", Static).update(
                f"defai needs a terminal of at least {LEAST_WIDTH} x {LEAST_HEIGHT}; this one is {width} x {height}."
            )

    def on_text_panel_resized(self) -> None:
        """Write the pages for the room they have now."""
        self.paint({"card", "approvals", "risk", "models", "backtest"})

    def on_line_chart_resized(self) -> None:
        """Draw what there is room for now; a chart that was not shown knows nothing of what it is to show."""
        self.paint({"chart", "pools"})

    def on_descendant_focus(self) -> None:
        """What can be done depends on where one is."""
        if self.is_mounted:
            self.paint_keys()

    def on_key_bar_pressed(self, message: KeyBar.Pressed) -> None:
        """Do what was clicked."""
        act = message.act
        self.call_later(self.run_action, f"app.{act.action}" if act.scope == EVERYWHERE else act.action)

    def on_playback_bar_sought(self, message: PlaybackBar.Sought) -> None:
        """Go to the block that was clicked."""
        self.terminal.seek(message.block)

    def on_nav_bar_chosen(self, message: NavBar.Chosen) -> None:
        """Go where was clicked."""
        self.terminal.action_go(message.mode)
