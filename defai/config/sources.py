"""Where settings come from, laid over each other, and who is to blame when one is wrong."""

import copy
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final, TypeAlias

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from defai.errors import ConfigError, NotFoundError, did_you_mean
from defai.redaction import redacted

PREFIX: Final = "DEFAI_"

_SECRET_KEY: Final = re.compile(
    r"(^|[_-])(private[_-]?key|secret|mnemonic|seed[_-]?phrase|pass(word|phrase)|api[_-]?key)($|[_-])",
    re.IGNORECASE,
)
_SECRET_VALUE: Final = re.compile(r"(0x)?[0-9a-f]{64}|([a-z]{3,8} ){11,23}[a-z]{3,8}", re.IGNORECASE)

_PLAIN: Final = {"model_type": "should be a table", "tuple_type": "should be a list of [[tables]]"}

Place: TypeAlias = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """Which keys there are.

    Attributes:
        top: single values outside of any table.
        sections: keys by table.
        agent: keys of one `[[agents]]` table.
    """

    top: frozenset[str]
    sections: Mapping[str, tuple[str, ...]]
    agent: tuple[str, ...]

    def keys_at(self, place: Place) -> tuple[str, ...]:
        """The keys of the table at a place; empty where any key will do."""
        if not place:
            return (*sorted(self.top), *self.sections, "agents")
        if place[0] == "agents":
            return self.agent if len(place) == 2 else self.sections.get(str(place[-1]), ())
        return self.sections.get(str(place[0]), ())


def read(path: Path) -> dict[str, Any]:
    """Read a TOML file, refuse secrets in it, and let its relative paths start at its own folder.

    Raises:
        NotFoundError: where there is no such file.
        ConfigError: where it is not TOML, or holds a secret.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no configuration file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"The configuration file {path} cannot be read: {reason}.") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {redacted(str(error))}.") from error
    for place in _secrets(table):
        raise ConfigError(
            f"{path}: {dotted(place)} looks like a secret, and secrets do not belong in a configuration file.",
            "Keep it in a keystore, the environment or give it on standard input; treat this one as leaked.",
        )
    _start_paths_at(table, path.resolve().parent)
    return table


def dotted(place: Place) -> str:
    """A place as TOML's reader thinks of it: agents[0].usd."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


class Layers:
    """A table with the environment and the command line laid over it; remembers which value came from where."""

    def __init__(self, table: Mapping[str, Any], source: str, shape: Shape) -> None:
        self._table: dict[str, Any] = copy.deepcopy(dict(table))
        self._source = source
        self._shape = shape
        self._origins: dict[Place, str] = {}

    def apply_environment(self, environment: Mapping[str, str]) -> None:
        """Lay `DEFAI_*` over it; an empty value takes a key back to its default.

        Raises:
            ConfigError: where a name has the form of a setting but is none.
        """
        for name in sorted(environment):
            if name.startswith(PREFIX):
                place = self._place_of(name)
                if place is not None:
                    self._set(place, environment[name] or None, name)

    def apply_overrides(self, overrides: Mapping[str, object]) -> None:
        """Lay values from the command line over it, by dotted key; None leaves a key alone."""
        for key, value in overrides.items():
            if value is not None:
                self._set(tuple(key.split(".")), value, "the command line")

    def merged(self) -> dict[str, Any]:
        """The table to validate: each agent's limits stand on the fleet's."""
        table = copy.deepcopy(self._table)
        fleet = table.get("limits", {})
        agents = table.get("agents", [])
        if isinstance(fleet, dict) and isinstance(agents, list):
            for agent in agents:
                if isinstance(agent, dict) and isinstance(agent.get("limits", {}), dict):
                    agent["limits"] = {**fleet, **agent.get("limits", {})}
        return table

    def in_words(self, error: ValidationError) -> ConfigError:
        """The first thing that is wrong as a sentence, and the others as its hint."""
        found = sorted(error.errors(), key=lambda one: one["type"] != "extra_forbidden")
        told: dict[tuple[str, str], tuple[str, str]] = {}
        for one in found:
            last = str(one["loc"][-1]) if one["loc"] else ""
            told.setdefault((last, one["msg"]), self._one_in_words(one))
        (sentence, hint), *rest = told.values()
        lines = [hint, *(" ".join(filter(None, other)) for other in rest)]
        return ConfigError(sentence, "\n".join(filter(None, lines)))

    def _one_in_words(self, one: ErrorDetails) -> tuple[str, str]:
        place: Place = one["loc"]
        source = self._origins.get(place, self._source)
        if one["type"] == "extra_forbidden":
            *parents, key = place
            where = f"{dotted(tuple(parents))} has" if parents else "there is"
            known = self._shape.keys_at(tuple(parents))
            hint = did_you_mean(str(key), known) or f"There are: {', '.join(known)}."
            return f"{source}: {where} no key '{key}'.", hint
        if one["type"] == "missing":
            return f"{source}: {dotted(place)} is missing.", ""
        if one["type"] == "value_error":
            prefix = (
                f"{dotted(place)}: "
                if place and place[-1] != "network" and isinstance(place[-1], str)
                else ""
            )
            return f"{source}: {prefix}{one['ctx']['error']}.", ""
        message = _PLAIN.get(one["type"]) or one["msg"][:1].lower() + one["msg"][1:]
        return f"{source}: {dotted(place)}: {message}, not {redacted(repr(one['input']))}.", ""

    def _place_of(self, name: str) -> Place | None:
        """The place that an environment variable names; None where it is not about settings."""
        words = name.removeprefix(PREFIX).lower().split("__")
        if len(words) == 1:
            if words[0] in self._shape.top:
                return (words[0],)
            known = [f"{PREFIX}{key}".upper() for key in sorted(self._shape.top)]
            for near in get_close_matches(
                name, known, n=1, cutoff=0.85
            ):  # others of our names are no settings
                raise ConfigError(f"{name} is not a setting.", f"Did you mean {near}?")
            return None
        if words[0] == "agents":
            return self._place_in_agent(name, words)
        known = [
            f"{PREFIX}{section}__{key}".upper()
            for section, keys in self._shape.sections.items()
            for key in keys
        ]
        if name not in known or len(words) > 2:
            raise ConfigError(f"{name} is not a setting.", did_you_mean(name, known))
        return tuple(words)

    def _place_in_agent(self, name: str, words: list[str]) -> Place:
        names = [str(agent.get("name", "")) for agent in self._agents()]
        wanted = words[1]
        matching = [at for at, known in enumerate(names) if known.lower().replace("-", "_") == wanted]
        if wanted.isdigit() and int(wanted) < len(names):
            matching = [int(wanted)]
        if not matching:
            raise ConfigError(
                f"{name}: there is no agent '{wanted}'.", f"There are: {', '.join(names) or 'none'}."
            )
        if len(words) < 3 or words[2] not in self._shape.agent:
            raise ConfigError(f"{name} is not a setting.", f"An agent has: {', '.join(self._shape.agent)}.")
        tail = [word.upper() for word in words[3:]] if words[2] == "balances" else words[3:]
        return ("agents", matching[0], words[2], *tail)

    def _agents(self) -> list[dict[str, Any]]:
        agents = self._table.get("agents", [])
        return [agent for agent in agents if isinstance(agent, dict)] if isinstance(agents, list) else []

    def _set(self, place: Place, value: object, origin: str) -> None:
        at: Any = self._table
        for part in place[:-1]:
            at = at[int(part)] if isinstance(at, list) else at.setdefault(part, {})
            if not isinstance(at, dict | list):
                raise ConfigError(
                    f"{self._source}: {dotted(place[:-1])} is not a table, as {origin} wants it."
                )
        if value is None:
            at.pop(place[-1], None)
        else:
            at[place[-1]] = value
        self._origins[place] = origin


def _secrets(value: object, place: Place = ()) -> Iterator[Place]:
    """Places of everything that looks like a secret, by its key or by its form."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and _SECRET_KEY.search(key):
                yield (*place, key)
            else:
                yield from _secrets(inner, (*place, key))
    elif isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _secrets(inner, (*place, at))
    elif isinstance(value, str) and _SECRET_VALUE.fullmatch(value.strip()) and not _is_digest(place):
        yield place


def _is_digest(place: Place) -> bool:
    """Whether a model's digest is what belongs there: it looks like a key, and is known to everybody."""
    return place[:1] == ("agents",) and place[2:] == ("model",)


def _start_paths_at(table: dict[str, Any], folder: Path) -> None:
    def started(text: object) -> object:
        return str(folder / Path(text).expanduser()) if isinstance(text, str) else text

    for key in ("run_dir", "strategies_dir"):
        if key in table:
            table[key] = started(table[key])
    market, network, agents = table.get("market"), table.get("network"), table.get("agents")
    if isinstance(network, dict) and "keystore" in network:
        network["keystore"] = started(network["keystore"])
    if isinstance(market, dict) and "prices" in market:
        market["prices"] = started(market["prices"])
    for agent in agents if isinstance(agents, list) else []:
        if isinstance(agent, dict) and re.search(r"\.py(:|$)", str(agent.get("strategy", ""))):
            agent["strategy"] = started(agent["strategy"])
