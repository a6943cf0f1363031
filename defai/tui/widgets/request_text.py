"""A request in words: what waits, what happens upon a yes, until when."""

from decimal import Decimal

from defai.tui.format import UNKNOWN, number
from defai.tui.waiting import RequestLine, outcome_words
from defai.tui.widgets.decision_text import intent_words, write_checks, write_forecast
from defai.tui.widgets.page import Page, Span


def write_request(page: Page, line: RequestLine, now: int | None) -> None:
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
        page.row("waits", deadline(line, now))
    page.gap()
    write_consequence(page, line)
    page.gap()
    page.row("because", (one.reason or UNKNOWN, "foreground"))
    page.row("why you", (one.rule or UNKNOWN, "foreground"))
    if one.forecast is not None:
        write_forecast(page, one.forecast)
    write_checks(page, one.checks)
    page.row("decided", (f"upon block {number(one.block_number, 0)}, decision {one.sequence}", "muted"))
    page.line("digest", (one.digest, "muted"))


def deadline(line: RequestLine, now: int | None) -> Span:
    """Until when a request waits, by the chain's clock."""
    left = line.left_s(now)
    if left is None:
        return ("waits until you say something", "waiting")
    return (f"expires in {left // 60} m {left % 60:02} s", "risk-denied" if left < 60 else "waiting")


def write_consequence(page: Page, line: RequestLine) -> None:
    """What a yes does, what it costs, and what waiting does."""
    one = line.request
    page.row("wants to", (intent_words(one.text), "strong"))
    if one.before:
        page.row("instead of", (intent_words(one.before), "foreground"))
    if one.moved_usd is not None:
        page.row("moves", (number(one.moved_usd, 0, "USD"), "strong"))
    costs = cost_words(one.swap_usd, one.swap_cost_usd, one.gas_usd)
    if costs:
        page.row("costs", (costs, "foreground"))
    if one.foregone_usd_per_minute is not None:
        rate = number(one.foregone_usd_per_minute, 2, "USD")
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
