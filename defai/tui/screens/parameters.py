"""The parameters of an agent's strategy as a form: it says what they would change before they do."""

from collections.abc import Mapping
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static

from defai.domain.answers import ParameterPreview
from defai.errors import DefaiError
from defai.tui.lines import AgentLine
from defai.tui.screens.dialogs import HEIGHTS, ROOMY, page_width
from defai.tui.themes import palette_of
from defai.tui.widgets.bounds import bounds, misfit
from defai.tui.widgets.decision_text import intent_words
from defai.tui.widgets.page import Page
from defai.tui.wishes import Wishes

PAUSE_S = 0.25
"""What is typed is tried once the typing rested for so long."""


class FormRows(VerticalScroll, can_focus=False, inherit_bindings=False):
    """Rows of a form: arrows go from one to the next, they do not scroll."""


class ParameterForm(ModalScreen[None]):
    """One line a parameter; what they would change stands below, and enter puts them in force.

    Args:
        line: the agent.
        wishes: asks the session.

    Attributes:
        boxes: where each parameter is typed, by its name: an author's name need not do as a widget's.
    """

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "dismiss", "leave"),
        Binding("down", "app.focus_next", "next", show=False),
        Binding("up", "app.focus_previous", "previous", show=False),
    ]

    def __init__(self, line: AgentLine, wishes: Wishes) -> None:
        super().__init__()
        self.line = line
        self._wishes = wishes
        self._resting: Timer | None = None
        self._preview: ParameterPreview | None = None
        self.VERTICAL_BREAKPOINTS = HEIGHTS
        self._tried: Mapping[str, str] = {}
        self.boxes = {
            card.name: Input(card.value, compact=True, select_on_focus=False) for card in line.card.form
        }

    def compose(self) -> ComposeResult:
        """The form."""
        with Vertical(classes="dialog -wide", id="form"):
            yield Static(f"Parameters of {self.line.key}", classes="dialog-title", markup=False)
            with FormRows(id="form-rows"):
                for card in self.line.card.form:
                    with Horizontal(classes="form-row"):
                        yield Static(card.name, classes="form-name", markup=False)
                        yield self.boxes[card.name]
                        yield Static(bounds(card), classes="form-bounds", markup=False)
                    yield Static(card.description, classes="form-help", markup=False)
            yield Static(id="form-preview")
            hint = "enter puts them in force from the next block on · esc leaves all as it is"
            yield Static(hint, classes="dialog-hint")

    def on_resize(self) -> None:
        """Give the rows the room there is."""
        self._make_room(str(self.query_one("#form-preview", Static).content))

    def _make_room(self, preview: str) -> None:
        """Let the rows take what the rest leaves: what they would change is always to be seen."""
        height = self.app.size.height
        tight = height < ROOMY
        around = 5 if tight else 9  # borders, the title, the hint in two lines, and what is between them
        most = (height if tight else height * 92 // 100) - around - (preview.count("\n") if preview else 0)
        self.query_one("#form-rows").styles.max_height = max(2, most)
        if isinstance(self.focused, Input):
            self.call_after_refresh(self.focused.scroll_visible, animate=False)

    @property
    def values(self) -> dict[str, str]:
        """What is typed, where it differs from what is in force."""
        now = {card.name: card.value for card in self.line.card.form}
        typed = {name: box.value.strip() for name, box in self.boxes.items()}
        return {name: value for name, value in typed.items() if value != now[name]}

    def on_input_changed(self, event: Input.Changed) -> None:
        """Try what is typed, once the typing rests."""
        event.stop()
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(PAUSE_S, self._try)

    def _try(self) -> None:
        values = self.values
        self._tried = values
        cards = {card.name: card for card in self.line.card.form}
        needs = {name: misfit(cards[name], text) for name, text in values.items()}
        if any(needs.values()):
            wrong = {name: f"has to be {need}" for name, need in needs.items() if need}
            self._say(ParameterPreview(self.line.key, wrong), "")
        elif values:
            self._wishes.ask(
                self._wishes.control.preview_parameters(self.line.key, values),
                partial(self._take, values),
                self._refused,
            )
        else:
            self._say(None, "")

    def _take(self, tried: Mapping[str, str], answer: ParameterPreview) -> None:
        if self.is_mounted and tried == self._tried:  # else something else was typed meanwhile
            self._say(answer, "")

    def _refused(self, refusal: DefaiError) -> None:
        if self.is_mounted:
            self._say(None, refusal.sentence)

    def _say(self, preview: ParameterPreview | None, refusal: str) -> None:
        self._preview = preview
        width = page_width(self.app.size.width)
        page = Page(palette_of(self.app), width, label=10, indent=0, ground="surface")
        if refusal:
            page.row("", (refusal, "risk-denied"))
        elif preview is not None:
            write_preview(page, preview)
        self.query_one("#form-preview", Static).update(page.text)
        self._make_room(page.text.plain)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Put them in force, where they have been tried and fit."""
        event.stop()
        values = self.values
        if not values:
            self.dismiss()
        elif self._preview is not None and not self._preview.errors and values == self._tried:
            self._wishes.ask(
                self._wishes.control.set_parameters(self.line.key, values), self._set, self._refused
            )
        else:
            self._try()

    def _set(self, answer: ParameterPreview) -> None:
        if answer.errors:
            self._take(self._tried, answer)
            return
        if self.is_mounted:
            self.dismiss()


def write_preview(page: Page, preview: ParameterPreview) -> None:
    """What is wrong with them, or what they would change."""
    for name, words in preview.errors.items():
        page.row(name[:9] or "together", (f"✗ {words}", "risk-denied"))
    if preview.errors:
        return
    for name, before, after in preview.changed:
        page.row("changes", (name, "foreground"), (f"{before} → {after}", "strong"))
    page.row("decides", (intent_words(preview.text), "strong"), (f"({preview.reason})", "muted"))
    page.row(
        "now it is",
        (intent_words(preview.text_before), "foreground"),
        (f"({preview.reason_before})", "muted"),
    )
    if preview.verdict and preview.verdict != "approved":
        page.row("guard", (f"{preview.verdict.replace('_', ' ')}: {preview.verdict_reason}", "waiting"))
    for note in preview.notes:
        page.row("mind", (note, "waiting"))
