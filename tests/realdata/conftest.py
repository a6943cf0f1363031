"""Where the real data is."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real pool data: DEFAI_REAL_DATA, or `shared/data` beside the project."""
    beside = Path(__file__).parents[2].parent / "shared" / "data"
    folder = Path(os.environ.get("DEFAI_REAL_DATA", beside))
    if not folder.is_dir():
        pytest.skip(f"the real pool data is not at {folder}; DEFAI_REAL_DATA says where it is")
    return folder
