"""The selected decision beside a list: the least one needs to judge it."""

from defai.tui.format import milliseconds, number, shorten
from defai.tui.lines import AgentLine, LogLine
from defai.tui.themes import palette_of
from defai.tui.widgets.decision_text import (
    record_words,
    write_because,
    write_cost,
    write_forecast,
    write_guard,
    write_intent,
    write_outcome,
    write_rungs,
)
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextPanel


class DecisionCard(TextPanel):
    """Intent, reason, forecast, guard, outcome, record and rungs of one decision."""

    def __init__(self, source: str) -> None:
        super().__init__(source)
        self._told: object = None

    def display_line(self, line: LogLine | None, agent: AgentLine | None) -> None:
        """Show a decision; nothing is drawn anew where nothing changed."""
        width = self.scrollable_content_region.width
        if width <= 0:
            return
        shown = (
            line and line.key,
            line and line.version,
            width,
            self.app.theme,
            line and line.explanation_refused,
        )
        if shown == self._told:
            return
        self._told = shown
        page = Page(palette_of(self.app), width, label=10, indent=1)
        if line is None:
            page.write(" Nothing was decided yet.", "muted")
        else:
            write_card(page, line, agent)
        self.display_text(page.text)


def write_card(page: Page, line: LogLine, agent: AgentLine | None) -> None:
    """The card's text: what, why, what came of it and whether that is verified first, as far as a low card shows."""
    one = line.decision
    write_intent(page, line)
    write_outcome(page, line)
    page.row("record", record_words(line, agent))
    write_rungs(page, line, notes=False)
    page.line("digest", (shorten(one.digest, 10, 8), "foreground"))
    page.gap()
    page.row(
        "decided",
        (f"block {number(one.block_number, 0)}", "foreground"),
        (f"in {milliseconds(line.latency_ms)}", "muted"),
    )
    write_cost(page, line)
    if line.rating:
        page.row("you say", ("good" if line.rating == "good" else "not good", "accent"))
    if one.forecast is not None:
        page.gap()
        write_forecast(page, one.forecast)
        write_because(page, line, 4)
    page.gap()
    write_guard(page, line)
