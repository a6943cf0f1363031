"""How each screen looks, per size and theme, with the clock standing still. `--snapshot-update` after a change."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest
from textual.pilot import Pilot

from defai.domain.stream import AgentStateChanged, SessionEnded, StreamEvent
from defai.testing.stream import demo_setup, demo_stream

Handed: TypeAlias = Any
"""What pytest hands over from conftest.py, which has no name to import it by."""
SIZES = [(80, 24), (120, 40), (200, 60)]
SCREENS: dict[str, tuple[str, ...]] = {
    "fleet": (),
    "agent": ("enter",),
    "decision": ("3", "down", "down", "down", "enter"),
}
THEMES = ["defai-dark", "defai-light"]


@pytest.fixture(scope="module")
def long_session() -> list[StreamEvent]:
    waiting = AgentStateChanged("tiers", "waiting", "above 5,000 USD")
    return [*demo_stream(seed=7, blocks=220, end=False), waiting]


def prepare(
    theatre: Handed, stage: Handed, theme: str, keys: tuple[str, ...]
) -> Callable[[Pilot[None]], Awaitable[None]]:
    async def before_looking(pilot: Pilot[None]) -> None:
        pilot.app.theme = theme
        await theatre.settled(pilot, stage)
        for key in keys:
            await pilot.press(key)
            await theatre.settled(pilot, stage)
        await pilot.wait_for_scheduled_animations()

    return before_looking


@pytest.mark.parametrize(
    ("screen", "size", "theme"),
    [
        (screen, size, theme)
        for screen in SCREENS
        for size in SIZES
        for theme in THEMES
        if screen == "fleet" or theme == "defai-dark" or size == (120, 40)
    ],
    ids=lambda value: f"{value[0]}x{value[1]}" if isinstance(value, tuple) else value,
)
def test_screens(
    theatre: Handed,
    snap_compare: Handed,
    long_session: list[StreamEvent],
    screen: str,
    size: tuple[int, int],
    theme: str,
) -> None:
    stage = theatre.Stage(long_session)
    run_before = prepare(theatre, stage, theme, SCREENS[screen])
    assert snap_compare(stage.app(), terminal_size=size, run_before=run_before)


STATES = {
    "setting-up": (list(demo_setup())[:4], ()),
    "just-started": (list(demo_stream(7, 0, end=False)), ()),
    "failed": ([*demo_stream(7, 30, end=False), SessionEnded("anvil was killed.", "Start it again.", 3)], ()),
    "asking": (list(demo_stream(7, 30, end=False)), ("h",)),
    "helping": (list(demo_stream(7, 30, end=False)), ("question_mark",)),
    "chart-below": (list(demo_stream(7, 90, end=False)), ("2",)),
    "records-below": (list(demo_stream(7, 90, end=False)), ("4",)),
}


@pytest.mark.parametrize("state", STATES)
def test_states_in_a_small_terminal(theatre: Handed, snap_compare: Handed, state: str) -> None:
    events, keys = STATES[state]
    stage = theatre.Stage(events)
    run_before = prepare(theatre, stage, "defai-dark", keys)
    assert snap_compare(stage.app(), terminal_size=(80, 24), run_before=run_before)


def test_too_small(theatre: Handed, snap_compare: Handed) -> None:
    stage = theatre.Stage(demo_stream(7, 5, end=False))
    run_before = prepare(theatre, stage, "defai-dark", ())
    assert snap_compare(stage.app(), terminal_size=(50, 12), run_before=run_before)
