"""One agent: its curve, what it holds, what it costs, how it is set, what it decided."""

from collections.abc import Iterable
from decimal import Decimal
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from defai.domain.views import PnlParts
from defai.tui.actions import AGENT, Act, bindings
from defai.tui.fleet import FleetState, Parts
from defai.tui.format import UNKNOWN, age, number, price, shorten, signed
from defai.tui.lines import STATES, AgentLine, LogLine
from defai.tui.messages import LineOpened
from defai.tui.screens.board import Board
from defai.tui.screens.explaining import Explaining
from defai.tui.screens.parameters import ParameterForm
from defai.tui.themes import Palette, palette_of, signed_ink
from defai.tui.widgets.chart import Curve, LineChart, Picture
from defai.tui.widgets.decision_log import DecisionLog
from defai.tui.widgets.fleet_table import Now

JUDGED_SHOWN = 4
"""The last forecasts whose outcome is told one by one."""
TWO_COLUMNS = 80
"""Cells across that two columns of facts take, each with its figures."""
Row = tuple[str, str, str]


class AgentScreen(Explaining, Board):
    """The details of one agent: the one that was opened or selected last."""

    scope: ClassVar[str] = AGENT
    panels: ClassVar[tuple[str, ...]] = ("equity", "agent-facts", "agent-decisions")
    CSS_PATH = "agent.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(AGENT)
    AUTO_FOCUS = "#agent-decisions"

    def compose_body(self) -> ComposeResult:
        """The curve beside the facts, the decisions below."""
        with Horizontal(id="agent-upper"):
            yield LineChart("equity")
            with VerticalScroll(classes="panel", id="agent-facts", can_focus=True):
                yield Static(id="agent-account")
                yield Static(id="agent-holdings")
        yield DecisionLog("agent-decisions", of_one_agent=True)

    @property
    def line(self) -> AgentLine | None:
        """What is known of the agent."""
        agents = self.fleet.agents
        return agents.get(self.terminal.agent_name or "") or next(iter(agents.values()), None)

    @property
    def pointed(self) -> LogLine | None:
        """The decision under the cursor."""
        return self.query_one(DecisionLog).selected

    def on_resize(self, event: events.Resize) -> None:
        """Two columns of facts stand side by side only where both have room for their figures."""
        self.set_class(event.size.width < TWO_COLUMNS, "-one-column")

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        line = self.line
        if line is None or not parts & {"agents", "log", "chart"}:
            return
        chart = self.query_one("#equity", LineChart)
        if chart.is_shown:
            since = chart.oldest(line.equity.last_block)
            curves = (
                Curve(line.equity.points(0, since), "primary"),
                Curve(line.equity.points(1, since), "faint"),
            )
            empty = "Nothing owned yet: the curve is drawn as blocks come in."
            chart.display_picture(Picture(curves if len(line.equity) else (), empty=empty))
        worth = line.portfolio.equity_usd if line.portfolio else None
        title = f"{line.key} · {line.card.strategy} · {number(worth, 2, 'USD')}"
        self.entitle(chart, title, "bright: equity  faint: had it held")
        palette = palette_of(self.app)
        self.query_one("#agent-account", Static).update(account_text(line, palette))
        self.query_one("#agent-holdings", Static).update(holdings_text(line, self.fleet, palette))
        self.entitle(self.query_one("#agent-facts", VerticalScroll), "Account")
        log = self.query_one(DecisionLog)
        self.entitle(log, f"Decisions of {line.key}", set_by(line, log.size.width - 4))
        log.display_log(line.log)

    def called(self, act: Act) -> str:
        """Pausing is resuming where the agent stands still."""
        if act.action == "pause" and self.line is not None:
            return "resume" if self.line.state in {"paused", "stopped"} else "pause"
        return super().called(act)

    def action_open(self) -> None:
        """Open the decision under the cursor."""
        self.query_one(DecisionLog).open_selected()

    def action_pause(self) -> None:
        """Pause the agent, or let it run again."""
        if self.line is not None:
            self.terminal.toggle(self.line.key)

    def action_copy(self) -> None:
        """Copy the digest under the cursor; the vault's address where the list has not the focus."""
        log = self.query_one(DecisionLog)
        if self.focused is log and log.selected is not None:
            self.terminal.copy("digest", log.selected.decision.digest)
        elif self.line is not None:
            self.terminal.copy("vault address", self.line.card.vault)

    def action_step(self, by: int) -> None:
        """Go to the fleet's next or previous agent."""
        names = list(self.fleet.agents)
        if self.line is not None:
            self.terminal.agent_name = names[(names.index(self.line.key) + by) % len(names)]
            self.paint_all()

    def action_edit(self) -> None:
        """Open the form of its parameters."""
        if self.line is None:
            return
        if self.line.card.form:
            self.app.push_screen(ParameterForm(self.line, self.terminal.wishes))
        else:
            self.notify(f"{self.line.card.strategy} has no parameters.", markup=False)

    def action_zoom(self, by: int) -> None:
        """Show a longer or a shorter time in the chart."""
        self.query_one(LineChart).zoom(by)
        self.paint({"chart"})

    def on_line_opened(self, message: LineOpened) -> None:
        """Open a decision."""
        self.terminal.open_decision(message.key)


def account_text(line: AgentLine, palette: Palette) -> Text:
    """Its state and what it is worth, and where the gain came from."""
    text = Text(no_wrap=True, overflow="ellipsis")
    state, why = line.standing
    glyph, ink = STATES.get(state, (UNKNOWN, "muted"))
    reason = f" · {why}" if why else ""
    text.append(f"{glyph} {line.wish or state or UNKNOWN}{reason}\n", style=palette.style(ink))
    section(text, "", account(line), palette)
    section(text, "\nWhere it came from", came_from(line), palette)
    return text


def holdings_text(line: AgentLine, fleet: FleetState, palette: Palette) -> Text:
    """Its balances and positions, what came of its forecasts, how it is set and who it is."""
    text = Text(no_wrap=True, overflow="ellipsis")
    section(text, "Balances", balances(line), palette)
    section(text, "\nPositions", positions(line, fleet), palette)
    if line.judged:
        section(text, "\nForecast against outcome", forecasts(line), palette)
    section(text, "\nParameters", parameters(line), palette)
    section(text, "\nOn the chain", identity(line), palette)
    return text


def section(text: Text, title: str, rows: Iterable[Row], palette: Palette) -> None:
    """A title and its rows."""
    if title:
        text.append(f"{title}\n", style=palette.style("strong"))
    for label, value, ink in rows:
        text.append(f"{label:<15}", style=palette.style("muted"))
        text.append(f"{value:>20}\n", style=palette.style(ink))


def account(line: AgentLine) -> list[Row]:
    """What it is worth; what it earned and paid where nobody counts the gain by its parts."""
    held = line.portfolio
    pnl, versus = line.pnl_percent, line.versus_hold_percent
    rows: list[Row] = [
        ("equity", number(held.equity_usd if held else None, 2, "USD"), "strong"),
        ("started with", number(held.initial_usd if held else None, 2, "USD"), "foreground"),
        ("PnL", signed(pnl, 2, "%"), signed_ink(pnl)),
        ("had it held", number(held.hodl_usd if held else None, 2, "USD"), "foreground"),
        ("against hold", signed(versus, 2, "%"), signed_ink(versus)),
    ]
    if held is None or held.parts is None:
        rows += [
            ("fees earned", number(held.fees_earned_usd if held else None, 2, "USD"), "foreground"),
            ("gas paid", number(held.gas_usd if held else None, 2, "USD"), "foreground"),
        ]
    return rows


def identity(line: AgentLine) -> list[Row]:
    """Where its money and its records are, and which model it asks."""
    return [
        ("records", number(line.records, 0), "audit-ok" if line.records else "muted"),
        ("vault", shorten(line.card.vault), "foreground"),
        ("model", shorten(line.card.model_digest), "foreground"),
    ]


def forecasts(line: AgentLine) -> list[Row]:
    """How often the outcome lay in the band, how far the forecast was off, and the last of them."""
    known = list(line.judged)
    banded = [one for one in known if one.low is not None and one.high is not None]
    held = sum(
        one.low <= one.outcome <= one.high for one in banded if one.low is not None and one.high is not None
    )
    off = sum(abs(one.outcome - one.value) for one in known) / len(known)
    rows: list[Row] = [("off by, mean", f"{number(off, 1)} {known[-1].unit}", "foreground")]
    if banded:
        rows.append(("in the band", f"{held} of {len(banded)}", "foreground"))
    for one in known[: -JUDGED_SHOWN - 1 : -1]:
        missed = one.low is not None and one.high is not None and not one.low <= one.outcome <= one.high
        words = f"{number(one.value, 1)}, came {number(one.outcome, 1)}"
        rows.append((f"block {number(one.decided_block, 0)}", words, "waiting" if missed else "foreground"))
    return rows


def came_from(line: AgentLine) -> list[Row]:
    """The gain by its parts, which add up to it, then two other ways to see it; what nobody counted reads "-"."""
    parts = line.portfolio.parts if line.portfolio else None
    if parts is None:
        return [("not counted", "", "muted")]
    lost, lvr, swaps = parts.impermanent_loss_usd, parts.lvr_usd, parts.swap_cost_usd
    rows = (
        ("market", parts.market_usd),
        ("fees", parts.fees_usd),
        ("IL", None if lost is None else -lost),
        ("gas", -parts.gas_usd),
        ("swap costs", None if swaps is None else -swaps),
        ("timing", timing(parts)),
        ("together", parts.pnl_usd),
        ("of it realized", parts.realized_usd),
        (f"LVR, {parts.lvr_interval_s} s", None if lvr is None else -lvr),
    )
    return [(name, signed(value, 2, "USD"), signed_ink(value)) for name, value in rows]


def timing(parts: PnlParts) -> Decimal | None:
    """What holding something else than at the start made, or lost: all that no other part explains."""
    lost, swaps = parts.impermanent_loss_usd, parts.swap_cost_usd
    if lost is None or swaps is None:
        return None
    return parts.pnl_usd - parts.market_usd - parts.fees_usd + lost + parts.gas_usd + swaps


def balances(line: AgentLine) -> list[Row]:
    """Its idle tokens."""
    if line.portfolio is None:
        return [(UNKNOWN, "", "muted")]
    places = {"USDC": 2, "USDT": 2, "DAI": 2}
    return [
        (symbol, number(amount, places.get(symbol, 6)), "foreground")
        for symbol, amount in line.portfolio.balances
    ]


def positions(line: AgentLine, fleet: FleetState) -> list[Row]:
    """Its liquidity: range, worth, fees owed."""
    if line.portfolio is None:
        return [(UNKNOWN, "", "muted")]
    if not line.portfolio.positions:
        return [("none", "", "muted")]
    now = Now.of(fleet)
    rows: list[Row] = []
    for held in line.portfolio.positions:
        pool = fleet.pool(held.pool)
        state = "in range" if held.in_range else f"out for {age(now.since(line.out_since))}"
        rows += [
            (f"#{held.token_id}", pool.name if pool else shorten(held.pool), "foreground"),
            ("  range", f"{price(held.price_lower)} … {price(held.price_upper)}", "foreground"),
            ("  ticks", f"{number(held.tick_lower, 0)} … {number(held.tick_upper, 0)}", "muted"),
            ("  the price is", state, "pnl-up" if held.in_range else "waiting"),
            ("  worth", number(held.value_usd, 2, "USD"), "foreground"),
            ("  fees owed", number(held.fees_owed_usd, 2, "USD"), "foreground"),
        ]
    return rows


def parameters(line: AgentLine) -> list[Row]:
    """How its strategy is set."""
    return [(name, value, "foreground") for name, value in line.card.parameters.items()] or [
        ("none", "", "muted")
    ]


def set_by(line: AgentLine, room: int) -> str:
    """How its strategy is set, as far as that fits on a line: the list of it may lie below the fold."""
    words = [f"{name} {value}" for name, value in line.card.parameters.items()]
    for shown in range(len(words), 0, -1):
        left = len(words) - shown
        text = " · ".join([*words[:shown], *([f"{left} more"] if left else [])])
        if len(text) <= room:
            return text
    return ""
