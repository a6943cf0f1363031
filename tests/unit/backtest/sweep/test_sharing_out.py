"""How runs are shared out among workers: several at a time where they are quick, and each once."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import distributed
import pytest

from defai.backtest.sweep import cluster
from defai.backtest.sweep.cluster import Workers


@dataclass
class Run:
    """A run, as far as it is handed out."""

    number: int

    def failed(self, sentence: str) -> dict[str, Any]:
        return {"run": self.number, "error": sentence}


@dataclass
class Answer:
    """What a worker answers at once: a stand-in, since workers cannot be made to take a certain time."""

    key: int
    work: Callable[[], Any]

    @property
    def status(self) -> str:
        return "error" if self.exception() else "finished"

    def result(self) -> Any:  # noqa: ANN401  as dask's
        return self.work()

    def exception(self) -> Exception | None:
        try:
            self.work()
        except MemoryError as error:
            return error
        return None

    def release(self) -> None:
        pass


class Ready(deque[Answer]):
    """Answers in the order in which they were asked for; more may be added meanwhile."""

    add = deque.append

    def __iter__(self) -> Iterator[Answer]:
        while self:
            yield self.popleft()


@dataclass
class Client:
    """Keeps what it is asked."""

    seconds: float
    worst: int
    batches: list[list[int]] = field(default_factory=list)

    def submit(self, _function: object, work: list[Run], *, pure: bool) -> Answer:
        assert not pure
        self.batches.append([run.number for run in work])
        return Answer(len(self.batches), lambda: self._perform(work))

    def _perform(self, work: list[Run]) -> tuple[list[dict[str, Any]], float]:
        if any(run.number == self.worst for run in work):
            raise MemoryError("too much")
        return [{"run": run.number, "error": None} for run in work], self.seconds * len(work)


def performed(client: Client, count: int, monkeypatch: pytest.MonkeyPatch) -> dict[int, Any]:
    monkeypatch.setattr(distributed, "as_completed", Ready)
    stood_in_for: Any = Workers
    runs = (Run(number) for number in range(count))
    rows = list(stood_in_for(client, 2).perform(runs, count))
    found = {row["run"]: row["error"] for row in rows}
    assert (sorted(found), len(rows)) == (list(range(count)), count), "each of them once"
    return found


def test_quick_runs_go_several_at_a_time_and_fewer_towards_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(seconds=0.1, worst=-1)
    performed(client, 64, monkeypatch)
    sizes = [len(batch) for batch in client.batches]
    assert sizes[:6] == [1] * 6, "nobody knows yet how long they take"
    assert sizes[6] == max(sizes) == 5
    assert sizes[6:] == sorted(sizes[6:], reverse=True)
    assert sizes[-1] == 1


def test_slow_runs_go_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(seconds=0.3, worst=-1)
    performed(client, 40, monkeypatch)
    assert {len(batch) for batch in client.batches} == {1}


def test_a_run_that_takes_its_worker_along_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    client = Client(seconds=0.001, worst=9)
    found = performed(client, 64, monkeypatch)
    assert [number for number, error in found.items() if error] == [9]
    assert "too much" in found[9]
    assert any(9 in batch and len(batch) == cluster._MOST_TOGETHER for batch in client.batches)
    assert [9] in client.batches
