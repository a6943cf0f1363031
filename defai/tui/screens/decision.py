"""One decision: why, was it allowed, what came of it, can I check it?"""

from collections.abc import Iterable
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.markup import escape
from textual.widgets import Static

from defai.domain.stream import CheckView, ForecastView
from defai.tui.actions import DECISION, bindings
from defai.tui.fleet import Parts
from defai.tui.format import UNKNOWN, bar, milliseconds, number, plain, shorten
from defai.tui.lines import MARKS, LogLine
from defai.tui.screens.board import Board
from defai.tui.themes import Palette, palette_of
from defai.tui.widgets.record_panel import RUNGS

LABEL = 12


class DecisionScreen(Board):
    """The details of one decision, as far as its events tell them.

    Args:
        line: the decision's line of the log.
    """

    scope: ClassVar[str] = DECISION
    CSS_PATH = "decision.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(DECISION)
    AUTO_FOCUS = "#decision-box"

    def __init__(self, line: LogLine) -> None:
        super().__init__()
        self.line = line

    def compose_body(self) -> ComposeResult:
        """One scrolling page."""
        with VerticalScroll(classes="panel", id="decision-box", can_focus=True):
            with Container(id="decision-columns"):
                yield Static(id="decision-why")
                yield Static(id="decision-came-of-it")
            yield Static(id="decision-record")

    def paint(self, parts: Parts) -> None:
        """Show the decision; its outcome may come in while one looks at it."""
        if not parts & {"log", "records"}:
            return
        box = self.query_one("#decision-box", VerticalScroll)
        one = self.line.decision
        title = f"Decision {one.sequence} · {self.line.agent} · block {number(one.block_number, 0)}"
        before, after = self._neighbour(-1), self._neighbour(1)
        ways = [f"← {before.decision.sequence}"] if before else []
        ways += [f"{after.decision.sequence} →"] if after else []
        self.entitle(box, escape(title), "   ".join(ways))
        width = max(40, self.size.width - 6)
        half = width if self.has_class("-narrow") else (width - 4) // 2
        palette = palette_of(self.app)
        for name, room, write in (
            ("why", half, write_why),
            ("came-of-it", half, write_outcome),
            ("record", width, write_record),
        ):
            page = Page(palette, room)
            write(page, self.line)
            self.query_one(f"#decision-{name}", Static).update(page.text)

    def _neighbour(self, by: int) -> LogLine | None:
        agent = self.fleet.agents.get(self.line.agent)
        log = list(agent.log) if agent else []
        at = next((index for index, line in enumerate(log) if line is self.line), None)
        return log[at + by] if at is not None and 0 <= at + by < len(log) else None

    def action_back(self) -> None:
        """Go back."""
        self.dismiss()

    def action_step(self, by: int) -> None:
        """Go to the agent's decision before (-1) or after (1) this one."""
        line = self._neighbour(by)
        if line is not None:
            self.line = line
            self.paint_all()
            self.query_one("#decision-box").scroll_home(animate=False)

    def action_copy(self) -> None:
        """Copy the digest."""
        self.terminal.copy("digest", self.line.decision.digest)

    def action_copy_transaction(self) -> None:
        """Copy the transaction's hash."""
        execution = self.line.execution
        self.terminal.copy("transaction", execution.transaction_hash if execution else None)


class Page:
    """A page of labelled lines.

    Args:
        palette: the inks.
        width: cells across.
    """

    def __init__(self, palette: Palette, width: int) -> None:
        self.text = Text(no_wrap=True, overflow="ellipsis")
        self.palette = palette
        self.width = width

    def title(self, words: str) -> None:
        """A heading, after a blank line."""
        self.text.append(f"{'' if not self.text else chr(10)}{words}\n", style=self.palette.style("strong"))

    def row(self, label: str, *spans: tuple[str, str]) -> None:
        """A label and pieces of text in their inks; a long text goes on under itself."""
        self.text.append(f"  {label:<{LABEL}}", style=self.palette.style("muted"))
        room = self.width - LABEL - 2
        used = 0
        for words, ink in spans:
            for piece in (
                part[at : at + room] for part in words.split(" ") for at in range(0, len(part) or 1, room)
            ):
                size = len(piece) + 1
                if used and used + size > room:
                    self.text.append("\n" + " " * (LABEL + 2))
                    used = 0
                self.text.append(f"{piece} ", style=self.palette.style(ink))
                used += size
        self.text.append("\n")


def write_why(page: Page, line: LogLine) -> None:
    """What was wanted, why, and what was forecast."""
    one = line.decision
    page.title("What, and why")
    page.row("intent", (one.text.replace("->", "→").replace("...", "…"), "strong"))
    page.row("reason", (one.reason or UNKNOWN, "foreground"))
    if line.seen > 1:
        page.row(
            "",
            (f"the latest of {line.seen} holds in a row, since block {number(line.first_block, 0)}", "muted"),
        )
    page.row(
        "took", (milliseconds(line.latency_ms), "foreground"), ("from the block to the decision", "muted")
    )
    page.title("Forecast")
    write_forecast(page, one.forecast)
    page.row("because", (UNKNOWN, "muted"), ("contributions are not part of the stream", "faint"))


def write_forecast(page: Page, forecast: ForecastView | None) -> None:
    """The figure, its band drawn as a line, the model behind it."""
    if forecast is None:
        page.row("forecast", (UNKNOWN, "muted"), ("it decided without one", "faint"))
        return
    page.row("of", (forecast.name, "foreground"))
    figure = f"{number(forecast.value, 3)} {forecast.unit}"
    if forecast.low is None or forecast.high is None:
        page.row("forecast", (figure, "strong"), (f"band {UNKNOWN}", "muted"))
    else:
        page.row(
            "forecast",
            (figure, "strong"),
            (f"[{number(forecast.low, 3)} … {number(forecast.high, 3)}]", "foreground"),
        )
        page.row("", *band_line(forecast.low, forecast.value, forecast.high, min(48, page.width - LABEL - 6)))
    beats = {True: ("✓ yes", "pnl-up"), False: ("✗ no", "risk-denied"), None: ("unmeasured", "muted")}
    page.row("model", (shorten(forecast.model_digest, 10, 6), "foreground"))
    page.row("baseline", ("beaten out of sample:", "muted"), beats[forecast.beats_baseline])


def band_line(low: float, value: float, high: float, width: int) -> Iterable[tuple[str, str]]:
    """A band from its low to its high end with the forecast on it."""
    share = (value - low) / (high - low) if high > low else 0.5
    spot = max(0, min(width - 3, round(share * (width - 3))))
    return (("├" + "─" * spot + "●" + "─" * (width - 3 - spot) + "┤", "band-edge"),)


def write_check(page: Page, check: CheckView) -> None:
    """A limit: how much of it is used, as a bar and in figures."""
    share = float(check.value / check.limit) if check.limit else 0.0
    glyph, ink = ("✓", "pnl-up") if check.ok else ("✗", "risk-denied")
    filled = bar(share, 16).rstrip()
    figures = f"{plain(check.value)} of {plain(check.limit)} {check.unit}"
    page.row(
        check.name[: LABEL - 1], (f"{glyph} {filled}{'░' * (16 - len(filled))}", ink), (figures, "foreground")
    )


def write_outcome(page: Page, line: LogLine) -> None:
    """What the guard said, and what came of it."""
    one = line.decision
    glyph, ink, meaning = MARKS.get(line.mark, (UNKNOWN, "muted", "unknown"))
    said, color = ("✗", "risk-denied") if one.verdict == "denied" else ("✓", "pnl-up")
    if one.verdict in {"clipped", "needs_approval"}:
        said, color, _ = MARKS[one.verdict]
    page.title("Guard")
    page.row(
        "verdict", (f"{said} {one.verdict.replace('_', ' ')}", color), (one.verdict_reason, "foreground")
    )
    for check in one.checks:
        write_check(page, check)
    if not one.checks:
        page.row("checks", (UNKNOWN, "muted"))
    page.title("Outcome")
    page.row("outcome", (f"{glyph} {meaning}", ink))
    execution = line.execution
    if execution is None:
        return
    if execution.text:
        page.row("", (execution.text.replace("->", "→"), "strong"))
    if execution.error:
        page.row("error", (execution.error, "risk-denied"))
    page.row("block", (number(execution.block_number, 0), "foreground"))
    gas = f"{number(execution.gas_used, 0)} · {number(execution.gas_usd, 2)} USD"
    page.row("gas", (gas, "foreground"))


def write_record(page: Page, line: LogLine) -> None:
    """The digest, the token, the transaction, and the rungs nobody has climbed yet."""
    execution = line.execution
    token = f"#{execution.record_id}" if execution and execution.record_id is not None else UNKNOWN
    page.title("Record")
    page.row("record", (token, "audit-ok" if token != UNKNOWN else "muted"))
    page.row("digest", (line.decision.digest, "foreground"))
    page.row("transaction", ((execution.transaction_hash if execution else None) or UNKNOWN, "foreground"))
    page.row("rungs", *((f"{UNKNOWN} {rung} ", "muted") for rung in RUNGS), ("unverified", "faint"))
