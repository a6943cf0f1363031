"""Two workers for all tests of a module: starting them takes longer than what they do."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from defai.backtest.sweep.cluster import open_workers
from defai.backtest.sweep.place import Place
from tests.unit.backtest.sweep.scenes import quiet


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a scheduler with two workers."""
    with open_workers(2, None, tmp_path_factory.mktemp("workers"), quiet) as workers:
        assert workers.count == 2
        yield workers.address


@pytest.fixture
def place(scheduler: str, tmp_path: Path) -> Place:
    """A directory of this test's own, and the workers."""
    return Place(out=tmp_path / "out", scheduler=scheduler)
