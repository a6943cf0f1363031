"""A pool's liquidity by tick, drawn beside its price, and what it takes to move it."""

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from defai.domain.stream import LiquiditySeen
from defai.tui.format import UNKNOWN, bar, number, price
from defai.tui.pools import PoolState
from defai.tui.themes import Palette, palette_of
from defai.tui.widgets.page import Page


class LiquidityBars(Widget, can_focus=True):
    """A bar a row, the highest price on top; the row of the pool's own tick stands out."""

    def __init__(self, source: str) -> None:
        super().__init__(id=source)
        self._seen: LiquiditySeen | None = None
        self._strips: list[Strip] | None = None

    def display_liquidity(self, seen: LiquiditySeen | None) -> None:
        """Show another distribution."""
        if seen is not self._seen:
            self._seen = seen
            self.repaint()

    def repaint(self) -> None:
        """Draw everything anew."""
        self._strips = None
        self.refresh()

    def on_resize(self) -> None:
        """Draw for the new size."""
        self.repaint()

    def render_line(self, y: int) -> Strip:
        """One row of the drawing, which is made once per distribution and size."""
        width, height = self.size
        if self._strips is None:
            self._strips = draw_liquidity(self._seen, width, height, palette_of(self.app))
        if y < len(self._strips):
            return self._strips[y]
        return Strip.blank(width, palette_of(self.app).style("muted"))


def draw_liquidity(seen: LiquiditySeen | None, width: int, height: int, palette: Palette) -> list[Strip]:
    """Rows of a price and a bar; neighbouring bars share a row where there are more of them than rows."""
    blank = palette.style("muted")
    if seen is None or not seen.bars:
        words = Strip([Segment(" Its liquidity is not told yet.", blank)]).adjust_cell_length(width, blank)
        return [words]
    ordered = sorted(seen.bars, key=lambda one: one.price_upper, reverse=True)
    share = max(1, -(-len(ordered) // max(1, height)))
    rows = [ordered[at : at + share] for at in range(0, len(ordered), share)]
    amounts = [sum(one.liquidity for one in row) / len(row) for row in rows]
    most = max(amounts) or 1.0
    label = max(len(price(row[0].price_upper)) for row in rows)
    strips = []
    for row, amount in zip(rows, amounts, strict=True):
        here = any(one.tick_lower <= seen.tick < one.tick_upper for one in row)
        room = max(1, width - label - 3)
        filled = bar(amount / most, room)
        segments = [
            Segment(f"{price(row[0].price_upper):>{label}}", palette.style("strong" if here else "muted")),
            Segment("▸" if here else "│", palette.style("accent" if here else "faint")),
            Segment(filled, palette.style("primary" if here else "band-edge")),
        ]
        strips.append(Strip(segments).adjust_cell_length(width, blank))
    return strips


def write_depth(page: Page, pool: PoolState) -> None:
    """What moves the price by so much, either way."""
    seen = pool.liquidity
    if seen is None or not seen.depth:
        page.row("depth", ("not told yet", "muted"))
        return
    base, quote = pool.card.base_symbol, pool.card.quote_symbol
    page.line("move by", (f"{f'buying with {quote}':>20}{f'selling {base}':>18}", "muted"))
    for level in seen.depth:
        buys = UNKNOWN if level.buy_quote is None else number(level.buy_quote, 0)
        sells = UNKNOWN if level.sell_base is None else number(level.sell_base, 2)
        page.line(
            f"{number(level.move_bps / 100, 2)} %", (f"{buys:>20}", "pnl-up"), (f"{sells:>18}", "pnl-down")
        )
