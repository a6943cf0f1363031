"""A model in words: what it learned from, whether it is worth anything, whether the world has moved away from it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Final

from defai.domain.stream import ChallengeView, ModelSeen
from defai.tui.format import UNKNOWN, bar, gauge, number, shorten, signed
from defai.tui.widgets.page import Page

GAUGE: Final = 16
"""Cells of a gauge."""
NAME: Final = 24
"""Cells of a forecaster's or a feature's name."""
LEAST_SHARE: Final = 0.005
"""Features that matter less are left out."""
LOSSES: Final = {"qlike": "QLIKE", "rmse": "RMSE", "mae": "MAE", "pinball": "pinball"}
"""How losses are written."""
COLUMNS: Final = {
    "squared error": "sq.error",
    "break_even_bps": "worth bp",
    "rank_ic": "rank IC",
    "r2": "R²",
    "r2_log": "R² log",
}
"""Titles of metrics, of eight cells at most."""


def loss_name(name: str) -> str:
    """A loss as people write it."""
    return LOSSES.get(name, name)


def worth(one: ModelSeen) -> tuple[str, str]:
    """Whether it beats the best baseline, in words and their ink."""
    share = UNKNOWN if one.gain_share is None else number(abs(one.gain_share) * 100, 1, "%")
    if one.beats_baseline:
        return (f"✓ {share} below {one.baseline}", "pnl-up")
    if one.gain_high < 0:
        return (f"✗ {share} above {one.baseline}", "pnl-down")
    return (f"· no better than {one.baseline}", "waiting")


def write_model(page: Page, one: ModelSeen) -> None:
    """Its card."""
    page.title(one.name, shorten(one.digest, 10, 8))
    page.row("forecasts", (f"{one.target}, in {one.unit}", "foreground"))
    page.row("asked by", (", ".join(one.agents) or "nobody", "strong" if one.agents else "muted"))
    page.row("learned", (one.trained_on, "foreground"))
    until = datetime.fromtimestamp(one.trained_until_timestamp, UTC)
    page.row(
        "until", (f"block {number(one.trained_until, 0)}", "foreground"), (f"{until:%Y-%m-%d %H:%M}", "muted")
    )
    trees = f"{number(one.trees, 0)} tree{'' if one.trees == 1 else 's'}"
    page.row("made of", (f"{number(one.samples, 0)} rows, {trees}", "foreground"))
    write_skill(page, one)
    page.title("Looks at")
    most = max((share for _, share in one.importance), default=0.0)
    for feature, share in one.importance:
        if share >= LEAST_SHARE:
            cells = ((bar(share / most, GAUGE), "accent"), (f" {number(share * 100, 0)} %", "muted"))
            write_named(page, feature, cells)
    page.title("Does not know")
    for limit in one.limits:
        page.row("", (limit, "foreground"))


def write_skill(page: Page, one: ModelSeen) -> None:
    """Its errors out of sample beside its baselines', and how sure the difference is."""
    page.title("Out of sample", f"in {loss_name(one.loss)}, less is better")
    known = dict.fromkeys([one.loss, *(name for values in one.metrics.values() for name in values)])
    names = list(known)[: max(1, (page.width - NAME - 1) // 9)]
    places = {name: places_of([values.get(name) for values in one.metrics.values()]) for name in names}
    write_named(page, "", ((f"{COLUMNS.get(name, loss_name(name))[:8]:>9}", "muted") for name in names))
    for forecaster in ranked(one):
        ink = "strong" if forecaster == "model" else "foreground"
        values = one.metrics[forecaster]
        write_named(
            page, forecaster, ((f"{number(values.get(name), places[name]):>9}", ink) for name in names)
        )
    page.row(loss_name(one.loss), worth(one))
    digits = places_of([one.gain, one.gain_low, one.gain_high])
    low, high = signed(one.gain_low, digits), signed(one.gain_high, digits)
    page.row(
        "gain", (f"{signed(one.gain, digits)},", "foreground"), (f"95 % between {low} and {high}", "muted")
    )
    if one.band_level is not None:
        held = UNKNOWN if one.band_coverage is None else number(one.band_coverage * 100, 1, "%")
        page.row(
            "band",
            (f"held {held},", "foreground"),
            (f"is meant to hold {number(one.band_level * 100, 0, '%')}", "muted"),
        )


def ranked(one: ModelSeen) -> list[str]:
    """The model first, its baselines from the best to the worst."""
    losses = {name: values.get(one.loss) for name, values in one.metrics.items()}

    def order(name: str) -> tuple[bool, bool, float]:
        loss = losses[name]
        return (name != "model", loss is None, loss or 0.0)

    return sorted(losses, key=order)


def write_named(page: Page, name: str, cells: Iterable[tuple[str, str]]) -> None:
    """A line whose name is longer than the labels are."""
    page.write(f" {name if len(name) < NAME else name[: NAME - 2] + '…':<{NAME}}", "muted")
    for words, ink in cells:
        page.write(words, ink)
    page.write("\n", "muted")


def places_of(values: list[float | None]) -> int:
    """Digits after the point that leave the largest of these four significant ones or so."""
    largest = max((abs(value) for value in values if value is not None), default=0.0)
    return 1 if largest >= 100 else 2 if largest >= 10 else 4 if largest >= 0.01 else 7


def write_watch(page: Page, one: ModelSeen) -> None:
    """Whether it is still asked about what it knows, who challenged it, who took over from whom."""
    write_drift(page, one)
    page.title("Champion and challengers")
    if one.retraining:
        page.row("now", ("… a challenger is being trained", "waiting"))
    for challenge in reversed(one.challenges):
        write_challenge(page, challenge)
    if not one.challenges and not one.retraining:
        page.row("", ("nobody challenged it yet", "muted"))
    page.title("Served")
    if not one.switches:
        page.row("", ("this one, ever since the session began", "muted"))
    told = {challenge.challenger for challenge in one.challenges if challenge.takes_over}
    for switch in reversed(one.switches):
        back = "back to " if switch.is_rollback else ""
        why = (
            switch.reason if switch.is_rollback or switch.digest not in told else "which took over, see above"
        )
        where = UNKNOWN if switch.block_number is None else number(switch.block_number, 0)
        page.row(
            f"block {where}"[: page.label - 1],
            (f"{back}{shorten(switch.digest)}", "strong"),
            (why, "foreground"),
        )


def write_drift(page: Page, one: ModelSeen) -> None:
    """How far its world has moved, and whether what came still falls into its bands."""
    drift = one.drift
    page.title("Drift")
    if drift is None:
        page.row(
            "", ("nobody watches it: no one asked for it, or the rows it learned from are not kept", "muted")
        )
        return
    if drift.reason:
        page.row("stopped", (f"✗ {drift.reason}", "risk-denied"))
    else:
        page.row("stands", ("✓ it is asked about what it knows", "pnl-up"))
    if drift.stability_index is None:
        page.row("inputs", ("too few rows yet", "muted"))
    else:
        write_gauge(
            page,
            "inputs",
            drift.stability_index,
            drift.limit,
            f"stability index of {drift.feature}, which moved most",
        )
    expected = drift.expected_miss_rate
    missed = f"{number(drift.missed, 0)} of {number(drift.outcomes, 0)} left the band,"
    aside = "" if expected is None else f"{number(expected * drift.outcomes, 1)} expected"
    if drift.outcomes:
        page.row("outcomes", (missed, "foreground"), (aside, "muted"))
    else:
        page.row("outcomes", ("none is known yet", "muted"))
    if drift.alarm is not None:
        write_gauge(
            page, "alarm", drift.alarm, 1.0, "how far the misses are beyond chance; at 1 the model is stopped"
        )


def write_gauge(page: Page, label: str, value: float, limit: float | None, words: str) -> None:
    """A figure beside its limit."""
    if not limit:
        page.row(label, (number(value, 2), "foreground"))
        return
    share = value / limit
    ink = "risk-denied" if share >= 1 else "waiting" if share >= 0.8 else "pnl-up"
    filled, rest = gauge(share, GAUGE)
    page.line(
        label, (filled, ink), (rest, "faint"), (f" {number(value, 2)} of {number(limit, 2)}", "foreground")
    )
    page.row("", (words, "muted"))


def write_challenge(page: Page, one: ChallengeView) -> None:
    """How a challenger fared against the champion."""
    glyph, ink = ("✓", "pnl-up") if one.takes_over else ("·", "muted")
    took = "took over" if one.takes_over else "did not take over"
    label = f"block {number(one.block_number, 0)}"[: page.label - 1]
    page.row(
        label, (f"{glyph} {shorten(one.challenger)} {took}", ink), (f"from {shorten(one.champion)}", "muted")
    )
    page.row("", (one.reason, "foreground"))  # it has the gain, its interval and on how many rows
