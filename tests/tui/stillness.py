"""When a terminal under test has come to rest: told by what it still has to do, never by the time that went by.

Textual's own pilot calls a program idle once it uses little of the processor. On a busy machine a program that waits
for its turn uses little of it as well, and so a test looked at a screen half drawn. Here nothing is idle until every
message has been dealt with, every callback has run, and the screen has been laid out and drawn as it now stands.
"""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

from textual._context import active_app
from textual.app import App
from textual.message_pump import MessagePump
from textual.screen import Screen
from textual.timer import Timer

DEADLINE_S: Final = 60.0
"""For a machine that stands nearly still; nobody waits that long where things work."""
MOMENT_S: Final = 0.005
SOON_S: Final = 1.0
"""A timer that goes off once within this is a part of what was begun; a later one is a deadline."""


async def at_rest(app: App[Any]) -> None:
    """Wait until nothing is left to do but what only time or somebody outside can bring."""
    deadline = time.monotonic() + DEADLINE_S
    while not is_over(app):
        assert time.monotonic() < deadline, f"never at rest: {unfinished(app)}"
        await asyncio.sleep(0)
        if others_are_ready():
            continue
        left = unfinished(app)
        if not left:
            return
        if left == ["a drawing"]:
            app.screen._on_timer_update()
        else:
            await asyncio.sleep(MOMENT_S)


async def at_rest_for_good(app: App[Any], also: Callable[[], object] = lambda: True) -> None:
    """The same, with what was put off for a moment done too, and something else that has to hold.

    Args:
        app: the terminal.
        also: asked once it is at rest; what it says has to be true.
    """
    deadline = time.monotonic() + DEADLINE_S
    while True:
        await at_rest(app)
        if is_over(app) or (not put_off(app) and also()):
            return
        assert time.monotonic() < deadline, f"never at rest: {[str(one) for one in put_off(app)]}"
        await asyncio.sleep(MOMENT_S)


async def wait_for_idle(*_: float) -> None:
    """Stands in for Textual's, which looks at the use of the processor."""
    await at_rest(active_app.get())


def is_over(app: App[Any]) -> bool:
    """Whether the terminal is leaving or gone: then nothing is drawn any more."""
    return app._exit or not app._running or not app.screen_stack


def others_are_ready() -> bool:
    """Whether any other task or callback of this loop could go on at once."""
    loop: Any = asyncio.get_running_loop()
    return bool(loop._ready)


def unfinished(app: App[Any]) -> list[str]:
    """What is left to do, in words."""
    screen = app.screen
    left = [f"messages of {pump}" for pump in pumps(app, screen) if has_messages(pump)]
    animator = app.animator
    if animator._animations or animator._scheduled:
        left.append("an animation")
    if screen._callbacks or any(
        (
            screen._layout_required,
            screen._scroll_required,
            screen._repaint_required,
            screen._recompose_required,
            screen._dirty_widgets,
        )
    ):
        left.append("a drawing")
    return left


def pumps(app: App[Any], screen: Screen[Any]) -> Iterator[MessagePump]:
    """Whoever takes messages: the terminal, the screen in front and all that is on it."""
    yield app
    yield from screen.walk_children(with_self=True)


def has_messages(pump: MessagePump) -> bool:
    """Whether messages or callbacks wait for it."""
    if pump._closing or pump._closed:
        return False
    return bool(pump._next_callbacks) or not pump._message_queue.empty()


def put_off(app: App[Any]) -> list[Timer]:
    """What is to be done in a moment: paints that wait for more, questions asked once nobody types any more."""
    return [
        timer
        for pump in pumps(app, app.screen)
        for timer in pump._timers
        if timer._repeat == 0
        and timer._interval <= SOON_S
        and timer._task is not None
        and not timer._task.done()
    ]
