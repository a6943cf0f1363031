"""The sets of colours, and the inks widgets draw with.

Meaning never rests on colour alone: gains and losses carry a sign, verdicts and states a glyph. What is good and
what is bad stay apart for the common kinds of colour blindness in all of them, and far apart in two made for it.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rich.style import Style
from textual.app import App
from textual.theme import Theme

from defai.tui.colours import COLOURS


def _theme(name: str, *, dark: bool, **ink: str) -> Theme:
    """A theme from its colours: everything that Textual's own widgets ask for follows from ours."""
    variables = {key.replace("_", "-"): value for key, value in ink.items()}
    variables |= {
        "line-focus": ink["primary"],
        "footer-key-foreground": ink["waiting"],
        "footer-background": ink["surface"],
        "footer-description-foreground": ink["muted"],
        "footer-item-background": ink["surface"],
        "scrollbar": ink["line"],
        "scrollbar-background": ink["background"],
        "scrollbar-hover": ink["faint"],
        "scrollbar-active": ink["primary"],
        "scrollbar-corner-color": ink["background"],
        "block-cursor-background": ink["primary"],
        "block-cursor-foreground": ink["background"],
        "input-cursor-background": ink["strong"],
        "input-cursor-foreground": ink["background"],
        "input-selection-background": ink["cursor_row"],
        "border": ink["primary"],
        "border-blurred": ink["line"],
    }
    return Theme(
        name=name,
        dark=dark,
        primary=ink["primary"],
        secondary=ink["muted"],
        accent=ink["waiting"],
        warning=ink["waiting"],
        error=ink["risk_denied"],
        success=ink["pnl_up"],
        foreground=ink["foreground"],
        background=ink["background"],
        surface=ink["surface"],
        panel=ink["panel"],
        variables=variables,
    )


DARK: Final = _theme("defai-dark", dark=True, **COLOURS["defai-dark"])
LIGHT: Final = _theme("defai-light", dark=False, **COLOURS["defai-light"])
DARK_SAFE: Final = _theme("defai-dark-safe", dark=True, **COLOURS["defai-dark-safe"])
LIGHT_SAFE: Final = _theme("defai-light-safe", dark=False, **COLOURS["defai-light-safe"])
SIXTEEN: Final = _theme("defai-16", dark=True, **COLOURS["defai-16"])
"""Nothing but the sixteen colours every terminal has, so none of them is mixed anew by a terminal without more."""

THEMES: Final = (DARK, LIGHT, DARK_SAFE, LIGHT_SAFE, SIXTEEN)
THEME_WORDS: Final = {
    "defai-dark": "dark",
    "defai-light": "light",
    "defai-dark-safe": "dark, blue and orange for colour-blind eyes",
    "defai-light-safe": "light, blue and orange for colour-blind eyes",
    "defai-16": "sixteen colours",
}

INKS: Final = (
    "pnl-up",
    "pnl-down",
    "risk-denied",
    "audit-ok",
    "waiting",
    "strong",
    "muted",
    "faint",
    "line",
    "price-line",
    "band-edge",
    "foreground",
    "primary",
    "accent",
)
BOLD_INKS: Final = frozenset({"strong"})


class Palette:
    """The inks of the current theme as styles, made once per theme and shared by all widgets.

    Args:
        variables: the app's theme variables, name to colour.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._styles: dict[tuple[str, str], Style] = {}

    def style(self, ink: str, ground: str = "background") -> Style:
        """The style of an ink ("pnl-up", "muted", …) on a ground ("background", "cursor-row", …).

        Raises:
            KeyError: where the theme has no such colour.
        """
        key = (ink, ground)
        found = self._styles.get(key)
        if found is None:
            color, under = self._variables[ink][:7], self._variables[ground][:7]
            if color == under:  # with few colours an ink may be the ground's: it must be read all the same
                color = self._variables["strong"][:7]
            found = Style(color=color, bgcolor=under, bold=ink in BOLD_INKS)
            self._styles[key] = found
        return found


_PALETTES: Final[dict[str, Palette]] = {}


def palette_of(app: App[Any]) -> Palette:
    """The inks of an app's current theme; made once per theme."""
    if app.theme not in _PALETTES:
        _PALETTES[app.theme] = Palette(app.theme_variables)
    return _PALETTES[app.theme]


def signed_ink(value: Decimal | float | None) -> str:
    """The ink of a figure that is a gain, a loss, nothing or unknown."""
    if not value:
        return "muted"
    return "pnl-up" if value > 0 else "pnl-down"
