import math

from hypothesis import given
from hypothesis import strategies as st

from defai.tui.themes import DARK, Palette
from defai.tui.widgets.canvas import Canvas
from defai.tui.widgets.drawing import draw
from defai.tui.widgets.picture import Band, Curve, Fan, Mark, Picture, nice_step, stretch

PALETTE = Palette({**DARK.to_color_system().generate(), **DARK.variables})
VALUES = st.floats(1e-6, 1e6, allow_nan=False)


def text_of(picture: Picture, width: int, height: int, blocks_per_dot: int = 1) -> list[str]:
    return [strip.text for strip in draw(picture, width, height, blocks_per_dot, PALETTE)]


@given(st.floats(1e-9, 1e9), st.integers(1, 40))
def test_steps_are_round_and_few(span: float, most: int) -> None:
    step = nice_step(span, most)
    assert span / step <= most * 1.01
    mantissa = step / 10 ** math.floor(math.log10(step) + 1e-9)
    assert min(abs(mantissa - round_one) for round_one in (1, 2, 2.5, 5)) < 1e-6


@given(
    st.lists(VALUES, min_size=1, max_size=80),
    st.integers(1, 90),
    st.integers(1, 30),
    st.sampled_from([1, 4, 16]),
    st.tuples(VALUES, VALUES),
)
def test_whatever_it_is_given_a_chart_fills_its_place_exactly(
    values: list[float], width: int, height: int, blocks_per_dot: int, edges: tuple[float, float]
) -> None:
    curve = Curve(tuple(enumerate(values)), "price-line")
    band = Band(0, len(values) // 2, min(edges), max(edges), "lp-wide")
    faint = Band(0, len(values), min(edges), max(edges), "another", faint=True)
    fan = Fan(len(values) - 1, len(values) + 9, values[-1], min(edges), max(edges))
    mark = Mark(len(values) - 1, values[-1], "buy")
    picture = Picture((curve,), (band, faint), (mark,), fans=(fan,))
    lines = text_of(picture, width, height, blocks_per_dot)
    assert len(lines) == height
    assert {len(line) for line in lines} == {width}


def test_an_empty_chart_says_why() -> None:
    lines = text_of(Picture(empty="No block yet."), 40, 5)
    assert lines[0].strip() == "No block yet."
    assert not "".join(lines[1:]).strip()


def test_the_axis_tells_round_values_and_the_blocks_in_sight() -> None:
    curve = Curve(tuple((block, 2_000.0 + block) for block in range(100)), "price-line")
    lines = text_of(Picture((curve,)), 60, 10)
    labels = [line.partition("┤")[0].strip() for line in lines if "┤" in line]
    assert labels == ["2,050", "2,000"]
    now = [line.partition("▸")[0].strip() for line in lines if "▸" in line]
    assert now == ["2,099"], "the newest value takes the place of the label it would hide"
    assert "block 99" in lines[-1]


def test_a_rising_curve_rises_and_a_mark_stands_beside_it() -> None:
    curve = Curve(tuple((block, float(block)) for block in range(100)), "price-line")
    lines = text_of(Picture((curve,), marks=(Mark(50, 50.0, "buy"), Mark(60, 60.0, "sell"))), 70, 12)
    column = {
        row: min(at for at, cell in enumerate(line) if "\u2800" <= cell <= "\u28ff")
        for row, line in enumerate(lines)
        if any("\u2800" <= cell <= "\u28ff" for cell in line)
    }
    assert list(column.values()) == sorted(column.values(), reverse=True)
    assert any("▲" in line for line in lines)
    assert any("▼" in line for line in lines)


def test_few_blocks_are_stretched_and_many_are_not() -> None:
    assert stretch(1, 200) == 8
    assert stretch(50, 200) == 4
    assert stretch(80, 200) == 2.5
    assert stretch(1_000, 200) == 1


def test_a_canvas_ignores_what_falls_outside() -> None:
    canvas = Canvas(2, 1)
    canvas.dot(-1, 0, "muted")
    canvas.dot(4, 0, "muted")
    canvas.glyph(2, 0, "x", "muted")
    assert "".join(segment.text for segment in canvas.row(0, PALETTE)) == "  "
    canvas.dot(0, 0, "muted")
    canvas.dot(3, 3, "muted")
    assert "".join(segment.text for segment in canvas.row(0, PALETTE)) == "⠁⢀"


def test_a_forecast_fans_out_beyond_the_newest_block() -> None:
    curve = Curve([(block, 100.0) for block in range(60)], "price-line")
    fan = Fan(59, 79, 100.0, 90.0, 112.0)
    without, lines = text_of(Picture((curve,)), 60, 10), text_of(Picture((curve,), fans=(fan,)), 60, 10)
    assert "block 59" in without[-1]
    assert "block 79" in lines[-1]
    right = [row for row, line in enumerate(lines) if "\u2801" <= line[-2] <= "\u28ff"]
    assert len(right) >= 2
    assert max(right) - min(right) > 4, "the edges of the band end far apart"


def test_anothers_band_is_drawn_without_a_ground() -> None:
    curve = Curve([(block, 100.0 + block % 3) for block in range(60)], "price-line")
    fill = PALETTE.style("price-line", "band-fill").bgcolor

    def filled(band: Band) -> bool:
        strips = draw(Picture((curve,), (band,)), 60, 12, 1, PALETTE)
        return any(segment.style and segment.style.bgcolor == fill for strip in strips for segment in strip)

    assert filled(Band(5, 50, 99.0, 104.0))
    assert not filled(Band(5, 50, 99.0, 104.0, faint=True))
