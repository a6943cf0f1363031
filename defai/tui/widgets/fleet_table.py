"""The fleet: a line an agent, drawn by one widget however many there are."""

from collections.abc import Callable
from decimal import Decimal

from defai.domain.stream import ForecastView
from defai.late_dataclass import dataclass
from defai.tui.fleet import FleetState
from defai.tui.format import MU, SIGMA, UNKNOWN, age, number, range_cells, shorten, signed, spark
from defai.tui.lines import STATES, AgentLine
from defai.tui.themes import signed_ink
from defai.tui.waiting import left_words
from defai.tui.widgets.columns import Raw
from defai.tui.widgets.decision_log import reason
from defai.tui.widgets.grid import Column, LineGrid, Spans

NOTHING: Spans = ((UNKNOWN, "muted"),)


@dataclass(frozen=True, slots=True)
class Now:
    """What cells need beside the agent: the newest block's time, and prices by pool."""

    timestamp: int | None
    prices: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, fleet: FleetState) -> "Now":
        """As the newest block has it."""
        if fleet.block is None:
            return cls(None, ())
        return cls(
            fleet.block.timestamp, tuple((quote.address, float(quote.price)) for quote in fleet.block.pools)
        )

    def price(self, pool: str | None) -> float | None:
        """A pool's price, quote per base."""
        return next((price for address, price in self.prices if address == pool), None)

    def since(self, timestamp: int | None) -> float | None:
        """Seconds on the chain's clock since a block's time."""
        return None if timestamp is None or self.timestamp is None else self.timestamp - timestamp


class FleetTable(LineGrid[AgentLine]):
    """The fleet's table.

    Attributes:
        now: what the cells of the last `display_fleet` refer to.
    """

    def __init__(self) -> None:
        self.now = Now(None, ())
        self._is_over = False
        self._here_s: Callable[[float], float | None] = lambda _: None
        columns = (
            Column[AgentLine](
                "agent", lambda one: ((one.card.name, "strong"),), 9, grow=2, raw=lambda one: one.card.name
            ),
            Column[AgentLine](
                "strategy",
                lambda one: ((one.card.strategy, "foreground"),),
                14,
                grow=1,
                rank=7,
                raw=lambda one: one.card.strategy,
            ),
            Column[AgentLine]("equity USD", equity, 11, right=True, raw=equity_usd),
            Column[AgentLine](
                "PnL %", lambda one: percent(one.pnl_percent), 7, right=True, raw=lambda one: one.pnl_percent
            ),
            Column[AgentLine](
                "vs hold",
                lambda one: percent(one.versus_hold_percent),
                8,
                rank=4,
                right=True,
                raw=lambda one: one.versus_hold_percent,
                name="vs hold %",
            ),
            Column[AgentLine]("curve", curve, 8, rank=5),
            Column[AgentLine]("position", self.position, 20, raw=position_word),
            Column[AgentLine]("forecast", forecast, 12, rank=6, raw=forecast_value),
            Column[AgentLine]("trend", trend, 8, rank=9),
            Column[AgentLine]("fees USD", fees, 9, rank=10, right=True, raw=fees_usd),
            Column[AgentLine]("gas USD", gas, 8, rank=11, right=True, raw=gas_usd),
            Column[AgentLine]("vault", vault, 11, rank=12, raw=lambda one: one.card.vault),
            Column[AgentLine]("last decision", self.last, 18, grow=2, raw=last_word),
            Column[AgentLine]("because", because, 30, grow=6, rank=8, raw=reason_word),
            Column[AgentLine]("", state, 1),
            Column[AgentLine]("state", state_word, 8, rank=8, raw=lambda one: one.standing[0]),
        )
        super().__init__(
            columns,
            empty="The agents appear once the session is up.",
            source="agents",
            words=lambda one: one.words,
            sortable=True,
        )

    def display_fleet(self, fleet: FleetState) -> None:
        """Show the fleet as it stands."""
        self.now, self._here_s, self._is_over = Now.of(fleet), fleet.here_s, fleet.ended is not None
        self.show(tuple(fleet.agents.values()), (self.now, self._is_over))

    def position(self, line: AgentLine) -> Spans:
        """Where its liquidity stands to the price, or what it holds."""
        held = line.position
        if line.portfolio is None:
            return NOTHING
        if held is None:
            share = line.portfolio.base_share
            if share < 0.005:
                return (("flat", "muted"),)
            symbol = base_symbol(line)
            return ((f"{number(share * 100, 0)} % {symbol}", "foreground"),)
        value = self.now.price(held.pool)
        if value is None:
            return (("in range" if held.in_range else "out of range", "foreground"),)
        low, high = float(held.price_lower), float(held.price_upper)
        cells, spot = range_cells(low, high, value, 9)
        ink = "band-edge" if held.in_range else "faint"
        words = (" in range", "pnl-up") if held.in_range else (f" out {self._out(line)}", "waiting")
        return (
            ("▕", "faint"),
            (cells[:spot], ink),
            (cells[spot], "strong"),
            (cells[spot + 1 :], ink),
            ("▏", "faint"),
            words,
        )

    def last(self, line: AgentLine) -> Spans:
        """What it last did, how long ago, and the record of it; a hold where it never did anything."""
        if line.waits and self._is_over:
            return (("? waited for you", "muted"),)
        if line.waits:
            over = self.now.since(line.request.expires_at if line.request else None)
            words = "waits for you" if over is None else f"you have {left_words(-over, self._here_s(-over))}"
            return ((f"? {words}", "waiting"),)
        entry = line.acted or line.last
        if entry is None:
            return NOTHING
        ago = age(self.now.since(entry.timestamp))
        if entry.is_hold:
            return ((f"hold {ago}", "muted"),)
        spans: Spans = ((f"{entry.decision.action} ", "foreground"), (ago, "muted"))
        if entry.mark in {"denied", "failed", "refused"}:
            return (("✗ ", "risk-denied"), *spans)
        if entry.execution is not None and entry.execution.record_id is not None:
            return (*spans, (f" #{entry.execution.record_id}", "audit-ok"))
        return spans

    def _out(self, line: AgentLine) -> str:
        return age(self.now.since(line.out_since))


def equity(line: AgentLine) -> Spans:
    """What it owns, in dollars."""
    return ((number(line.portfolio.equity_usd), "strong"),) if line.portfolio else NOTHING


def fees(line: AgentLine) -> Spans:
    """Fees its positions earned."""
    return ((number(line.portfolio.fees_earned_usd), "foreground"),) if line.portfolio else NOTHING


def gas(line: AgentLine) -> Spans:
    """Gas it paid."""
    return ((number(line.portfolio.gas_usd), "foreground"),) if line.portfolio else NOTHING


def because(line: AgentLine) -> Spans:
    """Why it last did what it did."""
    entry = line.acted or line.last
    return reason(entry) if entry is not None else NOTHING


def equity_usd(line: AgentLine) -> Raw:
    """What it owns."""
    return line.portfolio.equity_usd if line.portfolio else None


def fees_usd(line: AgentLine) -> Raw:
    """What its positions earned."""
    return line.portfolio.fees_earned_usd if line.portfolio else None


def gas_usd(line: AgentLine) -> Raw:
    """What it paid."""
    return line.portfolio.gas_usd if line.portfolio else None


def forecast_value(line: AgentLine) -> Raw:
    """The latest forecast."""
    return line.forecasts[-1][1].value if line.forecasts else None


def position_word(line: AgentLine) -> Raw:
    """Where its liquidity stands to the price, in words; what it holds where it has none."""
    if line.portfolio is None:
        return None
    held = line.position
    if held is None:
        return f"{line.portfolio.base_share * 100:.0f} % {base_symbol(line)}"
    return "in range" if held.in_range else "out of range"


def last_word(line: AgentLine) -> Raw:
    """What it last did."""
    entry = line.acted or line.last
    return entry.decision.text if entry else None


def reason_word(line: AgentLine) -> Raw:
    """Why it last did what it did."""
    return "".join(text for text, _ in because(line))


def curve(line: AgentLine) -> Spans:
    """Its equity since it started."""
    return ((spark(line.equity.sampled(8), 8), signed_ink(line.pnl_percent)),)


def vault(line: AgentLine) -> Spans:
    """Its vault's address."""
    return ((shorten(line.card.vault), "muted"),)


def percent(value: Decimal | None) -> Spans:
    """A signed figure in its colour."""
    shown = None if value is None else round(value, 2)
    return ((signed(shown), signed_ink(shown)),)


def forecast(line: AgentLine) -> Spans:
    """The latest forecast."""
    if line.last is None or line.last.decision.forecast is None:
        return NOTHING
    return ((forecast_figure(line.last.decision.forecast), "foreground"),)


def trend(line: AgentLine) -> Spans:
    """How the forecast moved."""
    return ((spark([one.value for _, one in line.forecasts], 8), "band-edge"),)


def forecast_figure(shown: ForecastView) -> str:
    """A forecast in a few cells: a sigma or a mu, the value, its unit."""
    letters = {"volatility": f"{SIGMA} ", "return": f"{MU} "}
    letter = letters.get(shown.name.split(" ", maxsplit=1)[0], "")
    size = abs(shown.value)
    return f"{letter}{number(shown.value, 0 if size >= 100 else 1)} {shown.unit}"


def state(line: AgentLine) -> Spans:
    """Its state as a glyph; a hollow one while a wish is under way."""
    if line.wish:
        return (("○", "waiting"),)
    glyph, ink = STATES.get(line.standing[0], (UNKNOWN, "muted"))
    return ((glyph, ink),)


def state_word(line: AgentLine) -> Spans:
    """Its state as a word."""
    word, _ = line.standing
    return ((line.wish or word or UNKNOWN, STATES.get(word, ("", "muted"))[1]),)


def base_symbol(line: AgentLine) -> str:
    """The symbol of what it holds besides dollars, as its portfolio names it."""
    stable = {"USDC", "USDT", "DAI"}
    return (
        next((name for name, _ in line.portfolio.balances if name not in stable), "")
        if line.portfolio
        else ""
    )
