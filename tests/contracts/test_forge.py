"""The contracts' own tests (contracts/test), run once; and how their sources look."""

import os
import subprocess
from pathlib import Path

import pytest

from scripts.build_contracts import CONTRACTS, BuildError, find_forge

BUILD_SECONDS = 800
LONG_SECONDS = 7_000

pytestmark = pytest.mark.timeout(BUILD_SECONDS + 100)  # compiling takes its time where nothing is cached


@pytest.fixture
def forge() -> Path:
    try:
        return find_forge()
    except BuildError as error:
        pytest.skip(str(error))


def run(forge: Path, *arguments: str, seconds: float = BUILD_SECONDS) -> tuple[int, str]:
    """Run forge on the contracts; gas figures that differ from the ones kept are a failure."""
    environment = {**os.environ, "FORGE_SNAPSHOT_CHECK": "true", "FORGE_SNAPSHOT_EMIT": "false"}
    finished = subprocess.run(
        [str(forge), *arguments],
        cwd=CONTRACTS,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    return finished.returncode, finished.stdout + finished.stderr


def test_the_contracts_tests_pass_and_cost_what_they_cost(forge: Path) -> None:
    # The JSON form of the results leaves the gas figures out, so this reads what a person would.
    status, text = run(forge, "test")
    assert status == 0, text[-4000:]
    for suite in (
        "DecisionAuditTest",
        "DecisionAnchorsTest",
        "AgentVaultTest",
        "TradingPolicyTest",
        "SpendingCapsTest",
        "TwapBoundTest",
        "OraclesTest",
        "CircuitBreakerTest",
        "AttacksTest",
        "AttacksOnLimitsTest",
        "AttacksOnOwnersTest",
        "InvariantsTest",
        "InvariantsOfPricesTest",
        "AgentIdentityTest",
        "AgentReputationTest",
        "AgentValidationTest",
        "ModelRegistryTest",
        "PoolLensTest",
        "GasTest",
    ):
        assert f".t.sol:{suite}\n" in text, suite


@pytest.mark.long
@pytest.mark.timeout(LONG_SECONDS + 100)
def test_more_tries_find_nothing_more(forge: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOUNDRY_PROFILE", "long")
    status, text = run(forge, "test", "--no-match-contract", "GasTest", seconds=LONG_SECONDS)
    assert status == 0, text[-4000:]


def test_the_contracts_are_formatted(forge: Path) -> None:
    status, text = run(forge, "fmt", "--check")
    assert status == 0, text[:2000]
