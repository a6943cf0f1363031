"""What is varied, and in which windows: as a person writes it."""

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from defai.backtest.request import open_ground
from defai.backtest.sweep.plan import Subject, grid_of, parse_window, windows_of
from defai.backtest.sweep.search import split
from defai.backtest.sweep.space import Choices, Span, parse_axes, search_axes, values_of
from defai.backtest.sweep.trials import distribution
from defai.backtest.timeranges import parse_timerange
from defai.errors import ConfigError, DefaiError
from defai.strategy.api import Context, Hold, Intent, Strategy
from tests.unit.backtest.sweep.scenes import bars, choosy, request

DAY_S = 86_400


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


class Many(Strategy):
    whole: Annotated[int, Field(gt=0, le=20)] = 3
    even: Annotated[int, Field(ge=3, lt=20, multiple_of=4)] = 8
    share: Annotated[float, Field(gt=0, lt=1)] = 0.5
    maybe: Annotated[float | None, Field(ge=0, le=2)] = None
    flag: bool = False
    kind: Literal["near", "far"] = "near"

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=str(ctx.block_number))


class Boundless(Strategy):
    width: Annotated[int, Field(ge=1)] = 3
    name: str = "x"
    colour: Colour = Colour.RED

    def decide(self, ctx: Context) -> Intent:
        return Hold(reason=str(ctx.block_number))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("50,100 ,200", ("50", "100", "200")),
        ("50:200:50", ("50", "100", "150", "200")),
        ("0.1:0.4:0.1", ("0.1", "0.2", "0.3", "0.4")),
        ("1:2:0.3", ("1", "1.3", "1.6", "1.9")),
        ("-2:2:2", ("-2", "0", "2")),
        ("1e3:1_200:100", ("1000", "1100", "1200")),
        ("near,far,near", ("near", "far")),
    ],
)
def test_a_grid_has_the_values_that_were_written(text: str, values: tuple[str, ...]) -> None:
    assert values_of("x", parse_axes([f"x={text}"])["x"]) == values


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (["width"], "is not a parameter"),
        (["=3"], "is not a parameter"),
        (["width="], "nothing in it"),
        (["width=1,,2"], "nothing in it"),
        (["width=400:50:50"], "empty range"),
        (["width=50:400:0"], "never gets anywhere"),
        (["width=0:400:log"], "above zero"),
        (["width=1", "width=2"], "there twice"),
    ],
)
def test_what_is_no_axis_is_refused_in_a_sentence(pairs: list[str], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_axes(pairs)


def test_a_grid_needs_steps_and_an_end_of_them() -> None:
    with pytest.raises(ConfigError, match="has no step"):
        values_of("x", Span(Decimal(1), Decimal(9)))
    with pytest.raises(ConfigError, match="1,000,001 values"):
        values_of("x", parse_axes(["x=0:1:0.000001"])["x"])


def test_a_search_takes_its_bounds_from_the_fields() -> None:
    axes, fixed = search_axes(Many, parse_axes(["whole=7", "kind=far,near"]))

    assert fixed == {"whole": "7"}
    assert list(axes) == ["even", "share", "maybe", "flag", "kind"]
    assert str(axes["even"]) == "4 to 19 by 4"
    assert isinstance(axes["share"], Span)
    assert 0 < float(axes["share"].low) < 1e-300
    assert float(axes["share"].high) == pytest.approx(1)
    assert float(axes["share"].high) < 1
    assert axes["flag"] == Choices(("false", "true"))
    assert axes["kind"] == Choices(("far", "near"))
    even = distribution("even", axes["even"], whole=True)
    assert (even.to_internal_repr(4), even.to_internal_repr(16)) == (4.0, 16.0)


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        ([], "parameter 'width' of Boundless has no bounds"),
        (["width=1:5"], "parameter 'name' of Boundless has no bounds"),
        (["width=1:5", "name=x"], "parameter 'colour' of Boundless has no bounds"),
        (["wdth=1:5"], "Did you mean width"),
        (["width=1", "name=x", "colour=red"], "nothing to search"),
    ],
)
def test_a_search_without_bounds_is_refused(pairs: list[str], said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        search_axes(Boundless, parse_axes(pairs))
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("text", "timerange"),
    [
        ("2023-01-01..2023-01-31", "20230101-20230131"),
        ("20230101..", "20230101-"),
        ("2023-01-01T06:30..2023-01-01T12:00:30", "20230101T0630-20230101T120030"),
    ],
)
def test_a_window_is_a_time_range(text: str, timerange: str) -> None:
    assert parse_window(text) == timerange


@pytest.mark.parametrize(
    ("text", "said"), [("..", "no window"), ("2023", "no window"), ("2023-13-01..", "no window"),
                       ("2023-02-01..2023-01-01", "ends before it begins")]
)  # fmt: skip
def test_what_is_no_window_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        parse_window(text)


def test_a_moment_ends_a_range_and_a_day_is_whole() -> None:
    noon = int(datetime(2023, 1, 1, 12, tzinfo=UTC).timestamp())
    assert parse_timerange("20230101T1200-20230101T120001") == (noon, noon + 1)
    assert parse_timerange("20230101-20230101") == (noon - DAY_S // 2, noon + DAY_S // 2)
    with pytest.raises(ConfigError, match="ends before it begins"):
        parse_timerange("20230101T1200-20230101T1200")


def test_slices_cover_the_history_once(tmp_path: Path) -> None:
    bars(tmp_path)
    asked = request(tmp_path)
    windows = [parse_timerange(one) for one in windows_of(asked, open_ground(asked), (), 7)]

    assert len(windows) == 7
    assert windows[0][0] == open_ground(asked).first_time
    assert all(one[1] == other[0] for one, other in pairwise(windows))
    last = open_ground(asked).last_time
    assert last is not None
    assert windows[-1][1] == last + 1


@pytest.mark.parametrize(
    ("axes", "windows", "slices", "said"),
    [
        (["widht=100,200"], (), 1, "Did you mean width"),
        (["width=100,oops"], (), 1, "not 'oops'"),
        (["width=100,9000"], (), 1, "less than or equal to 5000"),
        (["width=100"], (), 1, "nothing to sweep"),
        ([], (), 1, "nothing to sweep"),
        ([], ("2019-01-01..2019-02-01",), 1, "outside of the history"),
        ([], ("2022-07-19..2022-07-19",), 3, "both can't be"),
        ([], (), 100_000, "can't be cut"),
    ],
)
def test_a_sweep_that_can_not_be_is_refused(
    tmp_path: Path, axes: list[str], windows: tuple[str, ...], slices: int, said: str
) -> None:
    bars(tmp_path)
    subject = Subject.of(request(tmp_path, choosy(tmp_path)))
    ground = open_ground(subject.request)

    def work_out() -> None:
        grid_of(subject, parse_axes(axes), windows_of(subject.request, ground, windows, slices))

    with pytest.raises(DefaiError) as refused:
        work_out()
    assert said in str(refused.value)


def test_a_combination_that_some_refuse_is_left_to_its_run(tmp_path: Path) -> None:
    bars(tmp_path)
    subject = Subject.of(request(tmp_path, choosy(tmp_path)))
    grid = grid_of(subject, parse_axes(["width=200,300", "shift=0,0.5"]), ("-",))

    assert grid.runs_in_all == 4
    with pytest.raises(ConfigError, match="that far"):
        grid_of(subject, parse_axes(["width=300", "shift=0.5,0.6"]), ("-",))


def test_a_split_is_at_a_whole_minute_and_leaves_nothing_out() -> None:
    train, test = (parse_timerange(one) for one in split(1_658_188_800, 1_658_188_800 + 1_000 * 60, 0.3))

    assert train == (1_658_188_800, test[0])
    assert test[0] is not None
    assert test[0] % 60 == 0
    assert test[1] == 1_658_188_800 + 1_000 * 60 + 1
    with pytest.raises(ConfigError, match="leaves nothing"):
        split(1_658_188_800, 1_658_188_800 + 30, 0.3)
