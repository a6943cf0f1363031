"""How soon the command line answers, against the interpreter alone."""

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from figures import Figure

ROUNDS: Final = 10
WANTED_S: Final = 0.3


def run(command: Sequence[str]) -> tuple[float, float]:
    """Wall and processor seconds of one run."""
    started, before = time.perf_counter(), _processor_seconds()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started, _processor_seconds() - before


def medians(*commands: Sequence[str]) -> list[tuple[float, float]]:
    """Median wall and processor seconds of each, run in turns, once more at first to warm the disk's cache."""
    taken: list[list[tuple[float, float]]] = [[] for _ in commands]
    for round_ in range(ROUNDS + 1):
        for command, taken_by_one in zip(commands, taken, strict=True):
            took = run(command)
            if round_:
                taken_by_one.append(took)
    return [
        (statistics.median(wall for wall, _ in one), statistics.median(busy for _, busy in one))
        for one in taken
    ]


def measure() -> list[Figure]:
    """`defai --help` and `python -c pass`."""
    defai = str(Path(sys.executable).parent / "defai")
    (wall, busy), (bare_wall, bare_busy) = medians([defai, "--help"], [sys.executable, "-c", "pass"])
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
