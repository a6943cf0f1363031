"""What a feature is shown: the past of a pool up to one block, never further back than it declares.

Every quantity is an integer, so a sum over the last n blocks is the difference of two running sums, exactly.
That is why one feature function serves a table of a year (running sums over everything) and a decision
(running sums over the last few rows) with identical answers: where a running sum starts does not matter.
"""

from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import TypeAlias

from defai.market.window import Observation

Quantity: TypeAlias = Callable[[Observation, Observation], int]
"""What one block adds to a sum: an integer from the block before and the block itself. A named function: its
running sum is kept under it."""


class Tape:
    """Rows of one pool, one a block, the newest last, with the running sums that features have asked for."""

    __slots__ = ("_sums", "rows")

    def __init__(self, rows: Sequence[Observation]) -> None:
        self.rows = rows
        self._sums: dict[Quantity, list[int]] = {}

    def sums(self, quantity: Quantity) -> list[int]:
        """Running sums of a quantity; entry i is the sum over rows 1..i, entry 0 is 0."""
        known = self._sums.get(quantity)
        if known is None:
            known = list(accumulate(map(quantity, self.rows, self.rows[1:]), initial=0))
            self._sums[quantity] = known
        return known


class Past:
    """The last `depth` rows of a tape that ends, for whoever looks through this, at one block.

    Args:
        tape: the pool's rows.
        end: index of the row that is "now".
        depth: how many rows may be looked at, now included.
        others: the pasts of further pools, for features that compare pools.
    """

    __slots__ = ("_end", "_others", "_tape", "depth")

    def __init__(self, tape: Tape, end: int, depth: int, others: "tuple[Past, ...]" = ()) -> None:
        self._tape = tape
        self._end = end
        self._others = others
        self.depth = depth

    @property
    def now(self) -> Observation:
        """The row of the block decided upon."""
        return self._tape.rows[self._end]

    @property
    def other(self) -> "Past":
        """The past of the second pool.

        Raises:
            LookupError: where the feature was not declared with `pools=2`.
        """
        if not self._others:
            raise LookupError("this feature looks at a second pool: declare it with pools=2")
        return self._others[0]

    def ago(self, blocks: int) -> Observation:
        """The row so many blocks ago; 0 is now.

        Raises:
            LookupError: before the declared warm-up, or in the future.
        """
        if not 0 <= blocks < self.depth:
            raise self._out_of_reach(blocks)
        return self._tape.rows[self._end - blocks]

    def move(self, blocks: int) -> int:
        """By how many ticks the pool's tick moved over the last so many blocks."""
        return self.now.tick - self.ago(blocks).tick

    def total(self, quantity: Quantity, blocks: int) -> int:
        """Sum of a quantity over the last so many blocks; it needs one row more, the block before them.

        Raises:
            LookupError: before the declared warm-up, or in the future.
        """
        if not 0 <= blocks < self.depth:
            raise self._out_of_reach(blocks)
        sums = self._tape.sums(quantity)
        return sums[self._end] - sums[self._end - blocks]

    def _out_of_reach(self, blocks: int) -> LookupError:
        return LookupError(f"a feature that may see {self.depth} rows asked for the one {blocks} blocks ago")
