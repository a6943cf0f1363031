"""What is wrong with a strategy before it is asked anything: its source, its parameters, its signatures, its wishes."""

from collections.abc import Iterator, Mapping
from inspect import Parameter as Argument
from inspect import signature
from typing import Final

from defai.errors import DefaiError
from defai.features.spec import FeatureSpec
from defai.strategy.api import Strategy
from defai.strategy.parameters import parameters_of
from defai.strategy.registry import LoadedStrategy
from defai.testing.checking.findings import Finding
from defai.testing.checking.reading import read_source
from defai.testing.checking.scenes import keys_of

_ARGUMENTS: Final[Mapping[str, int]] = {
    "decide": 1,
    "on_start": 1,
    "on_outcome": 1,
    "pools": 0,
    "features": 0,
    "target": 0,
}


def examined(loaded: LoadedStrategy) -> tuple[list[Finding], bool]:
    """What is wrong with it, and whether it can be asked to decide at all."""
    findings = [*read_source(loaded.source, type(loaded.strategy)), *_declared(loaded.strategy)]
    try:
        keys_of(loaded.strategy)
        _features(loaded.strategy)
    except DefaiError as error:
        findings.append(Finding("types", error.sentence, error.hint, _line(loaded, "pools", "features")))
    except Exception as error:  # noqa: BLE001  an author's code may raise anything
        findings.append(Finding("types", f"pools or features raised {type(error).__name__}: {error}"))
    else:
        return findings, True
    return findings, False


def _features(strategy: Strategy) -> None:
    if strategy.features():
        FeatureSpec.of(strategy.features())


def _declared(strategy: Strategy) -> Iterator[Finding]:
    cls = type(strategy)
    for name, wanted in _ARGUMENTS.items():
        function = getattr(cls, name)
        given = [one for one in signature(function).parameters.values() if one.default is Argument.empty]
        if len(given) != wanted + 1:
            line = function.__code__.co_firstlineno
            yield Finding("types", f"{name} takes {len(given) - 1} arguments, not {wanted}", "", line)
    for parameter in parameters_of(cls):
        if not parameter.description:
            yield Finding(
                "types", f"the parameter {parameter.name} has no description", "Field(description=…)"
            )
        if parameter.kind in {"int", "float", "decimal"} and not parameter.allowed():
            yield Finding("types", f"the parameter {parameter.name} has no bounds", "Field(ge=…, le=…)")
        if parameter.is_required:
            yield Finding("types", f"the parameter {parameter.name} has no default", "Every one needs one.")
    target = strategy.target()
    if (target is None) != (not strategy.features()):
        has, lacks = ("features", "target") if target is None else ("a target", "features")
        yield Finding("types", f"it names {has} and no {lacks}", "A model needs both.")


def _line(loaded: LoadedStrategy, *methods: str) -> int | None:
    for name in methods:
        function = vars(type(loaded.strategy)).get(name)
        if function is not None:
            return int(function.__code__.co_firstlineno)
    return None
