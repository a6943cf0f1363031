"""A text that changes: drawn anew where it differs, laid out anew only where its length does."""

from rich.text import Text
from textual.widgets import Static


class TextView(Static):
    """A page inside a panel.

    Args:
        name: the widget's id; None without one.
    """

    def __init__(self, name: str | None = None) -> None:
        super().__init__(id=name)
        self._text: Text | None = None

    def display_text(self, text: Text) -> None:
        """Show a text. A layout costs as much as painting half the screen, and moves nothing at the same length."""
        before = self._text
        if before is not None and before == text:
            return
        self._text = text
        lines = text.plain.count("\n")
        self.update(text, layout=before is None or before.plain.count("\n") != lines)
