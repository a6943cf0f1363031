"""Approvals: what waits for me, what happens if I say yes, until when?"""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType

from defai.tui.actions import APPROVALS, bindings
from defai.tui.fleet import Parts
from defai.tui.format import UNKNOWN, number
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.screens.board import Board
from defai.tui.screens.consent import Consent, Refusal, ended
from defai.tui.themes import palette_of
from defai.tui.waiting import RequestLine, left_words, outcome_words
from defai.tui.widgets.decision_text import intent_words
from defai.tui.widgets.grid import Column, LineGrid, Spans
from defai.tui.widgets.page import Page
from defai.tui.widgets.request_text import pressing, write_request
from defai.tui.widgets.text_view import TextPanel

STATES = {
    "waits": ("?", "waiting"),
    "approved": ("✓", "pnl-up"),
    "rejected": ("✗", "risk-denied"),
    "expired": ("○", "muted"),
    "withdrawn": ("○", "muted"),
}
"""Glyph and ink of each state; a wish under way has its own."""


class ApprovalsScreen(Board):
    """What waits above, what it is about below. Nothing here is approved by one key."""

    scope: ClassVar[str] = APPROVALS
    panels: ClassVar[tuple[str, ...]] = ("requests", "request")
    CSS_PATH = "approvals.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(APPROVALS)
    AUTO_FOCUS = "#requests"

    def compose_body(self) -> ComposeResult:
        """The list, and a page for the request under the cursor."""
        columns = (
            Column[RequestLine]("", glyph, 1),
            Column[RequestLine](
                "agent", lambda one: ((one.request.agent, "strong"),), 10, raw=lambda one: one.request.agent
            ),
            Column[RequestLine]("wants", wants, 26, grow=2, raw=lambda one: one.request.text),
            Column[RequestLine]("moves USD", moves, 10, right=True, raw=lambda one: one.request.moved_usd),
            Column[RequestLine]("why you", rule, 20, grow=3, rank=2, raw=lambda one: one.request.rule),
            Column[RequestLine](
                "until", self.until, 12, rank=1, wish=21, raw=lambda one: one.request.expires_at
            ),
        )
        yield LineGrid[RequestLine](
            columns,
            empty="Nothing waits for you. What is above an agent's limits for itself comes here, and waits.",
            source="requests",
            words=lambda one: one.words,
        )
        yield TextPanel("request")

    @property
    def grid(self) -> "LineGrid[RequestLine]":
        """The list."""
        return self.query_one("#requests", LineGrid)

    def until(self, line: RequestLine) -> Spans:
        """How long it waits still, or what became of it."""
        if line.resolved is not None:
            return ((outcome_words(line.resolved), "muted"),)
        left = line.left_s(self.fleet.chain_time)
        if self.fleet.ended is not None:
            return (("unanswered", "muted"),)
        if left is None:
            return (("no end", "muted"),)
        here = self.fleet.here_s(left)
        return ((f"{left_words(left, here)} left", pressing(left if here is None else here)),)

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        if "approvals" not in parts:
            return
        room = self.fleet.waiting_room
        lines = room.lines
        self.shape(self.grid, min(max(4, len(lines) + 3), max(6, self.size.height // 3)))
        self.grid.show(lines, (self.fleet.chain_time, self.fleet.is_over))
        self.entitle(
            self.grid,
            "Approvals",
            f"{len(room.open)} {'unanswered' if self.fleet.ended else 'waiting'} · {len(room.done)} resolved"
            if lines
            else "",
        )
        self._paint_request()

    def _paint_request(self) -> None:
        line = self.grid.selected
        box = self.query_one("#request", TextPanel)
        self.entitle(
            box, f"{line.request.agent} {'asks' if line.is_open else 'asked'}" if line else "What it is about"
        )
        page = Page(palette_of(self.app), max(40, box.scrollable_content_region.width), label=12, indent=1)
        if line is not None:
            write_request(page, line, self.fleet)
            if self._can_answer(line):
                page.gap()
                page.row(
                    "",
                    (
                        "↵ asks for the agent's name, and approves with it · r rejects, with a reason",
                        "accent",
                    ),
                )
        box.display_text(page.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action in {"approve", "reject"}:
            return self.is_mounted and self._can_answer(self.grid.selected)
        if action in {"copy", "decision"}:
            return self.is_mounted and self.grid.selected is not None
        return super().check_action(action, parameters)

    def _can_answer(self, line: RequestLine | None) -> bool:
        return line is not None and line.is_open and not line.wish and not self.fleet.is_over

    def action_approve(self) -> None:
        """Ask for the agent's name, and approve with it."""
        line = self.grid.selected
        if line is not None and self._can_answer(line):
            self.app.push_screen(Consent(line, self.fleet), lambda yes: self._approved(line) if yes else None)

    def on_key(self, event: events.Key) -> None:
        """Enter upon a request that ended a moment ago: say so in the same dialog, which takes what is typed on."""
        line = self.grid.selected
        if event.key == "enter" and line is not None and not line.is_open:
            event.stop()
            self.app.push_screen(Consent(line, self.fleet))

    def _approved(self, line: RequestLine) -> None:
        if line.is_open:
            self.terminal.wishes.approve(line)
        else:
            self.notify(f"{ended(line)}.", severity="warning")

    def action_reject(self) -> None:
        """Ask for a reason, and reject with it."""
        line = self.grid.selected
        if line is not None and self._can_answer(line):
            self.app.push_screen(Refusal(line, self.fleet), lambda reason: self._rejected(line, reason))

    def _rejected(self, line: RequestLine, reason: str | None) -> None:
        if reason is None:
            return
        if line.is_open:
            self.terminal.wishes.reject(line, reason)
        else:
            self.notify(f"{ended(line)}.", severity="warning")

    def action_decision(self) -> None:
        """Open the decision itself."""
        if self.grid.selected is not None:
            self.terminal.open_decision(self.grid.selected.key)

    def action_copy(self) -> None:
        """Copy the decision's digest."""
        self.terminal.copy("digest", self.grid.selected.key if self.grid.selected else None)

    def on_line_opened(self, message: LineOpened) -> None:
        """A double click asks as enter does."""
        if message.source == "requests":
            self.action_approve()

    def on_line_selected(self, message: LineSelected) -> None:
        """Show another request."""
        if message.source == "requests":
            self._paint_request()
            self.paint_keys()


def glyph(line: RequestLine) -> Spans:
    """How it stands."""
    return (STATES.get(line.state, ("…", "waiting")),)


def wants(line: RequestLine) -> Spans:
    """What would be done."""
    return ((intent_words(line.request.text), "foreground" if line.is_open else "muted"),)


def moves(line: RequestLine) -> Spans:
    """How much it moves."""
    moved = line.request.moved_usd
    return ((UNKNOWN if moved is None else number(moved, 0), "strong" if line.is_open else "muted"),)


def rule(line: RequestLine) -> Spans:
    """Why it has to wait."""
    return ((line.request.rule or UNKNOWN, "muted"),)
