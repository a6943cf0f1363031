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


def keeping_bytecode(folder: Path) -> dict[str, str]:
    """Our environment, but with compiled modules kept in a folder: set-up compiles them, whatever the shell says."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("DEFAI_")}
    given.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**given, "PYTHONPYCACHEPREFIX": str(folder)}


@contextmanager
def second_start() -> Iterator[dict[str, str]]:
    """The environment of a process whose home has a cached chain, trained models and compiled modules.

    The home is removed afterwards.

    Raises:
        RuntimeError: where the first start fails.
    """
    with tempfile.TemporaryDirectory(prefix="defai-bench-") as home:
        environment = {
            **keeping_bytecode(Path(home, "bytecode")),
            "HOME": home,
            **{
                f"XDG_{kind}_HOME": str(Path(home, kind.lower()))
                for kind in ("CACHE", "CONFIG", "DATA", "STATE")
            },
        }
        run(["demo", "--headless", "--blocks", "1", "--json"], environment, timeout=FIRST_START_SECONDS)
        yield environment
