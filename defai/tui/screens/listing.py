"""What every screen with lists has: a filter, an order, an export."""

from typing import Any

from defai.tui.messages import SortChanged
from defai.tui.screens.frame import Frame
from defai.tui.widgets.filter_bar import FilterBar
from defai.tui.widgets.grid import LineGrid


class Listing(Frame):
    """A full screen with lists: what concerns a list is done to the one with the focus, or else to the main one."""

    _sifted: LineGrid[Any] | None = None

    def on_mount(self) -> None:
        """Lists come up in the order they were left in."""
        for grid in self.query(LineGrid):
            order = self.terminal.preferences.text(f"sort.{grid.source}")
            if order[1:] in grid.roll.sort_titles:
                grid.sort(order[1:], descending=order.startswith("-"))

    def paint_keys(self) -> None:
        """Show the keys, and how many lines the filter lets through."""
        super().paint_keys()
        if self.filter_bar.display and self._sifted is not None:
            self.filter_bar.display_counts(*self._sifted.roll.counts)

    @property
    def filter_bar(self) -> FilterBar:
        """Where a filter is typed."""
        return self.query_one(FilterBar)

    @property
    def listing(self) -> LineGrid[Any] | None:
        """The list that has the focus, or else the main one; None where there is none."""
        if isinstance(self.focused, LineGrid):
            return self.focused
        grids = [
            widget
            for name in self.panels
            for widget in self.query(f"#{name}")
            if isinstance(widget, LineGrid)
        ]
        return grids[0] if grids else None

    def action_filter(self) -> None:
        """Type the words that lines must have."""
        if self.listing is not None:
            self.listing.focus()
            self._sifted = self.listing
            self.filter_bar.open(self._sifted.roll.wanted)
            self.paint_keys()

    def on_filter_bar_changed(self, message: FilterBar.Changed) -> None:
        """Sift the list."""
        grid = self._sifted
        if grid is not None:
            grid.sift(message.wanted)
            self.filter_bar.display_counts(*grid.roll.counts)
            self.sifted(grid)

    def on_filter_bar_left(self) -> None:
        """Back to the list."""
        if self._sifted is not None:
            self._sifted.focus()
            if not self._sifted.roll.wanted:
                self.filter_bar.close()

    def sifted(self, grid: LineGrid[Any]) -> None:
        """Another choice of lines is listed; for screens that say so in a title."""

    def action_sort(self, by: int) -> None:
        """Sort by the next column (1), or the other way round (0)."""
        grid = self.listing
        titles = ["", *grid.roll.sort_titles] if grid is not None else []
        if grid is None or len(titles) < 2:
            return
        title, descending = grid.roll.order
        if by:
            title = titles[(titles.index(title) + by) % len(titles)] if title in titles else titles[1]
        self.on_sort_changed(SortChanged(grid.source, title, descending=descending if by else not descending))

    def on_sort_changed(self, message: SortChanged) -> None:
        """Sort, and remember it."""
        grid = self.query_one(f"#{message.source}", LineGrid)
        grid.sort(message.title, descending=message.descending)
        self.terminal.preferences.put(
            f"sort.{grid.source}", f"{'-' if message.descending else '+'}{message.title}"
        )

    def action_export(self) -> None:
        """Write the list to a CSV file."""
        if self.listing is not None:
            self.terminal.export(self.listing.source, self.listing.roll.csv())
