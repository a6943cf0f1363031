"""A curve that never ends in bounded memory: the last points as they are, what came before thinned evenly."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

RECENT: Final = 1_024
"""Points kept as they are: more than the widest terminal draws at a block a dot."""
OLDER: Final = 1_024
"""Points kept of everything before them."""


class Series:
    """Points (block, value, …), blocks ascending; a second point of a block replaces the first.

    Points stay as they were told until somebody looks, or they get old: most agents are not looked at, and of what gets
    old most is thinned out. To make a float of a Decimal costs more than everything else that is done to a point.

    Args:
        width: values a point has beside its block.
        recent: points kept as they are.
        older: points kept of all before; when they are full every second one goes, so they reach back to the start.
    """

    __slots__ = (
        "_fresh",
        "_newest",
        "_older",
        "_older_cap",
        "_recent",
        "_recent_cap",
        "_room",
        "_size",
        "_skipped",
        "_stride",
    )

    def __init__(self, width: int = 1, recent: int = RECENT, older: int = OLDER) -> None:
        self._size = width + 1
        self._recent, self._older = array("d"), array("d")
        self._fresh: list[
            float | Decimal
        ] = []  # flat: a tuple a point would be work for the garbage collector
        self._newest: float | Decimal = float("-inf")
        self._recent_cap, self._older_cap = recent, older
        self._room = 2 * recent * self._size
        """Of new points, flat: with so many the older half gets old."""
        self._stride, self._skipped = 1, 0

    def __len__(self) -> int:
        return (len(self._recent) + len(self._older) + len(self._fresh)) // self._size

    def append(self, *point: float | Decimal) -> None:
        """Add a point, its block first; one that is not beyond the last block replaces the last."""
        block = point[0]
        fresh = self._fresh
        if block <= self._newest:
            del (fresh or self._recent)[-self._size :]
        self._newest = block
        fresh += point
        if len(fresh) >= self._room:
            self._age()

    def _take_in(self) -> None:
        """Make floats of the new points."""
        self._recent.extend(map(float, self._fresh))
        self._room -= len(self._fresh)
        self._fresh.clear()

    def points(self, value: int = 0, since: int | None = None) -> list[tuple[int, float]]:
        """Points (block, value) of one of the values, oldest first, from a block on."""
        self._take_in()
        size, at = self._size, value + 1
        found: list[tuple[int, float]] = []
        for part in (self._older, self._recent):
            blocks, values = part[::size], part[at::size]
            first = 0 if since is None else max(0, bisect_left(blocks, since))
            found.extend(
                (int(block), held) for block, held in zip(blocks[first:], values[first:], strict=True)
            )
        return found

    def last(self, count: int, value: int = 0) -> list[float]:
        """The last `count` of one of the values, oldest first."""
        self._take_in()
        size = self._size
        return list(self._recent[value + 1 :: size][-count:])

    def sampled(self, count: int, value: int = 0) -> list[float]:
        """At most `count` of one of the values, evenly spread over everything, the newest among them."""
        self._take_in()
        size = self._size
        values = self._older[value + 1 :: size] + self._recent[value + 1 :: size]
        total = len(values)
        if total <= count:
            return list(values)
        return [values[(index + 1) * total // count - 1] for index in range(count)]

    def at(self, block: int, value: int = 0) -> float | None:
        """What held at a block: the value of the last point that is not beyond it; None before the first."""
        self._take_in()
        size = self._size
        if block >= self._newest and self._recent:  # what is asked nearly always
            return self._recent[value - self._size + 1]
        for part in (self._recent, self._older):
            blocks = part[::size]
            if blocks and blocks[0] <= block:
                return part[(bisect_left(blocks, block + 0.5) - 1) * size + value + 1]
        return None

    @property
    def first_block(self) -> int | None:
        """Block of the oldest point."""
        self._take_in()
        part = self._older or self._recent
        return int(part[0]) if part else None

    @property
    def last_block(self) -> int | None:
        """Block of the newest point."""
        return int(self._newest) if self._newest > float("-inf") else None

    def _age(self) -> None:
        """Move the older half of the points among the older ones, every `stride`th of them."""
        size, stride, half = self._size, self._stride, self._recent_cap * self._size
        aged: list[float | Decimal] = [*self._recent[:half]]
        del self._recent[:half]
        more = half - len(aged)
        aged += self._fresh[:more]
        del self._fresh[:more]
        self._room = 2 * half - len(self._recent)
        for at in range(-self._skipped % stride * size, half, stride * size):
            self._older.extend(map(float, aged[at : at + size]))
        self._skipped = (self._skipped + self._recent_cap) % stride
        while len(self._older) > self._older_cap * size:
            kept = array("d")
            for index, point in enumerate(self._split(self._older)):
                if index % 2 == 0:
                    kept.extend(point)
            self._older, self._stride, self._skipped = kept, self._stride * 2, 0

    def _split(self, part: "array[float]") -> Iterator["array[float]"]:
        return (part[at : at + self._size] for at in range(0, len(part), self._size))
