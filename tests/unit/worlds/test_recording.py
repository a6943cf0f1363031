"""Recordings: what is written is read again, and what is no recording is refused by file, line and cause."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from defai.agent.ports import Arrival
from defai.amm import Pool, get_sqrt_ratio_at_tick
from defai.chain.mainnet import USDC_WETH_005
from defai.domain.chain_events import (
    Block,
    LiquidityBurned,
    LiquidityCollected,
    LiquidityMinted,
    PoolInitialized,
    PoolSwapped,
)
from defai.errors import ConfigError, NotFoundError
from defai.market.state import MarketState, PoolReport
from defai.worlds.recording import BLOCKS, OPENING, Recorder, read_recording

KEY = USDC_WETH_005
HEAD = Block(7, "0x" + "07" * 32, "0x" + "06" * 32, 1_700_000_000, 5 * 10**9)
HUGE = (1 << 256) - 1


def opened() -> MarketState:
    pool = Pool(fee_pips=KEY.fee_pips, tick_spacing=KEY.tick_spacing)
    pool.initialize(get_sqrt_ratio_at_tick(200_000), HEAD.timestamp)
    pool.mint("someone", 199_000, 201_000, 10**18)
    pool.swap(zero_for_one=True, amount_specified=10**9)
    return MarketState([KEY], {KEY.address: pool}, HEAD)


def arrival() -> Arrival:
    place = (KEY.address, "0x" + "aa" * 20)
    events = (
        PoolInitialized(KEY.address, HUGE, -887272, 0, "0x01"),
        PoolSwapped(*place, "0x" + "bb" * 20, -(1 << 255), 10**30, 1 << 159, 1 << 127, -5, 1, "0x02"),
        LiquidityMinted(*place, -10, 10, 1 << 127, 1, 2, 2, "0x03"),
        LiquidityBurned(*place, -10, 10, 0, 0, 0, 3, "0x04"),
        LiquidityCollected(*place, "0x" + "bb" * 20, -10, 10, 5, 6, 4, "0x05"),
    )
    block = Block(8, "0x" + "08" * 32, HEAD.hash, HEAD.timestamp + 12, 7, events)
    return Arrival(block, {KEY.address: PoolReport(1, -2, 3, HUGE, 0)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    with Recorder(tmp_path / "run", 31337, opened()) as recorder:
        recorder.append(arrival())
    return tmp_path / "run"


def changed(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    raw = json.loads(path.read_text())
    change(raw)
    path.write_text(json.dumps(raw))


def test_what_is_written_is_read_again(folder: Path) -> None:
    recording = read_recording(folder)
    before = opened()
    assert (recording.chain_id, recording.keys, recording.head) == (31337, (KEY,), HEAD)
    pool, again = before.pools[KEY.address], recording.pools[KEY.address]
    assert again.ticks == pool.ticks
    assert again.snapshot().scalars == pool.snapshot().scalars
    assert list(recording.arrivals()) == [arrival()]


def test_amounts_are_text_for_readers_that_round_integers(folder: Path) -> None:
    (line,) = (folder / BLOCKS).read_text().splitlines()
    events = json.loads(line)["events"]
    assert [event["kind"] for event in events] == ["initialize", "swap", "mint", "burn", "collect"]
    assert all(abs(value) < 2**53 for event in events for value in event.values() if isinstance(value, int))


def test_each_market_starts_anew(folder: Path) -> None:
    recording = read_recording(folder)
    recording.market().pools[KEY.address].swap(zero_for_one=False, amount_specified=10**15)
    assert recording.market().pools[KEY.address].snapshot() == recording.pools[KEY.address].snapshot()


@pytest.mark.parametrize("name", [OPENING, BLOCKS])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(NotFoundError, match=rf"no recording at .*{name} is missing"):
        list(read_recording(folder).arrivals())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda raw: raw.pop("head"), "it lacks 'head'"),
        (lambda raw: raw["head"].pop("hash"), "it lacks 'hash'"),
        (lambda raw: raw.update(format=2), "is of format 2; this version reads format 1"),
        (lambda raw: raw["pools"][0]["state"].update(liquidity="plenty"), "invalid literal"),
        (lambda raw: raw["pools"][0]["state"].update(tick=5), "is not that of the square-root price"),
        (lambda raw: raw["pools"][0]["state"]["ticks"][0].update(tick=199_001), "no multiple of the tick"),
        (lambda raw: raw["pools"][0]["token0"].update(decimals=True), "decimals is True, not an integer"),
        (lambda raw: raw["pools"][0]["token0"].update(symbol=6), "symbol is 6, not a text"),
    ],
)
def test_an_opening_that_is_none_is_refused(
    folder: Path, change: Callable[[dict[str, Any]], object], said: str
) -> None:
    changed(folder / OPENING, change)
    with pytest.raises(ConfigError, match=said):
        read_recording(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda line: line[: len(line) // 2], "line 2, is not of a recording"),
        (lambda line: line.replace('"kind":"swap"', '"kind":"swop"'), "line 2, .*there is no event 'swop'"),
        (lambda line: line.replace('"timestamp":1', '"timestamp":1.5'), "line 2, .*timestamp is 1.5"),
        (lambda line: line.replace('"owner"', '"oner"'), "line 2, .*it lacks 'owner'"),
        (lambda _: "[]", "line 2, is not of a recording"),
    ],
)
def test_a_line_that_is_none_is_refused_by_its_number(
    folder: Path, change: Callable[[str], str], said: str
) -> None:
    path = folder / BLOCKS
    line = path.read_text().strip()
    path.write_text(f"{line}\n{change(line)}\n")
    blocks = read_recording(folder).arrivals()
    assert next(blocks) == arrival()
    with pytest.raises(ConfigError, match=said):
        next(blocks)
