"""The words between a session's server and those who attach to it: JSON texts over a WebSocket, each an object.

A reader opens with `hello`; the server answers `welcome` or `refused`, then sends `events` and answers each `call`
with `answer` or `failed`; a call that gives one thing after the other is answered with `part`s and a `done`, and can be
ended with `cancel`. Whatever grows is bounded: texts from readers by `LARGEST_FROM_READER`, those to them by
`BATCH_BYTES` and one event.
"""

import json
from collections.abc import Mapping
from functools import cache
from inspect import Parameter, signature
from typing import Any, Final, get_type_hints

from defai.agent.control import PlayerControl
from defai.domain.answers import BacktestUpdate
from defai.domain.wire import Unreadable, read
from defai.errors import ConfigError, DefaiError, error_of

PROTOCOL_VERSION: Final = 1
"""Raised when an old reader would misunderstand; whoever speaks another one is refused in a sentence."""
LARGEST_FROM_READER: Final = 64 * 1024
LARGEST_TO_READER: Final = 16 * 1024 * 1024
BATCH_EVENTS: Final = 256
BATCH_BYTES: Final = 256 * 1024
CALLS_AT_ONCE: Final = 32
SOCKET_PATH: Final = "/session"

METHODS: Final = tuple(name for name in dir(PlayerControl) if not name.startswith("_"))
STREAMING: Final = frozenset({"backtest"})


@cache
def _arguments(method: str) -> Mapping[str, Any]:
    """Types of a method's arguments, by name."""
    hints = get_type_hints(getattr(PlayerControl, method))
    names = [name for name in signature(getattr(PlayerControl, method)).parameters if name != "self"]
    return {name: hints[name] for name in names}


@cache
def _required(method: str) -> tuple[str, ...]:
    """Names of the arguments that a method cannot do without."""
    wanted = signature(getattr(PlayerControl, method)).parameters.values()
    return tuple(one.name for one in wanted if one.name != "self" and one.default is Parameter.empty)


@cache
def _answer(method: str) -> Any:  # noqa: ANN401  a type
    """The type of a method's answer, or of one part of it."""
    return BacktestUpdate if method in STREAMING else get_type_hints(getattr(PlayerControl, method))["return"]


def read_arguments(method: str, raw: object) -> dict[str, Any]:
    """The arguments of a call, checked.

    Raises:
        ConfigError: for a method that is not there, or arguments that it does not take.
    """
    if method not in METHODS:
        raise ConfigError(f"A session cannot be asked to '{method}'.")
    types = _arguments(method)
    if not isinstance(raw, Mapping) or not set(raw) <= set(types):
        raise ConfigError(f"'{method}' takes {', '.join(types) or 'nothing'}.")
    missing = [name for name in _required(method) if name not in raw]
    if missing:
        raise ConfigError(f"'{method}' was asked with too little: it takes {', '.join(missing)}.")
    try:
        return {name: read(value, types[name]) for name, value in raw.items()}
    except Unreadable as error:
        raise ConfigError(f"'{method}' was asked with what it does not take: {error}.") from error


def read_answer(method: str, raw: object) -> Any:  # noqa: ANN401  what the method gives
    """An answer, or one part of it, of values that JSON has.

    Raises:
        DefaiError: where it is none.
    """
    try:
        return read(raw, _answer(method))
    except Unreadable as error:
        raise DefaiError(f"The session's answer to '{method}' cannot be understood.") from error


def write_failure(error: DefaiError) -> dict[str, Any]:
    """An error, for the other side."""
    return {"sentence": error.sentence, "hint": error.hint, "exit_code": error.exit_code}


def read_failure(raw: Mapping[str, Any]) -> DefaiError:
    """The error that was written, of the kind that its exit code stands for."""
    code = raw.get("exit_code")
    return error_of(
        code if isinstance(code, int) else 1, str(raw.get("sentence", "")), str(raw.get("hint", ""))
    )


def read_text(text: str) -> dict[str, Any]:
    """One text, as an object with a type.

    Raises:
        ConfigError: where it is none.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError("What was sent is not JSON.") from error
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        raise ConfigError("What was sent is not an object with a type.")
    return message
