"""Pool: what does it cost now, who trades in it, how deep is it, and what would my amount get?"""

from decimal import Decimal, InvalidOperation
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Input

from defai.domain.answers import QuoteView
from defai.errors import DefaiError
from defai.tui.actions import POOL, bindings
from defai.tui.fleet import Parts
from defai.tui.format import UNKNOWN, clock, number, price, shorten
from defai.tui.messages import LineOpened
from defai.tui.pools import PoolState, TapeLine
from defai.tui.screens.board import Board
from defai.tui.themes import palette_of
from defai.tui.widgets.chart import Band, Curve, LineChart, Mark, Picture
from defai.tui.widgets.depth import LiquidityBars, write_depth
from defai.tui.widgets.fans import fans
from defai.tui.widgets.grid import Column, LineGrid, Spans
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextView


class PoolScreen(Board):
    """The price with the agents' bands and executions, liquidity by tick, the tape, depth and a quote."""

    scope: ClassVar[str] = POOL
    panels: ClassVar[tuple[str, ...]] = ("tape", "pool-price", "liquidity", "depth")
    CSS_PATH = "pool.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(POOL)
    AUTO_FOCUS = "#tape"

    def __init__(self) -> None:
        super().__init__()
        self.quoted: QuoteView | None = None
        self.refused = ""

    def compose_body(self) -> ComposeResult:
        """Chart beside liquidity, tape beside depth and quote."""
        with Horizontal(id="pool-upper"):
            yield LineChart("pool-price")
            yield LiquidityBars("liquidity")
        with Horizontal(id="pool-lower"):
            yield LineGrid[TapeLine](
                tape_columns(),
                empty="Nobody has swapped yet.",
                source="tape",
                follow=True,
                words=lambda one: one.words,
            )
            with VerticalScroll(classes="panel", id="depth", can_focus=True):
                yield TextView("depth-page")
                yield Input(placeholder="an amount: 2.5 WETH", id="quote-amount", compact=True)
                yield TextView("quote-page")

    @property
    def pool(self) -> PoolState | None:
        """The pool that was chosen last, else the selected agent's, else the first."""
        pools = self.fleet.pools
        agent = self.fleet.agents.get(self.terminal.agent_name or "")
        for address in (self.terminal.pool_address, agent.main_pool if agent else None):
            if address in pools:
                return pools[address or ""]
        return next(iter(pools.values()), None)

    @property
    def tape(self) -> "LineGrid[TapeLine]":
        """The list of swaps."""
        return self.query_one("#tape", LineGrid)

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        pool = self.pool
        if pool is None or not parts & {"pools", "chart"}:
            return
        self._paint_chart(pool)
        bars = self.query_one(LiquidityBars)
        bars.display_liquidity(pool.liquidity)
        self.entitle(bars, "Liquidity by tick")
        self.tape.show(tuple(pool.tape)[::-1], pool.name)
        left_out = f"{number(pool.left_out, 0)} more left out" if pool.left_out else ""
        self.entitle(self.tape, "Swaps", left_out)
        box = self.query_one("#depth", VerticalScroll)
        self.entitle(box, "Depth · t asks for a quote")
        page = Page(palette_of(self.app), max(46, box.scrollable_content_region.width), label=8, indent=1)
        write_depth(page, pool)
        self.query_one("#depth-page", TextView).display_text(page.text)
        self._paint_quote()

    def _paint_chart(self, pool: PoolState) -> None:
        chart = self.query_one(LineChart)
        now = price(pool.quote.price if pool.quote else None)
        title = f"{pool.name} · {now} {pool.unit}"
        if not chart.is_shown:
            self.entitle(chart, title)
            return
        points = pool.prices.points(since=chart.oldest(pool.prices.last_block))
        address = pool.card.address
        lines = [line for line in self.fleet.agents.values() if line.main_pool == address]
        chosen = self.terminal.agent_name
        shown = chosen if any(line.key == chosen and line.bands for line in lines) else None
        shown = shown or next((line.key for line in lines if line.bands), None)
        bands = tuple(
            Band(span.first_block, span.last_block, span.low, span.high, line.key, faint=line.key != shown)
            for line in lines[:40]
            for span in line.bands
        )
        marks = tuple(Mark(one.block, one.level, one.sort) for line in lines[:40] for one in line.trades)
        ahead = fans(lines, pool, chosen) if points else ()
        empty = "No block yet: the price is drawn as blocks come in."
        curves = (Curve(points, "price-line"),) if points else ()
        chart.display_picture(Picture(curves, bands, marks, empty, ahead))
        legend = "▲ bought  ▼ sold  ◆ liquidity moved"
        self.entitle(chart, title, f"{legend}  ·· forecast" if ahead else legend)

    def _paint_quote(self) -> None:
        page = Page(palette_of(self.app), 46, label=8, indent=1)
        one = self.quoted
        if self.refused:
            page.row("", (self.refused, "risk-denied"))
        elif one is not None:
            page.row("gives", (f"{number(one.amount_out, 6)} {one.buy_symbol}", "strong"))
            page.row("for", (f"{number(one.amount_in, 6)} {one.sell_symbol}", "foreground"))
            cost = UNKNOWN if one.cost_bps is None else number(one.cost_bps, 1)
            page.row(
                "costs", (f"{cost} bp,", "foreground"), (f"{number(one.fee_bps, 1)} of them the fee", "muted")
            )
            page.row("price", (f"{price(one.price)} · after it {price(one.price_after)}", "foreground"))
            page.row("", (f"as of block {number(one.block_number, 0)}; nothing is sent", "muted"))
        self.query_one("#quote-page", TextView).display_text(page.text)

    def action_quote(self) -> None:
        """Go where an amount is typed."""
        if not self.query_one("#depth").is_on_screen:
            self._enlarge(self.query_one("#depth"))
        self.call_after_refresh(self.query_one("#quote-amount", Input).focus)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Ask what an amount would get."""
        if event.input.id != "quote-amount" or self.pool is None:
            return
        event.stop()
        amount, symbol = wish_of(event.value, self.pool)
        self.quoted, self.refused = None, ""
        if amount is None or symbol is None:
            card = self.pool.card
            self.refused = (
                f"An amount and a token are wanted: 2.5 {card.base_symbol}, or 900 {card.quote_symbol}."
            )
            self._paint_quote()
            return
        call = self.terminal.wishes.control.quote(self.pool.card.address, symbol, amount)
        self.terminal.wishes.ask(call, self._quoted, self._refused)

    def _quoted(self, answer: QuoteView) -> None:
        self.quoted = answer
        self._paint_quote()

    def _refused(self, refusal: DefaiError) -> None:
        self.refused = refusal.sentence
        self._paint_quote()

    def action_step(self, by: int) -> None:
        """Go to the next or previous pool."""
        names = list(self.fleet.pools)
        if self.pool is not None:
            self.terminal.pool_address = names[(names.index(self.pool.card.address) + by) % len(names)]
            self.quoted, self.refused = None, ""
            self.paint_all()

    def action_zoom(self, by: int) -> None:
        """Show a longer or a shorter time in the chart."""
        self.query_one(LineChart).zoom(by)
        self.paint({"chart"})

    def action_copy(self) -> None:
        """Copy the swap's transaction, or the pool's address where the tape has not the focus."""
        line = self.tape.selected
        if self.focused is self.tape and line is not None:
            self.terminal.copy("transaction", line.swap.transaction_hash)
        elif self.pool is not None:
            self.terminal.copy("pool's address", self.pool.card.address)

    def on_line_opened(self, message: LineOpened) -> None:
        """A double click on an agent's own swap opens the agent."""
        line = self.tape.selected
        if message.source == "tape" and line is not None and line.who:
            self.terminal.open_agent(line.who)


def wish_of(text: str, pool: PoolState) -> tuple[Decimal | None, str | None]:
    """An amount and the token it is of, as typed: "2.5 weth"; None for what is missing."""
    words = text.replace(",", "").split()
    symbols = {one.lower(): one for one in (pool.card.base_symbol, pool.card.quote_symbol)}
    symbol = next((symbols[word.lower()] for word in words if word.lower() in symbols), None)
    for word in words:
        try:
            amount = Decimal(word)
        except InvalidOperation:
            continue
        if amount.is_finite() and amount > 0:
            return amount, symbol
    return None, symbol


def tape_columns() -> tuple[Column[TapeLine], ...]:
    """Block, time, side, amounts, price, cost, who."""
    return (
        Column[TapeLine](
            "block",
            lambda one: ((f"{one.block_number}", "muted"),),
            6,
            right=True,
            raw=lambda one: one.block_number,
        ),
        Column[TapeLine](
            "time UTC",
            lambda one: ((clock(one.timestamp), "muted"),),
            8,
            rank=4,
            raw=lambda one: one.timestamp,
            name="timestamp",
        ),
        Column[TapeLine]("", side, 4, raw=lambda one: one.swap.side, name="side"),
        Column[TapeLine](
            "base",
            lambda one: ((number(one.swap.base_amount, 4), "strong"),),
            10,
            right=True,
            raw=lambda one: one.swap.base_amount,
        ),
        Column[TapeLine](
            "quote",
            lambda one: ((number(one.swap.quote_amount, 2), "foreground"),),
            12,
            right=True,
            rank=2,
            raw=lambda one: one.swap.quote_amount,
        ),
        Column[TapeLine](
            "price",
            lambda one: ((price(one.swap.price), "foreground"),),
            10,
            right=True,
            raw=lambda one: one.swap.price,
        ),
        *costs_and_owners(),
    )


def costs_and_owners() -> tuple[Column[TapeLine], ...]:
    """What it cost, whose it was, and its transaction."""
    return (
        Column[TapeLine]("cost bp", cost, 7, right=True, rank=3, raw=lambda one: one.swap.cost_bps),
        Column[TapeLine]("whose", whose, 10, grow=1, rank=1, raw=lambda one: one.who or None),
        Column[TapeLine](
            "transaction",
            lambda one: ((shorten(one.swap.transaction_hash), "muted"),),
            11,
            rank=5,
            raw=lambda one: one.swap.transaction_hash,
        ),
    )


def side(line: TapeLine) -> Spans:
    """Bought or sold, of the base token."""
    return (("buy", "pnl-up"),) if line.swap.side == "buy" else (("sell", "pnl-down"),)


def cost(line: TapeLine) -> Spans:
    """Fee and impact."""
    return ((UNKNOWN if line.swap.cost_bps is None else number(line.swap.cost_bps, 1), "muted"),)


def whose(line: TapeLine) -> Spans:
    """The agent's name; a dot for somebody else's."""
    return ((line.who, "accent"),) if line.who else (("·", "faint"),)
