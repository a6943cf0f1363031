"""Sets up what the Makefile's targets need, as locked: `set_up.py python|npm run|dev`, `set_up.py tool slither|halmos`.

Runs on a bare Python, before anything is installed. "run" is what `make demo` needs, "dev" what tests and checks
need on top. Ends by touching a stamp, so that make does not come here again until a lock changes.
"""

import argparse
import fcntl
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
UV = VENV / "bin" / "uv"
LOCKS = ROOT / "requirements"
CONTRACTS = ROOT / "contracts"
MODULES = CONTRACTS / "node_modules"
LOG = ROOT / "build" / "setup.log"
SLOW_TO_IMPORT = (
    ("aiohttp", "coincurve", "eth_account", "web3", "platformdirs", "click"),
    (
        "lightgbm",
        "pandas",
        "pyarrow.parquet",
        "pydantic",
        "textual.app",
        "textual.widgets",
    ),
)
OLDEST_NPM = 7
"""The first npm that reads our lock file's format."""

UNREACHABLE = re.compile(
    r"ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|network request failed|dns error"
    r"|error sending request|Failed to fetch|NewConnectionError|ConnectTimeout|name resolution|Max retries exceeded"
)


TOOLS = ("slither", "halmos")
"""Checkers of the contracts. Both are AGPL and need other versions of what the project uses: never its dependencies."""
TOOLS_HOME = ROOT / ".tools"


class SetUpError(Exception):
    """What a person has to know, in one sentence."""


def main() -> int:
    """Set up one part; 0 when it is done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("part", choices=PARTS)
    parser.add_argument("extent", choices=("run", "dev", *TOOLS))
    wanted = parser.parse_args()
    if (wanted.part == "tool") != (wanted.extent in TOOLS):
        parser.error(f"there is no {wanted.extent} for {wanted.part}")
    LOG.parent.mkdir(exist_ok=True)
    try:
        with alone():
            PARTS[wanted.part](wanted.extent)
    except SetUpError as error:
        sys.stdout.flush()
        print(f"\ndefai: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; run make again to go on", file=sys.stderr)
        return 130
    return 0


@contextmanager
def alone() -> Iterator[None]:
    """Wait until no other set-up of this checkout is under way."""
    with (LOG.parent / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("another set-up of this checkout is under way; waiting for it", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def set_up_python(extent: str) -> None:
    """Make the virtual environment and install a lock into it, and defai beside it."""
    print(f"setting up Python packages in .venv (once; details in {LOG.relative_to(ROOT)})", flush=True)
    if not is_whole(VENV):
        with step(f"virtual environment on Python {platform.python_version()}"):
            run(
                [sys.executable, "-m", "venv", "--clear", str(VENV)], "The virtual environment cannot be made"
            )
    if not UV.exists():
        with step("uv, the installer"):
            bootstrap()
    with step(f"packages, as requirements/{extent}.lock has them"):
        install("--require-hashes", "-r", str(LOCKS / f"{extent}.lock"))
    with step("defai itself"):
        install("--no-deps", "--no-build-isolation", "-e", str(ROOT))
    with step("bytecode, for a fast start"):
        compile_bytecode()
    (VENV / "checkout").write_text(str(ROOT), encoding="utf-8")
    touch(VENV, extent)


def is_whole(venv: Path) -> bool:
    """Whether an environment is there, works, and was made for this checkout."""
    made_for = venv / "checkout"
    if made_for.exists() and made_for.read_text(encoding="utf-8") != str(ROOT):
        return False
    probe = [str(venv / "bin" / "python"), "-c", "import pip"]
    return (venv / "bin" / "pip").exists() and subprocess.run(
        probe, check=False, capture_output=True
    ).returncode == 0


def bootstrap() -> None:
    """Install uv with pip. Where it cannot be had for this machine, pip does all the work: slower, the same result."""
    lock = str(LOCKS / "bootstrap.lock")
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--retries", "2", "-r", lock]
    result = attempt(command)
    if result.returncode and UNREACHABLE.search(result.stdout):
        raise SetUpError(f"The package index cannot be reached: connect, and run make again. {see_log()}")


def install(*what: str, python: Path = PYTHON) -> None:
    """Install with uv, or with pip where uv is not there or cannot (an index that only pip is configured for)."""
    if UV.exists():
        command = [str(UV), "pip", "install", "--python", str(python), *what]
        if attempt(command, uv_environment()).returncode == 0:
            return
    run(
        [str(python), "-m", "pip", "install", "--retries", "2", *what],
        "The Python packages cannot be installed",
    )


def set_up_tool(name: str) -> None:
    """Give a tool that can't live beside the project's packages an environment of its own, .tools/NAME."""
    home = TOOLS_HOME / name
    print(
        f"setting up {name} in {home.relative_to(ROOT)} (once; details in {LOG.relative_to(ROOT)})",
        flush=True,
    )
    run([sys.executable, "-m", "venv", "--clear", str(home)], "The virtual environment cannot be made")
    with step(f"packages, as requirements/{name}.lock has them"):
        install("--require-hashes", "-r", str(LOCKS / f"{name}.lock"), python=home / "bin" / "python")
    touch(home, "tool")


def compile_bytecode() -> None:
    """Import once what starts slowly, so that its bytecode is kept, also where the user's shell forbids keeping any.

    What is imported is a third of what is installed. Two processes, since that is what every machine has cores for.
    """
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    running = [
        subprocess.Popen(
            [str(PYTHON), "-c", code], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        for code in (f"import {', '.join(modules)}" for modules in SLOW_TO_IMPORT)
    ]
    attempt([str(PYTHON), "-m", "compileall", "-q", str(ROOT / "defai"), str(ROOT / "strategies")])
    for process in running:
        _, complaint = process.communicate()
        if b"libgomp" in complaint:
            raise SetUpError(
                "LightGBM needs the OpenMP library libgomp: install it (Debian, Ubuntu: apt install libgomp1)."
            )
        if process.returncode:
            fail("An installed package cannot be imported (`defai doctor` says more)", complaint.decode())


def uv_environment() -> dict[str, str]:
    """The environment for uv: where pip is pointed at another index, so is uv, which does not read pip's settings."""
    environment = dict(os.environ)
    listed = subprocess.run(
        [str(PYTHON), "-m", "pip", "config", "list"], check=False, capture_output=True, text=True
    )
    for name, ours in (("index-url", "UV_DEFAULT_INDEX"), ("cert", "SSL_CERT_FILE")):
        found = re.search(rf"^\S+\.{name}='(.+)'$", listed.stdout, re.MULTILINE)
        if found:
            environment.setdefault(ours, found[1])
    return environment


def set_up_npm(extent: str) -> None:
    """Fetch what the contracts are built from and what the stand-in chain runs."""
    print("setting up npm packages in contracts/node_modules (once)", flush=True)
    npm = find_npm()
    whole = extent == "dev" or (MODULES / "dev.done").exists()  # never take from a developer what he has
    command = [
        npm,
        "ci",
        "--ignore-scripts",
        "--legacy-peer-deps",
        "--prefer-offline",
        "--no-audit",
        "--no-fund",
    ]
    command += ["--fetch-retries=3", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=3000"]
    if not whole:
        command.append("--omit=dev")
    elif not has_native_builds():
        command.append("--force")  # forge comes for one platform only; elsewhere it is taken from PATH
    with step("Uniswap's contracts, anvil" + (", forge, solc, OpenZeppelin" if whole else "")):
        result = attempt(command, cwd=CONTRACTS)
        if result.returncode and UNREACHABLE.search(result.stdout):
            raise SetUpError(f"npm cannot reach its registry: connect, and run make again. {see_log()}")
        if result.returncode:
            fail("npm cannot install the contracts' packages", result.stdout)
    touch(MODULES, "dev" if whole else "run")
    for program in ("anvil", "forge") if whole else ("anvil",):
        if not (has_native_builds() or shutil.which(program)):
            print(
                f"  note: npm has no {program} for {platform.system()} {platform.machine()}: install Foundry",
                flush=True,
            )


def has_native_builds() -> bool:
    """Whether npm's anvil and forge run here."""
    return platform.system() == "Linux" and platform.machine() in {"x86_64", "AMD64"}


def find_npm() -> str:
    """The npm on PATH; where there is none, or one too old, the one that comes with a wheel of node."""
    npm = shutil.which("npm")
    if npm:
        version = attempt([npm, "--version"]).stdout.strip().rpartition("\n")[2]
        if version.split(".")[0].isdigit() and int(version.split(".")[0]) >= OLDEST_NPM:
            return npm
    ours = VENV / "bin" / "npm"
    if not ours.exists():
        with step("node and npm, which are not here"):
            install("--require-hashes", "-r", str(LOCKS / "node.lock"))
    os.environ["PATH"] = f"{ours.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return str(ours)


@contextmanager
def step(what: str) -> Iterator[None]:
    """Say what is being done, and how long it took."""
    started = time.monotonic()
    print(f"  {what} ... ", end="", flush=True)
    yield
    print(f"{time.monotonic() - started:.1f} s", flush=True)


def run(command: Sequence[str], sentence: str) -> None:
    """Run a program that has to succeed."""
    result = attempt(command)
    if result.returncode and UNREACHABLE.search(result.stdout):
        raise SetUpError(f"The package index cannot be reached: connect, and run make again. {see_log()}")
    if result.returncode:
        fail(sentence, result.stdout)


def attempt(
    command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path = ROOT
) -> subprocess.CompletedProcess[str]:
    """Run a program, its output into the log."""
    with LOG.open("a", encoding="utf-8") as log:
        log.write(f"\n$ {' '.join(command)}\n")
        try:
            result = subprocess.run(
                command,
                check=False,
                cwd=cwd,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        except OSError as error:
            result = subprocess.CompletedProcess(command, 127, f"{error}\n")
        log.write(result.stdout)
        log.write(f"(exit code {result.returncode})\n")
    return result


def fail(sentence: str, output: str) -> None:
    """Stop with a sentence, after the end of what the program said."""
    print("\n" + "\n".join(f"    {line}" for line in output.splitlines()[-12:]), file=sys.stderr)
    raise SetUpError(f"{sentence}. {see_log()}")


def see_log() -> str:
    """Where the whole story is."""
    return f"All of it is in {LOG.relative_to(ROOT)}."


def touch(folder: Path, extent: str) -> None:
    """Leave the stamps that make looks at: what is enough for tests is enough to run."""
    for name in ("run", "dev") if extent == "dev" else ("run",):
        (folder / f"{name}.done").touch()


PARTS = {"python": set_up_python, "npm": set_up_npm, "tool": set_up_tool}

if __name__ == "__main__":
    sys.exit(main())
