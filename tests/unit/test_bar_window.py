"""The window of a bars world: rows that are kept are the rows that would be made."""

from random import Random

import pytest

from defai.market.bar_rows import rows_of_bars
from defai.market.state import WINDOW_BLOCKS
from defai.testing.bars import walking_bars
from defai.worlds.bar_market import BarWindow

BARS = walking_bars(2_600, tick=200_300)
LOOKS = (
    slice(-20, None),
    slice(-60, None),
    slice(None),
    slice(0, 5),
    slice(-60, -20),
    slice(None, None, 7),
    slice(5, 2),
    slice(-1, None),
)


@pytest.mark.parametrize("seed", range(4))
def test_looking_now_and_then_sees_what_a_new_window_sees(seed: int) -> None:
    draw = Random(seed)  # noqa: S311  where to look, not a secret
    window = BarWindow(BARS, 0, (7,))
    while window.end < len(BARS):
        window.end = min(window.end + draw.choice((1, 1, 1, 1, 30, 700)), len(BARS))
        look = draw.choice(LOOKS)
        fresh = BarWindow(BARS, window.end, (7,))
        assert window[look] == tuple(fresh[row] for row in range(*look.indices(len(fresh))))


def test_a_row_is_made_once() -> None:
    window = BarWindow(BARS, 100, (7,))
    before = window[-60:]
    window.end = 101
    assert all(one is other for one, other in zip(before[1:], window[-60:-1], strict=True))


def test_what_is_kept_does_not_grow() -> None:
    window = BarWindow(BARS, 0, (7,))
    for end in range(1, len(BARS) + 1):
        window.end = end
        assert len(window[:]) == min(end, WINDOW_BLOCKS)
        assert len(window._made) <= 2 * WINDOW_BLOCKS


def test_a_minute_to_settle_in_follows_the_last_bar() -> None:
    window = BarWindow(BARS, 100, (7,))
    before = window[-3:]
    window.repeat()
    after = window[-3:]
    assert after[:2] == before[1:]
    assert (after[2].block_number, after[2].tick, after[2].swaps) == (101, before[2].tick, 0)


def test_all_bars_as_rows_are_the_rows_of_the_window() -> None:
    rows = rows_of_bars(BARS, fee_pips=500, base_fee_wei=7)
    for end in (1, 512, 1_300, len(BARS)):
        assert tuple(rows[max(end - WINDOW_BLOCKS, 0) : end]) == BarWindow(BARS, end, (7,), 500)[:]
