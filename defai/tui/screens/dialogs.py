"""The small screens in front of the others: a question, a farewell, the end."""

from typing import ClassVar, Final

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from defai.domain.stream import SessionEnded

ROOMY: Final = 24
HEIGHTS: Final = [(0, "-tight"), (ROOMY, "-roomy")]
"""Classes of a dialog by the terminal's rows."""


def page_width(columns: int) -> int:
    """Cells that a page in a wide dialog has across, in a terminal of so many columns."""
    return min(64, columns * 94 // 100 - 8)


class Question(ModalScreen[bool]):
    """Asks once, says what follows, and takes "no" for an answer unless told otherwise.

    Args:
        title: what is about to be done.
        consequence: what it means, in a sentence or two.
        yes: the words of consent.
    """

    CSS_PATH = "dialogs.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "yes"),
        Binding("n,escape", "answer(False)", "no"),
        Binding("left,right,tab", "app.focus_next", "move", show=False),
    ]

    def __init__(self, title: str, consequence: str, yes: str) -> None:
        super().__init__()
        self._question, self._consequence, self._yes = title, consequence, yes

    def compose(self) -> ComposeResult:
        """The question, its consequence, two buttons."""
        with Vertical(classes="dialog"):
            yield Static(self._question, classes="dialog-title")
            yield Static(self._consequence, classes="dialog-text")
            with Horizontal(classes="dialog-buttons"):
                yield Button(f"{self._yes}  y", id="yes", variant="warning", compact=True)
                yield Button("No  n", id="no", variant="primary", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A click, or enter on a button."""
        self.dismiss(event.button.id == "yes")

    def action_answer(self, answer: bool) -> None:
        """A key."""
        self.dismiss(answer)


class Settling(ModalScreen[None]):
    """Shown between the wish to leave and the end of the session."""

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q,ctrl+c,ctrl+q", "app.leave_now", "leave at once")]

    def compose(self) -> ComposeResult:
        """What is going on, and the way out of it."""
        with Vertical(classes="dialog"):
            yield Static("○ settling…", classes="dialog-title")
            yield Static(
                "What is under way is being settled and recorded, then the session ends.",
                classes="dialog-text",
            )
            yield Static("q again leaves at once", classes="dialog-hint")


class Farewell(ModalScreen[None]):
    """How the session ended. Stays until a key; where there is something to see, one may stay and look at it.

    Args:
        ended: the session's last event.
        begun: whether there was a session at all.
        seen: whether there are figures to look at.
    """

    CSS_PATH = "dialogs.tcss"

    def __init__(self, ended: SessionEnded, *, begun: bool, seen: bool) -> None:
        super().__init__()
        self.ended, self._begun, self._seen = ended, begun, seen

    def compose(self) -> ComposeResult:
        """The sentence, the hint, the exit code where it is one."""
        failed = self.ended.exit_code != 0
        with Vertical(classes="dialog -failed" if failed else "dialog"):
            title = "The session has ended" if self._begun or not failed else "It could not begin"
            yield Static(f"{'✗' if failed else '✓'} {title}", classes="dialog-title")
            yield Static(Text(self.ended.sentence), classes="dialog-sentence")
            if self.ended.hint:
                yield Static(Text(self.ended.hint), classes="dialog-text")
            code = f"exit code {self.ended.exit_code} · " if failed else ""
            keys = "q leaves · esc looks at how it stands" if self._seen else "press a key to leave"
            yield Static(f"{code}{keys}", classes="dialog-hint")

    def on_key(self, event: events.Key) -> None:
        """Any key leaves where nothing is to be seen; else what is typed on at that moment does nothing."""
        event.stop()
        if self._seen and event.key == "escape":
            self.dismiss()
        elif not self._seen or event.key in {"q", "enter", "ctrl+c", "ctrl+q"}:
            self._leave()

    def on_click(self) -> None:
        """A click leaves."""
        self._leave()

    def _leave(self) -> None:
        self.app.exit(return_code=self.ended.exit_code)
