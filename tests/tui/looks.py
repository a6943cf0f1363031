"""A picture of the screen as text: what stands there, and beneath it, cell by cell, in which colours.

Unlike an image it can be read where it differs, and it is a tenth of the size.
"""

from string import ascii_letters, digits
from typing import Any

from rich.style import Style
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode
from textual.app import App

LETTERS = digits + ascii_letters + "!$%&()*+,-./:;<=>?@[]^_{|}~àèìòùáéíóúâêîôûäëïöü"


class TextSnapshot(SingleFileSnapshotExtension):
    """One file a picture."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


def picture(app: App[Any]) -> str:
    """The screen as text, then a letter for each cell's colours, then what each letter stands for."""
    words, inks = [], []
    legend: dict[str, str] = {}
    for strip in app.screen._compositor.render_strips():
        words.append(strip.text.rstrip())
        line = ""
        for segment in strip:
            letter = legend.setdefault(described(segment.style), LETTERS[min(len(legend), len(LETTERS) - 1)])
            line += letter * segment.cell_length
        inks.append(runs(line))
    colours = [f"{letter} {words}" for words, letter in legend.items()]
    return "\n".join([*words, "", *inks, "", *colours, ""])


def runs(line: str) -> str:
    """A line of letters with repeated ones counted: "a12 b3"."""
    found: list[list[Any]] = []
    for letter in line:
        if found and found[-1][0] == letter:
            found[-1][1] += 1
        else:
            found.append([letter, 1])
    return " ".join(f"{letter}{count}" for letter, count in found)


def described(style: Style | None) -> str:
    """A style in words: the ink, the ground, and whether it is bold or reversed."""
    if style is None:
        return "plain"
    ink = style.color.triplet.hex if style.color and style.color.triplet else "-"
    ground = style.bgcolor.triplet.hex if style.bgcolor and style.bgcolor.triplet else "-"
    return f"{ink} on {ground}{' bold' if style.bold else ''}{' reversed' if style.reverse else ''}"
