"""The log of decisions: newest first, a run of holds in one line."""

from collections.abc import Iterable

from defai.tui.format import TIMES, UNKNOWN, milliseconds
from defai.tui.lines import MARKS, LogLine
from defai.tui.widgets.fleet_table import decision_words
from defai.tui.widgets.grid import Column, LineGrid, Spans


class DecisionLog(LineGrid[LogLine]):
    """Decisions with their reasons, what the guard said, and what came of them.

    Args:
        source: the widget's id.
        of_one_agent: whether the agent's name would be the same on each line.
    """

    def __init__(self, source: str = "log", *, of_one_agent: bool = False) -> None:
        agent = (
            () if of_one_agent else (Column[LogLine]("agent", lambda one: ((one.agent, "foreground"),), 9),)
        )
        columns = (
            Column[LogLine]("block", lambda one: ((f"{one.first_block}", "muted"),), 5, right=True),
            *agent,
            Column[LogLine]("decision", decision, 26, grow=4),
            Column[LogLine]("because", reason, 20, grow=4, rank=1),
            Column[LogLine]("record", record, 6, rank=2, right=True),
            Column[LogLine](
                "took", lambda one: ((milliseconds(one.latency_ms), "muted"),), 7, rank=5, right=True
            ),
        )
        super().__init__(
            columns, empty="No decisions yet. The first come with the next block.", source=source, follow=True
        )

    def display_log(self, lines: Iterable[LogLine]) -> None:
        """Show these lines, given oldest first."""
        newest_first = tuple(lines)[::-1]
        if newest_first:
            self.widen("block", len(str(newest_first[0].first_block)))
        self.show(newest_first)


def decision(line: LogLine) -> Spans:
    """How it went, as a glyph, and what was decided; a run of holds with its length."""
    glyph, ink, _ = MARKS.get(line.mark, (UNKNOWN, "muted", ""))
    if line.is_hold:
        return (
            (f"{glyph} ", ink),
            ("hold", "muted"),
            (f" {TIMES}{line.seen}" if line.seen > 1 else "", "faint"),
        )
    return ((f"{glyph} ", ink), (decision_words(line.decision), "foreground"))


def reason(line: LogLine) -> Spans:
    """Why: the guard's or the chain's no where there was one, else the strategy's reason."""
    if line.mark == "failed" and line.execution is not None:
        return ((line.execution.error or line.execution.status, "risk-denied"),)
    if line.decision.verdict == "denied":
        return ((line.decision.verdict_reason or "denied", "risk-denied"),)
    if line.decision.verdict == "needs_approval":
        return ((line.decision.verdict_reason or "needs you", "waiting"),)
    return ((line.decision.reason, "muted" if line.is_hold else "foreground"),)


def record(line: LogLine) -> Spans:
    """The audit record's number."""
    if line.execution is None or line.execution.record_id is None:
        return (("" if line.is_hold else UNKNOWN, "faint"),)
    return ((f"#{line.execution.record_id}", "audit-ok"),)
