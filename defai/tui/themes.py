"""A dark and a light theme, and the inks widgets draw with.

Meaning never rests on colour alone: gains and losses carry a sign, verdicts and states a glyph. The pairs (teal and
vermilion, magenta and blue) stay apart for the common kinds of colour blindness.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from rich.style import Style
from textual.app import App
from textual.theme import Theme

DARK: Final = Theme(
    name="defai-dark",
    dark=True,
    primary="#6aa5f8",
    secondary="#8f9db0",
    accent="#f0b95a",
    warning="#f0b95a",
    error="#ff6f91",
    success="#43c6a4",
    foreground="#d3dbe6",
    background="#0d1219",
    surface="#111822",
    panel="#1a2430",
    variables={
        "pnl-up": "#43c6a4",
        "pnl-down": "#ff8a66",
        "risk-denied": "#ff6f91",
        "audit-ok": "#7fb0ff",
        "waiting": "#f0b95a",
        "strong": "#f2f6fb",
        "muted": "#7d8b9e",
        "faint": "#4a5666",
        "line": "#273342",
        "line-focus": "#6aa5f8",
        "price-line": "#b9c7d8",
        "band-fill": "#16303a",
        "band-edge": "#3f8f86",
        "cursor-row": "#1d2c3f",
        "cursor-row-idle": "#161f2b",
        "footer-key-foreground": "#f0b95a",
        "footer-background": "#111822",
        "footer-description-foreground": "#98a5b6",
        "footer-item-background": "#111822",
        "scrollbar": "#273342",
        "scrollbar-background": "#0d1219",
        "scrollbar-hover": "#3a4a5e",
        "scrollbar-active": "#6aa5f8",
        "block-cursor-background": "#6aa5f8",
        "block-cursor-foreground": "#0d1219",
    },
)

LIGHT: Final = Theme(
    name="defai-light",
    dark=False,
    primary="#1f5fbf",
    secondary="#5b6675",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b0124f",
    success="#00735c",
    foreground="#26303d",
    background="#fbfaf7",
    surface="#f4f2ec",
    panel="#e9e6dd",
    variables={
        "pnl-up": "#00735c",
        "pnl-down": "#b23c0c",
        "risk-denied": "#b0124f",
        "audit-ok": "#1f5fbf",
        "waiting": "#9a5b00",
        "strong": "#0c131c",
        "muted": "#6a7482",
        "faint": "#a6acb3",
        "line": "#cfcabd",
        "line-focus": "#1f5fbf",
        "price-line": "#39475a",
        "band-fill": "#dcece6",
        "band-edge": "#4f9a89",
        "cursor-row": "#dbe6f5",
        "cursor-row-idle": "#eceae3",
        "footer-key-foreground": "#9a5b00",
        "footer-background": "#f4f2ec",
        "footer-description-foreground": "#4d5866",
        "footer-item-background": "#f4f2ec",
        "scrollbar": "#cfcabd",
        "scrollbar-background": "#fbfaf7",
        "scrollbar-hover": "#b0aa9a",
        "scrollbar-active": "#1f5fbf",
        "block-cursor-background": "#1f5fbf",
        "block-cursor-foreground": "#fbfaf7",
    },
)

THEMES: Final = (DARK, LIGHT)

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
            found = Style(
                color=self._variables[ink][:7],
                bgcolor=self._variables[ground][:7],
                bold=ink in BOLD_INKS,
            )
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
