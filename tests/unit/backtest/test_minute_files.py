"""Minute files: what is read, what is padded, and the sentence for every file that cannot be used."""

import gzip
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from defai.backtest.sources.bars import minute_files, pool_of, read_bars
from defai.errors import ConfigError, NotFoundError
from defai.market.bars import from_limbs, path_inside

HEADER = (
    "timestamp,netAmount0,netAmount1,closeTick,openTick,lowestTick,highestTick,"
    "inAmount0,inAmount1,currentLiquidity"
)
NAME = "polygon-0x45dda9cb7c25131df268515131f647d726f50608-2022-07-19.minute.csv"
DAY = int(datetime(2022, 7, 19, tzinfo=UTC).timestamp())


def row(minute: str = "00:00", day: str = "2022-07-19", **cells: object) -> str:
    values: dict[str, object] = {
        "timestamp": f"{day} {minute}:00",
        "netAmount0": -5,
        "netAmount1": 7,
        "closeTick": 101,
        "openTick": 100,
        "lowestTick": 99,
        "highestTick": 102,
        "inAmount0": 10,
        "inAmount1": 34_314_688_834_673_185_249_999,
        "currentLiquidity": 422_680_516_552_367_239,
    }
    return ",".join(str(value) for value in {**values, **cells}.values())


def written(folder: Path, *rows: str, name: str = NAME, header: str = HEADER) -> Path:
    path = folder / name
    path.write_text("\n".join([header, *rows]) + "\n")
    return path


def test_amounts_beyond_64_bits_are_read_to_the_last_unit(tmp_path: Path) -> None:
    largest = (1 << 128) - 1
    bars = read_bars(written(tmp_path, row(), row("00:01", currentLiquidity=largest)))
    assert from_limbs(bars.amount1_in) == [34_314_688_834_673_185_249_999] * 2
    assert from_limbs(bars.liquidity)[1] == largest
    assert bars.close_tick.tolist() == [101, 101]
    assert bars.tick_before(0) == 100
    assert bars.tick_before(1) == 101
    assert len(bars.rows(1, 2)) == 1


def test_ticks_may_be_floats_and_columns_in_any_order(tmp_path: Path) -> None:
    turned = ",".join(reversed(HEADER.split(",")))
    path = written(tmp_path, ",".join(reversed(row(closeTick="101.0").split(","))), header=turned)
    assert read_bars(path).close_tick.tolist() == [101]


def test_minutes_that_lack_are_filled_with_the_price_before_them(tmp_path: Path) -> None:
    written(tmp_path, row("23:58", closeTick=120, currentLiquidity=9))
    second = row("00:02", day="2022-07-20")
    (tmp_path / NAME.replace("07-19", "07-20")).with_suffix(".csv.gz").write_bytes(
        gzip.compress(f"{HEADER}\n{second}\n".encode())
    )
    bars = read_bars(tmp_path)
    assert (len(bars), bars.padded) == (5, 3)
    assert bars.close_tick.tolist() == [120, 120, 120, 120, 101]
    assert bars.lowest_tick.tolist() == [99, 120, 120, 120, 99]
    assert from_limbs(bars.amount0_in) == [10, 0, 0, 0, 10]
    assert from_limbs(bars.liquidity)[:4] == [9, 9, 9, 9]
    assert np.diff(bars.timestamps).tolist() == [60] * 4


def test_a_window_takes_its_minutes_only_and_no_other_days(tmp_path: Path) -> None:
    written(tmp_path, *(row(f"00:0{minute}") for minute in range(5)))
    written(tmp_path, "not,a,row", name=NAME.replace("07-19", "07-25"))
    bars = read_bars(tmp_path, DAY + 60, DAY + 180)
    assert bars.timestamps.tolist() == [DAY + 60, DAY + 120]


def test_the_same_files_have_the_same_digest_and_others_another(tmp_path: Path) -> None:
    first = read_bars(written(tmp_path, row())).digest
    assert first == read_bars(written(tmp_path, row())).digest
    assert first != read_bars(written(tmp_path, row(inAmount0=11))).digest


def test_what_a_name_says(tmp_path: Path) -> None:
    path = written(tmp_path, row())
    assert pool_of(path) == ("polygon", "0x45dda9cb7c25131df268515131f647d726f50608")
    assert pool_of(Path("mine.minute.csv")) is None
    assert minute_files(path) == minute_files(tmp_path) == (path,)
    assert minute_files(tmp_path / "x.tick.csv") == ()


def test_a_day_begins_with_its_first_swap_however_late_that_is(tmp_path: Path) -> None:
    """The price stood still from the last minute of the day before; within a day it may have gone anywhere."""
    written(tmp_path, row("23:59", closeTick=120))
    written(tmp_path, row("07:30", day="2022-07-20"), name=NAME.replace("07-19", "07-20"))
    bars = read_bars(tmp_path)
    assert (len(bars), bars.padded) == (452, 450)
    assert set(bars.close_tick[:-1].tolist()) == {120}
    written(tmp_path, row("23:58"))
    with pytest.raises(ConfigError, match="no bars between 2022-07-19 23:58 and 2022-07-20 07:30"):
        read_bars(tmp_path)


def test_days_that_are_missing_are_answered_with_the_longest_stretch(tmp_path: Path) -> None:
    for day in ("19", "21", "22", "24"):
        written(tmp_path, row(day=f"2022-07-{day}"), name=NAME.replace("07-19", f"07-{day}"))
    with pytest.raises(ConfigError) as caught:
        read_bars(tmp_path)
    assert caught.value.hint.endswith("--timerange 20220721-20220722.")


def test_minute_files_by_another_name_are_known_by_their_columns(tmp_path: Path) -> None:
    path = written(tmp_path, row(), name="polygon-2022-07-19.csv")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    assert minute_files(tmp_path) == (path,)
    assert len(read_bars(tmp_path)) == 1
    named = written(tmp_path, row())
    assert minute_files(tmp_path) == (named,), "where some are called so, others are not looked into"


BAD_ROWS = {
    "is no date": (row(timestamp="yesterday"), "timestamp 'yesterday' is no date and time"),
    "half a minute": (row(timestamp="2022-07-19 00:01:30"), "is not at the beginning of a minute"),
    "no whole tick": (row("00:01", closeTick="101.5"), "closeTick '101.5' is not a whole number"),
    "nan": (row("00:01", openTick="nan"), "openTick 'nan' is not a whole number"),
    "impossible": (row("00:01", highestTick=887_273), "highestTick 887273 is impossible"),
    "turned": (row("00:01", lowestTick=110), "lowestTick 110 is above highestTick 102"),
    "negative": (row("00:01", inAmount0=-1), "inAmount0 -1 is below zero"),
    "too large": (row("00:01", currentLiquidity=1 << 128), "is beyond the 128 bits"),
    "endless": (row("00:01", inAmount1="9" * 5000), "inAmount1 is no whole number: '9999"),
    "scientific": (row("00:01", inAmount1="1e18"), "inAmount1 is no whole number: '1e18'"),
    "blank": (row("00:01", netAmount0=""), "netAmount0 is missing"),
    "cut": (row("00:01")[:-40], "line 3: 9 cells under 10 column names"),
    "twice": (row("00:00"), "the minute 2022-07-19 00:00 is there twice"),
    "out of order": (row("23:59", day="2022-07-18"), "the rows are not in order"),
    "gap": (row("01:01"), "there are no bars between 2022-07-19 00:00 and 2022-07-19 01:01"),
}


@pytest.mark.parametrize("case", BAD_ROWS)
def test_a_bad_row_is_named_with_file_line_and_cause(tmp_path: Path, case: str) -> None:
    bad, sentence = BAD_ROWS[case]
    path = written(tmp_path, row(), bad)
    with pytest.raises(ConfigError) as caught:
        read_bars(path)
    assert sentence in caught.value.sentence
    assert f"{NAME}, line 3:" in caught.value.sentence


def test_files_that_are_none(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no file or folder .*nowhere"):
        read_bars(tmp_path / "nowhere")
    with pytest.raises(NotFoundError, match="has no minute bars to read"):
        read_bars(tmp_path)
    path = written(tmp_path, row())
    with pytest.raises(NotFoundError, match="has no minute bars within the time range"):
        read_bars(path, DAY + 3_600)
    path.write_bytes(b"")
    with pytest.raises(ConfigError, match="is empty"):
        read_bars(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="line 1: this is no text, there is a byte 0xff in it"):
        read_bars(path)
    written(tmp_path, row(), header=HEADER.replace("closeTick", "closetick"))
    with pytest.raises(ConfigError, match=r"no column 'closeTick'\. Did you mean closetick"):
        read_bars(path)
    packed = tmp_path / NAME.replace(".csv", ".csv.gz")
    packed.write_bytes(gzip.compress(b"x" * 1000)[:20])
    with pytest.raises(ConfigError, match="is cut short or no gzip file"):
        read_bars(packed)


def test_two_pools_in_a_folder_are_refused(tmp_path: Path) -> None:
    written(tmp_path, row())
    written(tmp_path, row(), name=NAME.replace("0x45", "0x46"))
    with pytest.raises(
        ConfigError, match="bars of several pools: 0x45dda9… on polygon and 0x46dda9… on polygon"
    ):
        read_bars(tmp_path)


@pytest.mark.parametrize(
    ("path", "band", "expected"),
    [
        ((5, 5), (0, 10), (1, 1)),
        ((10, 10), (0, 10), (0, 1)),
        ((0, 0), (0, 10), (1, 1)),
        ((-5, 5), (0, 10), (5, 10)),
        ((5, -5), (0, 10), (5, 10)),
        ((-5, 15), (0, 10), (10, 20)),
        ((10, 20), (0, 10), (0, 10)),
        ((5, 10), (0, 10), (5, 5)),
    ],
)
def test_the_part_of_a_path_that_lies_in_a_range(
    path: tuple[int, int], band: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert path_inside(*path, *band) == expected
