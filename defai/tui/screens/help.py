"""All keys, from the action registry."""

from textwrap import wrap
from typing import ClassVar, Final

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from defai.tui.actions import MOVES, TITLES, acts
from defai.tui.lines import MARKS, STATES
from defai.tui.themes import Palette, palette_of

WIDEST: Final = 84
AROUND: Final = 7
"""Cells across of the box, and of them those of its border, padding and scrollbar; dialogs.tcss has the same."""


class Help(ModalScreen[None]):
    """All keys and glyphs; those of the screen one comes from stand first.

    Args:
        scope: that screen's name in the action registry.
    """

    CSS_PATH = "dialogs.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,question_mark,q,enter,f1", "dismiss", "close"),
        Binding("j", "scroll_by(1)", "down"),
        Binding("k", "scroll_by(-1)", "up"),
    ]

    def __init__(self, scope: str = "") -> None:
        super().__init__()
        self._scope = scope

    def compose(self) -> ComposeResult:
        """The keys in a scrolling box."""
        with VerticalScroll(classes="dialog", id="help-box"):
            yield Static("Keys", classes="dialog-title")
            width = min(WIDEST, self.app.size.width * 94 // 100) - AROUND
            yield Static(keys_text(palette_of(self.app), self._scope, width), id="help-keys")
            yield Static("esc closes", classes="dialog-hint")

    def action_scroll_by(self, lines: int) -> None:
        """Scroll by some lines."""
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)


def keys_text(palette: Palette, first: str, width: int) -> Text:
    """Every action with its key, by the place where it works; then what the glyphs mean.

    Args:
        palette: the inks.
        first: the scope that comes first.
        width: cells across; longer words go on below themselves.
    """
    text = Text()

    def write(words: str, ink: str) -> None:
        text.append(words, style=palette.style(ink, "surface"))

    def entry(key: str, room: int, ink: str, words: str) -> None:
        write(f"  {key:<{room}}", ink)
        write(f"\n{' ' * (room + 2)}".join(wrap(words, max(20, width - room - 2))) + "\n", "foreground")

    scopes = sorted(TITLES, key=lambda scope: scope != first)
    for scope in scopes:
        offered = acts(scope)
        if not offered:
            continue
        write(f"{TITLES[scope]}{' · here' if scope == first else ''}\n", "strong")
        for act in offered:
            entry(act.key, 12, "accent", act.help)
        write("\n", "muted")
    write("Lists\n", "strong")
    for keys, words in MOVES:
        entry(keys, 16, "accent", words)
    write("\nGlyphs\n", "strong")
    for glyph, ink, words in MARKS.values():
        entry(glyph, 4, ink, words)
    for word, (glyph, ink) in STATES.items():
        entry(glyph, 4, ink, f"the agent is {word}")
    return text
