"""Other people's packages to measure beside ours, each in an environment of its own, since they conflict.

They are only run here, each as a process apart: nothing of theirs is copied, imported by defai or shipped with it.
"""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any, NamedTuple

from platformdirs import user_cache_path

INSTALL_SECONDS = 300.0
RUN_SECONDS = 300.0


class UnmeasuredError(Exception):
    """A peer can't be installed or doesn't run here. Its text says why, in a few words."""


class Answer(NamedTuple):
    """What a peer's program printed; None where it can't be had, and then why."""

    given: Any
    why_not: str = ""


def install(requirement: str) -> Path:
    """Make an environment with a package in it where there is none yet; it is kept for the next time.

    Args:
        requirement: name and version, such as "degenbot==0.3.0".

    Returns:
        The environment's Python.

    Raises:
        UnmeasuredError: where the package can't be had.
    """
    folder = user_cache_path("defai", appauthor=False) / "bench" / requirement.replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "done"
    if done.exists() and python.exists():
        return python
    print(f"installing {requirement} into {folder} ...", file=sys.stderr, flush=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "2"]
    try:
        venv.create(folder, clear=True, with_pip=True)
        subprocess.run([*pip, requirement], check=True, capture_output=True, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired as late:
        raise UnmeasuredError(f"installing it takes longer than {INSTALL_SECONDS:g} s") from late
    except (subprocess.CalledProcessError, OSError) as failure:
        print(f"{requirement} can't be had: {_last_words(failure)}", file=sys.stderr)
        raise UnmeasuredError("it can't be installed here") from failure
    done.touch()
    return python


def environment_of(requirement: str) -> Path | None:
    """The Python of an environment with this package in it, as `install` makes it; None where it can't be had."""
    try:
        return install(requirement)
    except UnmeasuredError:
        return None


def ask(python: Path, program: str, question: object) -> Any:  # noqa: ANN401  whatever the program prints
    """Run a program in an environment: it reads JSON on stdin and prints JSON on its last line.

    Raises:
        RuntimeError: with its own last words where it fails.
    """
    ran = subprocess.run(
        [str(python), "-c", program],
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    if ran.returncode:
        raise RuntimeError(f"the peer ended with {ran.returncode}: {ran.stderr[-600:]}")
    return json.loads(ran.stdout.splitlines()[-1])


def answer_of(requirement: str, program: str, question: object) -> Answer:
    """Install a package where it isn't yet, and ask a program that uses it; a peer that can't answer ends nothing."""
    try:
        return Answer(ask(install(requirement), program, question))
    except UnmeasuredError as why:
        return Answer(None, f"unmeasured: {why}")
    except subprocess.TimeoutExpired:
        return Answer(None, f"unmeasured: it takes longer than {RUN_SECONDS:g} s")
    except (RuntimeError, ValueError, LookupError, OSError) as failure:
        print(f"{requirement}: {failure}", file=sys.stderr)
        return Answer(None, "unmeasured: it doesn't run here")


def _last_words(failure: Exception) -> str:
    said = getattr(failure, "stderr", None) or str(failure).encode()
    return said.decode(errors="replace").strip().rpartition("\n")[2]
