"""Two workers for all tests of a module: starting them takes longer than what they do."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from distributed import LocalCluster

from defai.backtest.sweep.place import Place


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of somebody's scheduler, which asks nobody who he is, with two workers."""
    with LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",  # a port of its own: tests run side by side
        worker_dashboard_address="127.0.0.1:0",
        scheduler_kwargs={"dashboard": False},
        silence_logs=logging.CRITICAL,
        local_directory=str(tmp_path_factory.mktemp("workers")),
    ) as cluster:
        yield cluster.scheduler_address


@pytest.fixture
def place(scheduler: str, tmp_path: Path) -> Place:
    """A directory of this test's own, and the workers."""
    return Place(out=tmp_path / "out", scheduler=scheduler)
