"""What a worker process of ours does before its first task (dask's preload protocol)."""

import importlib
import signal

from distributed import Worker


def dask_setup(worker: Worker) -> None:  # noqa: ARG001  dask's signature
    """Leave ctrl-c to the process that asked for the work, and load what runs need."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    importlib.import_module("defai.backtest.sweep.workers")
