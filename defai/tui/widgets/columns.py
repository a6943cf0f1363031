"""The columns of a list: what stands in them, how wide they get, and what they are when they are sorted or exported."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, Protocol, TypeVar

from rich.cells import cell_len, set_cell_size

Spans = tuple[tuple[str, str], ...]
"""Pieces of text, each with its ink."""
Raw = str | int | float | Decimal | None
"""What a cell stands for, as a spreadsheet wants it; None where it is not known."""


class Line(Protocol):
    """What a grid lists: something with a stable key and a version that grows when it changes."""

    @property
    def key(self) -> str:
        """What stays the same while the line changes."""
        ...

    @property
    def version(self) -> int:
        """What grows when the line changes."""
        ...


L = TypeVar("L", bound=Line)
LUXURY: Final = 5
"""Columns of this rank or more come only once the others have what they wish for."""


@dataclass(frozen=True)
class Column(Generic[L]):
    """A column.

    Attributes:
        cell: what stands in it for a line.
        width: cells it needs.
        grow: its share of the room that is left over; 0 keeps it as it is.
        rank: the higher, the earlier it gives way where room is short; 0 never does.
        right: whether it is aligned to the right.
        raw: what it is sorted by and exported as; a column without is neither.
        name: what the exported column is called, where its title is not the word.
        wish: cells it would like to have before any luxury (of rank `LUXURY` or more) gets any.
    """

    title: str
    cell: Callable[[L], Spans]
    width: int
    grow: int = 0
    rank: int = 0
    right: bool = False
    raw: Callable[[L], Raw] | None = None
    name: str = ""
    wish: int = 0


def fit(spans: Spans, width: int, *, right: bool = False) -> Spans:
    """Cut or pad pieces of text to a width in cells; what is cut ends in "…"."""
    used = 0
    for text, _ in spans:
        used += len(text) if text.isascii() else cell_len(text)
    if used <= width:
        pad = ((" " * (width - used), "muted"),) if used < width else ()
        return (*pad, *spans) if right else (*spans, *pad)
    kept: list[tuple[str, str]] = []
    room = width
    for text, ink in spans:
        size = cell_len(text)
        if size < room:
            kept.append((text, ink))
            room -= size
            continue
        kept.append((set_cell_size(text, max(0, room - 1)) + ("…" if room else ""), ink))
        break
    return tuple(kept)


def lay_out(columns: Sequence[Column[L]], width: int) -> list[tuple[Column[L], int]]:
    """Which columns fit into a width, with two cells between them, and how wide each gets."""
    kept = list(columns)
    while sum(max(column.width, column.wish) + 2 for column in kept) - 2 > width:
        luxury = max(kept, key=lambda column: column.rank)
        if luxury.rank < LUXURY:
            break
        kept.remove(luxury)
    while len(kept) > 1 and sum(column.width + 2 for column in kept) - 2 > width:
        victim = max(kept, key=lambda column: column.rank)
        if victim.rank == 0:
            break
        kept.remove(victim)
    spare = max(0, width - sum(column.width + 2 for column in kept) + 2)
    shares = sum(column.grow for column in kept)
    widths = [column.width + (spare * column.grow // shares if shares else 0) for column in kept]
    left = spare - sum(widths) + sum(column.width for column in kept)
    if shares:
        last = max(index for index, column in enumerate(kept) if column.grow)
        widths[last] += left
    return list(zip(kept, widths, strict=True))


def matches(text: str, wanted: str) -> bool:
    """Whether a text has every word that is wanted, and none that is wanted not ("-word"); case does not matter."""
    low = text.lower()
    for word in wanted.lower().split():
        if word.startswith("-") and len(word) > 1:
            if word[1:] in low:
                return False
        elif word not in low:
            return False
    return True


def in_order(lines: Iterable[L], raw: Callable[[L], Raw], *, descending: bool) -> list[L]:
    """Lines by what a column stands for; those without it come last either way."""
    known: list[tuple[Any, L]] = []
    unknown: list[L] = []
    for line in lines:
        value = raw(line)
        if value is None:
            unknown.append(line)
        else:
            known.append((value, line))
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [*(line for _, line in known), *unknown]


def as_csv(columns: Sequence[Column[L]], lines: Iterable[L]) -> str:
    """The lines as comma-separated values with a header: plain figures, no thousands separators, empty for unknown."""
    kept = [(column.name or column.title, column.raw) for column in columns if column.raw is not None]
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([name for name, _ in kept])
    for line in lines:
        table.writerow([_cell(raw(line)) for _, raw in kept])
    return text.getvalue()


def _cell(value: Raw) -> Raw:
    """A value as a spreadsheet may take it: what somebody wrote is a text to it, and no formula."""
    if isinstance(value, str) and value.startswith(("=", "+", "-", "@")):
        return f"'{value}"
    return "" if value is None else value
