import pytest

from defai.domain.stream import PlaybackMoved
from defai.tui.chain_clock import SEEN, ChainClock
from defai.tui.fleet import FleetState


def seen(*blocks: tuple[float, int]) -> ChainClock:
    clock = ChainClock()
    for now, timestamp in blocks:
        clock.saw(now, timestamp)
    return clock


def test_a_time_of_the_chain_is_told_in_seconds_here() -> None:
    assert seen(*((float(second), 60 * second) for second in range(10))).here_s(600) == 10
    quick = seen(*((second / 20, second) for second in range(200)))
    assert quick.here_s(600) == pytest.approx(30, rel=0.1), "twenty blocks a second"
    assert seen(*((8.0 * second, second) for second in range(10))).here_s(10) == 80, "a slow one"


@pytest.mark.parametrize("late_s", [0.0, 5.0])
def test_of_clocks_that_go_alike_nothing_is_said(late_s: float) -> None:
    assert seen(*((12.0 * at + late_s * (at % 2), 12 * at) for at in range(20))).here_s(600) is None


def test_nothing_is_said_before_it_is_known() -> None:
    blocks = [(float(second), 60 * second) for second in range(5)]
    assert [seen(*blocks[:count]).here_s(600) for count in range(6)] == [None] * 5 + [10]


def test_the_past_told_in_one_go_is_not_measured() -> None:
    past = [(0.9 * at / 2_000, 12 * at) for at in range(2_000)]
    live = [(1.0 + second, 24_000 + 12 * second) for second in range(6)]
    assert seen(*past).pace is None
    assert seen(*past, *live).pace == 12


def test_one_halt_changes_nothing_and_another_pace_is_learned() -> None:
    before = [(float(second), 12 * second) for second in range(8)]
    halted = [(3_600.0 + second, 96 + 12 * second) for second in range(4)]
    slower = [(3_604.0 + second, 144 + 4 * second) for second in range(SEEN)]
    assert seen(*before, *halted).pace == 12
    assert seen(*before, *halted, *slower).pace == 4


def test_a_run_that_is_over_leaves_nobody_any_time() -> None:
    fleet = FleetState(chain_clock=seen(*((float(second), 60 * second) for second in range(10))))
    assert fleet.here_s(600) == 10
    fleet.playback = PlaybackMoved(1, 1, 9, 1_767_225_659, 1.0, True, False)
    assert fleet.here_s(600) is None
