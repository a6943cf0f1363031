"""The contracts' own tests (contracts/test), run once; and how their sources look."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from scripts.build_contracts import CONTRACTS, BuildError, find_forge

BUILD_SECONDS = 800

pytestmark = pytest.mark.timeout(BUILD_SECONDS + 100)  # compiling takes its time where nothing is cached


@pytest.fixture
def forge() -> Path:
    try:
        return find_forge()
    except BuildError as error:
        pytest.skip(str(error))


def run(forge: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run forge on the contracts; gas figures that differ from the ones kept are a failure."""
    environment = {**os.environ, "FORGE_SNAPSHOT_CHECK": "true", "FORGE_SNAPSHOT_EMIT": "false"}
    return subprocess.run(
        [str(forge), *arguments],
        cwd=CONTRACTS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=BUILD_SECONDS,
    )


def test_the_contracts_tests_pass(forge: Path) -> None:
    finished = run(forge, "test", "--json")
    start = finished.stdout.find("{")
    assert start >= 0, finished.stdout + finished.stderr
    suites = json.JSONDecoder().raw_decode(finished.stdout[start:])[0]
    results = {
        f"{suite.rpartition(':')[2]}.{name}": test
        for suite, outcome in suites.items()
        for name, test in outcome["test_results"].items()
    }
    failed = {name: test["reason"] for name, test in results.items() if test["status"] != "Success"}
    assert not failed
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-2000:]
    for suite in ("DecisionAuditTest", "AgentVaultTest", "TradingPolicyTest", "InvariantsTest", "GasTest"):
        assert any(name.startswith(f"{suite}.") for name in results), suite


def test_the_contracts_are_formatted(forge: Path) -> None:
    finished = run(forge, "fmt", "--check")
    assert finished.returncode == 0, finished.stdout[:2000]
