"""How each screen looks, per size and theme, with the clock standing still. `--snapshot-update` after a change.

A terminal is opened once for each size and theme and goes through all screens: opening it is what takes time.
"""

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, TypeAlias

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.pilot import Pilot

from defai.domain.stream import SessionEnded, StreamEvent
from defai.testing.stream import demo_pictured, demo_setup, demo_stream

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""

SCREENS: dict[str, tuple[str, ...]] = {
    "fleet": ("1",),
    "agent": ("2",),
    "pool": ("3",),
    "decisions": ("4", "f", "down"),
    "decision": ("enter", "v"),
    "approvals": ("5",),
    "consent": ("enter", *"rev"),
    "models": ("escape", "6"),
    "backtest": ("7", "r"),
    "risk": ("8",),
    "logs": ("9",),
}
"""Keys that lead from one screen to the next, in this order."""
EVERYTHING = tuple(SCREENS)
SHOWS: list[tuple[tuple[int, int], str, tuple[str, ...]]] = [
    ((80, 24), "defai-dark", EVERYTHING),
    ((120, 40), "defai-dark", EVERYTHING),
    ((120, 40), "defai-light", EVERYTHING),
    ((200, 60), "defai-dark", EVERYTHING),
    ((120, 40), "defai-dark-safe", ("fleet",)),
    ((120, 40), "defai-light-safe", ("fleet",)),
    ((80, 24), "defai-16", ("fleet",)),
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


LOOKS = load("looks")


@pytest.fixture
def looks(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    return snapshot.use_extension(LOOKS.TextSnapshot)


@pytest.fixture(scope="module")
def pictured() -> list[StreamEvent]:
    return list(demo_pictured())


async def look(theatre: Handed, stage: Handed, pilot: Pilot[None]) -> str:
    """The screen once nothing moves any more."""
    await theatre.settled(pilot, stage)
    await theatre.gone(pilot.app, pilot, "asking the model")
    await theatre.settled(pilot, stage)
    return str(LOOKS.picture(pilot.app))


@pytest.mark.parametrize(
    ("size", "theme", "screens"),
    SHOWS,
    ids=[f"{width}x{height}-{theme}" for (width, height), theme, _ in SHOWS],
)
async def test_screens(
    theatre: Handed,
    looks: SnapshotAssertion,
    pictured: list[StreamEvent],
    size: tuple[int, int],
    theme: str,
    screens: tuple[str, ...],
) -> None:
    stage = theatre.Stage(pictured)
    app = stage.app()
    app.animation_level = "none"
    different = []
    async with app.run_test(size=size) as pilot:
        app.theme = theme
        await theatre.settled(pilot, stage)
        for name in screens:
            await pilot.press(*SCREENS[name])
            await theatre.until(
                lambda: not app.workers or all(w.name == "events" for w in app.workers), pilot
            )
            seen = await look(theatre, stage, pilot)
            if seen != looks(name=name):
                different.append(name)
        app.exit()
    assert different == []


STATES: dict[str, tuple[list[StreamEvent], tuple[str, ...]]] = {
    "setting-up": (list(demo_setup())[:4], ()),
    "just-started": (list(demo_stream(7, 0, end=False)), ()),
    "failed": (list(demo_stream(7, 30, end=False)), ()),
    "asking": (list(demo_stream(7, 30, end=False)), ("h",)),
    "helping": (list(demo_stream(7, 30, end=False)), ("question_mark",)),
    "chart-enlarged": (list(demo_stream(7, 90, end=False)), ("right_square_bracket",)),
}


@pytest.mark.parametrize("state", STATES)
async def test_states_in_a_small_terminal(theatre: Handed, looks: SnapshotAssertion, state: str) -> None:
    events, keys = STATES[state]
    stage = theatre.Stage(events)
    app = stage.app()
    app.animation_level = "none"
    async with app.run_test(size=(80, 24)) as pilot:
        await theatre.settled(pilot, stage)  # what is drawn behind a dialog is drawn before it opens
        await pilot.press(*keys)
        if state == "failed":
            stage.play([SessionEnded("anvil was killed.", "Start it again.", 3)])
        assert await look(theatre, stage, pilot) == looks
        app.exit()
