"""The colours: all of them can be read where they stand, and nothing is told by a colour alone."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Any, TypeAlias

import pytest
from rich.segment import Segment
from textual.command import CommandList
from textual.screen import ModalScreen

from defai.tui.actions import MODES
from defai.tui.app import DefaiApp
from defai.tui.colours import COLOURS
from defai.tui.lines import MARKS, STATES
from defai.tui.preferences import Preferences
from defai.tui.themes import THEMES

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

TEXT = (
    "foreground",
    "strong",
    "muted",
    "waiting",
    "pnl_up",
    "pnl_down",
    "risk_denied",
    "audit_ok",
    "band_edge",
)
MARKS_ONLY = ("faint", "primary", "price_line")
PLAIN = ("background", "surface", "panel")
UNDER_THE_CURSOR = ("cursor_row", "cursor_row_idle", "band_fill")
SIXTEEN = {f"#{r}{g}{b}" for r, g, b in product(("00", "aa"), repeat=3)} | {
    f"#{r}{g}{b}" for r, g, b in product(("55", "ff"), repeat=3)
}


def luminance(colour: str) -> float:
    """Relative luminance, by WCAG 2.2."""
    channels = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """By WCAG 2.2: 1 is none, 21 black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_contrast_is_what_wcag_says() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("theme", THEMES, ids=lambda theme: theme.name)
def test_every_colour_can_be_read_where_it_stands(theme: object) -> None:
    name = str(getattr(theme, "name", ""))
    colours = COLOURS[name]
    # Of sixteen colours no red is lighter on blue; what stands there has a sign of its own as well.
    least = 4.2 if name == "defai-16" else 4.5
    wanted = {
        **dict.fromkeys(product(TEXT, PLAIN), 4.5),
        **dict.fromkeys(product(TEXT, UNDER_THE_CURSOR), least),
        **dict.fromkeys(product(MARKS_ONLY, PLAIN), 3.0),
        **dict.fromkeys(product(("faint",), UNDER_THE_CURSOR), 3.0),
    }
    found = {pair: contrast(colours[pair[0]], colours[pair[1]]) for pair in wanted}
    assert {pair: round(found[pair], 2) for pair in wanted if found[pair] < wanted[pair]} == {}


def test_sixteen_colours_are_those_every_terminal_has() -> None:
    assert set(COLOURS["defai-16"].values()) <= SIXTEEN


PLACES = (*(key for key, _, _ in MODES.values()), "question_mark", "4,enter", "1,h", "2,e", "1,slash")
"""Keys to every screen, and to what opens on top of them."""


def words_of(app: DefaiApp) -> Iterator[tuple[str, str, str]]:
    """What is written on the screen, or in the dialog before it, with its colour and the one behind it."""
    strips = app.screen._compositor.render_strips()
    if isinstance(app.screen, ModalScreen):
        area = app.screen.query_one(".dialog").region
        strips = [strip.crop(area.x, area.right) for strip in strips[area.y : area.bottom]]
    for strip in strips:
        yield from inks(strip)


def inks(pieces: Iterable[Segment]) -> Iterator[tuple[str, str, str]]:
    """Of each piece with a word in it the text, its colour and the one behind it."""
    for text, style, _ in pieces:
        if style is not None and any(letter.isalnum() for letter in text):
            assert style.color is not None
            assert style.bgcolor is not None
            yield text, style.color.get_truecolor().hex, style.bgcolor.get_truecolor().hex


async def everywhere(
    opened: Handed, theatre: Handed, theme: str, places: Sequence[str]
) -> dict[tuple[str, str], str]:
    """Every pair of colours that words stand in, anywhere, with one of the words."""
    chosen = Preferences()
    chosen.put("theme", theme)
    found: dict[tuple[str, str], str] = {}
    async with opened(preferences=chosen) as (stage, app, pilot):
        for keys in places:
            await pilot.press(*keys.split(","))
            await theatre.settled(pilot, stage)
            found |= {(colour, behind): f"{keys}: {text}" for text, colour, behind in words_of(app)}
            await pilot.press("escape")
    return found


@pytest.mark.parametrize("theme", ["defai-dark", "defai-light"])
async def test_every_word_on_every_screen_can_be_read(opened: Handed, theatre: Handed, theme: str) -> None:
    found = await everywhere(opened, theatre, theme, PLACES)
    assert len(found) > 10
    assert {pair: words for pair, words in found.items() if contrast(*pair) < 4.5} == {}


@pytest.mark.parametrize("theme", ["defai-light", "defai-16"])
async def test_what_a_command_of_the_palette_does_can_be_read(
    opened: Handed, theatre: Handed, theme: str
) -> None:
    chosen = Preferences()
    chosen.put("theme", theme)
    async with opened("ctrl+p", preferences=chosen) as (_, app, pilot):
        await theatre.stands(app, pilot, "What the fleet owns", "What a pool costs")
        area = app.screen.query_one(CommandList).region
        strips = app.screen._compositor.render_strips()[area.y : area.bottom]
        pieces = [piece for strip in strips for piece in strip if any(map(str.isalnum, piece.text))]
        assert len(pieces) > 10
        assert [piece.text for piece in pieces if piece.style is None or piece.style.dim] == []
        assert [text for text, *pair in inks(pieces) if contrast(*pair) < 4.5] == []


async def test_without_colours_every_word_can_be_read_and_every_state_is_told(
    opened: Handed, theatre: Handed, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    found = await everywhere(opened, theatre, "defai-dark", ("1", "3", "4,enter", "7"))
    assert all(len({colour[at : at + 2] for at in (1, 3, 5)}) == 1 for pair in found for colour in pair)
    assert {pair: words for pair, words in found.items() if contrast(*pair) < 4.5} == {}


def test_nothing_is_told_by_a_colour_alone() -> None:
    assert len({glyph for glyph, _ in STATES.values()}) == len(STATES)
    assert len({(glyph, words) for glyph, _, words in MARKS.values()}) == len(MARKS)
