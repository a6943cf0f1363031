"""One decision: why, was it allowed, what came of it, can I check it?"""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll

from defai.domain.answers import Rated
from defai.tui.actions import DECISION, bindings
from defai.tui.fleet import Parts
from defai.tui.format import UNKNOWN, clock, milliseconds, number
from defai.tui.lines import AgentLine, LogLine
from defai.tui.screens.board import Board
from defai.tui.screens.explaining import Explaining
from defai.tui.themes import palette_of
from defai.tui.widgets.decision_text import (
    record_words,
    write_because,
    write_calls,
    write_cost,
    write_forecast,
    write_guard,
    write_intent,
    write_outcome,
    write_rungs,
)
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextView


class DecisionScreen(Explaining, Board):
    """The details of one decision.

    Args:
        line: the decision's line of the log.
    """

    scope: ClassVar[str] = DECISION
    panels: ClassVar[tuple[str, ...]] = ("decision-box",)
    CSS_PATH = "decision.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(DECISION)
    AUTO_FOCUS = "#decision-box"

    def __init__(self, line: LogLine) -> None:
        super().__init__()
        self.line = line

    @property
    def pointed(self) -> LogLine:
        """The decision."""
        return self.line

    def compose_body(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll(classes="panel", id="decision-box", can_focus=True):
            with Container(id="decision-columns"):
                yield TextView("decision-why")
                yield TextView("decision-came-of-it")
            yield TextView("decision-record")

    def on_mount(self) -> None:
        """Ask why, at once."""
        self.terminal.wishes.explain(self.line)

    def paint(self, parts: Parts) -> None:
        """Show the decision; its outcome may come in while one looks at it."""
        if "log" not in parts:
            return
        box = self.query_one("#decision-box", VerticalScroll)
        one = self.line.decision
        title = f"Decision {one.sequence} · {self.line.agent} · block {number(one.block_number, 0)}"
        before, after = self._neighbour(-1), self._neighbour(1)
        ways = [f"← {before.decision.sequence}"] if before else []
        ways += [f"{after.decision.sequence} →"] if after else []
        self.entitle(box, title, "   ".join(ways))
        width = max(40, self.size.width - 6)
        half = width if self.has_class("-narrow") else (width - 4) // 2
        palette = palette_of(self.app)
        agent = self.fleet.agents.get(self.line.agent)
        sections: tuple[tuple[str, int, Callable[[Page, LogLine, AgentLine | None], None]], ...] = (
            ("why", half, write_why),
            ("came-of-it", half, write_came_of_it),
            ("record", width, write_record),
        )
        for name, room, write in sections:
            page = Page(palette, room)
            write(page, self.line, agent)
            self.query_one(f"#decision-{name}", TextView).display_text(page.text)

    def _neighbour(self, by: int) -> LogLine | None:
        agent = self.fleet.agents.get(self.line.agent)
        log = list(agent.log) if agent else []
        at = next((index for index, line in enumerate(log) if line is self.line), None)
        return log[at + by] if at is not None and 0 <= at + by < len(log) else None

    def action_step(self, by: int) -> None:
        """Go to the agent's decision before (-1) or after (1) this one."""
        line = self._neighbour(by)
        if line is not None:
            self.line = line
            self.terminal.wishes.explain(line)
            self.paint_all()
            self.query_one("#decision-box").scroll_home(animate=False)

    def action_rate(self, rating: Rated) -> None:
        """Say what one thinks of it."""
        self.terminal.wishes.rate(self.line, rating)


def write_why(page: Page, line: LogLine, _: AgentLine | None) -> None:
    """What was wanted, why, and what was forecast."""
    page.title("What, and why")
    write_intent(page, line)
    page.row(
        "decided",
        (f"{clock(line.timestamp)} UTC,", "foreground"),
        (f"{milliseconds(line.latency_ms)} after its block came", "muted"),
    )
    if line.rating:
        page.row("you say", ("▲ good" if line.rating == "good" else "▼ not good", "accent"))
    page.title("Forecast")
    write_forecast(page, line.decision.forecast)
    write_because(page, line)


def write_came_of_it(page: Page, line: LogLine, _: AgentLine | None) -> None:
    """What the guard said, what was done, and what came of it."""
    page.title("Guard")
    write_guard(page, line)
    if line.resolved:
        page.row("owner", (line.resolved, "waiting"), (line.resolved_because, "foreground"))
    page.title("Outcome")
    write_outcome(page, line)
    write_cost(page, line)
    write_calls(page, line.explanation)


def write_record(page: Page, line: LogLine, agent: AgentLine | None) -> None:
    """The digest, the token, the transaction, what it follows from, and the rungs."""
    execution, told = line.execution, line.explanation
    page.title("Record")
    page.row("record", record_words(line, agent))
    page.row("digest", (line.decision.digest, "foreground"))
    if told is not None:
        page.row("follows", (told.previous_digest, "muted"))
        page.row("strategy", (told.strategy_digest, "muted"))
    if line.decision.forecast is not None:
        page.row("model", (line.decision.forecast.model_digest, "muted"))
    transaction = (execution.transaction_hash if execution else None) or UNKNOWN
    page.row("transaction", (transaction, "foreground" if transaction != UNKNOWN else "muted"))
    write_rungs(page, line, notes=True)
    if told is not None and told.features:
        page.title("What it was shown")
        width = max(len(name) for name, _ in told.features) + 2
        across = max(1, (page.width - 2) // (width + 16))
        for at in range(0, len(told.features), across):
            page.write("  ", "muted")
            for name, value in told.features[at : at + across]:
                page.write(f"{name:<{width}}", "muted")
                page.write(f"{number(value, 0):>13}   ", "foreground")
            page.text.append("\n")
