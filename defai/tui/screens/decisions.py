"""Decisions: what was decided, why, and can I check it? All of them, as they are taken."""

from collections.abc import Callable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from defai.tui.actions import DECISIONS, bindings
from defai.tui.fleet import Parts
from defai.tui.format import number
from defai.tui.lines import LogLine
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.screens.board import Board
from defai.tui.screens.explaining import Explaining
from defai.tui.widgets.decision_card import DecisionCard
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.grid import LineGrid

KINDS: dict[str, Callable[[LogLine], bool]] = {
    "all": lambda _: True,
    "acted": lambda one: not one.is_hold and one.mark not in {"denied", "refused", "needs_approval"},
    "refused": lambda one: one.mark in {"denied", "refused", "failed"},
    "waiting": lambda one: one.mark == "needs_approval",
    "recorded": lambda one: one.execution is not None and one.execution.record_id is not None,
    "rated": lambda one: bool(one.rating),
}
"""Which decisions are listed."""


class DecisionsScreen(Explaining, Board):
    """The log, and the selected decision beside it."""

    scope: ClassVar[str] = DECISIONS
    panels: ClassVar[tuple[str, ...]] = ("decisions", "decision-card")
    CSS_PATH = "decisions.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(DECISIONS)
    AUTO_FOCUS = "#decisions"

    def __init__(self) -> None:
        super().__init__()
        self.kind = "all"

    def compose_body(self) -> ComposeResult:
        """The log beside the card."""
        with Horizontal(id="decisions-row"):
            yield DecisionLog()
            yield DecisionCard("decision-card")

    @property
    def log_of_decisions(self) -> DecisionLog:
        """The list."""
        return self.query_one(DecisionLog)

    @property
    def pointed(self) -> LogLine | None:
        """The decision under the cursor."""
        return self.log_of_decisions.selected

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        if "log" not in parts:
            return
        wanted = KINDS[self.kind]
        log = self.log_of_decisions
        log.display_log(
            self.fleet.log if self.kind == "all" else [one for one in self.fleet.log if wanted(one)]
        )
        self.sifted(log)
        self.paint_card()

    def sifted(self, grid: LineGrid[Any]) -> None:
        """Say what is listed in the title."""
        listed, of = grid.roll.counts
        choice = "  ".join(f"[bold $accent]{kind}[/]" if kind == self.kind else kind for kind in KINDS)
        count = number(listed, 0) if listed == of else f"{number(listed, 0)} of {number(of, 0)}"
        dropped = self.terminal.dropped
        aside = f" · {number(dropped, 0)} events skipped" if dropped else ""
        self.entitle(grid, f"Decisions · {choice}", f"{count}{aside}", marked_up=True)

    def paint_card(self) -> None:
        """Show the selected decision."""
        line = self.pointed
        card = self.query_one(DecisionCard)
        agent = self.fleet.agents.get(line.agent) if line else None
        self.entitle(card, f"Decision {line.decision.sequence} · {line.agent}" if line else "Decision")
        card.display_line(line, agent)

    def action_kind(self, by: int) -> None:
        """Show another kind of decisions."""
        kinds = list(KINDS)
        self.kind = kinds[(kinds.index(self.kind) + by) % len(kinds)]
        self.paint({"log"})

    def action_open(self) -> None:
        """Open the decision under the cursor."""
        self.log_of_decisions.open_selected()

    def on_line_opened(self, message: LineOpened) -> None:
        """Open a decision."""
        self.terminal.open_decision(message.key)

    def on_line_selected(self, message: LineSelected) -> None:
        """Show another decision."""
        if message.source == "decisions":
            self.paint_card()
            self.explain_soon()
