"""A loop that never ends is ended, whatever it catches; who keeps to the limit is left alone."""

import threading
from contextlib import suppress
from itertools import count
from time import monotonic

import pytest

from defai import time_limit
from defai.agent.agent import AgentState
from defai.strategy.api import Context, Hold, Intent
from defai.time_limit import OverrunError, TimeLimit
from tests.unit.agent.ports import Stand


def forever() -> int:
    return sum(1 for _ in count())


def forever_catching_errors() -> None:
    while True:
        with suppress(Exception):
            forever()


def catching_everything_thrice() -> None:
    for _ in range(3):
        with suppress(BaseException):
            forever()


@pytest.mark.parametrize("loop", [forever, forever_catching_errors, catching_everything_thrice])
def test_what_takes_too_long_is_interrupted(loop: object) -> None:
    limit = TimeLimit(limit_s=0.1)
    with pytest.raises(OverrunError, match=r"took longer than 0.1 s and was interrupted"):
        limit.ask(loop)  # type: ignore[arg-type]  # any of them can be called
    assert limit.ask(lambda: 7) == 7, "and who comes next is left alone"


def test_what_takes_too_much_memory_is_interrupted() -> None:
    limit = TimeLimit(limit_s=60, limit_bytes=30 << 20)

    def hoard() -> None:
        [bytes([at % 256]) * 100_000 for at in count()]

    with pytest.raises(OverrunError, match="took more than 30 MB of memory"):
        limit.ask(hoard)


def test_it_works_in_any_thread() -> None:
    found: list[BaseException] = []

    def run() -> None:
        try:
            TimeLimit(limit_s=0.1).ask(forever)
        except OverrunError as error:
            found.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(120)
    assert len(found) == 1


def test_what_is_raised_inside_comes_out_as_it_is() -> None:
    limit = TimeLimit(limit_s=60)
    with pytest.raises(ZeroDivisionError):
        limit.ask(lambda: 1 // 0)
    with pytest.raises(SystemExit):
        limit.ask(lambda: exec("raise SystemExit"))  # noqa: S102  a lambda raises no other way
    assert limit.question is None


def test_the_guard_wakes_again_after_a_quiet_time() -> None:
    limit = TimeLimit(limit_s=0.1)
    limit.ask(lambda: 1)
    until = monotonic() + 120
    while time_limit._GUARD._awake.is_set():
        assert monotonic() < until
        threading.Event().wait(0.05)
    with pytest.raises(OverrunError):
        limit.ask(forever)


def test_time_the_process_did_not_get_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """As after a stop of an hour, by the shell or by a machine that served others: each look finds the clock far on."""
    hours = count(step=3_600)
    looks: list[int] = []

    def clock() -> float:
        looks.append(next(hours))
        return looks[-1]

    monkeypatch.setattr(time_limit, "monotonic", clock)
    limit = TimeLimit(limit_s=60)

    def answer_after_some_looks() -> int:
        first = len(looks)
        while len(looks) < first + 5:
            threading.Event().wait(0.01)
        return 7

    assert limit.ask(answer_after_some_looks) == 7


def test_many_short_questions_are_never_interrupted() -> None:
    limit = TimeLimit(limit_s=0.3)
    until = monotonic() + 0.9
    asked = 0
    while monotonic() < until:
        asked += limit.ask(lambda: 1)
    assert asked > 100


async def test_a_strategy_that_loops_stops_its_agent_alone() -> None:
    def loop(ctx: Context) -> Intent:  # noqa: ARG001  it never looks
        forever()
        return Hold(reason="")

    stand, other = Stand(loop), Stand(Hold(reason="fine"))
    stand.agent._asking._limit.limit_s = 0.1
    decision = await stand.block()
    assert decision is not None, "to hold, with the reason"
    assert stand.agent.state is AgentState.STOPPED
    assert stand.agent.state_reason == "scripted.decide took longer than 0.1 s and was interrupted"
    assert await stand.block() is None
    await other.block()
    assert other.agent.state is AgentState.RUNNING
    stand.agent.change_state(AgentState.RUNNING, "resumed by the operator")
    assert await stand.block() is not None
