"""Models: what do the agents ask, is it worth anything, does the world still look as it did, who challenges it?"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal

from defai.tui.actions import MODELS, bindings
from defai.tui.fleet import Parts
from defai.tui.format import UNKNOWN, gauge, number, shorten
from defai.tui.messages import LineSelected
from defai.tui.models import ModelLine
from defai.tui.screens.board import Board
from defai.tui.themes import palette_of
from defai.tui.widgets.grid import Column, LineGrid, Spans
from defai.tui.widgets.model_text import worth, write_drift, write_model, write_watch
from defai.tui.widgets.page import Page
from defai.tui.widgets.text_view import TextPanel

LABEL = 14


class ModelsScreen(Board):
    """The models above, the selected one's card and what is watched of it below."""

    scope: ClassVar[str] = MODELS
    panels: ClassVar[tuple[str, ...]] = ("models", "model-card", "model-watch")
    CSS_PATH = "models.tcss"
    BINDINGS: ClassVar[list[BindingType]] = bindings(MODELS)
    AUTO_FOCUS = "#models"

    def compose_body(self) -> ComposeResult:
        """The list, and two pages."""
        yield LineGrid[ModelLine](
            columns(),
            empty="No agent asks a model.",
            source="models",
            words=lambda one: one.words,
            sortable=True,
        )
        with Horizontal(id="model-lower"):
            yield TextPanel("model-card")
            yield TextPanel("model-watch")

    @property
    def grid(self) -> "LineGrid[ModelLine]":
        """The list."""
        return self.query_one("#models", LineGrid)

    def paint(self, parts: Parts) -> None:
        """Show what changed."""
        if "models" not in parts:
            return
        lines = tuple(self.fleet.models.values())
        self.shape(self.grid, min(max(4, len(lines) + 3), max(6, self.size.height // 3)))
        self.grid.show(lines)
        self.entitle(self.grid, "Models", f"{len(lines)} asked" if lines else "")
        self._paint_pages()

    def _paint_pages(self) -> None:
        line = self.grid.selected
        card, watch = self.query_one("#model-card", TextPanel), self.query_one("#model-watch", TextPanel)
        self.entitle(card, f"Card of {line.seen.name}" if line else "Card")
        self.entitle(watch, "Drift, champion and challengers")
        for box, write in ((card, write_model), (watch, write_watch)):
            width = box.scrollable_content_region.width
            page = Page(palette_of(self.app), max(40, width), label=LABEL, indent=1)
            if line is not None:
                if box is card and line.is_stopped and not watch.display:
                    write_drift(page, line.seen)  # why it is stopped is seen in a narrow terminal too
                write(page, line.seen)
            box.display_text(page.text)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Offer only what there is something to do with."""
        if action in {"copy", "sort", "filter", "export"}:
            return bool(self.is_mounted and self.fleet.models)
        return super().check_action(action, parameters)

    def action_copy(self) -> None:
        """Copy the digest of the model under the cursor."""
        self.terminal.copy("model's digest", self.grid.selected.seen.digest if self.grid.selected else None)

    def on_line_selected(self, message: LineSelected) -> None:
        """Show another model."""
        if message.source == "models":
            self._paint_pages()


def columns() -> tuple[Column[ModelLine], ...]:
    """What a line says of a model."""
    return (
        Column[ModelLine](
            "model", lambda one: ((one.seen.name, "strong"),), 18, grow=1, raw=lambda one: one.seen.name
        ),
        Column[ModelLine](
            "forecasts",
            lambda one: ((one.seen.target, "foreground"),),
            22,
            grow=2,
            rank=4,
            raw=lambda one: one.seen.target,
        ),
        Column[ModelLine](
            "agents",
            lambda one: ((number(len(one.seen.agents), 0), "foreground"),),
            6,
            right=True,
            raw=lambda one: len(one.seen.agents),
        ),
        Column[ModelLine](
            "out of sample",
            lambda one: (worth(one.seen),),
            24,
            grow=1,
            raw=lambda one: one.seen.gain_share,
            name="gain share",
        ),
        Column[ModelLine]("drift", drift, 12, rank=1, raw=alarm),
        Column[ModelLine](
            "until block",
            lambda one: ((number(one.seen.trained_until, 0), "muted"),),
            11,
            rank=3,
            right=True,
            raw=lambda one: one.seen.trained_until,
        ),
        Column[ModelLine](
            "digest",
            lambda one: ((shorten(one.seen.digest), "muted"),),
            11,
            rank=5,
            raw=lambda one: one.seen.digest,
        ),
        Column[ModelLine]("state", state, 12),
    )


def alarm(line: ModelLine) -> float | None:
    """How near its drift is to stopping it: the larger of its two tests, as a share of its limit."""
    one = line.seen.drift
    if one is None:
        return None
    inputs = one.stability_index / one.limit if one.stability_index is not None and one.limit else None
    return max((share for share in (inputs, one.alarm) if share is not None), default=None)


def drift(line: ModelLine) -> Spans:
    """How near its drift is to stopping it."""
    share = alarm(line)
    if share is None:
        return ((UNKNOWN, "muted"),)
    ink = "risk-denied" if share >= 1 else "waiting" if share >= 0.8 else "pnl-up"
    filled, rest = gauge(share, 6)
    return ((filled, ink), (rest, "faint"), (f" {number(share * 100, 0)} %", "foreground"))


def state(line: ModelLine) -> Spans:
    """Whether it may be acted upon."""
    if line.is_stopped:
        return (("■ stopped", "risk-denied"),)
    if line.seen.retraining:
        return (("… training", "waiting"),)
    return (("● serves", "pnl-up"),)
