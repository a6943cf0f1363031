from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from defai.tui import format as fmt
from defai.tui.lines import AgentLine
from defai.tui.widgets.columns import Column, fit, lay_out


@pytest.mark.parametrize(
    ("value", "places", "unit", "text"),
    [
        (None, 2, "USD", "-"),
        (Decimal("31204.114"), 2, "USD", "31,204.11 USD"),
        (-1234.5, 1, "", "\u22121,234.5"),
        (Decimal("-0.001"), 2, "", "0.00"),
        (0, 0, "", "0"),
    ],
)
def test_numbers_are_grouped_and_unknown_ones_say_so(
    value: Decimal | float | None, places: int, unit: str, text: str
) -> None:
    assert fmt.number(value, places, unit) == text


def test_signed_figures_carry_their_sign_unless_they_are_nothing() -> None:
    assert fmt.signed(Decimal("1.92"), 2, "%") == "+1.92 %"
    assert fmt.signed(Decimal("-0.38"), 2, "%") == "\u22120.38 %"
    assert fmt.signed(Decimal("-0.001"), 2, "%") == "0.00 %"
    assert fmt.signed(None) == "-"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2104.3714, "2,104.37"),
        (104.5, "104.50"),
        (1.08421, "1.0842"),
        (0.00047521, "0.00047521"),
        (None, "-"),
    ],
)
def test_prices_have_the_digits_their_size_asks_for(value: float | None, text: str) -> None:
    assert fmt.price(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "-"),
        (7 * 10**9, "7 gwei"),
        (71 * 10**6, "0.071 gwei"),
        (6_760_000_000, "6.76 gwei"),
        (10**11, "100 gwei"),
    ],
)
def test_gas_prices(value: int | None, text: str) -> None:
    assert fmt.gwei(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"), [(None, "-"), (-1, "0s"), (3.9, "3s"), (240, "4m"), (7_300, "2h"), (900_000, "10d")]
)
def test_ages_have_one_unit(seconds: float | None, text: str) -> None:
    assert fmt.age(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.84, "0.8 ms"), (9.97, "10 ms"), (12.3, "12 ms"), (999.8, "1.0 s"), (1_400, "1.4 s")],
)
def test_short_times(value: float | None, text: str) -> None:
    assert fmt.milliseconds(value) == text


def test_addresses_are_shortened_in_the_middle() -> None:
    assert fmt.shorten("0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640") == "0x88e6…5640"
    assert fmt.shorten("0x1234") == "0x1234"
    assert fmt.shorten(None) == "-"


def test_a_bar_is_as_wide_as_asked_whatever_the_fraction() -> None:
    assert fmt.bar(0.5, 4) == "██  "
    assert fmt.bar(9, 3) == "███"
    assert fmt.bar(-1, 3) == "   "
    assert fmt.bar(0.5, 1) == "▌"


def test_a_spark_line_shows_the_newest_and_nothing_where_nothing_is_known() -> None:
    assert fmt.spark([], 4) == ""
    assert fmt.spark([5.0, 1.0, 2.0], 2) == "▁▇"
    assert len(set(fmt.spark([3.0, 3.0, 3.0], 3))) == 1


@pytest.mark.parametrize(
    ("value", "cells", "spot"),
    [
        (150, "░▓▓▓┃▓▓▓░", 4),
        (100, "░┃▓▓▓▓▓▓░", 1),
        (99, "┃▓▓▓▓▓▓▓░", 0),
        (199.9, "░▓▓▓▓▓▓┃░", 7),
        (900, "░▓▓▓▓▓▓▓┃", 8),
    ],
)
def test_a_range_shows_where_the_value_stands(value: float, cells: str, spot: int) -> None:
    assert fmt.range_cells(100, 200, value, 9) == (cells, spot)


@given(st.lists(st.text("abcdefgh", max_size=8), max_size=4), st.integers(1, 20), st.booleans())
def test_text_is_cut_and_padded_to_the_cell(pieces: list[str], width: int, right: bool) -> None:
    whole = "".join(pieces)
    shown = "".join(text for text, _ in fit(tuple((piece, "muted") for piece in pieces), width, right=right))
    assert len(shown) == width
    assert shown.strip() == whole if len(whole) <= width else shown == whole[: width - 1] + "…"


def test_columns_give_way_by_rank_and_share_what_is_left() -> None:
    columns: list[Column[AgentLine]] = [
        Column("a", lambda _: (), 5, grow=1),
        Column("b", lambda _: (), 5, rank=1),
        Column("c", lambda _: (), 5, rank=2),
    ]
    assert [column.title for column, _ in lay_out(columns, 19)] == ["a", "b", "c"]
    assert [column.title for column, _ in lay_out(columns, 18)] == ["a", "b"]
    assert [column.title for column, _ in lay_out(columns, 3)] == ["a"]
    assert sum(width for _, width in lay_out(columns, 40)) + 4 == 40
