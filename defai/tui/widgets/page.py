"""A page of labelled lines, as a text that fits a width."""

from collections.abc import Iterable

from rich.text import Text

from defai.tui.themes import Palette

Span = tuple[str, str]


class Page:
    """Lines of a label and pieces of text in their inks; long ones go on under themselves.

    Args:
        palette: the inks.
        width: cells across.
        label: cells a label takes.
        indent: cells before the label.
        ground: what the page lies on.
    """

    def __init__(
        self, palette: Palette, width: int, *, label: int = 12, indent: int = 2, ground: str = "background"
    ) -> None:
        self.text = Text(no_wrap=True, overflow="ellipsis")
        self.palette = palette
        self.width = width
        self.label = label
        self.indent = indent
        self.ground = ground

    @property
    def room(self) -> int:
        """Cells a value has on its line."""
        return max(8, self.width - self.label - self.indent)

    def write(self, words: str, ink: str) -> None:
        """Append a text as it is."""
        self.text.append(words, style=self.palette.style(ink, self.ground))

    def gap(self) -> None:
        """An empty line, except at the top."""
        if self.text:
            self.text.append("\n")

    def title(self, words: str, aside: str = "") -> None:
        """A heading, after an empty line; the aside stands behind it, faintly."""
        self.gap()
        self.write(words, "strong")
        if aside:
            self.write(f"  {aside}", "muted")
        self.text.append("\n")

    def row(self, label: str, *spans: Span) -> None:
        """A label and its value, broken between words."""
        self.write(f"{' ' * self.indent}{label:<{self.label}}", "muted")
        used = 0
        for piece, ink in pieces(spans, self.room):
            if used and used + len(piece) > self.room:
                self.text.append("\n" + " " * (self.label + self.indent))
                used = 0
                piece = piece.lstrip(" ")  # noqa: PLW2901  a line begins with a word
            self.write(piece, ink)
            used += len(piece)
        self.text.append("\n")

    def line(self, label: str, *spans: Span) -> None:
        """A label and its value on one line; what does not fit is cut."""
        self.write(f"{' ' * self.indent}{label:<{self.label}}", "muted")
        left = self.room
        for words, ink in spans:
            if left <= 0:
                break
            self.write(words if len(words) <= left else f"{words[: left - 1]}…", ink)
            left -= len(words)
        self.text.append("\n")


def pieces(spans: Iterable[Span], room: int) -> Iterable[Span]:
    """Spans cut into words, each with the space before it; a word longer than the line is cut into lines."""
    for index, (words, ink) in enumerate(spans):
        for number, word in enumerate(words.split(" ")):
            lead = " " if index or number else ""
            for at in range(0, max(1, len(word)), room):
                yield (lead if at == 0 else "") + word[at : at + room], ink
