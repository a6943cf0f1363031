"""The features of a whole history as one matrix: what models are trained on.

    rows = {name: history, ...}                     # one row a block and pool, or one a bar
    table = compute_table(list(rows.values()), FeatureSpec.of(("volatility_24", "base_fee")))
    X, when = table.values[table.ready], table.timestamps[table.ready]

Line i of the matrix is, number by number, what an agent is told that decides upon row i.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from defai.domain.decisions import FeatureRow
from defai.features.pipeline import build_table
from defai.features.spec import FeatureSpec
from defai.market.window import Observation

Integers: TypeAlias = NDArray[np.int64]
Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """Features row by row. All columns are as long as the history.

    Attributes:
        spec: which features, in the order of the columns of `values`.
        block_numbers: the row's block; of a bar, its number.
        timestamps: seconds since 1970 at which the row is known: of the block, or of the bar's end.
        values: shape (rows, features), each within the chain's int32. Lines that are not ready mean nothing.
        ready: whether a row has all the history that its features look back on, without a gap.
    """

    spec: FeatureSpec
    block_numbers: Integers
    timestamps: Integers
    values: Integers
    ready: Flags

    def __len__(self) -> int:
        return len(self.ready)

    def row(self, index: int) -> FeatureRow | None:
        """One row as a model is given it; None where it is not ready."""
        if not self.ready[index]:
            return None
        numbers = tuple(self.values[index].tolist())
        return FeatureRow(int(self.block_numbers[index]), self.spec.names, numbers, self.spec.digest)


def compute_table(histories: Sequence[Sequence[Observation]], spec: FeatureSpec) -> Table:
    """The features as of every row of a history.

    Args:
        histories: rows of each pool, one a block, the same blocks in each; the main pool first.
        spec: which features.

    Raises:
        ConfigError: where pools are missing or their histories are not of the same blocks.
    """
    rows = build_table(histories, spec)
    nothing = (0,) * len(spec.features)
    main = histories[0]
    return Table(
        spec,
        np.array([row.block_number for row in main], dtype=np.int64),
        np.array([row.timestamp for row in main], dtype=np.int64),
        np.array([row.values if row else nothing for row in rows], dtype=np.int64).reshape(len(rows), -1),
        np.array([row is not None for row in rows], dtype=np.bool_),
    )
