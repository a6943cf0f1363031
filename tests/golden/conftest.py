"""The recorded run of the stand-in, read and folded once; no chain is asked."""

from pathlib import Path

import pytest

from defai.worlds.recording import Recording, read_recording


@pytest.fixture(scope="session")
def fixtures() -> Path:
    return Path(__file__).parents[2] / "fixtures"


@pytest.fixture(scope="session")
def run(fixtures: Path) -> Recording:
    return read_recording(fixtures / "standin_run")
