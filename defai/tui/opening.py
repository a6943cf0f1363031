"""The first words on the screen: written at once, while everything that draws the rest is still being imported.

They stand where the terminal's first screen has them, in its colours, so that nothing jumps when that comes. They say
what is really being done. Nothing here may import what takes its time: that is what they are for.
"""

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Final

from defai.tui.colours import COLOURS, USUAL
from defai.tui.preferences import Preferences

NAME: Final = "d e f a i"
CLAIM: Final = "agents that can prove every decision"
BAR_CELLS: Final = 40
STARTING: Final = "starting"

_ABOVE: Final = 9
"""Rows above the middle of the first screen: two bars and the table that waits for its agents."""
_LEAST: Final = (60, 16)
_IN: Final = "\x1b[?1049h\x1b[?25l"
_OUT: Final = "\x1b[0m\x1b[?25h\x1b[?1049l"


@contextmanager
def opening(
    doing: str, preferences: Preferences, environment: Mapping[str, str] = os.environ
) -> Iterator[None]:
    """Write the first words, on the screen that the terminal draws on; it takes over from there, and leaves it too.

    Where an error comes up instead, the person's own screen is back before that is said.

    Args:
        doing: what is being done: "connecting to ws://127.0.0.1:8765".
        preferences: tell the colours.
        environment: of the process: NO_COLOR, COLORTERM and TERM count.
    """
    size = _size(environment)
    if size is None:
        yield
        return
    _write(_IN + words(doing, *size, colours=_colours(preferences, environment)))
    try:
        yield
    except BaseException:
        _write(_OUT)
        raise


def in_short(doing: str) -> str:
    """What is being done, in the first line's words."""
    return "setting up" if doing == STARTING else doing.split(maxsplit=1)[0]


def words(doing: str, columns: int, rows: int, colours: Mapping[str, str] | None) -> str:
    """What is written: the first line, and the name with what is being done in the middle.

    Args:
        doing: what is being done.
        columns: of the terminal.
        rows: the same.
        colours: hex by what they stand for; None for those the terminal has by itself.
    """
    lines = (
        (NAME, "waiting"),
        (CLAIM, "muted"),
        ("", "muted"),
        (f"… {doing}", "foreground"),
        ("", "muted"),
        ("░" * BAR_CELLS, "line"),
    )
    top = _ABOVE + max(0, rows - 1 - _ABOVE - len(lines)) // 2
    left = max(0, columns - max(len(text) for text, _ in lines)) // 2
    ground, bar = _ink(colours, "foreground", "background"), _ink(colours, "waiting", "surface")
    written = [f"{ground}\x1b[2J\x1b[H{bar}{f' defai  ○ {in_short(doing)}':<{columns}}"]
    for offset, (text, ink) in enumerate(lines):
        written.append(f"\x1b[{top + offset + 1};{left + 1}H{_ink(colours, ink, 'background')}{text}")
    return "".join(written)


def _ink(colours: Mapping[str, str] | None, ink: str, ground: str) -> str:
    if colours is None:
        return ""
    front, back = (_channels(colours[name]) for name in (ink, ground))
    return f"\x1b[38;2;{front};48;2;{back}m"


def _channels(colour: str) -> str:
    return ";".join(str(int(colour[at : at + 2], 16)) for at in (1, 3, 5))


def _colours(preferences: Preferences, environment: Mapping[str, str]) -> Mapping[str, str] | None:
    """Those of the theme the person chose; None where the terminal may not have them, or nobody wants any."""
    if environment.get("NO_COLOR") or environment.get("COLORTERM") not in {"truecolor", "24bit"}:
        return None
    return COLOURS.get(preferences.text("theme"), COLOURS[USUAL])


def _size(environment: Mapping[str, str]) -> tuple[int, int] | None:
    """Columns and rows of the terminal; None where there is none to write to, or no room in it."""
    out = sys.__stderr__  # where the terminal draws as well
    if out is None or not out.isatty() or environment.get("TERM") in {None, "", "dumb"}:
        return None
    columns, rows = os.get_terminal_size(out.fileno())
    return (columns, rows) if columns >= _LEAST[0] and rows >= _LEAST[1] else None


def _write(text: str) -> None:
    if sys.__stderr__ is not None:
        with suppress(OSError):  # a terminal that is gone is found out by whoever draws next
            sys.__stderr__.write(text)
            sys.__stderr__.flush()
