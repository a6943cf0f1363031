"""`defai doctor`: each finding, and the exit code it adds up to."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from defai.chain import anvil, artifacts
from defai.cli import checkup, doctor, logs, main
from defai.cli.checkup import Finding

OK = Finding("python", "ok", "3.11.7")
MISSING = Finding("anvil", "missing", "not here", "Install it.")


@pytest.fixture(autouse=True)
def _own_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "default_directory", lambda: tmp_path / "log")


@pytest.mark.parametrize(("findings", "code"), [([OK], 0), ([OK, MISSING], 2)])
def test_the_exit_code_says_whether_the_demo_can_run(
    findings: list[Finding], code: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(checkup, "examine", lambda: findings)
    assert main.run(["doctor", "--json"]) == code
    told = json.loads(capsys.readouterr().out)
    assert told["can_run_demo"] is (code == 0)
    assert [check["name"] for check in told["checks"]] == [finding.name for finding in findings]
    assert main.run(["doctor"]) == code
    text = capsys.readouterr().out
    assert ("Install it." in text) is (code == 2)
    assert ("can run here: `defai demo`" in text) is (code == 0)


def test_every_check_answers_here() -> None:
    findings = {finding.name: finding for finding in checkup.examine()}
    assert {"python", "packages", "anvil", "uniswap", "contracts", "loopback", "cache directory"} <= set(
        findings
    )
    assert findings["python"].state == "ok"
    assert findings["packages"].state == "ok", findings["packages"].text
    assert all(finding.hint for finding in findings.values() if finding.state == "missing")


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checkup, "OLDEST_PYTHON", (99, 0))
    assert checkup.check_python().state == "missing"


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (ModuleNotFoundError("No module named 'web3'"), "make demo"),
        (OSError("libgomp.so.1: cannot open"), "libgomp1"),
    ],
)
def test_a_package_that_cannot_be_imported(
    error: Exception, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_name: str) -> None:
        raise error

    monkeypatch.setattr(checkup, "import_module", broken)
    finding = checkup.check_packages()
    assert finding.state == "missing"
    assert hint in finding.hint
    assert "anvil" not in {one.name for one in checkup.examine()}


def test_without_npms_packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anvil, "NODE_MODULES", tmp_path)
    monkeypatch.setattr(artifacts, "OURS", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    states = {
        check.__name__: check().state
        for check in (
            checkup.check_anvil,
            checkup.check_uniswap,
            checkup.check_contracts,
            checkup.check_forge,
        )
    }
    assert states == {
        "check_anvil": "missing",
        "check_uniswap": "missing",
        "check_contracts": "missing",
        "check_forge": "note",
    }


def test_an_anvil_that_does_not_start(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "anvil"
    program.write_text("#!/bin/sh\nexit 3\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setattr(anvil, "NODE_MODULES", tmp_path / "nothing")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert checkup.check_anvil() == Finding(
        "anvil", "missing", f"{program} does not start", "Install Foundry, so that `anvil` is on PATH."
    )


def test_a_directory_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    finding = checkup.check_directory("cache", tmp_path / "file" / "defai")
    assert finding.state == "missing"
    assert "XDG_CACHE_HOME" in finding.hint


def test_a_directory_without_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert checkup.check_directory("data", tmp_path / "not" / "yet").state == "ok"
    monkeypatch.setattr(checkup, "LEAST_FREE_BYTES", 1 << 80)
    assert checkup.check_directory("data", tmp_path / "not" / "yet").state == "missing"
    assert list(tmp_path.iterdir()) == []


def test_output_without_unicode_is_plain(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "defai", "doctor"],
        env={**os.environ, "PYTHONIOENCODING": "ascii", "XDG_STATE_HOME": str(tmp_path)},
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert ran.returncode in {0, 2}, ran.stderr
    assert ran.stdout.isascii()
    assert b"python" in ran.stdout


def test_marks_have_the_same_keys() -> None:
    assert set(doctor.MARKS) == set(doctor.PLAIN_MARKS) == {"ok", "missing", "note"}
