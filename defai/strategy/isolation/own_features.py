"""An author's own features, where his code runs apart: what they are is told, what they come to is asked for."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any, Final

from defai.errors import ConfigError
from defai.features.spec import Definition, definitions
from defai.strategy.api import Strategy

if TYPE_CHECKING:
    from defai.features.elsewhere import Elsewhere  # numpy, which an agent need not have loaded

_NOT_TOLD: Final = frozenset({"function", "file", "elsewhere"})
_TOLD: Final = tuple(field for field in fields(Definition) if field.name not in _NOT_TOLD)
_KINDS: Final = {"int": int, "str": str, "bool": bool}
_NAME: Final = re.compile(r"[a-z0-9_]+(_\{n\})?\Z")
_DIGEST: Final = re.compile(r"[0-9a-f]{64}\Z")


def own_features(strategy: Strategy) -> Mapping[str, Definition]:
    """The definitions of a strategy's own features that are computed in its process; none where that is this one."""
    found: Mapping[str, Definition] = getattr(strategy, "own_definitions", {})
    return found


def told() -> list[dict[str, Any]]:
    """What the author's own features are, of a process that has his file imported."""
    authors = [one for one in definitions() if one.code_digest]
    return [{field.name: getattr(one, field.name) for field in _TOLD} for one in authors]


def read(said: Sequence[Any], file: str, elsewhere: "Elsewhere") -> dict[str, Definition]:
    """What a process says of its author's own features.

    Args:
        said: the entries.
        file: where their functions stand.
        elsewhere: computes them.

    Raises:
        ConfigError: where it is no such thing.
    """
    found = {}
    for entry in said:
        told: dict[str, Any] = {}
        if isinstance(entry, dict):
            told = {field.name: entry.get(field.name) for field in _TOLD}
        wanted = {field.name: _KINDS[str(getattr(field.type, "__name__", field.type))] for field in _TOLD}
        if not told or not all(type(told[name]) is kind for name, kind in wanted.items()) or not _fits(told):
            raise ConfigError(f"The process of {file} says of a feature what is none.")
        found[str(told["name"])] = Definition(**told, function=_not_here, file=file, elsewhere=elsewhere)
    return found


def _fits(told: Mapping[str, Any]) -> bool:
    counts = [told[name] for name in ("warm_up", "pools", "spans", "least")]
    named = _NAME.match(told["name"]) and _DIGEST.match(told["code_digest"])
    return (
        bool(named) and all(0 <= count < 1 << 20 for count in counts) and told["warm_up"] > 0 < told["pools"]
    )


def _not_here(*_: object, **__: object) -> int:
    """Never asked: whoever wants its answer asks where it is computed.

    Raises:
        NotImplementedError: always.
    """
    raise NotImplementedError
