"""Prices files: what is read, and the sentence for everything that can be wrong with one."""

from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.marketsim.price_files import load

Write = Callable[[str], Path]

GOOD = "timestamp,close\n1600000000,100.5\n1600000060,101\n1600000120,99.25\n"


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(text: str) -> Path:
        path = tmp_path / "prices.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def _refusal(path: Path) -> DefaiError:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert caught.value.exit_code == 4
    return caught.value


def test_reads_seconds_and_exact_closes(write: Write) -> None:
    path = load(write(GOOD))
    assert [(point.timestamp, point.quote_per_base) for point in path] == [
        (1600000000, Decimal("100.5")),
        (1600000060, Decimal(101)),
        (1600000120, Decimal("99.25")),
    ]
    assert (path.length, path.gaps, path.warning, path.source, path.step_seconds) == (
        3,
        0,
        "",
        "prices.csv",
        60,
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("1600000000000", "1600000060000"),
        ("1600000000000000", "1600000060000000"),
        ("1600000000000000000", "1600000060000000000"),
        ("1600000000.9", "1600000060.1"),
        ("2020-09-13T12:26:40Z", "2020-09-13T12:27:40Z"),
        ("2020-09-13 12:26:40", "2020-09-13 12:27:40"),
        ("2020-09-13 12:26:40 UTC", "2020-09-13 12:27:40 UTC"),
        ("2020-09-13T14:26:40+02:00", "2020-09-13T14:27:40+02:00"),
    ],
)
def test_reads_times_however_they_are_written(write: Write, first: str, second: str) -> None:
    path = load(write(f"time,close\n{first},1\n{second},2\n"))
    assert [point.timestamp for point in path] == [1600000000, 1600000060]


@pytest.mark.parametrize("days", [("2020-09-13", "2020-09-14"), ("20200913", "20200914")])
def test_reads_days(write: Write, days: tuple[str, str]) -> None:
    path = load(write(f"Date,Close\n{days[0]},1\n{days[1]},2\n"))
    assert [point.timestamp for point in path] == [1599955200, 1600041600]


@pytest.mark.parametrize(
    "header",
    [
        "open_time,open,high,low,close,volume",
        "Open Time,Open,High,Low,CLOSE,Volume",
        "DATE,open,high,low,Close,vol",
        "unix,o,h,l,price,v",
    ],
)
def test_takes_the_close_of_ohlcv(write: Write, header: str) -> None:
    path = load(write(f"{header}\n1600000000,1,9,0.5,2,77\n1600000060,2,9,0.5,3,77\n"))
    assert [point.quote_per_base for point in path] == [2, 3]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_reads_other_separators_and_a_byte_order_mark(write: Write, separator: str) -> None:
    path = load(write("\ufeff" + GOOD.replace(",", separator)))
    assert path[2].quote_per_base == Decimal("99.25")


def test_gaps_are_counted_and_told_not_refused(write: Write) -> None:
    times = [0, 60, 120, 300, 360, 420, 1020, 1080]
    rows = "".join(f"{1600000000 + time},5\n" for time in times)
    path = load(write(f"timestamp,close\n{rows}"))
    assert path.gaps == 2 + 9
    assert path.warning == (
        "prices.csv lacks 11 of 19 steps of 60 s; the widest gap is 9 steps after 2020-09-13 12:33:40 UTC. "
        "Blocks go straight across."
    )


def test_a_missing_file_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"There is no prices file .*nowhere\.csv\.") as caught:
        load(tmp_path / "nowhere.csv")
    assert caught.value.exit_code == 2


def test_a_directory_is_refused(tmp_path: Path) -> None:
    assert "can't be read: is a directory" in str(_refusal(tmp_path))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "prices.csv is empty."),
        ("timestamp,close\n", "prices.csv has no rows; a price path needs at least two."),
        ("timestamp,close\n1600000000,5\n", "prices.csv has a single row; a price path needs at least two."),
        ("hello\nworld\n", "prices.csv is not a table: its first line has no comma, semicolon or tab."),
        ("timestamp,close\n1600000000,5\n1600000060\n", "prices.csv, line 3: 1 cells under 2 column names."),
        ("1600000000,5\n1600000060,6\n", "prices.csv has no header: its first line reads 1600000000, 5."),
        ("timestamp,close\n1600000000,5\n1600000060,NaN\n", "prices.csv, line 3: the close is NaN."),
        ("timestamp,close\n1600000000,5\n1600000060,inf\n", "prices.csv, line 3: the close is Infinity."),
        ("timestamp,close\n1600000000,5\n\n1600000060,\n", "prices.csv, line 4: the close is missing."),
        (
            "timestamp,close\n1600000000,five\n1600000060,6\n",
            "prices.csv, line 2: the close 'five' is no number.",
        ),
        (
            "timestamp,close\n1600000000,0\n1600000060,6\n",
            "prices.csv, line 2: the close is zero; a price is positive.",
        ),
        (
            "timestamp,close\n1600000000,5\n1600000060,-6\n",
            "prices.csv, line 3: the close is negative (-6); a price is positive.",
        ),
        (
            "timestamp,close\n1600000000,5\n1600000060,1e30\n",
            "prices.csv, line 3: the close 1e30 lies beyond what a pool can hold.",
        ),
        (
            "timestamp,close\n1600000000,5\n1600000000,6\n",
            "prices.csv, line 3: its time 2020-09-13 12:26:40 UTC is the same as the row's before.",
        ),
        (
            "timestamp,close\n1600000000,5\n1600000120,6\n1600000060,7\n",
            "prices.csv, line 4: its time 2020-09-13 12:27:40 UTC is before that of the row above, 2020-09",
        ),
        ("timestamp,close\n1600000060,5\n1600000000,6\n", "prices.csv runs backwards, the newest row first."),
        ("timestamp,close\n1600000000,5\n,6\n", "prices.csv, line 3: the timestamp is missing."),
        ("timestamp,close\n1600000000,5\nsoon,6\n", "prices.csv, line 3: 'soon' is no time;"),
        ("timestamp,close\n1600000000,5\n-7,6\n", "prices.csv, line 3: -7 is no time;"),
        ("timestamp,close\n-1600000000,5\n-7,6\n", "prices.csv, line 2: -1600000000 is no time;"),
        (
            "when,close\n1,5\n2,6\n",
            "prices.csv has no column for the timestamp; its columns are when, close.",
        ),
    ],
)
def test_bad_rows_are_named(write: Write, text: str, sentence: str) -> None:
    assert _refusal(write(text)).sentence.startswith(sentence)


def test_a_mistyped_column_is_guessed(write: Write) -> None:
    refusal = _refusal(write("timestamp,closse\n1,5\n2,6\n"))
    assert refusal.sentence == "prices.csv has no column for the close; its columns are timestamp, closse."
    assert refusal.hint == "Did you mean closse?"


def test_bytes_that_are_no_text_are_no_table(tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_bytes(b"\xff\xfe\x00\x93,\x8a\n")
    assert _refusal(path).sentence == "prices.csv is not a table: it is neither text nor parquet."


def _parquet(path: Path, columns: dict[str, list[object]]) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table(columns), path)
    return path


def test_reads_parquet_with_moments_and_floats(tmp_path: Path) -> None:
    moments: list[object] = [datetime(2022, 8, 9, hour, tzinfo=UTC) for hour in range(3)]
    path = load(
        _parquet(tmp_path / "p.parquet", {"Date": moments, "open": [1.0, 1.0, 1.0], "close": [0.1, 0.2, 0.3]})
    )
    assert [point.timestamp for point in path] == [1660003200, 1660006800, 1660010400]
    assert [point.quote_per_base for point in path] == [Decimal("0.1"), Decimal("0.2"), Decimal("0.3")]


def test_reads_parquet_with_days_without_a_time(tmp_path: Path) -> None:
    days: list[object] = [datetime(2022, 8, day, tzinfo=UTC).date() for day in (9, 10)]
    path = load(_parquet(tmp_path / "p.parquet", {"date": days, "close": ["1.50", "2.25"]}))
    assert [(point.timestamp, str(point.quote_per_base)) for point in path] == [
        (1660003200, "1.50"),
        (1660089600, "2.25"),
    ]


def test_parquet_is_known_by_its_content(tmp_path: Path) -> None:
    path = _parquet(tmp_path / "prices.dat", {"timestamp": [1600000000, 1600000060], "close": [1, 2]})
    assert load(path).length == 2


@pytest.mark.parametrize(
    ("closes", "sentence"),
    [
        ([1.0, float("nan")], "p.parquet, row 2: the close is NaN."),
        ([1.0, None], "p.parquet, row 2: the close is missing."),
        ([-1.5, 1.0], "p.parquet, row 1: the close is negative (-1.5); a price is positive."),
    ],
)
def test_bad_parquet_rows_are_named(tmp_path: Path, closes: list[object], sentence: str) -> None:
    path = _parquet(tmp_path / "p.parquet", {"timestamp": [1600000000, 1600000060], "close": closes})
    assert _refusal(path).sentence == sentence


@pytest.mark.parametrize("keep", [5, 60, -8])
def test_truncated_parquet_is_refused(tmp_path: Path, keep: int) -> None:
    path = _parquet(tmp_path / "p.parquet", {"timestamp": list(range(100)), "close": list(range(1, 101))})
    path.write_bytes(path.read_bytes()[:keep])
    assert _refusal(path).sentence.startswith("p.parquet can't be read as parquet: it is damaged, cut short,")


def test_text_named_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    path.write_text(GOOD)
    assert "can't be read as parquet" in str(_refusal(path))


def test_beyond_its_end_a_file_says_so(write: Write) -> None:
    path = load(write(GOOD))
    with pytest.raises(ConfigError, match=r"prices\.csv has 3 prices; block 3 would need one more\."):
        path[3]
