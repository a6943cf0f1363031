"""Features by name: what each one is, and ordered lists of them with a digest.

    @feature("return_{n}", version=1, unit="ticks", source="definition")
    def tick_return(past: Past, n: int) -> int:
        '''By how many ticks the price moved over the last n blocks.'''
        return past.move(n)

A name with `{n}` stands for a family: `return_12` is `return_{n}` with n = 12, and the function is given n.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from eth_hash.auto import keccak

from defai.errors import ConfigError, did_you_mean
from defai.features.code import code_digest
from defai.features.tape import Past

if TYPE_CHECKING:
    from defai.features.elsewhere import Elsewhere  # numpy, which only some need

FeatureFunction = TypeVar("FeatureFunction", bound=Callable[..., int])

LONGEST_HORIZON: Final = 10_000
"""Families are offered up to this many blocks."""

_SHIPPED: Final = str(Path(__file__).resolve().parent)
_FAMILY_NAME: Final = re.compile(r"(?P<stem>[a-z0-9_]+)_(?P<n>[1-9][0-9]{0,4})\Z")


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature, ready to be computed.

    Attributes:
        version: raised whenever the answer on the same rows changes; models trained on an older version are
            refused.
        unit: what 2**scale_bits of the integer stand for.
        scale_bits: fractional bits of the integer.
        warm_up: rows it needs, the current one included.
        pools: how many pools it looks at.
        source: where its formula is from.
        depth: whether it looks at the depth around the price, which is measured only where somebody asks for it.
        code_digest: sha256 of an author's function, with what it uses of its file; empty for what comes with the
            program, where the version says when the answer changes.
        elsewhere: where it is computed; None where that is here.
    """

    name: str
    version: int
    unit: str
    scale_bits: int
    warm_up: int
    pools: int
    source: str
    description: str
    depth: bool
    code_digest: str
    function: Callable[[Past], int] = field(repr=False, compare=False)
    elsewhere: "Elsewhere | None" = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Definition:
    """A registered function: a single feature, or a family of them where the name has an `{n}`.

    Attributes:
        spans: by how many rows the warm-up of a family grows with n.
        least: the smallest n that means something.
        file: where the function stands.
        elsewhere: where it is computed; None where that is here.
    """

    name: str
    version: int
    unit: str
    scale_bits: int
    warm_up: int
    pools: int
    source: str
    description: str
    depth: bool
    code_digest: str
    spans: int
    least: int
    function: Callable[..., int] = field(repr=False, compare=False)
    file: str
    elsewhere: "Elsewhere | None" = field(default=None, repr=False, compare=False)

    @property
    def is_family(self) -> bool:
        """Whether the name stands for one feature per horizon."""
        return "{n}" in self.name

    def at(self, n: int | None) -> Feature:
        """The feature itself; for a family, the one of this horizon."""
        name = self.name if n is None else self.name.format(n=n)
        function = self.function if n is None else partial(self.function, n=n)
        return Feature(
            name=name,
            version=self.version,
            unit=self.unit,
            scale_bits=self.scale_bits,
            warm_up=self.warm_up if n is None else self.warm_up + self.spans * n,
            pools=self.pools,
            source=self.source,
            description=self.description,
            depth=self.depth,
            code_digest=self.code_digest,
            function=function if self.elsewhere is None else partial(self.elsewhere.value, name),
            elsewhere=self.elsewhere,
        )


_DEFINITIONS: dict[str, Definition] = {}


def feature(
    name: str,
    *,
    version: int,
    unit: str,
    source: str,
    scale_bits: int = 0,
    warm_up: int = 1,
    pools: int = 1,
    spans: int = 1,
    least: int = 1,
    depth: bool = False,
) -> Callable[[FeatureFunction], FeatureFunction]:
    """Register a function of a pool's past as a feature. The function's docstring is its description.

    Args:
        name: what strategies and models call it; with `{n}` for a family by horizon.
        version: raise it whenever the answer changes.
        unit: what one (that is 2**scale_bits) of the answer stands for.
        source: where the formula is from; "definition" where there is nothing to cite.
        scale_bits: fractional bits of the integer it returns.
        warm_up: rows it needs, the current one included; in a family, rows beyond n.
        pools: 2 where it looks at `past.other`.
        spans: in a family, how many times n it looks back.
        least: in a family, the smallest n.
        depth: whether it looks at a row's depth.

    Raises:
        ConfigError: where the name is taken by a function of another file, or the function has no docstring, or no
            source that can be read.
    """

    def register(function: FeatureFunction) -> FeatureFunction:
        text, file = " ".join((function.__doc__ or "").split()), function.__code__.co_filename
        digest = "" if is_shipped(function) else code_digest(function)
        parts = name, version, unit, scale_bits, warm_up, pools, source, text, depth, digest, spans, least
        definition = Definition(*parts, function, file)
        _check(definition)
        _DEFINITIONS[name] = definition
        return function

    return register


def is_shipped(function: Callable[..., Any]) -> bool:
    """Whether a function comes with the program, and is not an author's own."""
    code = getattr(function, "__code__", None)
    return code is not None and code.co_filename.startswith(_SHIPPED)


def _check(definition: Definition) -> None:
    name = definition.name
    if not definition.description:
        raise ConfigError(f"The feature {name} has no docstring.", "Say in one what it measures.")
    taken = _DEFINITIONS.get(name)
    if taken is None or taken.file == definition.file:
        return
    if not taken.code_digest or taken.code_digest != definition.code_digest:
        raise ConfigError(f"The feature name {name} is taken by {taken.file}.", "Choose another name.")


def adopt(definition: Definition) -> None:
    """Register a function that is in another process, unless the same one is here already.

    Raises:
        ConfigError: where the name is taken by another function.
    """
    _check(definition)
    taken = _DEFINITIONS.get(definition.name)
    if taken is None or taken.elsewhere is not None or taken.code_digest != definition.code_digest:
        _DEFINITIONS[definition.name] = definition


def definitions() -> tuple[Definition, ...]:
    """Everything that is registered, by name."""
    return tuple(_DEFINITIONS[name] for name in sorted(_DEFINITIONS))


def resolve(name: str, own: Mapping[str, Definition] | None = None) -> Feature:
    """The feature of a name.

    Args:
        name: as strategies and models call it.
        own: definitions that come before those registered under the same name.

    Raises:
        ConfigError: where no feature has this name; the hint says which are near.
    """
    known = _DEFINITIONS if not own else {**_DEFINITIONS, **own}
    single = known.get(name)
    if single is not None and not single.is_family:
        return single.at(None)
    match = _FAMILY_NAME.match(name)
    if match is not None:
        family = known.get(f"{match['stem']}_{{n}}")
        if family is not None and family.least <= int(match["n"]) <= LONGEST_HORIZON:
            return family.at(int(match["n"]))
    names = [definition.name.format(n=match["n"] if match else 12) for definition in definitions()]
    raise ConfigError(f"There is no feature called {name}.", did_you_mean(name, names))


@dataclass(frozen=True)
class FeatureSpec:
    """Features in the order a model is given them. One digest, one answer on the same rows."""

    features: tuple[Feature, ...]

    @classmethod
    def of(cls, names: Iterable[str], own: Mapping[str, Definition] | None = None) -> "FeatureSpec":
        """The specification with these features, in this order.

        Args:
            names: of the features.
            own: as for `resolve`.

        Raises:
            ConfigError: for an unknown name, a repeated one, or none at all.
        """
        wanted = tuple(names)
        if not wanted:
            raise ConfigError("A feature specification names at least one feature.")
        if len(set(wanted)) != len(wanted):
            twice = next(name for name in wanted if wanted.count(name) > 1)
            raise ConfigError(f"The feature {twice} is named twice.")
        return cls(tuple(resolve(name, own) for name in wanted))

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The features' names, in order."""
        return tuple(feature.name for feature in self.features)

    @cached_property
    def warm_up(self) -> int:
        """Rows needed before the first feature row, the current one included."""
        return max(feature.warm_up for feature in self.features)

    @cached_property
    def pools(self) -> int:
        """How many pools are looked at."""
        return max(feature.pools for feature in self.features)

    @cached_property
    def depth(self) -> bool:
        """Whether some feature looks at the depth around the price."""
        return any(feature.depth for feature in self.features)

    @cached_property
    def elsewhere(self) -> "tuple[tuple[Elsewhere, FeatureSpec], ...]":
        """Where features are computed that are not computed here, and those of them."""
        places = dict.fromkeys(one.elsewhere for one in self.features if one.elsewhere is not None)
        return tuple(
            (place, FeatureSpec(tuple(one for one in self.features if one.elsewhere is place)))
            for place in places
        )

    @cached_property
    def digest(self) -> str:
        """keccak256 over names, versions and scales, and the code of authors' own, in order: 0x and 64 hex digits."""
        entries = [
            [
                feature.name,
                feature.version,
                feature.scale_bits,
                *([feature.code_digest] * bool(feature.code_digest)),
            ]
            for feature in self.features
        ]
        return "0x" + keccak(json.dumps(entries, separators=(",", ":")).encode()).hex()

    def to_json(self) -> list[dict[str, Any]]:
        """One entry per feature, as a model card shows it."""
        return [
            {
                "name": feature.name,
                "version": feature.version,
                "unit": feature.unit,
                "scale_bits": feature.scale_bits,
                "warm_up": feature.warm_up,
                "description": feature.description,
                "source": feature.source,
                **({"code_digest": feature.code_digest} if feature.code_digest else {}),
            }
            for feature in self.features
        ]
