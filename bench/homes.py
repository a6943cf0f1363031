"""A home of its own for the program, in which it has been started once: what a second start finds."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

DEFAI = str(Path(sys.executable).parent / "defai")
FIRST_START_SECONDS = 240.0


def run(arguments: list[str], environment: Mapping[str, str], *, timeout: float) -> str:
    """Run the program; what it printed.

    Raises:
        RuntimeError: with its own last words where it fails.
        subprocess.TimeoutExpired: where it does not end.
    """
    ran = subprocess.run(
        [DEFAI, *arguments], env=environment, check=False, capture_output=True, text=True, timeout=timeout
    )
    if ran.returncode:
        raise RuntimeError(f"defai {' '.join(arguments)} ended with {ran.returncode}: {ran.stderr[-600:]}")
    return ran.stdout


@contextmanager
def second_start() -> Iterator[dict[str, str]]:
    """The environment of a process whose home has a cached chain and trained models; the home is removed afterwards.

    Raises:
        RuntimeError: where the first start fails.
    """
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as home:
        kinds = ("CACHE", "CONFIG", "DATA", "STATE")
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DEFAI_")},
            "HOME": home,
            **{f"XDG_{kind}_HOME": str(Path(home, kind.lower())) for kind in kinds},
        }
        first = ["demo", "--headless", "--blocks", "1", "--json"]
        run(first, environment, timeout=FIRST_START_SECONDS)
        yield environment
