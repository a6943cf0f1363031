"""From rows to feature rows: one way for deciding and for training.

`compute_row` looks at the windows of an agent, `build_table` at whole histories. Both hand the same `Past` to
the same functions, so what a model was trained on is what it is asked about. Not enough history is None, not a
filled value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from defai.domain.decisions import FeatureRow
from defai.errors import ConfigError
from defai.features.spec import FeatureSpec
from defai.features.tape import Past, Tape
from defai.market.window import NotKnownError, Observation

FEATURE_LIMIT: Final = 2**31 - 1
"""Features saturate at plus and minus this, so that each fits the chain's int32."""


@dataclass(frozen=True, slots=True)
class Lookahead:
    """A feature whose answer changes when the future is taken away; `without` is None where it fails."""

    feature: str
    block_number: int
    with_future: int
    without: int | None


def compute_row(windows: Sequence[Sequence[Observation]], spec: FeatureSpec) -> FeatureRow | None:
    """The features as of the newest row of the windows.

    Args:
        windows: rows of each pool, one a block, the newest last; the main pool first.
        spec: which features.

    Returns:
        The row; None while the history is too short or has a gap within the warm-up.

    Raises:
        ConfigError: where the features look at more pools than there are windows.
        ValueError: where the windows do not end at the same block.
    """
    _check_pools(len(windows), spec)
    need = spec.warm_up
    tapes = []
    for window in windows[: spec.pools]:
        if len(window) < need:
            return None
        tapes.append(Tape(window[-need:]))
    newest = tapes[0].rows[-1].block_number
    if any(tape.rows[-1].block_number != newest for tape in tapes):
        raise ValueError("the windows do not end at the same block")
    return _row_at(tapes, need - 1, spec)


def build_table(histories: Sequence[Sequence[Observation]], spec: FeatureSpec) -> list[FeatureRow | None]:
    """The features as of every row of a history: entry i is what `compute_row` would have said at row i.

    Args:
        histories: rows of each pool, one a block, the same blocks in each; the main pool first.
        spec: which features.

    Raises:
        ConfigError: where pools are missing or their histories are not of the same blocks.
    """
    _check_pools(len(histories), spec)
    tapes = [Tape(tuple(rows)) for rows in histories[: spec.pools]]
    blocks = [row.block_number for row in tapes[0].rows]
    if any([row.block_number for row in tape.rows] != blocks for tape in tapes[1:]):
        raise ConfigError(
            "The pools' histories are not of the same blocks.",
            "Give one row per block and pool.",
        )
    ready = spec.warm_up - 1
    return [_row_at(tapes, end, spec) if end >= ready else None for end in range(len(blocks))]


def find_lookahead(
    histories: Sequence[Sequence[Observation]], spec: FeatureSpec, *, samples: int = 64, seed: int = 0
) -> list[Lookahead]:
    """Features that see the future: the table's answers against those of a history that ends at the row.

    Args:
        histories: as for `build_table`.
        spec: which features.
        samples: how many rows are replayed, drawn at random; the last row is among them.
        seed: of the draw.
    """
    table = build_table(histories, spec)
    ready = [(index, row) for index, row in enumerate(table) if row is not None]
    drawn = Random(seed).sample(ready[:-1], min(samples, len(ready)) - 1) if ready else []  # noqa: S311  no secret
    found = []
    for index, full in [*drawn, *ready[-1:]]:
        short = [rows[: index + 1] for rows in histories]
        for position, one in enumerate(spec.features):
            try:
                alone = compute_row(short, FeatureSpec((one,)))
            except LookupError:
                alone = None
            value = alone.values[0] if alone else None
            if value != full.values[position]:
                found.append(Lookahead(one.name, full.block_number, full.values[position], value))
    return found


def _check_pools(given: int, spec: FeatureSpec) -> None:
    if given < spec.pools:
        names = ", ".join(feature.name for feature in spec.features if feature.pools > given)
        raise ConfigError(
            f"The features {names} look at {spec.pools} pools, but {given} is given.",
            "Name a second pool in the strategy's pools().",
        )


def _row_at(tapes: Sequence[Tape], end: int, spec: FeatureSpec) -> FeatureRow | None:
    span = spec.warm_up - 1
    for tape in tapes:
        if tape.rows[end].block_number - tape.rows[end - span].block_number != span:
            return None
    values = []
    for one in spec.features:
        others = tuple(Past(tape, end, one.warm_up) for tape in tapes[1 : one.pools])
        try:
            value = one.function(Past(tapes[0], end, one.warm_up, others))
        except NotKnownError:
            return None
        if type(value) is not int:
            raise TypeError(f"the feature {one.name} gave {type(value).__name__}, not int")
        values.append(max(-FEATURE_LIMIT, min(FEATURE_LIMIT, value)))
    return FeatureRow(tapes[0].rows[end].block_number, spec.names, tuple(values), spec.digest)
