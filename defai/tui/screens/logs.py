"""Logs: what did the session have to say?"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from defai.tui.actions import LOGS, bindings
from defai.tui.fleet import Parts
from defai.tui.format import TIMES, UNKNOWN, clock, number
from defai.tui.journal import LEVELS, JournalLine
from defai.tui.messages import LineSelected
from defai.tui.screens.board import Board
from defai.tui.themes import palette_of
from defai.tui.widgets.grid import Column, LineGrid, Spans
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextPanel

GLYPHS = {"info": ("·", "muted"), "warning": ("!", "waiting"), "error": ("✗", "risk-denied")}
"""Glyph and ink of each level."""
KINDS = {"info": "everything", "warning": "warnings and errors", "error": "errors"}


class LogsScreen(Board):
    """The lines, newest first, and the selected one whole."""

    scope: ClassVar[str] = LOGS
    panels: ClassVar[tuple[str, ...]] = ("journal", "journal-line")
    CSS_PATH = "logs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(LOGS)
    AUTO_FOCUS = "#journal"

    def __init__(self) -> None:
        super().__init__()
        self.level = "info"

    def compose_body(self) -> ComposeResult:
        """The list, and a page for the line under the cursor."""
        columns = (
            Column[JournalLine]("", glyph, 1),
            Column[JournalLine](
                "time UTC",
                lambda one: ((clock(one.time), "muted"),),
                8,
                raw=lambda one: one.time,
                name="time",
            ),
            Column[JournalLine]("block", block, 7, rank=1, right=True, raw=lambda one: one.block),
            Column[JournalLine](
                "level",
                lambda one: ((one.level, GLYPHS.get(one.level, ("", "muted"))[1]),),
                7,
                rank=2,
                raw=lambda one: one.level,
            ),
            Column[JournalLine](
                "from",
                lambda one: ((one.logger.removeprefix("defai."), "muted"),),
                16,
                raw=lambda one: one.logger,
            ),
            Column[JournalLine]("what", sentence, 30, grow=1, raw=lambda one: one.text),
        )
        yield LineGrid[JournalLine](
            columns, empty="Nothing was said yet.", source="journal", follow=True, words=lambda one: one.words
        )
        yield TextPanel("journal-line")

    @property
    def grid(self) -> "LineGrid[JournalLine]":
        """The list."""
        return self.query_one("#journal", LineGrid)

    def paint(self, parts: Parts) -> None:
        """Show what changed; the line whole, also where there is other room for it."""
        if "journal" not in parts:
            if "card" in parts:
                self._paint_line()
            return
        self.fleet.journal.unread = 0
        least = LEVELS.index(self.level)
        lines = self.fleet.journal.lines
        shown = [
            line for line in reversed(lines) if line.level not in LEVELS or LEVELS.index(line.level) >= least
        ]
        self.grid.show(shown)
        dropped = self.terminal.dropped
        aside = f"{number(dropped, 0)} events skipped" if dropped else ""
        self.entitle(self.grid, f"Logs · {KINDS[self.level]}", aside)
        self._paint_line()

    def _paint_line(self) -> None:
        line = self.grid.selected
        box = self.query_one("#journal-line", TextPanel)
        page = Page(palette_of(self.app), max(40, box.scrollable_content_region.width), label=8, indent=1)
        if line is not None:
            ink = GLYPHS.get(line.level, ("", "foreground"))[1]
            page.row(line.level, (line.text, "foreground" if line.level == "info" else ink))
            page.row("from", (line.logger, "muted"))
        self.entitle(box, "The whole line")
        box.display_text(page.text)

    def action_kind(self, by: int) -> None:
        """Show everything, warnings and errors, or errors alone."""
        self.level = LEVELS[(LEVELS.index(self.level) + by) % len(LEVELS)]
        self.paint({"journal"})

    def action_copy(self) -> None:
        """Copy the line under the cursor."""
        self.terminal.copy("line", self.grid.selected.text if self.grid.selected else None)

    def on_line_selected(self, message: LineSelected) -> None:
        """Show another line whole."""
        if message.source == "journal":
            self._paint_line()


def glyph(line: JournalLine) -> Spans:
    """The level as a glyph."""
    return (GLYPHS.get(line.level, (UNKNOWN, "muted")),)


def block(line: JournalLine) -> Spans:
    """The newest block when it was said."""
    return ((UNKNOWN if line.block is None else number(line.block, 0), "muted"),)


def sentence(line: JournalLine) -> Spans:
    """What was said, and how often."""
    ink = {"warning": "foreground", "error": "risk-denied"}.get(line.level, "foreground")
    return ((line.text, ink), (f" {TIMES}{line.seen}" if line.seen > 1 else "", "muted"))
