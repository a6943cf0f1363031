"""Lets a strategy decide in all scenes, in a process of its own; what came of it goes to standard output as JSON."""

import json
import os
import resource
import sys
import traceback
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from time import process_time_ns
from typing import Any

from defai.agent.intent_form import fault
from defai.agent.wording import canonical
from defai.domain.intents import Hold
from defai.errors import DefaiError
from defai.strategy.registry import load
from defai.testing.checking.examining import examined
from defai.testing.checking.guards import Watch
from defai.testing.checking.sandwiching import Attacked, attacked
from defai.testing.checking.scenes import Scene, edges, series

_clock = process_time_ns


def main() -> None:
    """Answer one request: what to load, and how much of the series to live through."""
    request = json.loads(sys.stdin.read())
    resource.setrlimit(resource.RLIMIT_CPU, (request["cpu_s"], request["cpu_s"] + 1))
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reply:
        os.dup2(2, 1)
        watch = Watch(str(Path(request["file"])))
        watch.install()
        answer: dict[str, Any] = {"in_force": sys.argv[1]} if request["apart"] else {}
        try:
            loaded = load(request["reference"], request["parameters"], isolate=False)
        except DefaiError as error:
            refused = {"refused": error.sentence, "hint": error.hint, "exit_code": error.exit_code}
            reply.write(json.dumps(answer | refused))
            return
        strategy = loaded.strategy
        if request["apart"] and request["whole"]:
            findings, answer["can_be_asked"] = examined(loaded)
            answer["examined"] = [asdict(one) for one in findings]
            if not answer["can_be_asked"]:
                reply.write(json.dumps(answer))
                return
        ask = Asker(strategy.decide, watch, twice=request["whole"])
        answer["series"] = ask.all_of(series(strategy, request["blocks"]), attack=request["whole"])
        if request["whole"]:
            answer["edges"] = ask.all_of(edges(strategy), attack=False)
            answer["attacked"] = [one._asdict() for one in ask.attacks]
            answer["costs_us"] = [cost / 1_000 for cost in ask.costs_ns]
        answer["noticed"] = watch.noticed
        reply.write(json.dumps(answer))


class Asker:
    """Asks a strategy and writes down what it says.

    Args:
        decide: the strategy's.
        watch: on while it decides.
        twice: whether each scene is asked about twice; whoever counts how often he was asked answers differently.
    """

    def __init__(self, decide: Any, watch: Watch, *, twice: bool) -> None:  # noqa: ANN401  an author's function may be anything
        self.costs_ns: list[int] = []
        self.attacks: list[Attacked] = []
        self._decide = decide
        self._twice = twice
        self._watch = watch

    def all_of(self, scenes: Iterable[Scene], *, attack: bool) -> list[dict[str, Any]]:
        """What it says in each scene."""
        told = []
        for scene in scenes:
            first, intent = self._ask(scene)
            again = self._ask(scene)[0] if self._twice else first
            told.append({"scene": scene.name, **first, "again": again == first})
            if attack and intent is not None and not isinstance(intent, Hold):
                self.attacks += attacked(scene, intent)
        return told

    def _ask(self, scene: Scene) -> tuple[dict[str, Any], Any]:
        state = scene.context.rng.getstate()
        began = _clock()
        try:
            with self._watch.on():
                intent = self._decide(scene.context)
            self.costs_ns.append(_clock() - began)
            wrong = fault(intent)
        except (Exception, SystemExit) as error:  # noqa: BLE001  an author's code may raise anything
            return {"raised": f"{type(error).__name__}: {error}", "line": self._line_of(error)}, None
        finally:
            scene.context.rng.setstate(state)
        if wrong:
            return {"wrong": wrong}, None
        return {"intent": canonical(intent)}, intent

    def _line_of(self, error: BaseException) -> int | None:
        lines = [
            frame.lineno
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename == self._watch.file
        ]
        return lines[-1] if lines else None


if __name__ == "__main__":
    main()
