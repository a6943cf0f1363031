"""How figures look: right precision, units, thousands separators, and "-" for what is not known.

Pure functions from numbers to text. A minus is the real one (U+2212), as wide as a plus, so columns of signed
figures line up.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

UNKNOWN: Final = "-"
"""What stands for a value nobody has told us."""
MINUS: Final = "\u2212"
TIMES: Final = "\u00d7"
SIGMA: Final = "\u03c3"
MU: Final = "\u00b5"
SPARKS: Final = "▁▂▃▄▅▆▇"
EIGHTHS: Final = " ▏▎▍▌▋▊▉█"

Number = Decimal | float | int


def number(value: Number | None, places: int = 2, unit: str = "") -> str:
    """A figure with thousands separators: "31,204.11 USD"; "-" for None."""
    if value is None:
        return UNKNOWN
    text = f"{value:,.{places}f}"
    if text.startswith("-"):
        text = text[1:] if not text.strip("-0.,") else MINUS + text[1:]
    return f"{text} {unit}" if unit else text


def plain(value: Number) -> str:
    """A figure with no more digits than it has, two at most: "50", "0.88"."""
    return number(value, 0 if value == int(value) else 2)


def signed(value: Number | None, places: int = 2, unit: str = "") -> str:
    """A figure that always carries its sign, except a zero: "+1.92 %"."""
    text = number(value, places, unit)
    if value is None or text.startswith(MINUS) or not text.split(" ")[0].strip("0.,"):
        return text
    return f"+{text}"


def ratio_percent(part: Decimal | None, whole: Decimal | None) -> Decimal | None:
    """How much more `part` is than `whole`, in percent; None where either is unknown or the whole is nothing."""
    if part is None or not whole:
        return None
    return (part / whole - 1) * 100


def price(value: Number | None) -> str:
    """A price with the digits its size asks for: 2,104.37 and 0.000474."""
    return UNKNOWN if value is None else number(value, price_places(float(value)))


def price_places(value: float) -> int:
    """Digits after the point that leave five significant ones, and cents from a hundred upwards."""
    size = abs(value)
    places = 2
    while size < 100 and places < 8:
        size *= 10
        places += 1
    return places if abs(value) < 100 else 2


def gwei(value_wei: int | None) -> str:
    """A gas price: "7 gwei", "0.071 gwei"."""
    if value_wei is None:
        return UNKNOWN
    value = value_wei / 1e9
    places = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 1 else 3
    text = f"{value:,.{places}f}"
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} gwei"


def milliseconds(value: float | None) -> str:
    """A short time: "0.8 ms", "12 ms", "1.4 s"."""
    if value is None:
        return UNKNOWN
    if round(value) >= 1000:
        return f"{value / 1000:.1f} s"
    return f"{value:.0f} ms" if round(value, 1) >= 10 else f"{value:.1f} ms"


def clock(timestamp: float | None) -> str:
    """The time of day of a second since 1970, in UTC: "14:03:27"; "-" for None."""
    if timestamp is None:
        return UNKNOWN
    hours, rest = divmod(int(timestamp) % 86_400, 3_600)
    return f"{hours:02}:{rest // 60:02}:{rest % 60:02}"


def age(seconds: float | None) -> str:
    """How long ago, in one unit: "3s", "4m", "2h", "9d"; "-" for None."""
    if seconds is None:
        return UNKNOWN
    seconds = max(0.0, seconds)
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "m")):
        if seconds >= size:
            return f"{int(seconds // size)}{unit}"
    return f"{int(seconds)}s"


def shorten(text: str | None, head: int = 6, tail: int = 4) -> str:
    """An address or a digest, shortened in the middle: "0x8f31…c2aa"; "-" for none."""
    if not text:
        return UNKNOWN
    return text if len(text) <= head + tail + 1 else f"{text[:head]}…{text[-tail:]}"


def network_name(network: str, chain_id: int) -> str:
    """The network as the status bar says it, with its chain id where it is not the main network's."""
    name = {"standin": "stand-in"}.get(network, network)
    return name if chain_id == 1 else f"{name} {chain_id}"


def spark(values: Sequence[float], width: int) -> str:
    """The last `width` values as blocks of seven heights, scaled to what is shown; empty without values.

    The eighth height would touch the line above.
    """
    shown = list(values)[-width:]
    if not shown:
        return ""
    low, high = min(shown), max(shown)
    if high <= low:
        return SPARKS[2] * len(shown)
    return "".join(SPARKS[min(6, int((value - low) / (high - low) * 7))] for value in shown)


def bar(fraction: float, width: int) -> str:
    """A bar of `width` cells, filled to an eighth of a cell; fractions beyond 0..1 are cut off."""
    eighths = round(max(0.0, min(1.0, fraction)) * width * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (EIGHTHS[rest] if rest else "")).ljust(width)


def gauge(fraction: float, width: int) -> tuple[str, str]:
    """A thin bar and what is left of its width, to half a cell: "━━━╸" and "──────"."""
    halves = round(max(0.0, min(1.0, fraction)) * width * 2)
    full, rest = divmod(halves, 2)
    filled = "━" * full + ("╸" if rest else "")
    return filled, "─" * (width - len(filled))


def range_cells(low: float, high: float, value: float, width: int) -> tuple[str, int]:
    """A range and where a value stands to it, in one row of cells: "░░▓▓┃▓▓░░".

    The range takes the middle part of the row; the value is marked inside it, or in the margin on its side,
    the farther out the farther off.

    Returns:
        The cells, and the index of the one that carries the value.
    """
    margin = max(1, width // 5)
    inside = width - 2 * margin
    span = high - low
    share = (value - low) / span if span > 0 else 0.5
    if 0 <= share < 1:
        spot = margin + min(inside - 1, int(share * inside))
    elif share < 0:
        spot = max(0, margin - 1 - int(-share * inside))
    else:
        spot = min(width - 1, margin + inside + int((share - 1) * inside))
    cells = ["░"] * margin + ["▓"] * inside + ["░"] * margin
    cells[spot] = "┃"
    return "".join(cells), spot
