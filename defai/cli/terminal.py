"""Whether there is a terminal to draw in."""

import os
import sys

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
        raise DefaiError("The terminal needs a terminal.", hint)
