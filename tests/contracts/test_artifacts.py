"""The artifacts in the package are what the sources give, byte for byte."""

from pathlib import Path

import pytest

from scripts.build_contracts import PACKAGED, BuildError, compile_contracts, exported, find_forge

pytestmark = pytest.mark.timeout(900)  # compiling takes its time where nothing is cached


@pytest.fixture
def forge() -> Path:
    try:
        return find_forge()
    except BuildError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("forge")
def test_the_package_carries_what_the_sources_give() -> None:
    built = dict(exported(compile_contracts()))
    assert {
        "AgentVault.json",
        "AgentVaultFactory.json",
        "DecisionAudit.json",
        "ModelRegistry.json",
    } <= built.keys()
    assert {path.name for path in PACKAGED.glob("*.json")} == built.keys()
    stale = [name for name, text in built.items() if (PACKAGED / name).read_text() != text]
    assert not stale, "run scripts/build_contracts.py"
