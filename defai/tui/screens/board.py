"""A full screen of panels, of which one can be enlarged: also those that gave way in a small terminal."""

from textual.widget import Widget

from defai.tui.screens.listing import Listing


class Board(Listing):
    """A full screen of panels."""

    def __init__(self) -> None:
        super().__init__()
        self._heights: dict[Widget, int] = {}

    def shape(self, panel: Widget, height: int) -> None:
        """Give a panel as many rows as what it shows needs; one that is enlarged has all there are."""
        if self._heights.get(panel) != height:
            self._heights[panel] = height
            if panel is not self.maximized:
                panel.styles.height = height

    def action_panel(self, by: int) -> None:
        """Enlarge the next or the previous panel; those that gave way in a small terminal as well."""
        names = list(self.panels)
        if not names:
            return
        here = self.maximized or self.focused
        at = names.index(here.id) if here is not None and here.id in names else -1 if by > 0 else 0
        self._enlarge(self.query_one(f"#{names[(at + by) % len(names)]}", Widget))

    def action_enlarge(self) -> None:
        """Enlarge the panel with the focus, or put it back."""
        panel = self.focused
        while panel is not None and panel.id not in self.panels:
            panel = panel.parent if isinstance(panel.parent, Widget) else None
        if self.maximized is not None:
            self._restore()
        elif panel is not None:
            self._enlarge(panel)

    def _enlarge(self, panel: Widget) -> None:
        self._give_back_height()
        panel.styles.height = None
        self.maximized = panel
        self.call_after_refresh(self._enter, panel)

    def _enter(self, panel: Widget) -> None:
        within = [panel, *panel.walk_children(Widget)]
        target = next((widget for widget in within if widget.focusable), None)
        if target is not None:
            target.focus()
        self.paint_all()

    def _give_back_height(self) -> None:
        panel = self.maximized
        if panel in self._heights:
            panel.styles.height = self._heights[panel]

    def _restore(self) -> None:
        self._give_back_height()
        self.minimize()
        self.call_after_refresh(self._stand_somewhere)

    def _stand_somewhere(self) -> None:
        """What had the focus may have given way again."""
        if self.focused is None or not self.focused.is_on_screen:
            self.set_focus(None)
            self.focus_next()
        self.paint_all()

    @property
    def can_step_back(self) -> bool:
        """Whether there is something here to close before one leaves."""
        return self.filter_bar.display or self.maximized is not None

    def step_back(self) -> bool:
        """Close what was opened last: the filter, the enlarged panel. Says whether there was anything."""
        if self.filter_bar.display:
            self.filter_bar.action_clear()
        elif self.maximized is not None:
            self._restore()
        else:
            return False
        return True
