"""A strategy whose code runs in a process of its own, as seen from the session: a `Strategy` like any other.

Its file is never imported here. Its parameters are what its process says they are, so that source, parameters and with
them all digests are those of the same strategy run in the session.
"""

import json
import os
import pickle
import subprocess
import sys
import sysconfig
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Final

from pydantic import PrivateAttr, create_model, model_validator

import defai
from defai.errors import ConfigError
from defai.models.targets import Target
from defai.strategy.api import Context, Edge, Intent, Strategy
from defai.strategy.isolation.wire import WireError, loads, packed, read, receive
from defai.strategy.outcome import Outcome

START_S: Final = 60.0
"""A process' most until it has imported its libraries and the strategy."""
ANSWER_S: Final = 4.0
"""Its most for an answer: less than an agent waits, so that the process is ended and not the wait."""
_KEPT: Final = ("LANG", "LC_ALL", "TZ")
_SYSTEM: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
_SINGLE: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}


class IsolatedError(Exception):
    """What a strategy's process answered instead of an answer."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a strategy is: what its process loads, and what that has to read for it."""

    reference: str
    files: tuple[str, ...]


class _Process:
    """One strategy's process; it ends with whoever holds this."""

    def __init__(self, place: Place, parameters: Mapping[str, Any]) -> None:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-m", "defai.strategy.isolation"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**environment, **_SINGLE},
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _ended, self._popen)
        wish = {"readable": [*_readable(), *place.files], "reference": place.reference}
        try:
            self._send(json.dumps({**wish, "parameters": dict(parameters)}, default=str).encode())
            # Said before any of the author's code has run.
            self.in_force = self._in_force(place, self._answer(START_S))
            self.described = self._describe(self._answer(START_S))
        except (WireError, OSError) as error:
            self.end()
            raise ConfigError(f"The process of {place.reference} {error}.") from error
        except ConfigError:
            self.end()
            raise

    def ask(self, what: str, argument: object) -> Any:  # noqa: ANN401  what the asker wants
        """Ask for an answer.

        Raises:
            IsolatedError: where the author's code raised, or gave what is none, or nothing in time.
        """
        try:
            self._send(pickle.dumps((what, argument), protocol=pickle.HIGHEST_PROTOCOL))
            answer = self._answer(ANSWER_S)
            said = read(answer.get("answer"))
        except (WireError, BrokenPipeError) as error:
            self.end()
            raise IsolatedError("ended its process" if isinstance(error, OSError) else str(error)) from error
        except BaseException:  # an answer that nobody waits for must not be the next question's
            self.end()
            raise
        if "error" in answer:
            raise IsolatedError(str(answer["error"])[:2_000])
        return said

    @property
    def has_ended(self) -> bool:
        """Whether it is gone."""
        return self._popen.poll() is not None

    def end(self) -> None:
        """End it."""
        self._end()

    @staticmethod
    def _in_force(place: Place, said: Mapping[str, Any]) -> str:
        lacking = ", ".join(str(one) for one in said["lacks"])
        if not lacking:
            return str(said["in_force"])
        raise ConfigError(
            f"{place.reference} is not run: this system protects {lacking} from nothing.",
            "Isolation needs Landlock and seccomp (Linux 5.13 or newer); without --isolate it may do all that this "
            "account may.",
        )

    @staticmethod
    def _describe(said: Mapping[str, Any]) -> Mapping[str, Any]:
        """Hold what the process says of its strategy to its form.

        Raises:
            ConfigError: where it could not load it.
            WireError: where it is no description.
        """
        if "error" in said:
            raise ConfigError(str(said["error"])[:2_000].rstrip(".") + ".")
        wanted = {"class_name": str, "parameters": dict, "api_version": int, "pools": list, "features": list}
        if not all(isinstance(said.get(name), kind) for name, kind in wanted.items()):
            raise WireError("does not say what its strategy is")
        names = [str(said["class_name"]), *said["parameters"]]
        if not all(name.isidentifier() and not name.startswith("_") for name in names):
            raise WireError("gives names that are none")
        return said

    def _send(self, body: bytes) -> None:
        pipe = self._popen.stdin
        assert pipe is not None  # noqa: S101  it was asked for
        pipe.write(packed(body))
        pipe.flush()

    def _answer(self, most_s: float) -> dict[str, Any]:
        pipe = self._popen.stdout
        assert pipe is not None  # noqa: S101  the same
        return loads(receive(pipe.fileno(), most_s, lambda: not self.has_ended))


class IsolatedStrategy(Strategy):
    """Asks a process; every strategy has a class of its own name that derives from this.

    Attributes:
        place: where it is loaded from.
        started: a process that describes the class already, for its first instance.
    """

    place: ClassVar[Place]
    started: ClassVar[list[_Process]]
    _process: _Process = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _as_its_process_says(cls, values: Any, handler: Any) -> Any:  # noqa: ANN401  pydantic's
        if isinstance(values, cls):
            return values
        try:
            process = cls.started.pop() if cls.started else _Process(cls.place, values)
        except ConfigError as refused:
            raise ValueError(refused.sentence) from refused
        made = handler(process.described["parameters"])
        made._process = process  # noqa: SLF001  of this class
        return made

    @property
    def in_force(self) -> str:
        """What protects from its code, in words."""
        return self._process.in_force

    def decide(self, ctx: Context) -> Intent:
        """What its process says."""
        said: Intent = self._ask("decide", _portable(ctx))
        return said

    def pools(self) -> tuple[str, ...]:
        """As its process said when it began; so the next two."""
        return tuple(str(name) for name in self._process.described["pools"])

    def features(self) -> tuple[str, ...]:
        """Names of features."""
        return tuple(str(name) for name in self._process.described["features"])

    def target(self) -> Target | None:
        """What its model forecasts."""
        said = read(self._process.described.get("target"))
        return said if isinstance(said, Target) else None

    def stated_edge(self, ctx: Context) -> Edge | None:
        """What its process says; none where that is no edge."""
        said = self._ask("stated_edge", _portable(ctx))
        return said if isinstance(said, Edge) else None

    def on_start(self, ctx: Context) -> str:
        """What its process says; so below."""
        said: str = self._ask("on_start", _portable(ctx))
        return said

    def on_outcome(self, outcome: Outcome) -> str:
        """Words about an outcome."""
        said: str = self._ask("on_outcome", outcome)
        return said

    def _ask(self, what: str, argument: object) -> Any:  # noqa: ANN401  the callers'
        if self._process.has_ended:
            self._process = _Process(self.place, self.model_dump(mode="json"))
        return self._process.ask(what, argument)


def isolated(place: Place, parameters: Mapping[str, Any]) -> IsolatedStrategy:
    """A strategy in a process of its own.

    Raises:
        ConfigError: where it cannot be loaded, its parameters do not fit, or nothing would protect from it.
    """
    process = _Process(place, parameters)
    described = process.described
    fields: dict[str, Any] = {name: (Any, value) for name, value in described["parameters"].items()}
    cls = create_model(str(described["class_name"]), __base__=IsolatedStrategy, **fields)
    cls.place, cls.started = place, [process]
    cls.api_version = int(described["api_version"])
    return cls.model_validate(described["parameters"])


def _portable(ctx: Context) -> Context:
    """A context that can be sent: views and maps with their contents."""
    return replace(ctx, balances=dict(ctx.balances))


def _readable() -> list[str]:
    """What a strategy's libraries are read from. No home, no configuration, no working directory."""
    paths = sysconfig.get_paths()
    places = {
        sys.prefix,
        sys.base_prefix,
        paths["stdlib"],
        paths["platstdlib"],
        paths["purelib"],
        paths["platlib"],
    }
    return sorted({*places, str(Path(defai.__file__).parent), *_SYSTEM, "/etc/ld.so.cache", "/dev/urandom"})


def _ended(popen: "subprocess.Popen[bytes]") -> None:
    popen.kill()
    with suppress(OSError):
        for pipe in (popen.stdin, popen.stdout):
            if pipe is not None:
                pipe.close()
    popen.wait()
