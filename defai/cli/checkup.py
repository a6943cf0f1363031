"""The checks of `defai doctor`, each answering for one thing that defai stands on."""

import os
import platform
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import platformdirs

from defai.cli import logs
from defai.errors import NotFoundError

OLDEST_PYTHON: Final = (3, 11)
SMALLEST_TERMINAL: Final = (80, 24)
LEAST_FREE_BYTES: Final = 500_000_000
"""Room for a model, a chain's state and a day of journal."""

PACKAGES: Final = {
    "aiohttp": "aiohttp",
    "coincurve": "coincurve",
    "eth-account": "eth_account",
    "lightgbm": "lightgbm",
    "numpy": "numpy",
    "pandas": "pandas",
    "pyarrow": "pyarrow",
    "textual": "textual",
    "web3": "web3",
}
"""Distribution and module of what is compiled for a machine, or large: where an installation breaks."""


class Finding(NamedTuple):
    """What a check found.

    Attributes:
        state: "ok"; "missing": the demo cannot run without it; "note": good to know.
        hint: how to get it; empty where there is nothing to get.
    """

    name: str
    state: Literal["ok", "missing", "note"]
    text: str
    hint: str = ""


def examine() -> list[Finding]:
    """Make every check; those that need our own code to be importable only where the packages are whole."""
    packages = check_packages()
    checks: tuple[Callable[[], Finding], ...] = (
        check_python,
        lambda: packages,
        *((check_anvil, check_uniswap, check_contracts, check_forge) if packages.state == "ok" else ()),
        check_loopback,
        lambda: check_directory("cache", platformdirs.user_cache_path("defai")),
        lambda: check_directory("data", platformdirs.user_data_path("defai")),
        lambda: check_directory("log", logs.default_directory()),
        check_terminal,
    )
    return [check() for check in checks]


def check_python() -> Finding:
    """Whether this Python is new enough."""
    text = f"{platform.python_version()} ({sys.executable}) on {platform.system()} {platform.machine()}"
    if sys.version_info < OLDEST_PYTHON:
        return Finding("python", "missing", text, "defai needs Python 3.11 or newer.")
    return Finding("python", "ok", text)


def check_packages() -> Finding:
    """Whether the packages that tend to break can be imported: being installed is not enough."""
    broken: list[str] = []
    for distribution, module in PACKAGES.items():
        try:
            import_module(module)
        except (ImportError, OSError) as error:  # OSError: a shared library of the system is missing
            broken.append(f"{distribution}: {error}")
    if any("libgomp" in one for one in broken):
        hint = "LightGBM needs the OpenMP library libgomp (Debian, Ubuntu: apt install libgomp1)."
        return Finding("packages", "missing", "; ".join(broken), hint)
    if broken:
        return Finding("packages", "missing", "; ".join(broken), "`make demo` installs what is missing.")
    return Finding("packages", "ok", ", ".join(f"{name} {_version(name)}" for name in PACKAGES))


def check_anvil() -> Finding:
    """Whether there is an anvil, and it starts."""
    from defai.chain.anvil import find_anvil  # noqa: PLC0415  imports packages that may be missing

    try:
        program = find_anvil()
    except NotFoundError as error:
        return Finding("anvil", "missing", error.sentence, error.hint)
    answer = _first_line([str(program), "--version"])
    if answer is None:
        return Finding(
            "anvil", "missing", f"{program} does not start", "Install Foundry, so that `anvil` is on PATH."
        )
    return Finding("anvil", "ok", f"{answer} ({program})")


def check_uniswap() -> Finding:
    """Whether npm has brought the bytecode that the stand-in deploys."""
    from defai.chain.anvil import NODE_MODULES  # noqa: PLC0415  imports packages that may be missing
    from defai.chain.artifacts import UNISWAP  # noqa: PLC0415  as above

    absent = [name for name, path in UNISWAP.items() if not (NODE_MODULES / path).is_file()]
    if absent:
        text = f"not installed: {', '.join(absent)}"
        return Finding("uniswap", "missing", text, "`make demo` fetches them; it needs npm's registry once.")
    return Finding("uniswap", "ok", f"{len(UNISWAP)} compiled contracts ({NODE_MODULES})")


def check_contracts() -> Finding:
    """Whether the package holds our own compiled contracts."""
    from defai.chain.artifacts import OURS  # noqa: PLC0415  imports packages that may be missing

    names = sorted(path.stem for path in OURS.glob("*.json"))
    if not names:
        return Finding("contracts", "missing", f"none in {OURS}", "`make contracts` compiles them.")
    return Finding("contracts", "ok", ", ".join(names))


def check_forge() -> Finding:
    """Whether the contracts could be changed and compiled: developers only."""
    from defai.chain.anvil import NODE_MODULES  # noqa: PLC0415  imports packages that may be missing

    hint = "Only needed to change the contracts: `make setup`."
    forge = next(
        (str(path) for path in NODE_MODULES.glob("@foundry-rs/forge-*/bin/forge")), shutil.which("forge")
    )
    missing = [
        name for name, there in (("forge", forge), ("solc", (NODE_MODULES / "solc").is_dir())) if not there
    ]
    if missing or forge is None:
        return Finding("forge, solc", "note", f"not installed: {', '.join(missing)}", hint)
    return Finding("forge, solc", "ok", _first_line([forge, "--version"]) or f"{forge} does not start")


def check_loopback() -> Finding:
    """Whether a port can be bound on the loopback interface, for the chain to answer on."""
    try:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
    except OSError as error:
        return Finding(
            "loopback", "missing", f"127.0.0.1 cannot be bound: {error.strerror}", "The chain answers there."
        )
    return Finding("loopback", "ok", f"127.0.0.1 can be bound (was given port {port})")


def check_directory(name: str, directory: Path) -> Finding:
    """Whether files can be kept in a directory, which need not be there yet, and how much room there is."""
    nearest = next(path for path in (directory, *directory.parents) if path.exists())
    if not os.access(nearest, os.W_OK | os.X_OK) or not nearest.is_dir():
        hint = f"Make {nearest} writable, or set XDG_{'STATE' if name == 'log' else name.upper()}_HOME."
        return Finding(
            f"{name} directory", "note" if name == "log" else "missing", f"{directory} is not writable", hint
        )
    free = shutil.disk_usage(nearest).free
    text = f"{directory}, {free / 1e9:,.1f} GB free"
    if free < LEAST_FREE_BYTES:
        return Finding(f"{name} directory", "missing", text, "At least 0.5 GB is needed.")
    return Finding(f"{name} directory", "ok", text)


def check_terminal() -> Finding:
    """Whether the dashboard would fit and look right; headless runs need none of it."""
    if not sys.stdout.isatty():
        return Finding("terminal", "note", "standard output is not a terminal: `defai demo --headless` works")
    columns, lines = shutil.get_terminal_size()
    colours = _colours()
    text = f"{columns}x{lines}, {colours}, {'UTF-8' if writes_unicode() else f'{sys.stdout.encoding}: no box drawing'}"
    if columns < SMALLEST_TERMINAL[0] or lines < SMALLEST_TERMINAL[1]:
        return Finding("terminal", "note", text, "The dashboard wants 80x24 or more: enlarge the window.")
    if not writes_unicode():
        return Finding("terminal", "note", text, "Set LANG to a UTF-8 locale, such as C.UTF-8.")
    return Finding("terminal", "ok", text)


def writes_unicode() -> bool:
    """Whether standard output takes box-drawing characters."""
    return (sys.stdout.encoding or "").lower().replace("-", "") == "utf8"


def _colours() -> str:
    if os.environ.get("NO_COLOR"):
        return "no colours (NO_COLOR is set)"
    if os.environ.get("COLORTERM") in {"truecolor", "24bit"}:
        return "16 million colours"
    return "256 colours" if "256" in os.environ.get("TERM", "") else "16 colours"


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return "of unknown version"


def _first_line(command: list[str]) -> str | None:
    """The first line that a program prints; None where it does not run."""
    try:
        ran = subprocess.run(command, check=True, capture_output=True, text=True, timeout=20)  # noqa: S603  our programs
    except (OSError, subprocess.SubprocessError):
        return None
    return ran.stdout.partition("\n")[0].strip() or None
