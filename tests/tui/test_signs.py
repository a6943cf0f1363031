"""Which signs are drawn: none that is of another width elsewhere, and on a console of Linux those it has."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from rich.cells import cell_len
from textual.command import CommandPalette
from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver

from defai.tui.console import SIGNS, in_its_signs

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

PICTURES = Path(__file__).with_name("__snapshots__")
EVERYWHERE = "±²µ·×÷…←→↑↓−≈≤≥•─│└├┤║█░▒▓▄▌■▲▼►○●♦σ"
"""In nearly every font for terminals since WGL4."""
BESIDE = "✓✗↵◆▴▾▸▔⁴⁻"
"""What else is drawn: signs of text, one cell wide in every terminal."""
CONSOLE = "±²µ·×…←→↑↓−≈≤≥•─│└┘├┤║█░▒■▲▼♦▶●✗▴▾▸━┃╭╮╯╰╸"
"""What the fonts of Debian's console for Latin letters have: console-setup's Lat15, Uni2 and Lat2."""
MADE_UP = "⁴⁻"
"""Of a made-up model's formula, not ours."""


def drawn(text: str) -> set[str]:
    return {sign for sign in text if ord(sign) > 0x7F}


def unsafe(signs: Iterable[str]) -> list[str]:
    return sorted(
        one
        for one in signs
        if one not in EVERYWHERE + BESIDE and not re.match("[\u2500-\u259f\u2800-\u28ff]", one)
    )


@pytest.fixture(scope="module")
def on_pictures() -> set[str]:
    return drawn("".join(path.read_text() for path in PICTURES.rglob("*.txt")))


def test_signs_are_of_one_width_and_in_common_fonts(on_pictures: set[str]) -> None:
    assert {"●", "✓", "░"} <= on_pictures
    assert unsafe(on_pictures) == []
    assert [one for one in on_pictures if cell_len(one) != 1] == []


async def test_the_palette_and_a_run_that_is_over_draw_no_others(opened: Handed, theatre: Handed) -> None:
    async with opened("ctrl+p") as (_, app, pilot):
        await theatre.until(lambda: isinstance(app.screen, CommandPalette), pilot)
        await theatre.stands(app, pilot, "Search for commands")
        assert unsafe(drawn(theatre.seen(app))) == []


def test_a_console_of_linux_gets_signs_that_it_has(on_pictures: set[str]) -> None:
    left = drawn("".join(on_pictures | {chr(code) for code in SIGNS}).translate(SIGNS))
    assert sorted(left - set(CONSOLE + MADE_UP)) == []
    assert all(cell_len(other) == 1 for other in SIGNS.values())


async def test_only_such_a_console_gets_them(theatre: Handed, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []

    class Pen(HeadlessDriver):
        def write(self, data: str) -> None:
            written.append(data)

    def opened(term: str) -> type[Driver]:
        monkeypatch.setenv("TERM", term)
        found: type[Driver] = theatre.Stage([]).app().get_driver_class()
        return found

    assert "ConsoleDriver" not in opened("xterm-256color").__name__
    assert "ConsoleDriver" in opened("linux").__name__
    app = theatre.Stage([]).app()
    in_its_signs(Pen)(app).write("✓ ⠉⠒⣀⣿⠀ \x1b[1m▁▇")
    assert written == ["+ ''.▒  \x1b[1m_█"]
