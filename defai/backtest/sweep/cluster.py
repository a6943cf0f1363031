"""Workers: processes of our own on this machine, or those of a dask scheduler that is there already.

Ours listen on the loopback interface alone, to nobody who doesn't hold the certificate made for this one sweep (a
scheduler runs what it is given, and other users of the machine reach loopback too). They have one thread each, and
end when the process that started them does, however that ends: each watches a pipe that breaks with it.
"""

import atexit
import logging
import re
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar
from urllib.parse import urlsplit

from defai.backtest.sweep.results import SCRATCH
from defai.backtest.sweep.workers import Row, RunTask, perform_runs
from defai.errors import ConfigError, DefaiError, NotRunningError

if TYPE_CHECKING:
    from distributed import Client, Future

_Answer = TypeVar("_Answer")

CONNECT_S: Final = 10.0
START_S: Final = 120.0
_AHEAD: Final = 3
"""Tasks to a worker that wait at the scheduler, so that none is idle; the rest wait here, in order."""
_TOGETHER_S: Final = 0.5
"""Of quicker runs a worker is given several at a time, as many as take so long: sending for one takes time as well."""
_MOST_TOGETHER: Final = 8
_LOOPBACK: Final = "127.0.0.1"
_OURS: Final[dict[str, Any]] = {
    "distributed.scheduler.http.routes": [],
    "distributed.worker.http.routes": [],
    "distributed.scheduler.allowed-failures": 1,
    "distributed.scheduler.active-memory-manager.start": False,
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "1s",
    "distributed.admin.tick.interval": "1s",
    "distributed.admin.tick.limit": "1h",
    "distributed.admin.system-monitor.interval": "10s",
    "distributed.admin.system-monitor.gil.enabled": False,
}
"""Nothing but tasks is served; a run that kills two workers is given up; nobody looks fifty times a second whether
anything is the matter, which takes a tenth of a processor; a worker that computes is not unwell."""
_ONE_THREAD: Final = {
    f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMBA", "NUMEXPR", "VECLIB_MAXIMUM")
}


class Workers:
    """Workers that tasks can be given to."""

    def __init__(self, client: "Client", count: int) -> None:
        self.count = count
        self._client = client

    @property
    def address(self) -> str:
        """Where their scheduler listens."""
        return str(self._client.scheduler_info()["address"])

    def perform(self, tasks: Iterable[RunTask], count: int) -> Iterator[Row]:
        """Perform `count` runs; rows come as they are ready, in no certain order. A worker's death is a row as well.

        Raises:
            NotRunningError: where the scheduler is gone.
        """
        from distributed import as_completed  # noqa: PLC0415  two seconds that only sweeps pay

        share = _Share(tasks, count, self.count)
        under_way: dict[Any, list[RunTask]] = {}
        ready = as_completed()

        def hand_out(batch: list[RunTask]) -> None:
            if batch:
                future = self._submit(perform_runs, batch)
                under_way[future.key] = batch
                ready.add(future)

        for _ in range(self.count * _AHEAD):
            hand_out(share.next())
        for future in ready:
            batch = under_way.pop(future.key)
            if future.status == "error" and len(batch) > 1:
                for task in batch:  # which of them it was shows where each is alone
                    hand_out([task])
                continue
            yield from self._rows(future, batch, share)
            future.release()
            hand_out(share.next())

    def begin(
        self, function: Callable[[RunTask], _Answer], tasks: Iterable[RunTask]
    ) -> Callable[[], list[_Answer]]:
        """Begin with other work than runs; what comes back waits for the answers, in order, and raises as they do."""
        futures = [self._submit(function, task) for task in tasks]
        return lambda: list(self._client.gather(futures))

    def _submit(self, function: Callable[[Any], Any], work: object) -> "Future[Any]":
        return self._client.submit(function, work, pure=False)

    def _rows(
        self, future: "Future[tuple[list[Row], float]]", batch: list[RunTask], share: "_Share"
    ) -> list[Row]:
        from distributed import KilledWorker  # noqa: PLC0415  two seconds that only sweeps pay

        if future.status == "finished":
            rows, seconds = future.result()
            share.learn(seconds / len(batch))
            return rows
        error = future.exception() if future.status == "error" else None
        if error is None:
            raise NotRunningError("The scheduler is gone, or has dropped our runs.", "What is done is kept.")
        if isinstance(error, KilledWorker):
            return [batch[0].failed("The worker died over it, and so did another: is there memory enough?")]
        return [batch[0].failed(f"{type(error).__name__}: {error}")]


class _Share:
    """How many runs a worker is given at a time: some, where each is over before the next could be sent for.

    Args:
        tasks: all runs.
        count: how many those are.
        workers: how many are to have some to the end.
    """

    def __init__(self, tasks: Iterable[RunTask], count: int, workers: int) -> None:
        self._tasks = iter(tasks)
        self._left = count
        self._workers = workers
        self._together = 1

    def learn(self, seconds: float) -> None:
        """Take in how long a run took."""
        self._together = max(1, min(_MOST_TOGETHER, int(_TOGETHER_S / max(seconds, 1e-9))))

    def next(self) -> list[RunTask]:
        """The next ones; none where none are left."""
        batch = list(islice(self._tasks, max(1, min(self._together, self._left // (2 * self._workers)))))
        self._left -= len(batch)
        return batch


@contextmanager
def open_workers(
    count: int, scheduler: str | None, folder: Path, say: Callable[[str], None]
) -> Iterator[Workers]:
    """Workers, for as long as the context lasts.

    Args:
        count: how many processes of our own.
        scheduler: the address of one that is there instead, `tcp://host:port`.
        folder: where ours keep what they spill; nothing of it is left.
        say: told that they are started, and how many there are.

    Raises:
        ConfigError: where the address is none, or needs a certificate that we don't have.
        NotRunningError: where nobody answers there, or has no workers.
        DefaiError: where its workers are of no use to us, or ours cannot be started.
    """
    import dask  # noqa: PLC0415  seconds that only sweeps pay
    import distributed  # noqa: F401, PLC0415  it brings its defaults, which have to be there before they are changed

    if scheduler is not None and not re.fullmatch(r"(tcp|tls|ws|wss)://[^/\s:]+:\d+", scheduler):
        raise ConfigError(f"'{scheduler}' is no scheduler's address.", "Write --scheduler tcp://host:8786.")
    patience = dask.config.set({"distributed.comm.timeouts.connect": f"{CONNECT_S}s"})
    with patience, _connected(scheduler) if scheduler else _started(count, folder) as client:
        threads = _checked(client)
        say(f"{threads} worker{'s' * (threads != 1)}" + (f" at {scheduler}" if scheduler else ""))
        yield Workers(client, threads)


@contextmanager
def _started(count: int, folder: Path) -> Iterator["Client"]:
    import dask  # noqa: PLC0415  seconds that only sweeps pay
    from distributed import Client, LocalCluster, Security  # noqa: PLC0415  the same
    from distributed.deploy.spec import close_clusters  # noqa: PLC0415  the same

    with (
        tempfile.TemporaryDirectory(prefix=SCRATCH, dir=folder, ignore_cleanup_errors=True) as scratch,
        dask.config.set(_OURS),
    ):
        try:
            cluster = LocalCluster(
                n_workers=count,
                threads_per_worker=1,
                processes=True,
                host=_LOOPBACK,
                protocol="tls",
                security=Security.temporary(),
                dashboard_address=f"{_LOOPBACK}:0",
                worker_dashboard_address=f"{_LOOPBACK}:0",
                scheduler_kwargs={"dashboard": False},
                silence_logs=logging.CRITICAL,
                local_directory=scratch,
                preload=["defai.backtest.sweep.preload"],
                env=_ONE_THREAD,
            )
        except (OSError, RuntimeError, TimeoutError) as error:
            raise DefaiError(f"The workers could not be started: {error}.") from error
        except KeyboardInterrupt:
            atexit.unregister(
                close_clusters
            )  # dask fails where it closes one that had not come up; ours end with us
            raise
        with cluster, Client(cluster, timeout=CONNECT_S) as client:
            yield client


@contextmanager
def _connected(scheduler: str) -> Iterator["Client"]:
    from distributed import Client, Security  # noqa: PLC0415  seconds that only sweeps pay

    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    place = urlsplit(scheduler)
    if place.scheme in {"tls", "wss"} and Security().get_connection_args("client")["ssl_context"] is None:
        raise ConfigError(
            f"{scheduler} speaks TLS, and dask has no certificate here.",
            "Set distributed.comm.tls in ~/.config/dask.",
        )
    try:
        # dask tries again where nobody listens, until the time is over
        socket.create_connection((place.hostname or "", place.port or 0), timeout=CONNECT_S).close()
        client = Client(scheduler, timeout=CONNECT_S)
    except (OSError, TimeoutError) as error:
        raise NotRunningError(
            f"No scheduler answers at {scheduler}.", "Start one: dask scheduler; and workers: dask worker."
        ) from error
    with client:
        yield client


def _checked(client: "Client") -> int:
    """How many runs the workers take at once, once each of them has what runs need."""
    try:
        client.wait_for_workers(1, timeout=START_S)
    except TimeoutError as error:
        raise NotRunningError("The scheduler has no workers.", "Start some: dask worker ADDRESS.") from error
    threads: dict[str, int] = client.nthreads()
    try:
        client.run(ready)
    except ImportError as error:
        raise DefaiError(
            f"The scheduler's workers have no defai: {error}.", "Install the same version on each."
        ) from error
    return max(1, sum(threads.values()))


def ready() -> bool:
    """Whether a worker has come as far as knowing what runs need: reaching this function takes loading it."""
    return True
