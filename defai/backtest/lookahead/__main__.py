"""Makes the look-ahead analyses that standard input asks for; each report goes to standard output. A line is a JSON."""

import gc
import json
import os
import sys

from defai.backtest.lookahead.asking import from_json
from defai.backtest.lookahead.examination import examine
from defai.errors import DefaiError


def main() -> None:
    """Answer requests until there is one that cannot be answered. What strategies print goes to standard error."""
    asked = sys.stdin.read().splitlines()
    gc.freeze()  # the forks to come share what is there, untouched
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as reply:
        os.dup2(2, 1)
        for line in asked:
            request = from_json(json.loads(line))
            say = _quiet if request.quiet else _say
            try:
                report = examine(request.backtest, request.points, request.seed, request.models, say)
            except DefaiError as error:
                answer = {"error": type(error).__name__, "sentence": error.sentence, "hint": error.hint}
                reply.write(json.dumps(answer))
                return
            reply.write(json.dumps(report.to_json()) + "\n")


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def _quiet(text: str) -> None:
    """Nothing is said."""


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        os._exit(130)
