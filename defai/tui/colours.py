"""The colours themselves, by theme and by what they stand for: known before anything that draws has been imported."""

from collections.abc import Mapping
from typing import Final

_NIGHT: Final = {
    "primary": "#6aa5f8",
    "foreground": "#d3dbe6",
    "background": "#0d1219",
    "surface": "#111822",
    "panel": "#1a2430",
    "waiting": "#f0b95a",
    "strong": "#f2f6fb",
    "muted": "#8796a9",
    "faint": "#6b798c",
    "line": "#273342",
    "price_line": "#b9c7d8",
    "cursor_row": "#1d2c3f",
    "cursor_row_idle": "#161f2b",
}
_DAY: Final = {
    "primary": "#1f5fbf",
    "foreground": "#26303d",
    "background": "#fbfaf7",
    "surface": "#f4f2ec",
    "panel": "#e9e6dd",
    "waiting": "#8f5400",
    "strong": "#0c131c",
    "muted": "#5c6572",
    "faint": "#787f89",
    "line": "#cfcabd",
    "price_line": "#39475a",
    "cursor_row": "#dbe6f5",
    "cursor_row_idle": "#eceae3",
}

COLOURS: Final[Mapping[str, Mapping[str, str]]] = {
    "defai-dark": {
        **_NIGHT,
        "pnl_up": "#43c6a4",
        "pnl_down": "#ff8a66",
        "risk_denied": "#ff6f91",
        "audit_ok": "#7fb0ff",
        "band_fill": "#16303a",
        "band_edge": "#4fa59b",
    },
    "defai-light": {
        **_DAY,
        "pnl_up": "#00735c",
        "pnl_down": "#b23c0c",
        "risk_denied": "#b0124f",
        "audit_ok": "#1f5fbf",
        "band_fill": "#dcece6",
        "band_edge": "#2b6f60",
    },
    "defai-dark-safe": {
        **(_NIGHT | {"primary": "#8ab4ff", "waiting": "#f0e442"}),
        "pnl_up": "#56b4e9",
        "pnl_down": "#e69f00",
        "risk_denied": "#ff7a45",
        "audit_ok": "#9ad7ff",
        "band_fill": "#152c42",
        "band_edge": "#5c98ca",
    },
    "defai-light-safe": {
        **(_DAY | {"waiting": "#756400"}),
        "pnl_up": "#0066b0",
        "pnl_down": "#945300",
        "risk_denied": "#ad3600",
        "audit_ok": "#004a86",
        "band_fill": "#dbe8f4",
        "band_edge": "#2e6896",
    },
    "defai-16": {
        "primary": "#5555ff",
        "foreground": "#aaaaaa",
        "background": "#000000",
        "surface": "#000000",
        "panel": "#000000",
        "waiting": "#ffff55",
        "strong": "#ffffff",
        "muted": "#aaaaaa",
        "faint": "#aaaaaa",
        "line": "#555555",
        "price_line": "#ffffff",
        "cursor_row": "#0000aa",
        "cursor_row_idle": "#000000",
        "pnl_up": "#55ff55",
        "pnl_down": "#ffff55",
        "risk_denied": "#ff5555",
        "audit_ok": "#55ffff",
        "band_fill": "#0000aa",
        "band_edge": "#00aaaa",
    },
}
"""By theme; the last has nothing but the sixteen colours every terminal has, so none of them is mixed anew."""

USUAL: Final = "defai-dark"
