"""A home of its own for whatever tests start: what they cache and keep never touches the user's."""

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where this run of the tests keeps the stand-in's contracts and its models: made once, used by all."""
    path = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(path))
        patch.setenv("XDG_CACHE_HOME", str(path / "cache"))
        patch.setenv("XDG_DATA_HOME", str(path / "data"))
        patch.setenv("XDG_STATE_HOME", str(path / "state"))
        yield path
