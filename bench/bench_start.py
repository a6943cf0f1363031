"""How soon the command line answers, against the interpreter alone."""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from figures import Figure
from homes import DEFAI, keeping_bytecode

ROUNDS: Final = 10
WANTED_S: Final = 0.3


def run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    started, before = time.perf_counter(), _processor_seconds()
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return time.perf_counter() - started, _processor_seconds() - before


def medians(*commands: Sequence[str]) -> list[tuple[float, float]]:
    """Median wall and processor seconds of each, run in turns, once more at first to compile what they import."""
    taken: list[list[tuple[float, float]]] = [[] for _ in commands]
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as bytecode:
        environment = keeping_bytecode(Path(bytecode))
        for round_ in range(ROUNDS + 1):
            for command, taken_by_one in zip(commands, taken, strict=True):
                took = run(command, environment)
                if round_:
                    taken_by_one.append(took)
    return [
        (statistics.median(wall for wall, _ in one), statistics.median(busy for _, busy in one))
        for one in taken
    ]


def measure() -> list[Figure]:
    """`defai --help` and `python -c pass`."""
    (wall, busy), (bare_wall, bare_busy) = medians([DEFAI, "--help"], [sys.executable, "-c", "pass"])
    against = "`python -c pass`"
    return [
        Figure(
            what="`defai --help`",
            value=wall,
            unit="s",
            against=against,
            alternative=bare_wall,
            most=WANTED_S,
            headline=True,
        ),
        Figure(
            what="`defai --help`, processor time",
            value=busy,
            unit="s",
            against=against,
            alternative=bare_busy,
        ),
    ]


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
