"""The lines a list is made of: which of them are listed, and in what order."""

from collections.abc import Callable, Sequence
from typing import Generic

from defai.tui.widgets.columns import Column, L, as_csv, in_order, matches


class Roll(Generic[L]):
    """All lines, and those of them that are listed.

    Args:
        columns: what lines are sorted by and exported as.
        words: what a filter searches of a line; None where lines cannot be filtered.
        sortable: whether the lines can be sorted by the columns that stand for something.

    Attributes:
        listed: the lines as they are listed, from the top.
        wanted: words that a line must have to be listed.
        order: title of the column that sorts, and whether the largest comes first; no title keeps the order given.
    """

    def __init__(
        self, columns: Sequence[Column[L]], words: Callable[[L], str] | None, *, sortable: bool
    ) -> None:
        self._columns = columns
        self._words = words
        self._all: Sequence[L] = ()
        self.sort_titles = [c.title for c in columns if c.raw and c.title] if sortable else []
        self.listed: Sequence[L] = ()
        self.wanted = ""
        self.order: tuple[str, bool] = ("", False)

    def take(self, lines: Sequence[L]) -> None:
        """List these lines from now on."""
        self._all = lines
        self.arrange()

    def arrange(self) -> None:
        """Choose and order the lines anew."""
        lines, words = self._all, self._words
        if self.wanted and words is not None:
            lines = [line for line in lines if matches(words(line), self.wanted)]
        title, descending = self.order
        raw = next((column.raw for column in self._columns if title and column.title == title), None)
        self.listed = in_order(lines, raw, descending=descending) if raw is not None else lines

    def index_of(self, key: str) -> int | None:
        """Where a line is listed; None where it is not."""
        return next((at for at, line in enumerate(self.listed) if line.key == key), None)

    @property
    def counts(self) -> tuple[int, int]:
        """How many lines are listed, of how many."""
        return len(self.listed), len(self._all)

    def sentence(self, empty: str) -> str:
        """What stands where no line does: that the filter lets none through, or that there is none."""
        return f"Nothing here has “{self.wanted}”; esc shows all." if self.wanted and self._all else empty

    def csv(self) -> str:
        """The listed lines as comma-separated values."""
        return as_csv(self._columns, self.listed)
