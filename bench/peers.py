"""Other people's packages to measure beside ours, each in an environment of its own, since they conflict."""

import json
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

from platformdirs import user_cache_path

INSTALL_SECONDS = 400.0
RUN_SECONDS = 300.0


def environment_of(requirement: str) -> Path | None:
    """The Python of an environment with this package in it, made where there is none yet; kept for the next time.

    Args:
        requirement: name and version, such as "degenbot==0.3.0".

    Returns:
        None where the package can't be had.
    """
    folder = user_cache_path("defai", appauthor=False) / "bench" / requirement.replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "done"
    if done.exists():
        return python
    print(f"installing {requirement} into {folder} ...", file=sys.stderr)
    venv.create(folder, clear=True, with_pip=True)
    try:
        subprocess.run(
            [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement],
            check=True,
            capture_output=True,
            timeout=INSTALL_SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as failure:
        print(f"{requirement} can't be had: {failure}", file=sys.stderr)
        return None
    done.touch()
    return python


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
