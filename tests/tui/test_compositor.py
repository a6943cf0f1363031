"""Drawing only what is new ends in the same screen as drawing all of it."""

import re
from typing import Any, TypeAlias

import pytest
from textual._compositor import ChopsUpdate

from defai.tui.app import DefaiApp
from defai.tui.compositor import SparingCompositor

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

STEP = re.compile(r"\x1b\[(\d+);(\d+)H|\x1b\[[0-9;?]*[a-zA-Z]|\n")


class Glass:
    """A terminal's screen: whole pictures replace it, updates are written over it."""

    def __init__(self) -> None:
        self.lines: list[list[str]] = []
        self.updates = 0

    def show(self, app: DefaiApp, update: object) -> None:
        if isinstance(update, ChopsUpdate):
            self.updates += 1
            self._write(update.render_segments(app.console))
        elif update is not None:
            self.lines = [list(line.text) for line in app.screen._compositor.render_strips()]

    def _write(self, written: str) -> None:
        row = column = at = 0
        while at < len(written):
            step = STEP.match(written, at)
            if step is None:
                self.lines[row][column] = written[at]
                column, at = column + 1, at + 1
                continue
            if step.group(1):
                row, column = int(step.group(1)) - 1, int(step.group(2)) - 1
            at = step.end()

    @property
    def text(self) -> str:
        return "\n".join("".join(line) for line in self.lines)


@pytest.mark.parametrize("keys", [("1",), ("2",), ("4", "down", "down")])
async def test_updates_add_up_to_the_whole_screen(
    theatre: Handed, monkeypatch: pytest.MonkeyPatch, keys: tuple[str, ...]
) -> None:
    events = list(theatre.demo_stream(theatre.seed, blocks=40, end=False))
    stage = theatre.Stage(events[: len(events) // 2])
    app, glass = stage.app(), Glass()
    monkeypatch.setattr(app, "_display", lambda _, update: glass.show(app, update))
    async with app.run_test(size=(120, 40)) as pilot:
        await theatre.settled(pilot, stage)
        await pilot.press(*keys)
        for at in range(len(events) // 2, len(events), 40):
            stage.play(events[at : at + 40])
            await theatre.settled(pilot, stage)
        await theatre.until(lambda: glass.text == theatre.seen(app), pilot)
        assert isinstance(app.screen._compositor, SparingCompositor)
        assert glass.updates > 5
        app.exit()
