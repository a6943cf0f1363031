"""A backtest in words and columns: how far it is, and what came of it beside the simplest alternatives."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from defai.domain.answers import BacktestDone, BacktestProgressed
from defai.tui.backtesting import Contender, Desk, SourceLine, StrategyLine
from defai.tui.format import UNKNOWN, bar, number, signed, spark
from defai.tui.themes import signed_ink
from defai.tui.widgets.columns import Column, Spans
from defai.tui.widgets.page import Page
from defai.tui.widgets.picture import Curve, Picture

BAR: Final = 30
BASELINES: Final = ("muted", "band-edge", "faint", "line-focus")
"""Inks of the baselines' curves, in their order."""


def day(timestamp: float | None) -> str:
    """A day, in UTC."""
    return UNKNOWN if timestamp is None else f"{datetime.fromtimestamp(timestamp, UTC):%Y-%m-%d}"


def strategy_columns() -> tuple[Column[StrategyLine], ...]:
    """Name and what it does."""
    return (
        Column[StrategyLine](
            "strategy", lambda one: ((one.card.name, "strong"),), 18, raw=lambda one: one.card.name
        ),
        Column[StrategyLine]("what it does", summary, 20, grow=1, raw=lambda one: one.card.summary),
    )


def summary(line: StrategyLine) -> Spans:
    """What it does, or why it cannot be read."""
    if line.card.problem:
        return ((f"✗ {line.card.problem}", "risk-denied"),)
    return ((line.card.summary, "foreground"),)


def source_columns() -> tuple[Column[SourceLine], ...]:
    """What it is, and which days."""
    return (
        Column[SourceLine]("history", title, 20, grow=1, raw=lambda one: one.card.title),
        Column[SourceLine](
            "from",
            lambda one: ((day(one.card.first_time), "muted"),),
            10,
            rank=1,
            raw=lambda one: one.card.first_time,
        ),
        Column[SourceLine](
            "until",
            lambda one: ((day(one.card.last_time), "muted"),),
            10,
            rank=2,
            raw=lambda one: one.card.last_time,
        ),
    )


def title(line: SourceLine) -> Spans:
    """What it is, or why it cannot be read."""
    if line.card.problem:
        return ((f"✗ {line.card.title}: {line.card.problem}", "risk-denied"),)
    return ((line.card.title, "strong"), (f" {line.card.kind}", "muted"))


def contender_columns() -> tuple[Column[Contender], ...]:
    """The figures of a contender."""
    return (
        Column[Contender](
            "", lambda one: (("▸", "accent") if not one.row.is_baseline else (" ", "muted"),), 1
        ),
        Column[Contender]("contender", name, 14, grow=2, raw=lambda one: one.row.name),
        figures("final USD", 11, 0, lambda one: one.row.final_usd),
        Column[Contender](
            "vs hold", versus, 9, right=True, raw=lambda one: one.row.versus_hold_percent, name="vs hold %"
        ),
        Column[Contender](
            "curve",
            lambda one: (
                (
                    spark([value for _, value in one.row.curve][:: max(1, len(one.row.curve) // 10)], 10),
                    "band-edge",
                ),
            ),
            10,
            rank=9,
        ),
        figures("fees", 9, 2, lambda one: one.row.fees_usd),
        figures("IL", 9, 3, lambda one: one.row.impermanent_loss_usd),
        figures("LVR", 9, 4, lambda one: one.row.lvr_usd),
        figures("gas", 8, 6, lambda one: one.row.gas_usd),
        figures("in range %", 10, 5, lambda one: percent(one.row.in_range_share), places=1),
        figures("Sharpe", 7, 7, lambda one: one.row.sharpe),
        figures("fall %", 7, 1, lambda one: percent(one.row.max_drawdown), places=1),
        figures("trades", 7, 8, lambda one: one.row.trades, places=0),
    )


def figures(
    words: str,
    width: int,
    rank: int,
    of: Callable[[Contender], float | None],
    *,
    places: int = 2,
) -> Column[Contender]:
    """A column of figures."""
    return Column[Contender](
        words, lambda one: ((number(of(one), places), "foreground"),), width, rank=rank, right=True, raw=of
    )


def percent(share: float | None) -> float | None:
    """A share in percent."""
    return None if share is None else share * 100


def name(line: Contender) -> Spans:
    """The strategy stands out among its baselines."""
    return ((line.row.name, "foreground" if line.row.is_baseline else "strong"),)


def versus(line: Contender) -> Spans:
    """What it made against holding."""
    value = line.row.versus_hold_percent
    shown = None if value is None else round(value, 2)
    return ((signed(shown, 2, "%"), signed_ink(shown)),)


def write_desk(page: Page, desk: Desk) -> None:
    """How it stands: what is missing, how far it is, or what came of it."""
    if desk.refused:
        page.row("refused", (desk.refused, "risk-denied"))
    elif desk.result is not None:
        write_result(page, desk.result)
    elif desk.wish is None:
        page.row("", ("Choose a strategy and a history, then r runs it.", "foreground"))
        page.row("", ("It runs in a process of its own: the agents do not wait for it.", "muted"))
    elif desk.stopped:
        page.row(
            "ended", (f"{desk.wish.strategy} was ended before it was through · r runs it again", "waiting")
        )
    else:
        write_progress(page, desk.wish.strategy, desk.progress, desk.now - desk.began)


def write_progress(page: Page, strategy: str, told: BacktestProgressed | None, passed_s: float) -> None:
    """What it is doing, how much of it is done, and since when, also where nothing was told for a while."""
    page.row("runs", (f"{strategy}:", "strong"), (told.text if told else "starting", "foreground"))
    if told is None:
        page.row("so far", (f"{number(passed_s, 1)} s", "muted"))
        return
    if told.share is not None:
        filled = bar(told.share, BAR).rstrip()
        rest = "░" * (BAR - len(filled))
        page.line("done", (filled, "accent"), (rest, "line"), (f" {number(told.share * 100, 0)} %", "strong"))
    speed = f"{number(told.steps_per_s, 0)} a second" if told.steps_per_s is not None else ""
    steps = f"{number(told.steps, 0)} steps" if told.steps is not None else ""
    words = " · ".join(one for one in (f"{number(max(told.seconds, passed_s), 1)} s", steps, speed) if one)
    page.row("so far", (words, "muted"))
    if told.equity_usd is not None:
        page.row("owns", (f"{number(told.equity_usd)} USD", "foreground"))


def write_result(page: Page, done: BacktestDone) -> None:
    """What it was, how exact it is, and where all of it stands."""
    page.row("ran", (done.title, "strong"), (f"in {number(done.seconds, 1)} s", "muted"))
    page.row("exactness", (done.fidelity, "foreground"))
    page.row("verdict", *verdict(done))
    if done.report:
        page.row("report", (done.report, "accent"), ("· o opens it", "muted"))
    page.row("command", (done.command, "muted"))


def verdict(done: BacktestDone) -> Spans:
    """Whether it beat all of its baselines over this history."""
    ours = next((row for row in done.rows if not row.is_baseline and row.final_usd is not None), None)
    others = [row for row in done.rows if row.is_baseline and row.final_usd is not None]
    if ours is None or not others:
        return (("nothing to hold it against", "muted"),)
    best = max(others, key=lambda row: row.final_usd or 0.0)
    ahead = (ours.final_usd or 0.0) - (best.final_usd or 0.0)
    words = f"{signed(ahead)} USD against the best baseline, {best.name}"
    return (
        (f"{'✓' if ahead > 0 else '✗'} {words}", "pnl-up" if ahead > 0 else "pnl-down"),
        ("over this history alone", "muted"),
    )


def equity_picture(done: BacktestDone | None, width: int) -> Picture:
    """The contenders' equity over time, the strategy's in front."""
    empty = "The equity of the strategy and its baselines is drawn here."
    rows = [row for row in done.rows if len(row.curve) > 1] if done else []
    if not rows:
        return Picture(empty=empty)
    first, last = rows[0].curve[0][0], rows[0].curve[-1][0]
    inks = iter(BASELINES * len(rows))
    curves = tuple(
        Curve(across(row.curve, first, last, width * 2), next(inks) if row.is_baseline else "price-line")
        for row in rows
    )
    return Picture(curves, empty=empty, ends=(day(first), day(last)))


def across(curve: tuple[tuple[int, float], ...], first: int, last: int, dots: int) -> list[tuple[int, float]]:
    """A curve over so many dots, the last value of each."""
    found: dict[int, float] = {}
    for time, value in curve:
        found[int((time - first) / max(1, last - first) * (dots - 1))] = value
    return sorted(found.items())
