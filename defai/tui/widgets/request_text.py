"""A request in words: what waits, what happens upon a yes, until when."""

from decimal import Decimal

from defai.tui.fleet import FleetState
from defai.tui.format import UNKNOWN, number
from defai.tui.waiting import RequestLine, outcome_words
from defai.tui.widgets.decision_text import intent_words, write_checks, write_forecast
from defai.tui.widgets.page import Page, Span


def write_request(page: Page, line: RequestLine, fleet: FleetState) -> None:
    """Everything that is known of a request."""
    one = line.request
    if line.resolved is not None:
        why = line.resolved.reason
        page.row(
            "answer", (outcome_words(line.resolved) + (":" if why else ""), "strong"), (why, "foreground")
        )
    elif line.wish:
        page.row("you are", (f"{line.wish}…", "waiting"))
    else:
        page.row("waits", deadline(line, fleet))
    page.gap()
    write_consequence(page, line, fleet)
    page.gap()
    page.row("because", (one.reason or UNKNOWN, "foreground"))
    page.row("why you", (one.rule or UNKNOWN, "foreground"))
    if one.forecast is not None:
        write_forecast(page, one.forecast)
    write_checks(page, one.checks)
    page.row("decided", (f"upon block {number(one.block_number, 0)}, decision {one.sequence}", "muted"))
    page.line("digest", (one.digest, "muted"))


def deadline(line: RequestLine, fleet: FleetState) -> Span:
    """Until when a request waits, by the chain's clock, and by a person's where that is another."""
    left = line.left_s(fleet.chain_time)
    if fleet.ended is not None:
        return ("nobody answered before the session ended", "muted")
    if left is None:
        return ("waits until you say something", "waiting")
    words, here = f"{left // 60} m {left % 60:02} s", fleet.here_s(left)
    if here is None:
        return (f"expires in {words}", pressing(left))
    about = f"{int(here)} s" if here < 120 else f"{here // 60:.0f} m"
    return (f"expires in about {about}: {words} on the chain", pressing(here))


def pressing(left_s: float) -> str:
    """The ink of a time that is left to a person."""
    return "risk-denied" if left_s < 60 else "waiting"


def write_wish(page: Page, line: RequestLine) -> None:
    """What would be done, and how much it moves."""
    one = line.request
    page.row("wants to", (intent_words(one.text), "strong"))
    if one.before:
        page.row("instead of", (intent_words(one.before), "foreground"))
    if one.moved_usd is not None:
        page.row("moves", (number(one.moved_usd, 0, "USD"), "strong"))


def write_consequence(page: Page, line: RequestLine, fleet: FleetState) -> None:
    """What a yes does, what it costs, and what a minute here of waiting does."""
    one = line.request
    write_wish(page, line)
    costs = cost_words(one.swap_usd, one.swap_cost_usd, one.gas_usd)
    if costs:
        page.row("costs", (costs, "foreground"))
    if one.foregone_usd_per_minute is not None:
        minutes = Decimal(60 / (fleet.here_s(60) or 60))
        rate = number(one.foregone_usd_per_minute * minutes, 2, "USD")
        page.row("if you wait", (f"fees foregone, about {rate} a minute (estimate)", "foreground"))


def cost_words(swap: Decimal | None, swap_cost: Decimal | None, gas: Decimal | None) -> str:
    """What it costs, part by part; parts that nobody told are left out."""
    parts = []
    if not swap and not swap_cost:
        swap = swap_cost = None  # nothing is swapped
    if swap is not None and swap_cost is not None:
        parts.append(f"swap of {number(swap, 0, 'USD')}: {number(swap_cost, 2)}")
    elif swap_cost is not None:
        parts.append(f"swap {number(swap_cost, 2)}")
    if gas is not None:
        parts.append(f"gas {number(gas, 2)}")
    if len(parts) < 2:
        return f"{parts[0]} USD" if parts else ""
    return f"{' + '.join(parts)} = {number((swap_cost or Decimal(0)) + (gas or Decimal(0)), 2, 'USD')}"
