"""What a model was trained on, as one digest."""

from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from defai.market.window import NotKnownError, Observation
from defai.models.card import keccak_hex

_FIELDS: Final = tuple(Observation.__slots__)
_OBSERVED = attrgetter(*_FIELDS)


def history_digest(histories: Mapping[str, Sequence[Observation]]) -> str:
    """keccak256 over every field of every row, pool by pool, written as decimal numbers."""
    parts = []
    for pool, rows in histories.items():
        parts.append(pool)
        parts.extend(map(_written, rows))
    return keccak_hex("\n".join(parts).encode())


def _written(row: Observation) -> str:
    """A row's fields as decimal numbers; one that its source does not tell is empty."""
    try:
        return ",".join(map(str, _OBSERVED(row)))
    except NotKnownError:
        return ",".join(str(getattr(row, name)) if _is_known(row, name) else "" for name in _FIELDS)


def _is_known(row: Observation, name: str) -> bool:
    try:
        getattr(row, name)
    except NotKnownError:
        return False
    return True
