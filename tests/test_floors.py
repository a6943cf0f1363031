"""Import hygiene as it is at run time: what a module really loads, in a process of its own.

The import contracts in pyproject.toml say which imports may be written; these tests say what happens.
"""

import json
import os
import resource
import subprocess
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
HEAVY = frozenset({"web3", "lightgbm", "sklearn", "pandas", "pyarrow", "textual", "scipy", "aiohttp"})

PURE_FLOORS = (
    "units", "errors", "redaction", "harmless", "time_limit", "late_dataclass", "whole_file", "amm", "domain", "market",
    "portfolio", "features", "models", "audit", "risk", "strategy", "agent",
)  # fmt: skip
HEADLESS = ("chain", "marketsim", "worlds", "config", "session", "backtest", "server")


def modules_of(package: str) -> list[str]:
    """A module and every module inside it, by name, without importing any."""
    base = ROOT / "defai" / package
    if base.with_suffix(".py").is_file():
        return [f"defai.{package}"]
    paths = [
        path for path in base.rglob("*.py") if path.name != "__main__.py" and "templates" not in path.parts
    ]
    names = (path.relative_to(ROOT).with_suffix("").parts for path in paths)
    return sorted(".".join(parts[:-1] if parts[-1] == "__init__" else parts) for parts in names)


@cache
def loaded_by(*modules: str) -> frozenset[str]:
    """Top-level packages that are loaded once these modules are imported, in a fresh process."""
    program = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return frozenset(json.loads(ran.stdout))


def exists(package: str) -> bool:
    return find_spec(f"defai.{package}") is not None


def test_the_probe_sees_what_is_loaded() -> None:
    assert "pandas" in loaded_by("pandas")
    assert not loaded_by("json") & HEAVY


def test_the_command_line_starts_light() -> None:
    assert not loaded_by("defai.cli.main") & (HEAVY | {"numpy", "pydantic", "asyncio"})


@pytest.mark.parametrize("package", [name for name in PURE_FLOORS if exists(name)])
def test_from_the_agent_down_there_is_no_network_and_no_terminal(package: str) -> None:
    assert not loaded_by(*modules_of(package)) & {"web3", "aiohttp", "websockets", "textual", "requests"}


@pytest.mark.parametrize("package", [name for name in (*PURE_FLOORS, *HEADLESS) if exists(name)])
def test_heavy_packages_are_imported_when_they_are_used(package: str) -> None:
    assert not loaded_by(*modules_of(package)) & {"web3", "lightgbm", "sklearn", "pandas", "pyarrow", "scipy"}


def test_the_headless_path_loads_no_terminal() -> None:
    modules = [module for package in HEADLESS if exists(package) for module in modules_of(package)]
    assert not loaded_by(*modules) & {"textual", "rich", "plotext"}


def test_the_terminal_is_handed_everything_it_shows() -> None:
    program = (
        "import importlib, json, sys\n"
        f"for name in {modules_of('tui')!r}: importlib.import_module(name)\n"
        "print(json.dumps([name for name in sys.modules if name.startswith('defai.')]))\n"
    )
    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    floors = {name.split(".")[1] for name in json.loads(ran.stdout)}
    assert not floors & {"chain", "worlds", "session", "marketsim", "backtest", "server", "cli"}
    assert not loaded_by(*modules_of("tui")) & {"web3", "lightgbm", "pandas", "aiohttp"}


def test_importing_anything_prints_nothing_and_writes_nothing(tmp_path: Path) -> None:
    names = [
        name
        for package in (*PURE_FLOORS, *HEADLESS, "cli", "tui")
        if exists(package)
        for name in modules_of(package)
    ]
    program = f"import importlib\nfor name in {names!r}: importlib.import_module(name)\n"
    environment = {
        **os.environ,
        "HOME": str(tmp_path),
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    ran = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    assert list(tmp_path.iterdir()) == []


def test_help_answers_at_once(tmp_path: Path) -> None:
    took: list[float] = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "defai", "--help"], cwd=tmp_path, check=True, capture_output=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(took) < 0.3  # processor time: the machine may be busy with other tests


def test_an_attached_terminal_loads_neither_chain_nor_session() -> None:
    """What `defai attach` needs: the screens, the events, the client."""
    attached = loaded_by(
        "defai.cli.attach",
        "defai.cli.attaching",
        "defai.server.client",
        "defai.server.places",
        "defai.tui.app",
        "defai.tui.screens.fleet",
    )
    assert not attached & {
        "aiohttp",
        "numpy",
        "pydantic",
        "web3",
        "lightgbm",
        "sklearn",
        "pandas",
        "pyarrow",
        "scipy",
        "numba",
        "distributed",
    }


def test_a_status_is_asked_without_what_attaching_needs() -> None:
    """What `defai status` needs: importing aiohttp alone took longer than all of this, and the answer."""
    asking = loaded_by(
        "defai.cli.status", "defai.cli.reaching", "defai.server.places", "defai.server.standing"
    )
    assert not asking & (HEAVY | {"asyncio", "websockets", "msgspec", "numpy", "pydantic", "ssl"})


def test_the_first_words_wait_for_nothing_that_draws() -> None:
    """What is imported before the terminal says what it is doing."""
    before = loaded_by(
        *(f"defai.cli.{name}" for name in ("main", "attach", "replay", "demo", "on_screen", "terminal")),
        *("defai.server.places", "defai.tui.opening", "defai.tui.preferences"),
    )
    assert not before & (HEAVY | {"rich", "numpy", "pydantic", "asyncio"})
