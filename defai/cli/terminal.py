"""Whether there is a terminal to draw in, and the first words in it."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from defai.errors import DefaiError


def require_terminal(hint: str) -> None:
    """Refuse to draw where nobody would see it.

    Args:
        hint: what to do instead.

    Raises:
        DefaiError: where there is neither a terminal nor whoever shows one in a browser, and says so in TEXTUAL_DRIVER.
    """
    seen = sys.stdout.isatty() and sys.stdin.isatty()
    if not seen and not os.environ.get("TEXTUAL_DRIVER"):
        raise DefaiError("There is no terminal here to draw in.", hint)


@contextmanager
def opened(doing: str = "starting") -> Iterator[str]:
    """Say at once what is being done, in the person's colours; within, the terminal is imported and runs.

    Args:
        doing: what is being done, handed on for the terminal to say it as well.
    """
    from defai.tui.opening import opening  # noqa: PLC0415  loads on use, so that --help is quick
    from defai.tui.preferences import Preferences, usual_path  # noqa: PLC0415  the same

    gc.disable()  # what is imported stays: until the screen stands there is no garbage worth looking for
    try:
        with opening(doing, Preferences(usual_path())):
            yield doing
    finally:
        gc.enable()
