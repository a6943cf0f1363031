"""The fleet: what do I own, what did it last do and why, is anything wrong?"""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from defai.tui.actions import FLEET, Act, bindings
from defai.tui.fleet import Parts
from defai.tui.format import number, price
from defai.tui.lines import AgentLine, LogLine
from defai.tui.messages import LineOpened, LineSelected
from defai.tui.pools import PoolState
from defai.tui.screens.board import Board
from defai.tui.screens.explaining import Explaining
from defai.tui.widgets.chart import Band, Curve, LineChart, Mark, Picture
from defai.tui.widgets.decision_card import DecisionCard
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.depth import LiquidityBars
from defai.tui.widgets.fleet_table import FleetTable
from defai.tui.widgets.setup_panel import SetupPanel


class FleetScreen(Explaining, Board):
    """The first screen: the fleet's table, the price with the selected agent's band, decisions, the selected one."""

    scope: ClassVar[str] = FLEET
    panels: ClassVar[tuple[str, ...]] = ("agents", "price", "decisions", "decision-card")
    CSS_PATH = "fleet.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(FLEET)
    AUTO_FOCUS = "#agents"

    def __init__(self) -> None:
        super().__init__()
        self._liquidity: LiquidityBars | None = None

    def compose_body(self) -> ComposeResult:
        """Table, chart, and below them the log beside the selected decision."""
        self.set_class(self.fleet.started is None, "-setup", update=False)
        yield FleetTable()
        yield SetupPanel(id="setup")
        with Horizontal(id="market"):
            yield LineChart("price")
        with Horizontal(id="lower"):
            yield DecisionLog()
            yield DecisionCard("decision-card")

    def on_resize(self, event: events.Resize) -> None:
        """In a large terminal the pool's liquidity stands beside its price; elsewhere nothing is spent on it."""
        steps = (*(self.terminal.HORIZONTAL_BREAKPOINTS or ()), *(self.terminal.VERTICAL_BREAKPOINTS or ()))
        least = {name: cells for cells, name in steps}
        width, height = event.size
        if width >= least["-wide"] and height >= least["-tall"] and self._liquidity is None:
            self._liquidity = LiquidityBars("fleet-liquidity")
            self.query_one("#market").mount(self._liquidity)
            self.call_after_refresh(self.paint, {"pools", "chart"})

    # -- painting --------------------------------------------------------------------------------------------------

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        setting_up = self.fleet.started is None
        if self.has_class("-setup") != setting_up:
            self.set_class(setting_up, "-setup")
            self.call_after_refresh(self.paint_all)  # what was hidden has had no size to be drawn for
        if setting_up:
            self.query_one(SetupPanel).display_setup(self.fleet)
        if parts & {"agents", "setup"}:
            self._paint_table()
        if "chart" in parts:
            self._paint_chart()
        if parts & {"pools", "chart"}:
            self._paint_liquidity()
        if "log" in parts:
            self._paint_log()
        if "card" in parts:
            self._paint_card()

    def _paint_table(self) -> None:
        table = self.table
        count = len(self.fleet.agents)
        self.entitle(
            table, f"Fleet · {number(count, 0)} agent{'' if count == 1 else 's'}" if count else "Fleet"
        )
        room = self.size.height // 2 if self.has_class("-short") else self.size.height * 2 // 5
        height = min(count + 3, max(7, room)) if count else 7
        self.shape(table, height)
        table.display_fleet(self.fleet)

    def _paint_log(self) -> None:
        log = self.query_one(DecisionLog)
        log.display_log(self.fleet.log)
        dropped = self.terminal.dropped
        self.entitle(log, "Decisions", f"{number(dropped, 0)} events skipped" if dropped else "")

    def _paint_card(self) -> None:
        card = self.query_one(DecisionCard)
        line = self.pointed
        agent = self.fleet.agents.get(line.agent) if line else None
        last = "Last act" if line is self.fleet.acted else "Decision"
        self.entitle(card, f"{last} · {line.decision.sequence} of {line.agent}" if line else "Decision")
        card.display_line(line, agent)

    def _paint_liquidity(self) -> None:
        bars = self._liquidity
        if bars is not None and bars.is_mounted:
            bars.display_liquidity(self.pool.liquidity if self.pool else None)
            self.entitle(bars, "Liquidity by tick")

    def _paint_chart(self) -> None:
        chart = self.query_one(LineChart)
        if not chart.is_shown:
            return
        line, pool = self.selected_agent, self.pool
        title = (
            f"{pool.name} · {price(pool.quote.price if pool.quote else None)} {pool.unit}"
            if pool
            else "Price"
        )
        legend = "▲ bought  ▼ sold  ◆ liquidity moved" if line and line.trades else ""
        self.entitle(chart, title, legend)
        chart.display_picture(picture(line, pool, chart))

    # -- what the actions are about --------------------------------------------------------------------------------

    @property
    def table(self) -> FleetTable:
        """The fleet's table."""
        return self.query_one(FleetTable)

    @property
    def pool(self) -> PoolState | None:
        """The selected agent's main pool, or else the first."""
        line = self.selected_agent
        pool = self.fleet.pools.get(line.main_pool or "") if line else None
        return pool or next(iter(self.fleet.pools.values()), None)

    @property
    def selected_agent(self) -> AgentLine | None:
        """The agent under the table's cursor."""
        return self.table.selected

    @property
    def pointed(self) -> LogLine | None:
        """The decision under the log's cursor; until one goes there, the last that did something."""
        log = self.query_one(DecisionLog)
        if log.cursor == 0 and self.focused is not log and self.fleet.acted is not None:
            return self.fleet.acted
        return log.selected

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action in {"pause", "open", "copy", "sort", "filter", "export"}:
            return bool(self.is_mounted and self.fleet.agents)
        if action == "verify":
            return bool(self.is_mounted and self.pointed is not None)
        return super().check_action(action, parameters)

    def called(self, act: Act) -> str:
        """Pausing is resuming where the agent stands still."""
        line = self.selected_agent
        if act.action == "pause" and line is not None:
            return "resume" if line.state in {"paused", "stopped"} else "pause"
        return super().called(act)

    def action_open(self) -> None:
        """Open what the cursor is on."""
        if isinstance(self.focused, DecisionLog | DecisionCard):
            self._open_decision()
        elif self.selected_agent is not None:
            self.terminal.open_agent(self.selected_agent.key)

    def _open_decision(self) -> None:
        """Open the decision that the card shows."""
        self.stay()
        if self.pointed is not None:
            self.terminal.open_decision(self.pointed.key)

    def action_pause(self) -> None:
        """Pause or resume the selected agent."""
        if self.selected_agent is not None:
            self.terminal.toggle(self.selected_agent.key)

    def action_copy(self) -> None:
        """Copy the decision's digest, or the vault's address."""
        if isinstance(self.focused, DecisionLog | DecisionCard) and self.pointed is not None:
            self.terminal.copy("digest", self.pointed.decision.digest)
        elif self.selected_agent is not None:
            self.terminal.copy("vault address", self.selected_agent.card.vault)

    def action_zoom(self, by: int) -> None:
        """Show a longer or a shorter time in the chart."""
        chart = self.query_one(LineChart)
        chart.zoom(by)
        self._paint_chart()

    # -- what the widgets say --------------------------------------------------------------------------------------

    def on_line_selected(self, message: LineSelected) -> None:
        """Draw the selected agent's band; show the selected decision."""
        if message.source == "agents":
            self.terminal.agent_name = message.key
            self._paint_chart()
            self.paint_keys()
        elif self.focused is self.query_one(DecisionLog):
            self._paint_card()
            self.explain_soon()

    def on_line_opened(self, message: LineOpened) -> None:
        """Open an agent or a decision."""
        if message.source == "agents":
            self.terminal.open_agent(message.key)
        else:
            self.terminal.open_decision(message.key)


def picture(line: AgentLine | None, pool: PoolState | None, chart: LineChart) -> Picture:
    """The price, and over it what the selected agent has to do with it."""
    points = pool.prices.points(since=chart.oldest(pool.prices.last_block)) if pool else []
    curves = (Curve(points, "price-line"),) if points else ()
    empty = "No block yet: the price is drawn as blocks come in."
    if line is None:
        return Picture(curves, empty=empty)
    return Picture(
        curves,
        tuple(Band(span.first_block, span.last_block, span.low, span.high, line.key) for span in line.bands),
        tuple(Mark(trade.block, trade.level, trade.sort) for trade in line.trades),
        empty,
    )
