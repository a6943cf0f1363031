"""How close each agent is to its limits: a line an agent, a bar a limit."""

from decimal import Decimal

from defai.domain.stream import CheckView
from defai.tui.fleet import FleetState
from defai.tui.format import UNKNOWN, number, plain
from defai.tui.format import gauge as thin_bar
from defai.tui.lines import STATES, AgentLine
from defai.tui.widgets.decision_text import CLOSE
from defai.tui.widgets.fleet_table import state, state_word
from defai.tui.widgets.grid import Column, LineGrid, Spans

GAUGES = ("drawdown", "exposure", "turnover", "failures", "slippage", "trade", "gas")
"""Limits in the order of their columns."""
CELLS = 14
"""Room for a limit in figures."""
BRIEF_FROM = 10_000
"""Limits of so much and more are told in thousands and millions: there is little room."""


class RiskTable(LineGrid[AgentLine]):
    """The fleet by its limits; whoever is closest to one comes first unless it is sorted otherwise."""

    def __init__(self) -> None:
        columns = (
            Column[AgentLine](
                "agent", lambda one: ((one.card.name, "strong"),), 9, grow=1, raw=lambda one: one.card.name
            ),
            Column[AgentLine]("", state, 1),
            Column[AgentLine]("state", state_word, 8, rank=1, raw=lambda one: one.standing[0]),
            Column[AgentLine]("closest", closest_bar, 26, raw=closest_share, name="closest share"),
            *(
                Column[AgentLine](
                    name,
                    lambda one, name=name: gauge_spans(gauge(one, name)),  # type: ignore[misc]  # one column a name
                    CELLS,
                    rank=2 + place,
                    right=True,
                    raw=lambda one, name=name: share(gauge(one, name)),  # type: ignore[misc]  # likewise
                    name=f"{name} share",
                )
                for place, name in enumerate(GAUGES)
            ),
            Column[AgentLine](
                "why it stands", why, 14, grow=3, rank=10, raw=lambda one: one.standing[1] or None
            ),
        )
        super().__init__(
            columns,
            empty="No limits are told yet: they come with the first blocks.",
            source="limits",
            words=lambda one: f"{one.words} {one.breaker}",
            sortable=True,
        )

    def display_risk(self, fleet: FleetState) -> None:
        """Show the fleet as it stands."""
        lines = sorted(fleet.agents.values(), key=lambda one: -(closest_share(one) or 0.0))
        self.show(lines, None)


def gauge(line: AgentLine, name: str) -> CheckView | None:
    """One of its limits by name; None where it was not measured."""
    return next((check for check in line.gauges if check.name == name), None)


def share(check: CheckView | None) -> float | None:
    """How much of a limit is used, 0..; None where it is not known or there is no limit."""
    if check is None or not check.limit:
        return None
    return float(check.value / check.limit)


def closest(line: AgentLine) -> CheckView | None:
    """The limit it is closest to."""
    known = [check for check in line.gauges if check.limit]
    return max(known, key=lambda check: check.value / check.limit) if known else None


def closest_share(line: AgentLine) -> float | None:
    """How close that is."""
    return share(closest(line))


def ink_of(used: float | None) -> str:
    """The ink of a share of a limit."""
    if used is None:
        return "muted"
    return "risk-denied" if used >= 1 else "waiting" if used >= CLOSE else "pnl-up"


def closest_bar(line: AgentLine) -> Spans:
    """The closest limit as a bar, in percent, by name."""
    check = closest(line)
    used = share(check)
    if check is None or used is None:
        return ((UNKNOWN, "muted"),)
    filled, rest = thin_bar(used, 10)
    return (
        (filled, ink_of(used)),
        (rest, "line"),
        (f"{number(used * 100, 0):>4} % ", "strong" if used >= CLOSE else "foreground"),
        (check.name, "muted"),
    )


def brief(amount: Decimal) -> str:
    """An amount in three digits or so: "5.4k", "974k", "1M"."""
    for size, letter in ((Decimal(1_000_000), "M"), (Decimal(1_000), "k")):
        if amount >= size:
            return f"{number(amount / size, 1 if amount < 100 * size else 0).removesuffix('.0')}{letter}"
    return number(amount, 0)


def gauge_spans(check: CheckView | None) -> Spans:
    """A limit in figures, with its unit where there is room for it: below the table it is told in full."""
    if check is None:
        return ((UNKNOWN, "muted"),)
    if not check.limit:
        return ((plain(check.value), "foreground"), (" no limit", "muted"))
    figures, unit = (plain(check.value), plain(check.limit)), f" {check.unit}".rstrip()
    if max(check.value, check.limit) >= BRIEF_FROM:
        figures, unit = (brief(check.value), brief(check.limit)), ""
    value, limit = figures
    unit = unit if len(f"{value} of {limit}{unit}") <= CELLS else ""
    return ((value, ink_of(share(check))), (f" of {limit}{unit}", "muted"))


def why(line: AgentLine) -> Spans:
    """Why it stands as it does, where somebody said."""
    state, reason = line.standing
    return ((line.breaker or reason, STATES.get(state, ("", "muted"))[1]),)


def overview(fleet: FleetState) -> str:
    """The fleet's risk in a sentence."""
    lines = list(fleet.agents.values())
    if not lines:
        return ""
    counted = [
        f"{fleet.in_state(word)} {word}"
        for word in ("running", "paused", "waiting", "stopped")
        if fleet.in_state(word)
    ]
    near: list[tuple[Decimal, AgentLine, CheckView]] = [
        (check.value / check.limit, line, check) for line in lines if (check := closest(line)) is not None
    ]
    if near:
        used, line, check = max(near, key=lambda one: one[0])
        counted.append(f"closest: {check.name} of {line.key}, {number(used * 100, 0)} % used")
    return " · ".join(counted)
