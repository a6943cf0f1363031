"""The first line of every screen: where we are, what we own, what waits."""

from typing import NamedTuple

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from defai.tui.fleet import FleetState
from defai.tui.format import UNKNOWN, age, gwei, milliseconds, network_name, number, signed
from defai.tui.opening import STARTING, in_short
from defai.tui.themes import palette_of, signed_ink


class Piece(NamedTuple):
    """A piece of the line; the higher its rank, the earlier it gives way."""

    text: str
    ink: str
    rank: int = 0


class StatusBar(Widget):
    """Network, block and its age, base fee, speed; equity, PnL, what waits for the owner."""

    def __init__(self) -> None:
        super().__init__(id="status")
        self._left: tuple[Piece, ...] = (Piece("", "muted"),)
        self._right: tuple[Piece, ...] = ()

    def display_place(self, fleet: FleetState, now: float, *, stale: bool, leaving: bool) -> bool:
        """Show where the session stands at a time of the terminal's clock; says whether it is to be drawn anew."""
        before, self._left = self._left, left_pieces(fleet, now, stale=stale, leaving=leaving)
        return self._left != before

    def display_sums(self, fleet: FleetState) -> bool:
        """Show what the agents come to; says whether it is to be drawn anew."""
        before, self._right = self._right, right_pieces(fleet)
        return self._right != before

    def render_line(self, y: int) -> Strip:
        """The line; less important pieces give way until the rest fits."""
        width = self.size.width
        if y:
            return Strip.blank(width, palette_of(self.app).style("muted", "surface"))
        left, right = list(self._left), list(self._right)
        while measure(left) + measure(right) + 4 > width:
            rank = max(piece.rank for piece in (*left, *right))
            if rank == 0:
                break
            left, right = [[piece for piece in side if piece.rank < rank] for side in (left, right)]
        palette = palette_of(self.app)
        ground = "surface"
        segments = [Segment(" ", palette.style("muted", ground))]
        segments += [Segment(piece.text, palette.style(piece.ink, ground)) for piece in left]
        gap = max(1, width - measure(left) - measure(right) - 2)
        segments.append(Segment(" " * gap, palette.style("muted", ground)))
        segments += [Segment(piece.text, palette.style(piece.ink, ground)) for piece in right]
        return Strip(segments).adjust_cell_length(width, palette.style("muted", ground))


def measure(pieces: list[Piece]) -> int:
    """Cells a list of pieces takes."""
    return sum(len(piece.text) for piece in pieces)


def left_pieces(fleet: FleetState, now: float, *, stale: bool, leaving: bool) -> tuple[Piece, ...]:
    """Where we are, and how fresh it is."""
    name = Piece("defai  ", "accent", 3)
    if leaving:
        return (name, Piece("○ settling…", "waiting"))
    if fleet.ended is not None:
        return (name, Piece("■ session ended", "risk-denied" if fleet.ended.exit_code else "muted"))
    if fleet.started is None:
        words = in_short(fleet.opening if fleet.setup is None else STARTING)
        return (name, Piece(f"○ {words}", "waiting"))
    network = network_name(fleet.started.network, fleet.started.chain_id)
    if fleet.block is None or fleet.block_seen_at is None:
        return (
            name,
            Piece("○ ", "waiting"),
            Piece(network, "strong"),
            Piece(" · waiting for a block", "muted"),
        )
    since = now - fleet.block_seen_at
    dot = Piece("○ ", "risk-denied") if stale else Piece("● ", "pnl-up")
    fresh = (
        Piece(f" · no block for {age(since)}", "risk-denied")
        if stale
        else Piece(f" · {age(since)}", "muted", 6)
    )
    return (
        name,
        dot,
        Piece(network, "strong"),
        Piece(" · ", "muted"),
        Piece("block ", "muted", 2),
        Piece(number(fleet.block.number, 0), "strong"),
        fresh,
        *(() if stale else (Piece(" ago", "muted", 13),)),
        Piece(" · ", "muted", 7),
        Piece("base fee ", "muted", 11),
        Piece(gwei(fleet.block.base_fee_wei), "muted", 7),
        Piece(" · ", "muted", 8),
        Piece("decided in ", "muted", 12),
        Piece(milliseconds(fleet.latency_ms), "muted", 8),
    )


def right_pieces(fleet: FleetState) -> tuple[Piece, ...]:
    """What we own, and what waits."""
    if fleet.started is None:
        return ()
    pnl, versus = (
        None if value is None else round(value, 2) for value in (fleet.pnl_percent, fleet.versus_hold_percent)
    )
    waits = (Piece(f"   {fleet.waiting} waiting", "waiting"),) if fleet.waiting else ()
    worth = number(fleet.equity_usd)
    return (
        Piece("equity ", "muted", 10),
        Piece(worth, "strong"),
        Piece("" if worth == UNKNOWN else " USD", "muted", 4),
        Piece(f"  {signed(pnl, 2, '%')}", signed_ink(pnl)),
        Piece("  vs hold ", "muted", 5),
        Piece(signed(versus, 2, "%"), signed_ink(versus), 5),
        *waits,
    )
