"""Features whose functions are not in this process: an author's own, where his strategy runs apart."""

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.market.window import Observation

Column: TypeAlias = tuple[NDArray[np.int64], NDArray[np.bool_]]
"""A feature as of every row of a history, and in which rows it is known."""


class Elsewhere(Protocol):
    """Where such features are computed."""

    def look(self, names: Sequence[str], rows: Sequence[Sequence[Observation]]) -> None:
        """Have features computed as of the newest of these rows, all at once; `value` gives them, one by one.

        Args:
            names: which.
            rows: of each pool, as many as the features look back on, at least.
        """

    def value(self, name: str, past: object) -> int:
        """A feature as of the row that was looked from last; it raises what its function raised."""

    def table(self, names: Sequence[str], histories: Sequence[Sequence[Observation]]) -> dict[str, Column]:
        """Features as of every row of a history."""
