from hypothesis import given
from hypothesis import strategies as st

from defai.tui.series import Series


def filled(count: int, recent: int = 16, older: int = 8) -> Series:
    series = Series(2, recent, older)
    for block in range(count):
        series.append(block, block * 2.0, -float(block))
    return series


@given(st.integers(1, 2_000))
def test_it_reaches_back_to_the_start_and_is_exact_at_the_end(count: int) -> None:
    series = filled(count)
    points = series.points()
    assert points[0] == (0, 0.0)
    assert points[-1] == (count - 1, (count - 1) * 2.0)
    last = min(16, count)
    assert points[-last:] == [(block, block * 2.0) for block in range(count - last, count)]
    assert [block for block, _ in points] == sorted({block for block, _ in points})
    assert len(series) == len(points) <= 2 * 16 + 8


@given(st.integers(1, 500), st.integers(0, 600))
def test_what_held_at_a_block_is_the_last_point_not_beyond_it(count: int, block: int) -> None:
    series = filled(count)
    before = [value for at, value in series.points(1) if at <= block]
    assert series.at(block, 1) == before[-1]
    assert series.at(-1) is None


def test_points_since_a_block() -> None:
    assert filled(20).points(since=17) == [(17, 34.0), (18, 36.0), (19, 38.0)]


def test_a_second_point_of_a_block_replaces_the_first() -> None:
    series = Series()
    series.append(1, 5.0)
    series.append(1, 6.0)
    assert series.points() == [(1, 6.0)]


@given(st.integers(0, 300), st.integers(1, 40))
def test_samples_are_spread_evenly_and_end_with_the_newest(count: int, wanted: int) -> None:
    sampled = filled(count).sampled(wanted)
    assert len(sampled) <= wanted
    assert sampled == sorted(sampled)
    if count:
        assert sampled[-1] == (count - 1) * 2.0


def test_an_empty_one_has_nothing() -> None:
    series = Series()
    assert (series.points(), series.last(3), series.at(9), series.first_block, series.last_block) == (
        [],
        [],
        None,
        None,
        None,
    )
