"""For the console of Linux: its fonts have 256 or 512 signs, and none of ours for dots, eighths of a block and ticks.

What stands here for them is in the fonts that Debian gives such a console for Latin letters (Lat15, Uni2, Lat2).
"""

from collections.abc import Mapping
from typing import Final

from textual.driver import Driver

IN_PLACE: Final = {
    **dict(zip("✓↵◆○►▁▂▃▄▅▆▇▔", "+┘♦o▶__░░▒▒█─", strict=True)),
    **dict(zip("▉▊▋▌▍▎▏▕▓σ", "█████▒││▒s", strict=True)),
}
_UPPER: Final = 0x1B
"""Bits of the upper four of a braille sign's eight dots."""
_MANY: Final = 5


def _dots(bits: int) -> str:
    if bits.bit_count() >= _MANY:
        return "▒"
    return " '.:"[bool(bits & _UPPER) + 2 * bool(bits & ~_UPPER)]


SIGNS: Final[Mapping[int, str]] = {
    **{ord(sign): other for sign, other in IN_PLACE.items()},
    **{0x2800 + bits: _dots(bits) for bits in range(256)},
}
"""For `str.translate`: each takes one cell, as what it stands for does."""


def in_its_signs(driver: type[Driver]) -> type[Driver]:
    """A driver that writes what such a console can show."""

    def write(self: Driver, data: str) -> None:
        driver.write(self, data.translate(SIGNS))

    return type("ConsoleDriver", (driver,), {"write": write})
