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
from defai.errors import ConfigError
from defai.features.asked import Asked
from defai.features.column import ColumnError
from defai.features.columns import ColumnPast, History, as_array
from defai.features.pipeline import FEATURE_LIMIT, check_pools, pasts, value_of
from defai.features.spec import Feature, FeatureSpec
from defai.features.tape import Tape
from defai.market.window import NotKnownError, Observation

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

    A feature whose function can't be given columns, because it branches or looks into a row, is computed row by row.

    Args:
        histories: rows of each pool, one a block, the same blocks in each; the main pool first.
        spec: which features.

    Raises:
        ConfigError: where pools are missing or their histories are not of the same blocks, or an author's own feature
            fails: raises, takes too long, or gives no integer.
    """
    check_pools(len(histories), spec)
    pools = [History(tuple(rows)) for rows in histories[: spec.pools]]
    blocks = _int64(pools[0], "block_number")
    if any(not np.array_equal(_int64(pool, "block_number"), blocks) for pool in pools[1:]):
        raise ConfigError(
            "The pools' histories are not of the same blocks.",
            "Give one row per block and pool.",
        )
    ready = np.zeros(len(blocks), dtype=np.bool_)
    span = spec.warm_up - 1
    if len(blocks) > span:
        ready[span:] = blocks[span:] - blocks[: len(blocks) - span] == span
    values = np.zeros((len(blocks), len(spec.features)), dtype=np.int64)
    rows = RowByRow(pools)
    apart = [
        place.table(those.names, [pool.rows for pool in pools[: those.pools]])
        for place, those in spec.elsewhere
    ]
    told = {name: column for columns in apart for name, column in columns.items()} if ready.any() else {}
    for position, one in enumerate(spec.features):
        if one.name in told:
            values[:, position], known = told[one.name]
            ready &= known
        elif ready.any():
            _fill(values[:, position], ready, one, pools, rows)
    return Table(spec, blocks, _int64(pools[0], "timestamp"), values, ready)


class RowByRow:
    """The way round for functions that know one row only."""

    def __init__(self, pools: Sequence[History]) -> None:
        self._pools = pools
        self._tapes: list[Tape] = []

    def fill(self, values: Integers, ready: Flags, one: Feature) -> None:
        """Compute a feature for every row that is ready; where it isn't, say so.

        Raises:
            ConfigError: where an author's own fails.
        """
        if not self._tapes:
            self._tapes = [Tape(pool.rows) for pool in self._pools]
        (past,) = pasts(self._tapes, FeatureSpec((one,)))
        asked, rows = Asked(one), self._tapes[0].rows
        for index in np.flatnonzero(ready).tolist():
            past.moved(index)
            try:
                values[index] = asked.row(rows[index].block_number, value_of, one, past)
            except NotKnownError:
                ready[index] = False


def _fill(values: Integers, ready: Flags, one: Feature, pools: Sequence[History], rows: RowByRow) -> None:
    others = tuple(ColumnPast(pool, one.warm_up) for pool in pools[1 : one.pools])
    first = one.warm_up - 1
    try:
        column = Asked(one).columns(one.function, ColumnPast(pools[0], one.warm_up, others))
        answer = as_array(column, len(values) - first)
        values[first:] = np.clip(answer, -FEATURE_LIMIT, FEATURE_LIMIT)
    except NotKnownError:
        ready[:] = False
    except ColumnError:
        rows.fill(values, ready, one)


def _int64(history: History, field: str) -> Integers:
    return history.field(field).astype(np.int64)
