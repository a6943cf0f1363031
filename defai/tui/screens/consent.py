"""Yes and no to what waits for the owner. Consent is a name typed out, never a key that happened to be pressed."""

from typing import ClassVar, TypeVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.timer import Timer
from textual.widgets import Input, Static

from defai.tui.fleet import FleetState
from defai.tui.screens.dialogs import HEIGHTS, page_width
from defai.tui.themes import palette_of
from defai.tui.waiting import RequestLine
from defai.tui.widgets.page import Page
from defai.tui.widgets.request_text import deadline, write_consequence, write_wish

LOOK_EVERY_S = 0.5
Answer = TypeVar("Answer")


def ended(line: RequestLine) -> str:
    """That a request ended while one looked at it: "It has expired in the meantime"."""
    if line.is_open:
        return "The session has ended"
    return f"It {'has' if line.state == 'expired' else 'was'} {line.state} in the meantime"


class AnswerDialog(ModalScreen[Answer]):
    """About one request, and how much time there is for an answer.

    Where the request ends first it says so and stays: what is typed on must not fall to the screen behind it as keys.

    Args:
        line: the request; the dialog is about this one whatever else comes in.
        fleet: knows the chain's clock, and how fast it goes.
    """

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "not now")]
    UNSAID: ClassVar[str] = ""
    """What was not done where the request ended."""

    def __init__(self, line: RequestLine, fleet: FleetState) -> None:
        super().__init__()
        self.line, self.fleet = line, fleet
        self._looking: Timer | None = None
        self.VERTICAL_BREAKPOINTS = HEIGHTS

    def on_mount(self) -> None:
        """See whether the request is still there."""
        self._looking = self.set_interval(LOOK_EVERY_S, self.look)
        self.look()

    def write(self, page: Page) -> None:
        """Write what the request is about."""
        raise NotImplementedError

    def about(self) -> Text:
        """What the request is about, and until when it waits."""
        width = page_width(self.app.size.width)
        page = Page(palette_of(self.app), width, label=12, indent=0, ground="surface")
        self.write(page)
        if not self.is_over:
            page.row("waits", deadline(self.line, self.fleet))
        page.text.rstrip()
        return page.text

    @property
    def is_over(self) -> bool:
        """Whether no answer is taken any more."""
        return not self.line.is_open or self.fleet.is_over

    def look(self) -> None:
        """Show the request as it stands, until it has ended."""
        if self._looking is None:
            return
        self.query_one("#about", Static).update(self.about())
        if self.is_over:
            self._looking.stop()
            self._looking = None
            self.say(f"{ended(self.line)}: {self.UNSAID}. esc closes.")

    def say(self, words: str) -> None:
        """Say what went otherwise than was meant."""
        said = self.query_one("#said", Static)
        said.update(words)
        said.add_class("-refused")

    def action_leave(self) -> None:
        """Leave it as it is."""
        self.dismiss(None)


class Consent(AnswerDialog[bool]):
    """Says what follows and takes the agent's name, typed out, for a yes."""

    UNSAID: ClassVar[str] = "nothing was approved here"

    def compose(self) -> ComposeResult:
        """What would be done, what it costs, and the place for the name."""
        name = self.line.request.agent
        with VerticalScroll(classes="dialog -wide", can_focus=False):
            yield Static(f"Let {name} do this?", classes="dialog-title", markup=False)
            yield Static(self.about(), classes="dialog-text", id="about")
            hint = f"Type {name} and press enter. It is signed with the owner's key."
            yield Static(hint, classes="dialog-hint", markup=False)
            yield Input(placeholder=name, compact=True)
            yield Static("esc leaves it waiting", classes="dialog-hint", id="said", markup=False)

    def write(self, page: Page) -> None:
        """What a yes does and costs."""
        write_consequence(page, self.line, self.fleet)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The right name is a yes; anything else is none."""
        event.stop()
        self.look()
        if self.is_over:
            self.dismiss(False)
        elif event.value.strip() == self.line.request.agent:
            self.dismiss(True)
        else:
            self.say(f"That is not the name: nothing was approved. It is {self.line.request.agent}.")


class Refusal(AnswerDialog[str]):
    """Takes a reason for a no; an empty one is a reason too."""

    UNSAID: ClassVar[str] = "nothing was rejected here"

    def compose(self) -> ComposeResult:
        """What is rejected, and the place for the reason."""
        with VerticalScroll(classes="dialog -wide", can_focus=False):
            yield Static(f"Reject what {self.line.request.agent} asks?", classes="dialog-title", markup=False)
            yield Static(self.about(), classes="dialog-text", id="about")
            yield Static(
                "The decision is dropped and stays on record as rejected, with your reason. The agent decides anew "
                "with the next block, and may ask for the same again.",
                classes="dialog-text",
            )
            yield Input(placeholder="why not, in a few words", compact=True)
            yield Static("enter rejects · esc leaves it waiting", classes="dialog-hint", id="said")

    def write(self, page: Page) -> None:
        """What would not be done."""
        write_wish(page, self.line)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Reject."""
        event.stop()
        self.look()
        self.dismiss(None if self.is_over else event.value.strip())
