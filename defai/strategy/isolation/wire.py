"""What is said between a session and a strategy's process: pickles in, JSON out, each with its length in front.

What comes from the process is somebody else's: it is read as JSON, and never unpickled. Whether an intent has the form
of one is looked at by whoever asks any strategy.
"""

import json
import os
import select
from collections.abc import Callable, Mapping
from dataclasses import asdict, is_dataclass
from time import monotonic
from typing import Any, Final, get_args

from defai.domain.intents import Batch, Intent
from defai.models.targets import Target
from defai.strategy.edge import Edge

MOST_BYTES: Final = 1 << 20
"""Of an answer."""
_LOOK_S: Final = 0.02
_MOST_BETWEEN_LOOKS_S: Final = 5 * _LOOK_S
_KINDS: Final[Mapping[str, type]] = {kind.__name__: kind for kind in get_args(Intent)}
_RECORDS: Final[Mapping[str, type]] = {**_KINDS, "Edge": Edge, "Target": Target}


class WireError(Exception):
    """The process said nothing in time, has ended, or says what is no answer."""


class _Patience:
    """Seconds that are left. Time in which nobody looked does not count: the asker was stopped, the other as well."""

    def __init__(self, most_s: float) -> None:
        self._left_s, self._looked = most_s, monotonic()

    def is_over(self) -> bool:
        before, self._looked = self._looked, monotonic()
        self._left_s -= min(self._looked - before, _MOST_BETWEEN_LOOKS_S)
        return self._left_s < 0


def send(pipe: int, body: bytes, most_s: float, alive: Callable[[], bool]) -> None:
    """Put a message on a pipe that does not block: whoever is to read it may never do so.

    Raises:
        WireError: where it is not taken within so many seconds, or the other side has ended.
        BrokenPipeError: where the other side has closed the pipe.
    """
    patience = _Patience(most_s)
    left = memoryview(len(body).to_bytes(8, "big") + body)
    while left:
        while not select.select([], [pipe], [], _LOOK_S)[1]:
            _hold_on(patience, alive)
        left = left[os.write(pipe, left) :]


def receive(pipe: int, most_s: float, alive: Callable[[], bool], most_bytes: int = MOST_BYTES) -> bytes:
    """The next message on a pipe.

    Raises:
        WireError: where none comes within so many seconds, or the other side has ended.
    """
    patience = _Patience(most_s)
    length = int.from_bytes(_exactly(pipe, 8, patience, alive), "big")
    if length > most_bytes:
        raise WireError(f"gave {length:,} bytes for an answer")
    return _exactly(pipe, length, patience, alive)


def _hold_on(patience: _Patience, alive: Callable[[], bool]) -> None:
    """Asked between short looks, so that whoever limits the asker can interrupt him."""
    if patience.is_over():
        raise WireError("did not answer in time; its process was ended")
    if not alive():
        raise WireError("ended its process")


def _exactly(pipe: int, count: int, patience: _Patience, alive: Callable[[], bool]) -> bytes:
    got = bytearray()
    while len(got) < count:
        while not select.select([pipe], [], [], _LOOK_S)[0]:
            _hold_on(patience, alive)
        part = os.read(pipe, count - len(got))
        if not part:
            raise WireError("ended its process")
        got += part
    return bytes(got)


def written(value: object) -> Any:  # noqa: ANN401  what JSON has
    """An answer as JSON has it; records with their name."""
    if is_dataclass(value) and not isinstance(value, type) and type(value).__name__ in _RECORDS:
        if isinstance(value, Batch):
            return {"is": "Batch", "reason": value.reason, "intents": [written(one) for one in value.intents]}
        return {"is": type(value).__name__, **asdict(value)}
    if isinstance(value, tuple | list):
        return [written(one) for one in value]
    return value


def read(raw: Any) -> Any:  # noqa: ANN401  what the answer is, is the asker's to hold it to
    """The reverse of `written`.

    Raises:
        WireError: where it is no answer.
    """
    if isinstance(raw, list):
        return tuple(read(one) for one in raw)
    if not isinstance(raw, dict):
        return raw
    if "is" not in raw:
        return raw
    kind = _RECORDS.get(str(raw["is"]))
    if kind is None:
        raise WireError("gave what is no answer")
    fields = {name: value for name, value in raw.items() if name != "is"}
    if kind is Batch:
        fields["intents"] = read(fields.get("intents", []))
    try:
        return kind(**fields)
    except (TypeError, ValueError) as error:
        raise WireError(f"gave what is no {kind.__name__}: {error}") from error


def loads(body: bytes) -> dict[str, Any]:
    """An answer's JSON.

    Raises:
        WireError: where it is none.
    """
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise WireError("gave what is no answer") from error
    if not isinstance(answer, dict):
        raise WireError("gave what is no answer")
    return answer
