"""From rows to feature rows: one way for deciding and for training.

`compute_row` looks at the windows of an agent, `build_table` at whole histories, `defai.features.stream` grows with a
window. All hand the same functions the same past, so what a model was trained on is what it is asked about. Not enough
history is None, not a filled value.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from defai.domain.decisions import FeatureRow
from defai.errors import ConfigError
from defai.features.spec import Feature, FeatureSpec
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
    """The features as of the newest row of the windows, from nothing but their last `spec.warm_up` rows.

    Args:
        windows: rows of each pool, one a block, the newest last; the main pool first.
        spec: which features.

    Returns:
        The row; None while the history is too short, has a gap within the warm-up, or doesn't tell what is asked for.

    Raises:
        ConfigError: where the features look at more pools than there are windows.
        ValueError: where the windows do not end at the same block.
    """
    check_pools(len(windows), spec)
    need = spec.warm_up
    tapes = []
    for window in windows[: spec.pools]:
        if len(window) < need:
            return None
        tapes.append(Tape(window[-need:]))
    check_ends([tape.rows[-1] for tape in tapes])
    return row_at(pasts(tapes, spec), tapes, need - 1, spec)


def build_table(histories: Sequence[Sequence[Observation]], spec: FeatureSpec) -> list[FeatureRow | None]:
    """The features as of every row of a history: entry i is what `compute_row` would have said at row i.

    Args:
        histories: rows of each pool, one a block, the same blocks in each; the main pool first.
        spec: which features.

    Raises:
        ConfigError: where pools are missing or their histories are not of the same blocks.
    """
    from defai.features.table import compute_table  # noqa: PLC0415  numpy, only where something is trained

    table = compute_table(histories, spec)
    return [table.row(index) for index in range(len(table))]


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


def check_pools(given: int, spec: FeatureSpec) -> None:
    """Nothing where there are pools enough.

    Raises:
        ConfigError: else.
    """
    if given < spec.pools:
        names = ", ".join(feature.name for feature in spec.features if feature.pools > given)
        raise ConfigError(
            f"The features {names} look at {spec.pools} pools, but {given} is given.",
            "Name a second pool in the strategy's pools().",
        )


def check_ends(newest: Sequence[Observation]) -> None:
    """Nothing where the newest rows of all pools are of one block.

    Raises:
        ValueError: else.
    """
    if any(row.block_number != newest[0].block_number for row in newest):
        raise ValueError("the windows do not end at the same block")


def pasts(tapes: Sequence[Tape], spec: FeatureSpec) -> list[Past]:
    """What each feature looks through, one for all that see as much; they have yet to be moved to a row."""
    seen: dict[tuple[int, int], Past] = {}
    for one in spec.features:
        depth = one.warm_up
        if (depth, one.pools) not in seen:
            others = tuple(Past(tape, -1, depth) for tape in tapes[1 : one.pools])
            seen[depth, one.pools] = Past(tapes[0], -1, depth, others)
    return [seen[one.warm_up, one.pools] for one in spec.features]


def row_at(views: Sequence[Past], tapes: Sequence[Tape], end: int, spec: FeatureSpec) -> FeatureRow | None:
    """The features as of one row; None where they are not ready.

    Args:
        views: from `pasts`, of the same tapes.
        tapes: the rows of each pool.
        end: the row.
        spec: which features.
    """
    for tape in tapes:
        if not tape.reaches_back(end, spec.warm_up):
            return None
    for place, apart in spec.elsewhere:
        place.look(
            apart.names, [tape.rows[end + 1 - apart.warm_up : end + 1] for tape in tapes[: apart.pools]]
        )
    for past in set(views):
        past.moved(end)
    values = []
    try:
        for one, past in zip(spec.features, views, strict=True):
            value = one.function(past)
            in_range = type(value) is int and -FEATURE_LIMIT <= value <= FEATURE_LIMIT
            values.append(value if in_range else _saturated(one, value))
    except NotKnownError:
        return None
    return FeatureRow(tapes[0].rows[end].block_number, spec.names, tuple(values), spec.digest)


def value_of(one: Feature, past: Past) -> int:
    """One feature as of the row that is looked from, within the chain's int32.

    Raises:
        TypeError: where the function gives anything but an integer.
        NotKnownError: where the rows don't tell what it asks for.
    """
    return _saturated(one, one.function(past))


def _saturated(one: Feature, value: int) -> int:
    if type(value) is not int:
        raise TypeError(f"the feature {one.name} gave {type(value).__name__}, not int")
    return max(-FEATURE_LIMIT, min(FEATURE_LIMIT, value))
