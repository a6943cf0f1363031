"""Risk: what are the limits, how close is anybody, who was stopped and why, and how do I stop them all?"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from defai.tui.actions import RISK, Act, bindings
from defai.tui.fleet import Parts
from defai.tui.format import number
from defai.tui.lines import STATES, AgentLine
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.screens.board import Board
from defai.tui.themes import palette_of
from defai.tui.widgets.decision_text import write_check
from defai.tui.widgets.page import Page
from defai.tui.widgets.risk_table import GAUGES, RiskTable, gauge, overview
from defai.tui.widgets.text_view import TextPanel

MEANINGS = {
    "drawdown": "fall of the equity from its highest; beyond it the breaker stops the agent",
    "exposure": "share of the equity in the base token",
    "turnover": "worth of all trades within a day",
    "failures": "transactions in a row that did not go through; beyond it the breaker stops the agent",
    "slippage": "what the last trade might give less than the price before it",
    "trade": "worth of the last trade",
    "gas": "what the last trade's gas cost",
}
"""What each limit is of."""


class RiskScreen(Board):
    """The agents by their limits above, all limits of the selected one below."""

    scope: ClassVar[str] = RISK
    panels: ClassVar[tuple[str, ...]] = ("limits", "limits-of-one")
    CSS_PATH = "risk.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(RISK)
    AUTO_FOCUS = "#limits"

    def compose_body(self) -> ComposeResult:
        """The table, and a page."""
        yield RiskTable()
        yield TextPanel("limits-of-one")

    @property
    def table(self) -> RiskTable:
        """The table."""
        return self.query_one(RiskTable)

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        if not parts & {"risk", "agents"}:
            return
        self.shape(self.table, min(len(self.fleet.agents) + 3, max(6, self.size.height // 2)))
        self.table.display_risk(self.fleet)
        self.entitle(self.table, "Limits", overview(self.fleet))
        self._paint_one()

    def _paint_one(self) -> None:
        line = self.table.selected
        box = self.query_one("#limits-of-one", TextPanel)
        self.entitle(box, f"Limits of {line.key}" if line else "Limits of one agent")
        page = Page(palette_of(self.app), max(40, box.scrollable_content_region.width), label=11, indent=1)
        if line is not None:
            write_limits(page, line)
        box.display_text(page.text)

    def called(self, act: Act) -> str:
        """Pausing is resuming where the agent stands still."""
        if act.action == "pause" and self.table.selected is not None:
            return "resume" if self.table.selected.state in {"paused", "stopped"} else "pause"
        return super().called(act)

    def action_open(self) -> None:
        """Open the agent under the cursor."""
        self.table.open_selected()

    def action_pause(self) -> None:
        """Pause the agent under the cursor, or let it run again."""
        if self.table.selected is not None:
            self.terminal.toggle(self.table.selected.key)

    def on_line_opened(self, message: LineOpened) -> None:
        """Open an agent."""
        self.terminal.open_agent(message.key)

    def on_line_selected(self, message: LineSelected) -> None:
        """Show another agent's limits."""
        self.terminal.agent_name = message.key
        self._paint_one()
        self.paint_keys()


def write_limits(page: Page, line: AgentLine) -> None:
    """The breaker, and every limit with what it is of."""
    state, reason = line.standing
    glyph, ink = STATES.get(state, ("", "muted"))
    page.row("state", (f"{glyph} {state}", ink), (reason, "muted"))
    breaker = (
        (f"■ {line.breaker}", "risk-denied") if line.breaker else ("✓ closed: nothing stopped it", "pnl-up")
    )
    page.row("breaker", breaker)
    page.gap()
    if not line.gauges:
        page.row("limits", ("not told yet", "muted"))
    known = [check for name in GAUGES if (check := gauge(line, name)) is not None]
    others = [check for check in line.gauges if check.name not in GAUGES]
    for check in (*known, *others):
        write_check(page, check, 24)
        if page.width >= 100 or check.name in {"drawdown", "failures"}:
            page.line("", (MEANINGS.get(check.name, ""), "muted"))
    if line.portfolio is not None and line.portfolio.high_water_usd is not None:
        page.gap()
        page.row("highest", (number(line.portfolio.high_water_usd, 2, "USD"), "foreground"))
