"""Set-up on machines that lack something: one sentence that says what to do, never a traceback."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"


def program(folder: Path, name: str, body: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def find_python(folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["/bin/sh", str(SCRIPTS / "find-python")],
        env={"PATH": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )


@pytest.fixture
def set_up(tmp_path: Path) -> ModuleType:
    """The script as a module, set up to work in a checkout of its own."""
    spec = importlib.util.spec_from_file_location("set_up_under_test", SCRIPTS / "set_up.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    module.__dict__.update(
        ROOT=tmp_path,
        VENV=tmp_path / ".venv",
        CONTRACTS=contracts,
        MODULES=contracts / "node_modules",
        LOG=tmp_path / "build" / "setup.log",
    )
    return module


def run(module: ModuleType, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["set_up.py", *arguments])
    code: int = module.main()
    return code


def test_a_python_that_does_is_named(tmp_path: Path) -> None:
    program(tmp_path, "python3", f'exec "{sys.executable}" "$@"')
    found = find_python(tmp_path)
    assert (found.returncode, found.stdout, found.stderr) == (0, "python3\n", "")


def test_a_newer_python_is_taken_where_python3_is_too_old(tmp_path: Path) -> None:
    program(tmp_path, "python3", "exit 1")
    program(tmp_path, "python3.12", f'exec "{sys.executable}" "$@"')
    assert find_python(tmp_path).stdout == "python3.12\n"


@pytest.mark.parametrize(
    ("body", "found"),
    [('[ "$1" = --version ] && echo Python 3.9.2 || exit 1', "Python 3.9.2"), (None, "no python3")],
)
def test_a_python_that_is_too_old_or_missing(tmp_path: Path, body: str | None, found: str) -> None:
    if body is not None:
        program(tmp_path, "python3", body)
    told = find_python(tmp_path)
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "needs Python 3.11 or newer" in told.stderr
    assert found in told.stderr


def test_a_python_without_venv(tmp_path: Path) -> None:
    program(tmp_path, "python3", f'case "$2" in *ensurepip*) exit 1;; esac\nexec "{sys.executable}" "$@"')
    told = find_python(tmp_path)
    assert told.returncode == 1
    assert f"apt install python{sys.version_info.major}.{sys.version_info.minor}-venv" in told.stderr
    assert told.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("npm error code ENOTFOUND", "npm cannot reach its registry: connect, and run make again."),
        ("npm error code EINTEGRITY", "npm cannot install the contracts' packages."),
    ],
)
def test_npm_that_fails(
    set_up: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: str,
    sentence: str,
) -> None:
    program(tmp_path / "bin", "npm", f'[ "$1" = --version ] && echo 10.2.0 && exit; echo {said}; exit 1')
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert run(set_up, monkeypatch, "npm", "run") == 1
    told = capsys.readouterr().err
    assert f"defai: {sentence} All of it is in build/setup.log." in told
    assert said in (tmp_path / "build" / "setup.log").read_text(encoding="utf-8")
    assert not (tmp_path / "contracts" / "node_modules" / "run.done").exists()


def test_npm_that_is_too_old_is_passed_over(
    set_up: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "bin", "npm", "echo 6.14.4")
    program(tmp_path / ".venv" / "bin", "npm", "mkdir -p node_modules")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}")
    assert run(set_up, monkeypatch, "npm", "run") == 0
    assert (tmp_path / "contracts" / "node_modules" / "run.done").exists()


def test_a_package_index_that_cannot_be_reached(
    set_up: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def unreachable(command: list[str], *_: object, **__: object) -> subprocess.CompletedProcess[str]:
        failed = 1 if "install" in command else 0
        return subprocess.CompletedProcess(
            command, failed, "NewConnectionError: Temporary failure in name resolution"
        )

    monkeypatch.setattr(set_up, "attempt", unreachable)
    assert run(set_up, monkeypatch, "python", "run") == 1
    assert "The package index cannot be reached: connect, and run make again." in capsys.readouterr().err


def test_an_environment_of_another_checkout_is_not_whole(set_up: ModuleType, tmp_path: Path) -> None:
    program(tmp_path / "env" / "bin", "python", "exit 0")
    program(tmp_path / "env" / "bin", "pip", "exit 0")
    assert set_up.is_whole(tmp_path / "env")
    (tmp_path / "env" / "checkout").write_text("elsewhere", encoding="utf-8")
    assert not set_up.is_whole(tmp_path / "env")


@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_make_alone_lists_the_targets() -> None:
    listed = subprocess.run(["make"], cwd=SCRIPTS.parent, capture_output=True, text=True, check=True).stdout
    assert {"demo", "test", "check", "bench", "clean", "help"} <= {
        line.split()[0] for line in listed.splitlines()
    }
