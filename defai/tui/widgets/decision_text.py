"""A decision in words: what was wanted and why, what the guard said, what came of it, how far it is verified."""

from collections.abc import Sequence
from typing import Final

from defai.domain.answers import Explanation, RungView, Verification
from defai.domain.stream import CheckView, ForecastView
from defai.tui.format import UNKNOWN, gauge, milliseconds, number, plain, shorten, signed
from defai.tui.lines import MARKS, AgentLine, LogLine
from defai.tui.widgets.page import Page, Span

RUNGS = ("integrity", "data", "model", "decision", "execution")
STANDINGS = {"holds": ("✓", "audit-ok"), "breaks": ("✗", "risk-denied"), "open": ("○", "muted")}
"""Glyph and ink of what verification says of a rung."""

CLOSE: Final = 0.75
"""From this share of a limit on it is close."""


def intent_words(text: str) -> str:
    """A decision in a few words, with signs instead of some of them."""
    return text.replace("->", "→").replace("...", "…").replace("at least", "≥")


def brief_words(text: str) -> str:
    """A decision for a list: what a swap should give at least stands on its page, not here."""
    before, arrow, after = intent_words(text).partition(" → ")
    return f"{before} → {after.split()[-1]}" if arrow and "≥" in after else intent_words(text)


def write_intent(page: Page, line: LogLine) -> None:
    """What was wanted and why."""
    one = line.decision
    page.row("intent", (intent_words(one.text), "strong"))
    page.row("reason", (one.reason or UNKNOWN, "foreground"))
    if line.seen > 1:
        page.row(
            "",
            (f"the latest of {line.seen} holds in a row, since block {number(line.first_block, 0)}", "muted"),
        )


def write_forecast(page: Page, forecast: ForecastView | None) -> None:
    """The figure, its band drawn as a line, the model behind it."""
    if forecast is None:
        page.row("forecast", ("none: it decided without a model", "muted"))
        return
    figure = f"{number(forecast.value, 2)} {forecast.unit}"
    page.row("of", (forecast.name, "foreground"))
    if forecast.low is None or forecast.high is None:
        page.row("forecast", (figure, "strong"), ("without a band", "muted"))
    else:
        band = f"[{number(forecast.low, 2)} … {number(forecast.high, 2)}]"
        page.row("forecast", (figure, "strong"), (band, "foreground"))
        page.line("", band_line(forecast.low, forecast.value, forecast.high, min(40, page.room)))
    beats = {
        True: ("✓ beats its baseline out of sample", "pnl-up"),
        False: ("✗ does not beat its baseline", "risk-denied"),
        None: ("against its baseline: unmeasured", "muted"),
    }
    page.row("model", (shorten(forecast.model_digest, 10, 6), "foreground"), beats[forecast.beats_baseline])


def band_line(low: float, value: float, high: float, width: int) -> Span:
    """A band from its low to its high end with the forecast on it."""
    share = (value - low) / (high - low) if high > low else 0.5
    spot = max(0, min(width - 3, round(share * (width - 3))))
    return ("├" + "─" * spot + "●" + "─" * (width - 3 - spot) + "┤", "band-edge")


def write_because(page: Page, line: LogLine, most: int = 5) -> None:
    """What the features added to the forecast, the largest first; the longest bar takes half the room."""
    if line.decision.forecast is None:
        return
    told = line.explanation
    if told is None and line.explained != line.decision.digest:
        if not line.is_hold:
            page.row("because", ("open it to ask the model", "muted"))
        return
    if told is None:
        page.row("because", (line.explanation_refused or "asking the model…", "muted"))
        return
    if not told.contributions:
        page.row("because", (told.contributions_note or "the model says nothing of it", "muted"))
        return
    largest = max(abs(one.adds) for one in told.contributions) or 1.0
    label = max(len(one.feature) for one in told.contributions[:most])
    width = max(4, min(24, page.room - label - 12))
    for index, one in enumerate(told.contributions[:most]):
        filled, rest = gauge(abs(one.adds) / largest, width)
        page.line(
            "because" if index == 0 else "",
            (f"{one.feature:<{label}} ", "foreground"),
            (filled, "primary" if one.adds >= 0 else "accent"),
            (" " * len(rest), "muted"),
            (f" {signed(one.adds, 2):>8}", "strong"),
        )
    left = len(told.contributions) - most
    if left > 0:
        page.line("", (f"and {left} more", "muted"))


def write_checks(page: Page, checks: Sequence[CheckView], width: int = 16) -> None:
    """Limits: how much of each is used, as bars, all as long as the longest figures leave room for, and in figures."""
    if checks:
        room = page.room - 3 - max(len(figures_of(check)) for check in checks)
        for check in checks:
            write_check(page, check, max(4, min(width, room)))


def figures_of(check: CheckView) -> str:
    """How much of a limit is used, in figures."""
    return f"{plain(check.value)} of {plain(check.limit)} {check.unit}"


def write_check(page: Page, check: CheckView, width: int) -> None:
    """A limit: how much of it is used, as a bar of some cells and in figures."""
    share = float(check.value / check.limit) if check.limit else 0.0
    glyph, ink = ("✓", "pnl-up") if check.ok else ("✗", "risk-denied")
    filled, rest = gauge(share, width)
    page.line(
        check.name[: page.label - 1],
        (f"{glyph} ", ink),
        (filled, "waiting" if check.ok and share >= CLOSE else ink),
        (rest, "line"),
        (f" {figures_of(check)}", "foreground"),
    )


def write_guard(page: Page, line: LogLine) -> None:
    """The verdict, and every limit it was measured by."""
    one = line.decision
    glyph, ink = {
        "denied": ("✗", "risk-denied"),
        "clipped": ("≤", "waiting"),
        "needs_approval": ("?", "waiting"),
    }.get(one.verdict, ("✓", "pnl-up"))
    page.row("verdict", (f"{glyph} {one.verdict.replace('_', ' ')}", ink), (one.verdict_reason, "foreground"))
    write_checks(page, one.checks)
    if not one.checks:
        page.row("limits", ("nothing to measure" if line.is_hold else UNKNOWN, "muted"))


def write_outcome(page: Page, line: LogLine) -> None:
    """What came of it."""
    glyph, ink, meaning = MARKS.get(line.mark, (UNKNOWN, "muted", "unknown"))
    page.row("outcome", (f"{glyph} {meaning}", ink))
    execution = line.execution
    if execution is None:
        return
    if execution.text and execution.text != execution.error:
        page.row("", (intent_words(execution.text), "strong"))
    if execution.error:
        page.row("error", (execution.error, "risk-denied"))


def write_cost(page: Page, line: LogLine) -> None:
    """Where it was carried out, and for how much gas."""
    execution = line.execution
    if execution is None:
        return
    page.row("in block", (number(execution.block_number, 0), "foreground"))
    page.row(
        "gas",
        (number(execution.gas_used, 0), "foreground"),
        (f"· {number(execution.gas_usd)} USD", "foreground"),
    )


def record_words(line: LogLine, agent: AgentLine | None) -> Span:
    """Where the decision stands on the chain."""
    execution = line.execution
    if execution is not None and execution.record_id is not None:
        return (f"#{execution.record_id}", "audit-ok")
    anchor = agent.anchor_of(line.decision.sequence) if agent else None
    if anchor is not None:
        others = {1: "alone", 2: "with 1 other"}.get(
            anchor.count, f"with {number(anchor.count - 1, 0)} others"
        )
        return (f"anchored {others} in block {number(anchor.block_number, 0)}", "audit-ok")
    if line.mark == "pending":
        return ("comes with its transaction", "muted")
    if line.mark == "needs_approval":
        return ("comes with the owner's answer", "muted")
    return ("waits for the next anchor", "muted")


def write_rungs(page: Page, line: LogLine, *, notes: bool) -> None:
    """The five rungs, as far as anybody climbed them."""
    told = line.verification
    if told is None:
        words = ("climbing…", "waiting") if line.verifying else ("not verified yet · v climbs them", "muted")
        page.row("rungs", words)
        return
    if not notes:
        page.row("rungs", *(rung_span(rung) for rung in told.rungs))
    for index, rung in enumerate(told.rungs if notes else ()):
        glyph, ink = STANDINGS.get(rung.standing, (UNKNOWN, "muted"))
        page.row("rungs" if index == 0 else "", (f"{glyph} {rung.name:<9}", ink), (rung.note, "foreground"))
        for what, recorded, found, agree in rung.comparisons if rung.standing == "breaks" else ():
            if not agree:
                page.row("", (f"  {what}: recorded {recorded}, found {found}", "risk-denied"))
    page.row("", verdict_span(told), (f"in {milliseconds(told.seconds * 1000)}", "muted"))


def verdict_span(told: Verification) -> Span:
    """What the rungs come to together: an open one is no broken one."""
    if told.is_verified:
        return ("verified", "audit-ok")
    broken = next((rung.name for rung in told.rungs if rung.standing == "breaks"), None)
    if broken is not None:
        return (f"broken: {broken}", "risk-denied")
    left = sum(rung.standing == "open" for rung in told.rungs)
    return (f"not wholly verified: {left} of {len(told.rungs)} rungs open", "waiting")


def rung_span(rung: RungView) -> Span:
    """A rung in two cells and its name."""
    glyph, ink = STANDINGS.get(rung.standing, (UNKNOWN, "muted"))
    return (f"{glyph} {rung.name}", ink)


def rung_glyphs(line: LogLine) -> Span:
    """The rungs in five cells, for lists: nothing where nobody verified."""
    if line.verifying:
        return ("…", "waiting")
    if line.verification is None:
        return ("", "muted")
    glyphs = "".join(STANDINGS.get(rung.standing, (UNKNOWN, ""))[0] for rung in line.verification.rungs)
    return (glyphs, verdict_span(line.verification)[1])


def write_calls(page: Page, told: Explanation | None) -> None:
    """What the vault is told to do."""
    for index, call in enumerate(told.calls if told else ()):
        page.row(
            "calls" if index == 0 else "",
            (intent_words(call.text), "foreground"),
            (shorten(call.to), "muted"),
        )
