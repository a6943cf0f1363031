"""One strategy's process, as seen from the session: it is started, told what to load, and asked."""

import json
import os
import pickle
import subprocess
import sys
import sysconfig
import weakref
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import defai
from defai.errors import ConfigError
from defai.strategy.isolation.faults import IsolatedError
from defai.strategy.isolation.wire import MOST_BYTES, WireError, loads, read, receive, send

START_S: Final = 60.0
"""A process' most until it has imported its libraries and the strategy."""
ANSWER_S: Final = 4.0
"""Its most for an answer: less than an agent waits, so that the process is ended and not the wait."""
_KEPT: Final = ("LANG", "LC_ALL", "TZ")
_SYSTEM: Final = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share/zoneinfo")
SINGLE: Final = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "PYTHONHASHSEED": "0"}
"""Of the environment: one thread, as long as a process has to shut itself in."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a strategy is: what its process loads, and what that has to read for it."""

    reference: str
    files: tuple[str, ...]


class Process:
    """One strategy's process; it ends with whoever holds this.

    Attributes:
        in_force: what protects from its code, in words.
        described: what it said its strategy is, of the right form.

    Raises:
        ConfigError: where it cannot load the strategy, or nothing would protect from it.
    """

    def __init__(self, place: Place, parameters: Mapping[str, Any]) -> None:
        environment = {name: os.environ[name] for name in _KEPT if name in os.environ}
        self._popen = subprocess.Popen(
            [sys.executable, "-I", "-m", "defai.strategy.isolation"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={**environment, **SINGLE},
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _ended, self._popen)
        wish = {"readable": [*readable(), *place.files], "reference": place.reference}
        try:
            self._send(json.dumps({**wish, "parameters": dict(parameters)}, default=str).encode(), START_S)
            # Said before any of the author's code has run.
            self.in_force = in_force(place.reference, self._answer(START_S, MOST_BYTES))
            self.described = _describe(self._answer(START_S, MOST_BYTES))
        except (WireError, OSError) as error:
            self.end()
            raise ConfigError(f"The process of {place.reference} {error}.") from error
        except ConfigError:
            self.end()
            raise

    def ask(
        self, what: str, argument: object, most_s: float | None = None, most_bytes: int = MOST_BYTES
    ) -> Any:  # noqa: ANN401  what the asker wants
        """Ask for an answer.

        Args:
            what: what for.
            argument: what goes with it.
            most_s: how long it may take; `ANSWER_S` by default.
            most_bytes: how long the answer may be.

        Raises:
            IsolatedError: where the author's code raised, or gave what is none, or nothing in time.
        """
        patience_s = ANSWER_S if most_s is None else most_s
        try:
            self._send(pickle.dumps((what, argument), protocol=pickle.HIGHEST_PROTOCOL), patience_s)
            answer = self._answer(patience_s, most_bytes)
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

    def _send(self, body: bytes, most_s: float) -> None:
        pipe = self._popen.stdin
        assert pipe is not None  # noqa: S101  it was asked for
        os.set_blocking(pipe.fileno(), False)
        send(pipe.fileno(), body, most_s, lambda: not self.has_ended)

    def _answer(self, most_s: float, most_bytes: int) -> dict[str, Any]:
        pipe = self._popen.stdout
        assert pipe is not None  # noqa: S101  the same
        return loads(receive(pipe.fileno(), most_s, lambda: not self.has_ended, most_bytes))


def in_force(reference: str, said: Mapping[str, Any]) -> str:
    """What protects from a process' code, in words.

    Args:
        reference: what it is to load.
        said: what the process said when it had shut itself in.

    Raises:
        ConfigError: where something is protected by nothing.
    """
    lacking = ", ".join(str(one) for one in said["lacks"])
    if not lacking:
        return str(said["in_force"])
    raise unprotected(reference, lacking)


def unprotected(reference: str, lacking: str) -> ConfigError:
    """What is said where a strategy is not run since something would be protected by nothing."""
    return ConfigError(
        f"{reference} is not run: this system protects {lacking} from nothing.",
        "Isolation needs Landlock and seccomp (Linux 5.13 or newer); without --isolate it may do all that this "
        "account may.",
    )


def readable() -> list[str]:
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


def _describe(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hold what the process says of its strategy to its form.

    Raises:
        ConfigError: where it could not load it.
        WireError: where it is no description.
    """
    if "error" in said:
        raise ConfigError(str(said["error"])[:2_000].rstrip(".") + ".")
    wanted = {"class_name": str, "parameters": dict, "api_version": int}
    wanted |= dict.fromkeys(("pools", "features", "own_features", "declared"), list)
    if not all(isinstance(said.get(name), kind) for name, kind in wanted.items()):
        raise WireError("does not say what its strategy is")
    names = [str(said["class_name"]), *said["parameters"]]
    if not all(name.isidentifier() and not name.startswith("_") for name in names):
        raise WireError("gives names that are none")
    return said


def _ended(popen: "subprocess.Popen[bytes]") -> None:
    popen.kill()
    with suppress(OSError):
        for pipe in (popen.stdin, popen.stdout):
            if pipe is not None:
                pipe.close()
    popen.wait()
