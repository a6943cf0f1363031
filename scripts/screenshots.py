"""Draw docs/pictures/*.svg: every screen of the terminal, from a made-up session that is the same each time."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from textual.pilot import Pilot
from textual.widgets import Input

from defai.domain.stream import StreamEvent
from defai.testing.answers import MadeUpControl
from defai.testing.stream import demo_pictured, demo_setup
from defai.tui.app import DefaiApp
from defai.tui.screens.explaining import LINGER_S

PICTURES = Path(__file__).resolve().parent.parent / "docs" / "pictures"
DEADLINE_S = 30.0

Shot = tuple[str, tuple[int, int], str, tuple[str, ...]]

SHOTS: tuple[Shot, ...] = (
    ("fleet", (120, 40), "defai-dark", ()),
    ("fleet-light", (120, 40), "defai-light", ()),
    ("fleet-small", (80, 24), "defai-dark", ()),
    ("fleet-large", (200, 60), "defai-dark", ()),
    ("agent", (120, 40), "defai-dark", ("2",)),
    ("pool", (120, 40), "defai-dark", ("3",)),
    ("decisions", (120, 40), "defai-dark", ("4", "f", "down")),
    ("decision", (120, 40), "defai-dark", ("4", "f", "down", "enter", "v")),
    ("approvals", (120, 40), "defai-dark", ("5",)),
    ("consent", (120, 40), "defai-dark", ("5", "enter", *"rev")),
    ("models", (120, 40), "defai-dark", ("6",)),
    ("backtest", (120, 40), "defai-dark", ("7", "r")),
    ("risk", (120, 40), "defai-dark", ("8",)),
    ("logs", (120, 40), "defai-dark", ("9",)),
    ("help", (120, 40), "defai-dark", ("question_mark",)),
    ("halt", (120, 40), "defai-dark", ("h",)),
    ("setup", (120, 40), "defai-dark", ()),
)
"""Name, columns and rows, theme, keys pressed before the picture is taken."""


def session(name: str) -> list[StreamEvent]:
    """The events a picture shows."""
    if name == "setup":
        return list(demo_setup())[:4]
    return list(demo_pictured())


async def draw(shot: Shot, folder: Path) -> Path:
    """Run the terminal without a terminal and save what it shows."""
    name, size, theme, keys = shot
    events = session(name)

    async def stream() -> AsyncIterator[StreamEvent]:
        for event in events:
            yield event
        await asyncio.Event().wait()

    control = MadeUpControl()
    control.hear(events)
    app = DefaiApp(stream, control, clock=lambda: 0.0)
    async with app.run_test(size=size) as pilot, asyncio.timeout(DEADLINE_S):
        app.theme = theme
        while app.fleet.events < len(events):
            await pilot.pause(0.02)
        await answered(app, pilot)
        for key in keys:
            await pilot.press(key)
            await answered(app, pilot)
        await pilot.pause(2 * LINGER_S)  # then it is asked why, where the cursor stands on a decision
        await answered(app, pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False  # there, whenever the picture is taken
        await pilot.wait_for_scheduled_animations()
        path = Path(app.save_screenshot(f"{name}.svg", str(folder)))
        app.exit()
    return path


async def answered(app: DefaiApp, pilot: Pilot[None]) -> None:
    """Wait until what was asked is answered, and painted."""
    while any(worker.name == "wish" for worker in app.workers) or not app.is_painted:
        await pilot.pause(0.02)


async def main() -> None:
    """Draw the pictures asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(shot[0] for shot in SHOTS)}")
    parser.add_argument("--out", type=Path, default=PICTURES, help="folder the pictures go to")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    for shot in SHOTS:
        if not options.names or shot[0] in options.names:
            print(await draw(shot, options.out))


if __name__ == "__main__":
    asyncio.run(main())
