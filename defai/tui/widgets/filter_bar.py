"""One line to type into: the words that lines of a list must have."""

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.widgets import Input, Static


class FilterBar(Horizontal):
    """Appears above the keys; what is typed sifts the list at once."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "clear", "all", show=False),
        Binding("down,up", "leave", "to the list", show=False),
    ]

    class Changed(Message):
        """Other words are wanted."""

        def __init__(self, wanted: str) -> None:
            super().__init__()
            self.wanted = wanted

    class Left(Message):
        """The typing is over."""

    def __init__(self) -> None:
        super().__init__(id="filter")
        self.display = False

    def compose(self) -> ComposeResult:
        """A slash, the words, and how many lines have them."""
        yield Static("/", id="filter-slash")
        yield Input(
            placeholder="words a line must have; -word for those it must not",
            compact=True,
            select_on_focus=False,
            id="filter-words",
        )
        yield Static(id="filter-count")

    @property
    def words(self) -> Input:
        """Where the words are typed."""
        return self.query_one(Input)

    def open(self, wanted: str) -> None:
        """Show the line and go there."""
        self.display = True
        with self.words.prevent(Input.Changed):
            self.words.value = wanted
        self.words.focus()

    def close(self) -> None:
        """Take the line away, and with it what was typed."""
        self.display = False
        with self.words.prevent(Input.Changed):
            self.words.value = ""

    def display_counts(self, listed: int, of: int) -> None:
        """Say how many lines are listed."""
        self.query_one("#filter-count", Static).update(f"{listed:,} of {of:,}")

    def on_input_changed(self, event: Input.Changed) -> None:
        """Sift as one types."""
        event.stop()
        self.post_message(self.Changed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the words, go back to the list."""
        event.stop()
        self.post_message(self.Left())

    def action_clear(self) -> None:
        """All lines again."""
        self.close()
        self.post_message(self.Changed(""))
        self.post_message(self.Left())

    def action_leave(self) -> None:
        """Keep the words, go back to the list."""
        self.post_message(self.Left())

    def on_click(self, event: events.Click) -> None:
        """A click on it is a wish to type."""
        event.stop()
        self.words.focus()
