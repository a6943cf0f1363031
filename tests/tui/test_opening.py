"""The first words: where the first screen has them, in its colours, and gone again where an error comes up instead."""

import fcntl
import gc
import os
import pty
import re
import select
import struct
import sys
import termios
import time
from collections.abc import Iterator
from typing import Any, TypeAlias

import pytest

from defai.cli.terminal import opened
from defai.errors import NotRunningError
from defai.tui.colours import COLOURS
from defai.tui.opening import opening, words
from defai.tui.preferences import Preferences

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

COLOURFUL = {"TERM": "xterm-256color", "COLORTERM": "truecolor"}
STEP = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[H|\x1b\[[0-9;?]*[a-zA-Z]")


def drawn(written: str, columns: int, rows: int) -> list[str]:
    """The rows of a screen after this was written to it; only its cursor addresses are followed."""
    screen = [[" "] * columns for _ in range(rows)]
    row = column = at = 0
    while at < len(written):
        step = STEP.match(written, at)
        if step is None:
            screen[row][column] = written[at]
            column, at = column + 1, at + 1
            continue
        if step.group().endswith("H"):
            row, column = int(step.group(1) or 1) - 1, int(step.group(2) or 1) - 1
        at = step.end()
    return ["".join(line).rstrip() for line in screen]


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (121, 41), (200, 60)])
async def test_nothing_jumps_when_the_first_screen_comes(theatre: Handed, size: tuple[int, int]) -> None:
    doing = "connecting to ws://127.0.0.1:8765"
    first = drawn(words(doing, *size, colours=None), *size)
    app = theatre.Stage([]).app(opening=doing)
    async with app.run_test(size=size) as pilot:
        await theatre.until(lambda: doing in theatre.seen(app), pilot)
        then = [line.rstrip() for line in theatre.seen(app).splitlines()]
        app.exit()
    said = {row: text for row, text in enumerate(first) if text}
    assert len(said) == 5
    assert {row: then[row] for row in said} == said


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """A terminal of 80 x 24 that the process has as its own; what is written to it can be read here."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with os.fdopen(theirs, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "__stderr__", stream)
        yield ours
    os.close(ours)


def read_until(terminal: int, end: str) -> str:
    """What was written to a terminal, up to some words: it may come in pieces."""
    written, deadline = "", time.monotonic() + 60
    while end not in written:
        assert time.monotonic() < deadline, f"{end!r} never came: {written!r}"
        if select.select([terminal], [], [], 0.1)[0]:
            written += os.read(terminal, 65_536).decode(errors="replace")
    return written


def test_it_is_in_the_persons_colours(terminal: int) -> None:
    chosen = Preferences()
    chosen.put("theme", "defai-light")
    with opening("starting", chosen, COLOURFUL):
        pass
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"the end")
    written = read_until(terminal, "the end")
    paper = COLOURS["defai-light"]["background"]
    assert f"48;2;{int(paper[1:3], 16)};{int(paper[3:5], 16)};{int(paper[5:7], 16)}m" in written
    assert "\x1b[?1049l" not in written, "the terminal takes over from there"


@pytest.mark.parametrize("environment", [COLOURFUL | {"NO_COLOR": "1"}, {"TERM": "xterm"}])
def test_where_nobody_wants_colours_there_are_none(terminal: int, environment: dict[str, str]) -> None:
    with opening("starting", Preferences(), environment):
        pass
    os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"the end")
    written = read_until(terminal, "the end")
    assert "… starting" in written
    assert not re.search(r"\x1b\[[0-9;]*m", written)


def test_an_error_is_said_on_the_persons_own_screen(terminal: int) -> None:
    with pytest.raises(NotRunningError), opening("starting", Preferences(), COLOURFUL):
        raise NotRunningError("Nobody answers.")
    read_until(terminal, "\x1b[0m\x1b[?25h\x1b[?1049l")


def test_a_terminal_that_can_do_nothing_is_left_alone(terminal: int) -> None:
    with opening("starting", Preferences(), {"TERM": "dumb"}):
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, b"the end")
    assert read_until(terminal, "the end") == "the end"


def test_garbage_is_looked_for_again_once_it_is_over(terminal: int) -> None:
    with opened("starting"):
        assert not gc.isenabled()
        assert "starting" in read_until(terminal, "starting")
    assert gc.isenabled()
