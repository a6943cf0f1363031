"""What can be forecast, and what came of it: labels, from rows that lie after the row decided upon."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import isqrt
from typing import Final, Literal

from defai.market.window import Observation

TARGET_CODES: Final = {"volatility": 1, "return": 2}
"""Kinds of targets as the model's digest knows them. Part of the digest: never reuse one."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a strategy wants forecast.

    Attributes:
        kind: "volatility": square root of the summed squared tick moves over the horizon, in ticks; "return": the
            tick's move over the horizon, in ticks, signed.
        horizon_blocks: how far ahead.
    """

    kind: Literal["volatility", "return"]
    horizon_blocks: int

    @property
    def unit(self) -> str:
        """What a forecast of one stands for."""
        return "ticks"

    @property
    def name(self) -> str:
        """The target in words: "volatility of the next 12 blocks"."""
        return f"{self.kind} of the next {self.horizon_blocks} blocks"


def labels_x24(rows: Sequence[Observation], target: Target) -> list[int | None]:
    """What came of the target after each row, times 2**24.

    The label of row i looks at rows i+1 to i+horizon and at nothing else.

    Args:
        rows: one a block, the newest last.
        target: what is forecast.

    Returns:
        One label per row; None where the horizon is not over at the last row, or has a gap.
    """
    horizon = target.horizon_blocks
    sums = _squared_moves(rows)
    labels: list[int | None] = []
    for index, row in enumerate(rows):
        end = index + horizon
        if end >= len(rows) or rows[end].block_number - row.block_number != horizon:
            labels.append(None)
        elif target.kind == "return":
            labels.append((rows[end].tick - row.tick) << 24)
        else:
            labels.append(isqrt((sums[end] - sums[index]) << 48))
    return labels


def _squared_moves(rows: Sequence[Observation]) -> list[int]:
    moves = ((after.tick - before.tick) ** 2 for before, after in pairwise(rows))
    return list(accumulate(moves, initial=0))
