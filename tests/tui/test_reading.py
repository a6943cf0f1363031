"""Much is read at once; in a flood nothing is read sooner than it can be seen, nor later."""

import time

import pytest

from defai.tui import reading
from defai.tui.pacing import SHORTEST_S, Pacing
from defai.tui.reading import AHEAD_S, GOES, TRICKLE_S, Breath


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    waited: list[float] = []

    async def wait(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(reading.asyncio, "sleep", wait)  # type: ignore[attr-defined]  # the module's own name for it
    return waited


async def test_what_is_there_already_is_read_with_a_glance_at_the_keys_now_and_then(
    waits: list[float],
) -> None:
    breath = Breath(Pacing({}), lambda: 0.0)
    for _ in range(3 * GOES):
        await breath.draw(time.monotonic() + 1)
    assert waits == [0, 0, 0]


@pytest.mark.parametrize(("due_in_s", "waited_s"), [(0.05, 0.05 - AHEAD_S), (2.0, SHORTEST_S), (-1.0, 0.0)])
async def test_what_trickles_in_is_left_until_just_before_the_next_paint(
    waits: list[float], due_in_s: float, waited_s: float
) -> None:
    now = [0.0]
    breath = Breath(Pacing({}), lambda: now[0])
    now[0] += 2 * TRICKLE_S
    due = time.monotonic() + due_in_s
    await breath.draw(due)
    (waited,) = waits
    assert waited <= waited_s
    assert waited >= min(waited_s, due - AHEAD_S - time.monotonic(), SHORTEST_S)


async def test_where_nothing_is_to_be_painted_nothing_is_waited_for(waits: list[float]) -> None:
    now = [0.0]
    breath = Breath(Pacing({}), lambda: now[0])
    now[0] += 2 * TRICKLE_S
    await breath.draw(0.0)
    assert waits == [0.0]


async def test_a_wait_is_no_sign_of_a_trickle(waits: list[float]) -> None:
    now = [0.0]
    breath = Breath(Pacing({}), lambda: now[0])
    for _ in range(2):
        now[0] += 2 * TRICKLE_S
        await breath.draw(time.monotonic() + 0.05)
    await breath.draw(time.monotonic() + 0.05)
    assert len(waits) == 2


@pytest.mark.parametrize(("took_s", "flooded"), [(2 * TRICKLE_S, True), (1.0, False), (0.0, False)])
async def test_a_flood_is_told_by_how_fast_it_comes(
    waits: list[float], took_s: float, *, flooded: bool
) -> None:
    now = [0.0]
    pacing = Pacing({})
    breath = Breath(pacing, lambda: now[0])
    now[0] += took_s
    await breath.draw(0.0)
    assert pacing.flooded is flooded
    assert waits in ([0.0], [])
