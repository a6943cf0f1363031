"""The process of a strategy: shuts itself in, then imports the strategy and answers for it.

The first message says what may be read and which strategy it is; each further one what it is asked. Whatever the
author's code prints goes nowhere.
"""

import json
import os
import pickle  # what comes in is from the session that started us
import select
import sys
import threading
from typing import Any, Final

from defai.strategy.isolation.sandbox import shut

_UPON_CONTEXTS: Final = frozenset({"decide", "stated_edge", "on_start"})


def main() -> None:
    """Shut in, load, answer until nobody asks any more."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    first = json.loads(_message())
    in_force = shut(first["readable"])
    _answer(answers, {"lacks": list(in_force.lacks), "in_force": str(in_force)})
    if in_force.lacks:
        return
    threading.Thread(target=_end_with_the_session, name="end", daemon=True).start()
    try:
        described, strategy = _load(first)
    except BaseException as error:  # noqa: BLE001  an author's file may raise anything; the session tells the person
        _answer(answers, {"error": str(getattr(error, "sentence", f"{type(error).__name__}: {error}"))})
        return
    from defai.strategy.isolation.mirror import Mirror  # noqa: PLC0415  imported when nothing can be reached any more

    _answer(answers, described)
    mirror = Mirror()
    while body := _message():
        _answer(answers, _asked(strategy, mirror, *pickle.loads(body)))  # noqa: S301  from the session that started us


def _load(first: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    from defai.strategy.isolation.own_features import told  # noqa: PLC0415  imported when nothing can be reached any more
    from defai.strategy.isolation.wire import written  # noqa: PLC0415  the same
    from defai.strategy.parameters import parameters_of  # noqa: PLC0415  the same
    from defai.strategy.registry import load  # noqa: PLC0415  the same

    strategy = load(first["reference"], first["parameters"]).strategy
    return {
        "class_name": type(strategy).__name__,
        "parameters": strategy.model_dump(mode="json"),
        "api_version": type(strategy).api_version,
        "pools": list(strategy.pools()),
        "features": list(strategy.features()),
        "own_features": told(),
        "declared": [one.to_json() for one in parameters_of(type(strategy))],
        "target": written(strategy.target()),
    }, strategy


def _asked(strategy: Any, mirror: Any, name: str, argument: Any) -> dict[str, Any]:  # noqa: ANN401  the author's
    from defai.strategy.isolation.mirror import table_of  # noqa: PLC0415  as above
    from defai.strategy.isolation.wire import written  # noqa: PLC0415  the same

    if name == "features":
        return {"answer": mirror.features(*argument)}
    asked = mirror.contemplate(argument) if name in _UPON_CONTEXTS else argument
    try:
        if name == "table":
            return {"answer": table_of(*asked)}
        return {"answer": written(getattr(strategy, name)(asked))}
    except BaseException as error:  # noqa: BLE001  an author's code may raise anything
        return {"error": f"raised {type(error).__name__}: {error}"[:2_000]}


def _end_with_the_session() -> None:
    """However that ends, and whatever the author's code is doing: it may never come back to where it is asked."""
    poll = select.poll()
    poll.register(0, 0)  # its end of the pipe being closed is told unasked
    poll.poll()
    os._exit(0)


def _message() -> bytes:
    length = int.from_bytes(_exactly(8), "big")
    return _exactly(length)


def _exactly(count: int) -> bytes:
    got = bytearray()
    while len(got) < count:
        part = os.read(0, count - len(got))
        if not part:
            sys.exit(0)
        got += part
    return bytes(got)


def _answer(pipe: int, answer: dict[str, Any]) -> None:
    try:
        body = json.dumps(answer).encode()
    except (TypeError, ValueError) as error:
        body = json.dumps({"error": f"gave what is no answer: {error}"[:2_000]}).encode()
    body = len(body).to_bytes(8, "big") + body
    while body:
        body = body[os.write(pipe, body) :]


if __name__ == "__main__":
    main()
