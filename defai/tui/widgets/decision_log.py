"""The log of decisions: newest first, a run of holds in one line."""

from collections.abc import Iterable

from defai.tui.format import TIMES, UNKNOWN, clock, milliseconds
from defai.tui.lines import MARKS, LogLine
from defai.tui.widgets.columns import Raw
from defai.tui.widgets.decision_text import brief_words, intent_words, rung_glyphs
from defai.tui.widgets.grid import Column, LineGrid, Spans

RATINGS = {"good": ("▲", "pnl-up"), "bad": ("▼", "pnl-down")}
"""Glyph and ink of what the owner thinks of a decision."""


class DecisionLog(LineGrid[LogLine]):
    """Decisions with their reasons, what the guard said, and what came of them.

    Args:
        source: the widget's id.
        of_one_agent: whether the agent's name would be the same on each line.
        empty: the sentence shown while there is none.
    """

    def __init__(
        self,
        source: str = "decisions",
        *,
        of_one_agent: bool = False,
        empty: str = "No decisions yet. The first come with the next block.",
    ) -> None:
        columns = (*whose(of_one_agent=of_one_agent), *what_and_why(), *what_came_of_it())
        super().__init__(columns, empty=empty, source=source, follow=True, words=lambda one: one.words)

    def display_log(self, lines: Iterable[LogLine]) -> None:
        """Show these lines, given oldest first."""
        newest_first = tuple(lines)[::-1]
        if newest_first:
            self.widen("block", len(str(newest_first[0].first_block)))
        self.show(newest_first)


def whose(*, of_one_agent: bool) -> tuple[Column[LogLine], ...]:
    """When, and by whom."""
    block = Column[LogLine](
        "block",
        lambda one: ((f"{one.first_block}", "muted"),),
        5,
        right=True,
        raw=lambda one: one.first_block,
    )
    time = Column[LogLine](
        "time UTC",
        lambda one: ((clock(one.first_timestamp), "muted"),),
        8,
        rank=6,
        raw=lambda one: one.first_timestamp,
        name="timestamp",
    )
    agent = Column[LogLine]("agent", lambda one: ((one.agent, "foreground"),), 9, raw=lambda one: one.agent)
    return (block, time) if of_one_agent else (block, time, agent)


def what_and_why() -> tuple[Column[LogLine], ...]:
    """What was decided, and the reason."""
    return (
        Column[LogLine]("decision", decision, 24, grow=4, raw=lambda one: one.decision.text, wish=28),
        Column[LogLine]("because", reason, 18, grow=5, rank=1, raw=reason_words, wish=34),
    )


def what_came_of_it() -> tuple[Column[LogLine], ...]:
    """The outcome, the record, what is known and thought of it."""
    return (
        Column[LogLine]("outcome", outcome, 24, grow=3, rank=8, raw=lambda one: MARKS[one.mark][2]),
        Column[LogLine]("record", record, 6, rank=2, right=True, raw=record_id),
        Column[LogLine]("rungs", lambda one: (rung_glyphs(one),), 5, rank=5),
        Column[LogLine](
            "",
            lambda one: (RATINGS.get(one.rating, ("", "muted")),),
            1,
            rank=4,
            raw=lambda one: one.rating or None,
            name="rating",
        ),
        Column[LogLine](
            "took",
            lambda one: ((milliseconds(one.latency_ms), "muted"),),
            6,
            rank=7,
            right=True,
            raw=lambda one: round(one.latency_ms, 3),
            name="took ms",
        ),
        Column[LogLine](
            "digest",
            lambda one: ((one.decision.digest[:10], "muted"),),
            10,
            rank=9,
            raw=lambda one: one.decision.digest,
        ),
    )


def decision(line: LogLine) -> Spans:
    """How it went, as a glyph, and what was decided; a run of holds with its length."""
    glyph, ink, _ = MARKS.get(line.mark, (UNKNOWN, "muted", ""))
    if line.is_hold:
        return (
            (f"{glyph} ", ink),
            ("hold", "muted"),
            (f" {TIMES}{line.seen}" if line.seen > 1 else "", "muted"),
        )
    return ((f"{glyph} ", ink), (brief_words(line.decision.text), "foreground"))


def reason(line: LogLine) -> Spans:
    """Why: the guard's or the chain's no where there was one, else the strategy's reason."""
    if line.mark == "failed" and line.execution is not None:
        return ((line.execution.text or line.execution.error or line.execution.status, "risk-denied"),)
    if line.mark == "denied":
        return ((line.decision.verdict_reason or "denied", "risk-denied"),)
    if line.mark == "needs_approval":
        return ((line.decision.verdict_reason or "needs you", "waiting"),)
    if line.mark == "refused":
        return ((f"{line.resolved}: {line.resolved_because}".removesuffix(": "), "waiting"),)
    return ((line.decision.reason, "muted" if line.is_hold else "foreground"),)


def reason_words(line: LogLine) -> Raw:
    """Why, in words alone."""
    return "".join(text for text, _ in reason(line))


def outcome(line: LogLine) -> Spans:
    """What came of it."""
    if line.execution is None:
        return ((UNKNOWN if line.is_hold else MARKS[line.mark][2], "faint" if line.is_hold else "muted"),)
    return ((intent_words(line.execution.text) or line.execution.status, "foreground"),)


def record_id(line: LogLine) -> Raw:
    """The audit record's number; None without one."""
    return line.execution.record_id if line.execution else None


def record(line: LogLine) -> Spans:
    """The audit record's number, as it is written."""
    number = record_id(line)
    if number is None:
        return (("" if line.is_hold else UNKNOWN, "faint"),)
    return ((f"#{number}", "audit-ok"),)
