"""One line to type into: the words that lines of a list must have."""

from typing import ClassVar

from textual import events
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
        self._words: Input | None = None
        self._count: Static | None = None

    def open(self, wanted: str) -> None:
        """Show the line and go there; what it is made of is made now, and not for the first paint."""
        if self._words is None:
            self._words = Input(
                placeholder="words a line must have; -word for those it must not",
                compact=True,
                select_on_focus=False,
                id="filter-words",
            )
            self._count = Static(id="filter-count")
            self.mount(Static("/", id="filter-slash"), self._words, self._count)
        self.display = True
        with self._words.prevent(Input.Changed):
            self._words.value = wanted
        self._words.focus()

    def close(self) -> None:
        """Take the line away, and with it what was typed."""
        self.display = False
        if self._words is not None:
            with self._words.prevent(Input.Changed):
                self._words.value = ""

    def display_counts(self, listed: int, of: int) -> None:
        """Say how many lines are listed."""
        if self._count is not None:
            self._count.update(f"{listed:,} of {of:,}")

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
        if self._words is not None:
            self._words.focus()
