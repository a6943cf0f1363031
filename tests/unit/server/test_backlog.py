"""What is kept for readers is bounded, and nothing that still holds is lost."""

import gc
import itertools
import resource
from collections.abc import Callable
from pathlib import Path

import pytest

from defai.domain.stream import AgentStateChanged, ApprovalRequested, ApprovalResolved, Notice
from defai.server.backlog import Backlog
from defai.testing.stream import demo_stream


def waiting(digest: str) -> ApprovalRequested:
    return ApprovalRequested("tiers", digest, 1, 2, 3, "swap", "swap", "an edge", "above 5 USD", (), None)


def test_readers_get_what_follows_what_they_have() -> None:
    backlog = Backlog(capacity=10)
    for at in range(25):
        backlog.append(Notice("info", f"{at}"))
    reading = backlog.read(after=20, most=3)
    assert [told.sequence for told in reading.events] == [21, 22, 23]
    assert reading.missed == 0
    late = backlog.read(after=5, most=100)
    assert [told.sequence for told in late.events] == list(range(16, 26))
    assert late.missed == 10
    assert not backlog.read(after=25, most=5).events


def test_the_last_word_on_each_thing_stays() -> None:
    backlog = Backlog(capacity=3)
    for state in ("paused", "running", "stopped"):
        backlog.append(AgentStateChanged("tiers", state, ""))
    backlog.append(AgentStateChanged("holder", "paused", ""))
    for at in range(10):
        backlog.append(Notice("info", f"{at}"))
    reading = backlog.read(after=0, most=100)
    first, second = (told.event for told in reading.events[:2])
    assert first == AgentStateChanged("tiers", "stopped", "")
    assert second == AgentStateChanged("holder", "paused", "")
    assert reading.missed == 14 - 3 - 2
    again = backlog.read(after=4, most=100)
    assert not [told for told in again.events if isinstance(told.event, AgentStateChanged)], "told already"


def test_what_is_resolved_waits_no_more() -> None:
    backlog = Backlog(capacity=2)
    backlog.append(waiting("0x1"))
    backlog.append(waiting("0x2"))
    assert len(backlog.latest("approval_requested")) == 2
    backlog.append(ApprovalResolved("tiers", "0x1", "rejected", "owner", "no"))
    assert backlog.latest("approval_requested") == [waiting("0x2")]
    for at in range(5):
        backlog.append(Notice("info", f"{at}"))
    assert backlog.latest("approval_requested") == [waiting("0x2")]


def test_a_reader_is_woken_once_there_is_more() -> None:
    backlog, woken = Backlog(), []
    backlog.wake_on_next(0, lambda: woken.append("first"))
    backlog.wake_on_next(0, lambda: woken.append("second"))
    assert not woken
    backlog.append(Notice("info", ""))
    backlog.append(Notice("info", ""))
    assert woken == ["first", "second"]
    backlog.wake_on_next(1, lambda: woken.append("late"))
    assert woken[-1] == "late", "there is more already"


def test_readers_are_woken_later_where_somebody_comes_first() -> None:
    due: list[Callable[[], None]] = []
    backlog, woken = Backlog(later=due.append), []
    backlog.wake_on_next(0, lambda: woken.append("first"))
    backlog.append(Notice("info", ""))
    backlog.append(Notice("info", ""))
    assert (len(due), woken) == (1, [])
    due[0]()
    assert woken == ["first"]
    backlog.wake_on_next(2, lambda: woken.append("second"))
    backlog.append(Notice("info", ""))
    assert len(due) == 2
    backlog.wake()
    assert woken == ["first", "second"], "at the end nobody waits"


@pytest.mark.long
def test_memory_is_flat_over_a_long_stream() -> None:
    """Half a million events of twenty agents, of which the first tenth may take memory."""
    backlog, sizes = Backlog(), []
    for event in itertools.islice(demo_stream(blocks=10**6, agents=20, end=False), 500_000):
        backlog.append(event)
        if backlog.newest % 50_000 == 0:
            gc.collect()
            sizes.append(_resident())
    assert max(sizes[1:]) - sizes[0] < 8 * 2**20


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()
