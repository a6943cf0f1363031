"""Whether a fleet is still the one that set out: what it announced then, beside what it would announce now."""

from collections.abc import Mapping
from dataclasses import fields, replace
from typing import Any, Final

from defai.audit.charter import Charter
from defai.errors import ConfigError

_OF_MODELS: Final = frozenset({"model_digest", "registry"})
_OF_THE_RUN: Final = frozenset({"opens", "counts_from", "funds"})


def check_charters(
    announced: Mapping[str, Charter], wanted: Mapping[str, bytes], *, models_may_change: bool
) -> None:
    """Make sure that a fleet is still the one that set out.

    Args:
        announced: when the run began, by agent.
        wanted: what would be announced now.
        models_may_change: whether the fleet retrains its models as it runs.

    Raises:
        ConfigError: naming the first thing that is another.
    """
    free = _OF_THE_RUN | (_OF_MODELS if models_may_change else frozenset())
    names = {*announced} ^ {*wanted}
    if names:
        raise ConfigError(
            f"This run began with the agents {', '.join(announced)}, not with {', '.join(wanted)}.",
            "Name another --run-dir for another fleet.",
        )
    for name, before in announced.items():
        now = Charter.decode(wanted[name])
        if now is None:
            raise ValueError(f"the charter of {name} cannot be read back")
        now = replace(now, **{field: getattr(before, field) for field in free})
        for field in fields(Charter):
            if getattr(before, field.name) != getattr(now, field.name):
                raise ConfigError(
                    f"The agent '{name}' began this run with {_words(field.name, before)}; now it has "
                    f"{_words(field.name, now)}.",
                    "Go back to what it was, or name another --run-dir for a new run.",
                )


def _words(name: str, charter: Charter) -> str:
    value: Any = getattr(charter, name)
    return f"{name.replace('_', ' ')} {value}"
