"""The fleet: what do I own, what did it last do and why, is anything wrong?"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal
from textual.markup import escape
from textual.widget import Widget

from defai.tui.actions import FLEET, bindings
from defai.tui.fleet import Parts
from defai.tui.format import number, price
from defai.tui.lines import AgentLine
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.screens.board import Board
from defai.tui.widgets.chart import Band, Curve, LineChart, Mark, Picture
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.fleet_table import FleetTable
from defai.tui.widgets.grid import LineGrid
from defai.tui.widgets.record_panel import RecordPanel
from defai.tui.widgets.setup_panel import SetupPanel


class FleetScreen(Board):
    """The first screen: the fleet's table, the price with the selected agent's band, decisions, records."""

    scope: ClassVar[str] = FLEET
    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(FLEET)
    AUTO_FOCUS = "#table"

    def __init__(self) -> None:
        super().__init__()
        self._shape = (0, 0)

    def compose_body(self) -> ComposeResult:
        """Table, chart, and below them the log beside the records."""
        yield FleetTable()
        yield SetupPanel(id="setup")
        yield LineChart("chart")
        with Horizontal(id="lower"):
            yield DecisionLog()
            yield RecordPanel()

    # -- painting ------------------------------------------------------------------------------------------------

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        setting_up = self.fleet.started is None
        self.set_class(setting_up, "-setup")
        if setting_up:
            self.query_one(SetupPanel).display_setup(self.fleet.setup, self.fleet.setup_done)
        if parts & {"agents", "setup"}:
            self._paint_table()
        if parts & {"chart", "agents"}:
            self._paint_chart()
        if "log" in parts:
            self._paint_log()
        if "records" in parts:
            self._paint_records()

    def _paint_table(self) -> None:
        table = self.query_one(FleetTable)
        count = len(self.fleet.agents)
        self.entitle(table, titled(1, f"Fleet · {number(count, 0)} agents" if count else "Fleet"))
        height = min(count + 3, max(7, self.size.height * 2 // 5)) if count else 7
        if (count, height) != self._shape:
            self._shape = (count, height)
            table.styles.height = height
            self.refresh_bindings()
        table.display_fleet(self.fleet)

    def _paint_log(self) -> None:
        log = self.query_one(DecisionLog)
        log.display_log(self.fleet.log)
        dropped = self.terminal.dropped
        self.entitle(log, titled(3, "Decisions"), f"{number(dropped, 0)} events skipped" if dropped else "")

    def _paint_records(self) -> None:
        panel = self.query_one(RecordPanel)
        panel.display_records(self.fleet.records)
        self.entitle(panel, titled(4, "Records"))

    def _paint_chart(self) -> None:
        chart = self.query_one(LineChart)
        if not chart.display:
            return
        line = self.selected_agent
        pools = self.fleet.started.pools if self.fleet.started else ()
        address = line.main_pool if line and line.main_pool else pools[0].address if pools else None
        pool, quote = self.fleet.pool(address), self.fleet.quote(address)
        points = tuple(self.fleet.prices.get(address or "", ()))
        unit = f"{pool.quote_symbol} per {pool.base_symbol}" if pool else ""
        now = price(quote.price if quote else None)
        title = titled(2, f"{pool.name} · {now} {unit}" if pool else "Price")
        legend = "▲ bought  ▼ sold  ◆ liquidity moved" if line and line.trades else ""
        self.entitle(chart, title, legend)
        empty = "No block yet: the price is drawn as blocks come in."
        chart.display_picture(picture(line, points, empty))

    # -- what the actions are about ------------------------------------------------------------------------------

    @property
    def selected_agent(self) -> AgentLine | None:
        """The agent under the table's cursor."""
        return self.query_one(FleetTable).selected

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action in {"pause", "open", "copy"}:
            return bool(self.is_mounted and self.fleet.agents)
        return super().check_action(action, parameters)

    def action_open(self) -> None:
        """Open what the cursor is on."""
        focused = self.focused
        if isinstance(focused, LineGrid):
            focused.open_selected()
        elif self.selected_agent is not None:
            self.terminal.open_agent(self.selected_agent.key)

    def action_pause(self) -> None:
        """Pause or resume the selected agent."""
        if self.selected_agent is not None:
            self.terminal.toggle(self.selected_agent.key)

    def action_copy(self) -> None:
        """Copy the vault's address, the decision's digest or the record's digest."""
        focused = self.focused
        panel = self.query_one(RecordPanel)
        log = self.query_one(DecisionLog)
        if focused is log and log.selected is not None:
            self.terminal.copy("digest", log.selected.decision.digest)
        elif focused is panel.records and panel.records.selected is not None:
            self.terminal.copy("digest", panel.records.selected.digest)
        elif self.selected_agent is not None:
            self.terminal.copy("vault address", self.selected_agent.card.vault)

    def action_panel(self, name: str) -> None:
        """Go to a panel; in a small terminal it takes the lower part of the screen."""
        for panel in ("chart", "records"):
            self.set_class(panel == name, f"-show-{panel}")
        self.call_after_refresh(self._enter, name)

    def _enter(self, name: str) -> None:
        self.query_one(f"#{name}", Widget).focus()
        self.paint_all()

    def action_zoom(self, by: int) -> None:
        """Show a longer or a shorter time in the chart."""
        self.query_one(LineChart).zoom(by)

    # -- what the widgets say ------------------------------------------------------------------------------------

    def on_line_selected(self, message: LineSelected) -> None:
        """Draw the selected agent's band; show the selected record."""
        if message.source == "table":
            self._paint_chart()
        elif message.source == "records":
            self.query_one(RecordPanel).display_selected()

    def on_line_opened(self, message: LineOpened) -> None:
        """Open an agent, a decision, or the decision of a record."""
        if message.source == "table":
            self.terminal.open_agent(message.key)
        elif message.source == "log":
            self.terminal.open_decision(message.key)
        else:
            line = next((one for one in self.fleet.records if one.key == message.key), None)
            if line is not None and line.minted is not None:
                self.terminal.open_decision(line.digest)


def titled(key: int, words: str) -> str:
    """A panel's title with the key that goes there."""
    return f"[$accent]{key}[/] {escape(words)}"


def picture(line: AgentLine | None, points: tuple[tuple[int, float], ...], empty: str) -> Picture:
    """The price, and over it what the selected agent has to do with it."""
    curves = (Curve(points, "price-line"),) if points else ()
    if line is None:
        return Picture(curves, empty=empty)
    return Picture(
        curves,
        tuple(Band(span.first_block, span.last_block, span.low, span.high) for span in line.bands),
        tuple(Mark(trade.block, trade.level, trade.sort) for trade in line.trades),
        line.key,
        empty,
    )
