"""Sources that cannot be used, as a person meets them: one sentence with file, row and cause, and the exit code."""

import asyncio
import gzip
import re
import resource
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from defai.backtest.sources.bars import COLUMNS as MINUTES
from defai.backtest.sources.event_files import read_event_history
from defai.backtest.sources.logged import RAW_COLUMNS, TICK_COLUMNS
from defai.cli.main import run
from tests.unit.backtest.event_tables import NAME, Rows, tick_rows, write_csv
from tests.unit.backtest.minute_scenes import minute_file
from tests.unit.backtest.price_scenes import price_file
from tests.unit.worlds.replays import Lived, live

Spoil = Callable[[Path], None]


@pytest.fixture(scope="module")
def lived() -> Lived:
    return asyncio.run(live(150))


def changed(rows: Rows, number: int, **cells: object) -> Rows:
    return [row if index != number else {**row, **cells} for index, row in enumerate(rows)]


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) * 2 // 3])


def replaced(line: int, column: int, cell: str) -> Spoil:
    def spoil(path: Path) -> None:
        lines = path.read_text().splitlines()
        cells = lines[line - 1].split(",")
        cells[column] = cell
        lines[line - 1] = ",".join(cells)
        path.write_text("\n".join(lines) + "\n")

    return spoil


def swapped(path: Path) -> None:
    lines = path.read_text().splitlines()
    lines[9], lines[10] = lines[10], lines[9]
    path.write_text("\n".join(lines) + "\n")


def doubled(path: Path) -> None:
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines[:10], lines[9], *lines[10:]]) + "\n")


def without_close(path: Path) -> None:
    path.write_text(path.read_text().replace("close,", "clse,", 1))


BARS: list[tuple[Spoil, str]] = [
    (cut, r"2022-07-19.minute.csv, line \d+: \d+ cells under 10 column names"),
    (swapped, r"minute.csv, line 11: 2022-07-19 00:08 comes after 2022-07-19 00:09"),
    (doubled, r"minute.csv, line 11: the minute 2022-07-19 00:08 is there twice"),
    (replaced(5, 3, "900000"), r"minute.csv, line 5: closeTick 900000 is impossible: ticks end at ±887272"),
    (replaced(6, 7, str(1 << 256)), r"minute.csv, line 6: inAmount0 .* is beyond the 128 bits"),
]
PRICES: list[tuple[Spoil, str]] = [
    (swapped, r"eth.csv, line 11: its time 2022-07-01 08:00:00 UTC is before that of the row above"),
    (doubled, r"eth.csv, line 11: its time 2022-07-01 08:00:00 UTC is the same as the row's before"),
    (replaced(7, 4, "0"), r"eth.csv, line 7: the close is zero; a price is positive"),
    (replaced(7, 4, "none"), r"eth.csv, line 7: the close 'none' is no number"),
    (without_close, r"eth.csv looks like prices, but has no column close. +Did you mean clse"),
]


def told(source: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """What a person reads; the exit code is that of a bad configuration."""
    assert run(["backtest", "-s", "hold", "--source", str(source)]) == 4
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Traceback" not in printed.err
    return printed.err


@pytest.mark.parametrize(("spoil", "said"), BARS, ids=[said for _, said in BARS])
def test_bars_that_cannot_be_used(
    spoil: Spoil, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = minute_file(tmp_path, 30)
    spoil(path)
    _matches(said, told(path, capsys))


@pytest.mark.parametrize(("spoil", "said"), PRICES, ids=[said for _, said in PRICES])
def test_prices_that_cannot_be_used(
    spoil: Spoil, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = price_file(tmp_path, 30)
    spoil(path)
    _matches(said, told(path, capsys))


COLUMNS: list[tuple[str, str, str]] = [
    (
        NAME,
        ",".join(TICK_COLUMNS).replace("sqrtPriceX96", "sqrtPrice"),
        "decoded events.*no column sqrtPriceX96",
    ),
    (
        "logs.raw.csv",
        ",".join(RAW_COLUMNS).replace("pool_data", "pool"),
        "raw logs, but has no column pool_data",
    ),
    ("bars.csv", ",".join(MINUTES[:-1]), "minute bars, but has no column currentLiquidity"),
    ("eth.csv", "open time,open,high,low,volume", "prices, but has no column close"),
    ("eth.csv", "open,high,low,volume", "prices, but has no columns timestamp, close"),
    ("odd.csv", "a,b,c", "odd.csv is no history that can be read: its columns are a, b, c"),
]


@pytest.mark.parametrize(("name", "head", "said"), COLUMNS, ids=[said for _, _, said in COLUMNS])
def test_columns_that_are_missing_are_named(
    name: str, head: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / name
    path.write_text(f"{head}\n")
    _matches(said, told(path, capsys))


def test_a_parquet_file_that_is_cut_short(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import pandas as pd

    path = tmp_path / "eth.parquet"
    pd.DataFrame({"timestamp": [1, 2, 3], "close": [1.0, 2.0, 3.0]}).to_parquet(path)
    cut(path)
    _matches(r"eth.parquet (cannot|can't) be read as a table", told(path, capsys))


@pytest.mark.parametrize("folder", [False, True])
def test_a_file_that_is_empty_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], *, folder: bool
) -> None:
    path = tmp_path / NAME
    path.touch()
    _matches(rf"{NAME} is empty", told(tmp_path if folder else path, capsys))


def test_a_file_that_is_damaged_in_the_middle(
    lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write_csv(tmp_path / NAME, tick_rows(lived.blocks))
    lines = path.read_bytes().split(b"\n")
    lines[20] = lines[20][:9] + b"\xff" + lines[20][10:]
    path.write_bytes(b"\n".join(lines))
    _matches(rf"{NAME}, line 21: this is no text, there is a byte 0xff in it", told(path, capsys))


def test_a_file_that_is_not_packed_as_its_name_says(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{NAME}.gz"
    path.write_text("block_number\n")
    _matches(rf"{NAME}.gz is no gzip file, whatever its name says", told(path, capsys))


def test_minutes_whose_packing_is_damaged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = minute_file(tmp_path, 3_000)
    packed = bytearray(gzip.compress(path.read_bytes()))
    packed[len(packed) // 2 :: 7] = b"\0" * len(packed[len(packed) // 2 :: 7])
    path.unlink()
    path.with_name(f"{path.name}.gz").write_bytes(packed)
    _matches(rf"{path.name}.gz is cut short or no gzip file", told(tmp_path, capsys))


def _matches(said: str, text: str) -> None:
    assert re.search(said, text.replace("\n", " ")), text


def first(rows: Rows, *kinds: str) -> int:
    return next(index for index, row in enumerate(rows) if row["tx_type"] in kinds and index > 3)


def _untouched_swap(rows: Rows) -> int:
    """A swap right after another one that left the liquidity and the tick's interval as they were."""
    spacing = 10
    for index in range(4, len(rows)):
        before, now = rows[index - 1], rows[index]
        if before["tx_type"] == now["tx_type"] == "SWAP":
            ticks = [int(float(row["current_tick"])) // spacing for row in (before, now)]
            if ticks[0] == ticks[1] and abs(int(now["amount0"])) > 10**8:
                return index
    raise AssertionError("no such swap")


Taxed = Callable[[Rows], tuple[int, dict[str, Any]]]
TAXED: list[tuple[Taxed, str]] = [
    (
        lambda rows: (
            first(rows, "MINT"),
            {"amount0": int(rows[first(rows, "MINT")]["amount0"]) * 98 // 100},
        ),
        r"this mint has \d+ of USDC where the pool's arithmetic gives \d+ \(-2.00 %\)",
    ),
    (
        lambda rows: (
            first(rows, "BURN"),
            {"amount1": int(rows[first(rows, "BURN")]["amount1"]) * 95 // 100},
        ),
        r"this burn has \d+ of WETH where the pool's arithmetic gives \d+ \(-5.00 %\)",
    ),
    (
        lambda rows: (
            _untouched_swap(rows),
            {"amount0": int(rows[_untouched_swap(rows)]["amount0"]) * 99 // 100},
        ),
        r"this swap has \d+ of USDC where the pool's arithmetic gives \d+ \(-1.00 %\)",
    ),
]


@pytest.mark.parametrize(("tax", "said"), TAXED, ids=["mint", "burn", "swap"])
def test_tokens_that_take_a_fee_on_transfer(
    tax: Taxed, said: str, lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tick_rows(lived.blocks)
    number, cells = tax(rows)
    text = told(write_csv(tmp_path / NAME, changed(rows, number, **cells)), capsys)
    _matches(rf"{NAME}, line {number + 2}: {said}, as with a token that takes a fee on transfer", text)


def test_a_swap_that_is_missing_is_not_taken_for_a_fee(lived: Lived, tmp_path: Path) -> None:
    rows = tick_rows(lived.blocks)
    number = _untouched_swap(rows) - 1
    history = read_event_history(write_csv(tmp_path / NAME, [*rows[:number], *rows[number + 1 :]]))
    assert history.exact_share is not None
    assert history.exact_share < 1


def test_an_impossible_tick_in_the_logs(
    lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = tick_rows(lived.blocks)
    number = first(rows, "MINT")
    text = told(write_csv(tmp_path / NAME, changed(rows, number, tick_upper=887_273)), capsys)
    _matches(rf"line {number + 2}: tick_upper 887273 is impossible: ticks end at ±887272", text)


def test_a_log_that_was_removed(lived: Lived, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{**row, "removed": str(index == 9)} for index, row in enumerate(tick_rows(lived.blocks))]
    text = told(write_csv(tmp_path / NAME, rows), capsys)
    _matches(r"line 11: the log was removed by a reorganisation", text)


@pytest.fixture
def full_disk() -> Iterator[None]:
    """As on a disk with room for a little: no file grows beyond 40 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.usefixtures("full_disk")
def test_a_disk_that_fills_while_a_run_is_written_leaves_none_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source, out = price_file(tmp_path, 30), tmp_path / "runs" / "one"
    arguments = ["-s", "hold", "--no-baselines", "--source", str(source), "--out", str(out)]
    assert run(["backtest", *arguments]) == 1
    _matches(r"The run could not be written to .*one: file too large", capsys.readouterr().err)
    assert list((tmp_path / "runs").iterdir()) == []


def test_nothing_at_the_path(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["backtest", "-s", "hold", "--source", str(tmp_path / "gone")]) == 2
    assert "There is no file or folder" in capsys.readouterr().err
