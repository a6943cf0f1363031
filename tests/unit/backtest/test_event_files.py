"""Reading recorded events: what is learnt from them, and what is said where they cannot be used."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from defai.amm import Pool
from defai.backtest.sources.detection import SourceKind, detect
from defai.backtest.sources.event_files import read_event_history
from defai.chain.mainnet import USDC_WETH_005
from defai.domain.chain_events import LiquidityBurned, PoolSwapped
from defai.errors import ConfigError, DefaiError, NotFoundError
from defai.testing.builders import market_of, pool_with_liquidity, swap_block
from defai.worlds.event_history import EventHistory
from defai.worlds.replay import ReplayWorld
from tests.unit.backtest.event_tables import NAME, RAW_NAME, Rows, raw_rows, tick_rows, write_csv
from tests.unit.worlds.replays import VALUATION, Lived, live

POOL = USDC_WETH_005.address
SAID = ("amount0", "amount1", "sqrt_price_x96", "liquidity", "tick", "tick_lower", "tick_upper", "log_index")
RUN = Path(__file__).parents[3] / "fixtures" / "standin_run"


@pytest.fixture(scope="module")
def lived() -> Lived:
    return asyncio.run(live(150))


async def at_the_end(source: Path) -> Pool:
    """The pool after a source was replayed."""
    world = ReplayWorld(read_event_history(source), VALUATION)
    market = (await world.open()).market
    while (arrival := await world.next()) is not None:
        market.apply(arrival.block)
    return market.pools[POOL]


def said(history: EventHistory) -> list[tuple[object, ...]]:
    """What a history says, whoever it was about."""
    return [
        (block.number, block.timestamp, *(getattr(event, name, None) for name in SAID))
        for block in history.blocks
        for event in block.events
    ]


@pytest.mark.parametrize("ending", ["", ".gz"])
async def test_decoded_events_are_read_and_followed(tmp_path: Path, lived: Lived, ending: str) -> None:
    path = write_csv(tmp_path / (NAME + ending), tick_rows(lived.blocks))
    history, end = read_event_history(path), await at_the_end(path)

    assert (history.keys, history.chain_id, history.reconstructed) == ((USDC_WETH_005,), 1, True)
    assert history.exact_share == 1.0
    swaps = [event for block in lived.blocks for event in block.events if isinstance(event, PoolSwapped)]
    assert len(history.calls) == len(swaps) - 1
    assert history.opening[POOL].sqrt_price_x96 == swaps[0].sqrt_price_x96
    assert (end.sqrt_price_x96, end.tick, end.liquidity) == (
        lived.end.sqrt_price_x96,
        lived.end.tick,
        lived.end.liquidity,
    )
    assert "the state before the first event is not recorded" in history.fidelity


async def test_raw_logs_and_parquet_say_the_same_as_decoded_events(tmp_path: Path, lived: Lived) -> None:
    import pandas as pd

    decoded = read_event_history(write_csv(tmp_path / NAME, tick_rows(lived.blocks)))
    raw = read_event_history(write_csv(tmp_path / RAW_NAME, raw_rows(lived.blocks)))
    parquet = tmp_path / NAME.replace(".tick.csv", ".parquet")
    pd.DataFrame(tick_rows(lived.blocks)).astype(str).to_parquet(parquet)
    columns = read_event_history(parquet)

    assert said(raw) == said(decoded) == said(columns)
    assert raw.calls == decoded.calls == columns.calls
    assert raw.sha256 != decoded.sha256


def test_ticks_nobody_told_of_are_learnt_from_the_swaps_that_cross_them(tmp_path: Path) -> None:
    """Each swap crosses at most one tick that is not known yet, back and forth over four bands."""
    pool = pool_with_liquidity(
        bands=((5_000, 10**17), (300, 3 * 10**17), (120, 2 * 10**17), (40, 5 * 10**17))
    )
    before = pool.copy()
    market = market_of({USDC_WETH_005: pool})
    crossed: set[int] = set()
    blocks = []
    for number in range(60):
        start = market.pools[POOL].tick
        falls = (number // 15) % 2 == 0
        amount = 6 * 10**10 if falls else 3 * 10**19
        blocks.append(swap_block(market, USDC_WETH_005, zero_for_one=falls, amount_in=amount))
        market.apply(blocks[-1])
        low, high = sorted((start, market.pools[POOL].tick))
        crossed |= {tick for tick in before.ticks if low < tick <= high and number}
    history = read_event_history(write_csv(tmp_path / NAME, tick_rows(blocks)))

    learnt = {tick: state.liquidity_net for tick, state in history.opening[POOL].ticks.items()}
    assert len(crossed) >= 4
    assert learnt == {tick: before.ticks[tick].liquidity_net for tick in crossed}
    assert history.exact_share == 1.0
    assert f"{len(crossed)} ticks are known, {len(crossed)} of them from the swaps" in history.fidelity


def test_liquidity_that_is_burnt_and_was_never_minted_was_there_before(tmp_path: Path, lived: Lived) -> None:
    opening = read_event_history(write_csv(tmp_path / NAME, tick_rows(lived.blocks))).opening[POOL]
    burnt = [event for block in lived.blocks for event in block.events if isinstance(event, LiquidityBurned)]

    assert opening.ticks[burnt[0].tick_lower].liquidity_gross >= burnt[0].liquidity
    assert lived.opening.ticks[burnt[0].tick_lower].liquidity_gross >= burnt[0].liquidity


def test_a_recording_is_exact_from_its_first_block() -> None:
    history = read_event_history(RUN)

    assert detect(RUN) is SourceKind.EVENTS
    assert (len(history.keys), len(history.blocks), history.exact_share) == (2, 120, 1.0)
    assert history.priced_gas
    assert not history.reconstructed
    assert history.fidelity.startswith("exact: recorded from a known state")


def life(*events: dict[str, Any]) -> dict[str, Any]:
    return {
        "pool": "0x92560C178cE069CC014138eD3C2F5221Ba71f58a",
        "chain": "ethereum",
        "config": {
            "token0": "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
            "token1": "0xC18360217D8F7Ab5e7c516566761Ea12Ce7F9D72",
            "fee": 3000,
            "tick_spacing": 60,
            "initial_sqrt_price_X96": str(1 << 96),
        },
        "events": list(events),
    }


def event(kind: str, log_index: int, **more: object) -> dict[str, Any]:
    place = {"block_number": 7, "log_index": log_index, "date": "2021-11-08 23:54:33", "msg_sender": "0x1"}
    return {"kind": kind, "recipient": "0x1", **place, **more}


def minted(log_index: int = 1, liquidity: int = 10**18) -> dict[str, Any]:
    amount = str(-(-liquidity * 2_955 // 100_000))
    ticks = {"tick_lower": -600, "tick_upper": 600}
    return event("MINT", log_index, liquidity=str(liquidity), amount0=amount, amount1=amount, **ticks)


def test_a_whole_life_begins_with_its_first_price(tmp_path: Path) -> None:
    pool = Pool(fee_pips=3000, tick_spacing=60)
    pool.initialize(1 << 96)
    pool.mint("lp", -600, 600, 10**18)
    swap = pool.swap(zero_for_one=True, amount_specified=10**15)
    swapped = event("SWAP", 2, amount0=str(swap.amount0), amount1=str(swap.amount1), tick=swap.tick)
    swapped |= {"sqrt_price_x96": str(swap.sqrt_price_x96), "liquidity": str(swap.liquidity)}
    path = tmp_path / "life.json"
    path.write_text(json.dumps(life(minted(), swapped)))
    history = read_event_history(path)

    assert history.keys[0].name == "WETH/ENS 0.3 %"
    assert history.exact_share == 1.0
    assert history.fidelity.startswith("exact: the pool's whole life")
    assert not history.reconstructed


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (life(minted(liquidity=1 << 130)), "event.json, line 1: liquidity is .* beyond the 128 bits"),
        (
            life(minted(), {**minted(2), "kind": "BURN", "liquidity": str(10**19)}),
            "line 2: no pool in this state",
        ),
        (
            life({**minted(), "tick_lower": -601}),
            "line 1: tick_lower -601 is impossible: the pool's ticks are 60",
        ),
        (life({**minted(), "tick_upper": 900_000}), "line 1: tick_upper 900000 is impossible: ticks end at"),
        (life(minted(), minted()), "line 2: log 1 of block 7 is there twice"),
        (life(minted(2), minted()), "line 2: log 1 of block 7 comes after log 2 of block 7"),
        ({**life(minted()), "events": None}, "is no pool's life"),
        ({**life(minted()), "config": {"sqrt_price": 1}}, "is no pool's life: it lacks 'token0'"),
    ],
)
def test_a_life_that_no_pool_had_is_refused(tmp_path: Path, wrong: dict[str, Any], said: str) -> None:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(wrong))
    with pytest.raises(ConfigError, match=said):
        read_event_history(path)


def changed(rows: Rows, number: int, **cells: object) -> Rows:
    return [row if index != number else {**row, **cells} for index, row in enumerate(rows)]


def first(rows: Rows, kind: str) -> int:
    return next(index for index, row in enumerate(rows) if row["tx_type"] == kind and index > 3)


Spoil = Callable[[Rows], Rows]
SPOILT: list[tuple[Spoil, str]] = [
    (lambda rows: [{k: v for k, v in row.items() if k != "amount1"} for row in rows], "no column 'amount1'"),
    (lambda rows: [*rows[:4], rows[3], *rows[4:]], "line 6: log .* is there twice, first in line 5"),
    (
        lambda rows: [*rows[:4], rows[5], rows[4], *rows[6:]],
        "line 7: log .* comes after .*: the rows are not in",
    ),
    (lambda rows: changed(rows, 4, amount0=1 << 256), "line 6: amount0 is .*, beyond the 256 bits"),
    (lambda rows: changed(rows, 4, amount0="1.5e+30"), "line 6: amount0 was written as a float, '1.5e.30'"),
    (lambda rows: changed(rows, 4, amount0=""), "line 6: amount0 is missing"),
    (lambda rows: changed(rows, 4, amount0="many"), "line 6: amount0 is no whole number: 'many'"),
    (lambda rows: changed(rows, 4, block_timestamp="yesterday"), "line 6: block_timestamp is no date"),
    (lambda rows: changed(rows, 4, tx_type="FLASH"), "line 6: there is no event 'FLASH'"),
    (lambda rows: changed(rows, 4, block_number=-1), "line 6: block_number is -1, below zero"),
    (
        lambda rows: changed(rows, first(rows, "SWAP"), current_tick=7),
        "the tick 7 is not that of the square-root",
    ),
    (
        lambda rows: changed(rows, first(rows, "SWAP"), current_tick=900_000),
        "current_tick 900000 is impossible",
    ),
    (lambda rows: changed(rows, first(rows, "SWAP"), sqrtPriceX96=1 << 161), "sqrtPriceX96 is .*160 bits"),
    (lambda rows: changed(rows, first(rows, "MINT"), tick_lower=100_001), "tick_lower 100001 is impossible"),
    (
        lambda rows: changed(rows, first(rows, "MINT"), tick_lower=400_000),
        "the range 400000..* is impossible",
    ),
    (
        lambda rows: [{**row, "removed": str(index == 4)} for index, row in enumerate(rows)],
        "line 6: .* was removed",
    ),
    (lambda rows: [row for row in rows if row["tx_type"] != "SWAP"], "no swap among the events"),
]


@pytest.mark.parametrize(("spoil", "said"), SPOILT, ids=[said for _, said in SPOILT])
async def test_a_spoilt_row_is_named(tmp_path: Path, lived: Lived, spoil: Spoil, said: str) -> None:
    path = write_csv(tmp_path / NAME, spoil(tick_rows(lived.blocks)))
    with pytest.raises(ConfigError, match=said) as caught:
        read_event_history(path)
    assert len(caught.value.sentence) < 300


async def test_a_file_that_is_cut_short_says_where(tmp_path: Path, lived: Lived) -> None:
    rows = tick_rows(lived.blocks)
    packed = write_csv(tmp_path / f"{NAME}.gz", rows)
    packed.write_bytes(packed.read_bytes()[:2_000])
    plain = write_csv(tmp_path / NAME, rows)
    lines = plain.read_text().splitlines(keepends=True)
    plain.write_text("".join(lines[:20]) + lines[20][: len(lines[20]) // 2])

    with pytest.raises(ConfigError, match=f"{packed.name} is cut short or no gzip file"):
        read_event_history(packed)
    with pytest.raises(ConfigError, match=r"line 21: \d+ cells under 14 column names"):
        read_event_history(plain)


async def test_a_log_that_is_not_what_its_topic_says_is_named(tmp_path: Path, lived: Lived) -> None:
    rows = raw_rows(lived.blocks)
    for cells, said in (
        ({"pool_data": "0x00"}, "line 4: the log is not what its topic says"),
        ({"pool_topics": "['0xdead']"}, "line 4: the log is of no event that a pool emits"),
        ({"pool_topics": "nonsense"}, "line 4: pool_topics is no list of topics"),
    ):
        path = write_csv(tmp_path / RAW_NAME, changed(rows, 2, **cells))
        with pytest.raises(ConfigError, match=said):
            read_event_history(path)


async def test_days_that_are_missing_between_files_are_named(tmp_path: Path, lived: Lived) -> None:
    rows = tick_rows(lived.blocks)
    half = len(rows) // 2
    write_csv(tmp_path / NAME, rows[:half])
    later = write_csv(tmp_path / NAME.replace("2023-11-10", "2023-11-13"), rows[half:])

    with pytest.raises(ConfigError, match="no events between 2023-11-10 and 2023-11-13"):
        read_event_history(tmp_path)
    after_the_gap = read_event_history(tmp_path, first_time=1_700_000_000 * 2)
    assert after_the_gap.calls == read_event_history(later).calls


@pytest.mark.parametrize(
    ("name", "traded", "said"),
    [
        ("events.tick.csv", None, "not one we know"),
        (NAME, "USDC-WETH", "'USDC-WETH' says no pool"),
        (NAME, "USDC/WETH@123", "No factory has a fee tier of 123"),
        (NAME, "USDC/NEW@500", "The decimals of NEW are not known"),
    ],
)
async def test_a_pool_that_is_not_known_has_to_be_said(
    tmp_path: Path, lived: Lived, name: str, traded: str | None, said: str
) -> None:
    path = write_csv(tmp_path / name, tick_rows(lived.blocks))
    with pytest.raises(ConfigError, match=said):
        read_event_history(path, traded=traded)


async def test_a_pool_is_what_the_user_says_it_is(tmp_path: Path, lived: Lived) -> None:
    path = write_csv(tmp_path / "events.csv", tick_rows(lived.blocks))
    key = read_event_history(path, traded="AAA:6/BBB:18@500").keys[0]
    assert (key.name, key.token0.decimals, key.token1.decimals) == ("AAA/BBB 0.05 %", 6, 18)


def test_what_is_no_history_is_said_to_be_none(tmp_path: Path) -> None:
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    refused: list[tuple[Path, type[DefaiError]]] = [
        (tmp_path / "nowhere", NotFoundError),
        (tmp_path / "notes.csv", ConfigError),
        (tmp_path, ConfigError),
    ]
    for path, kind in refused:
        with pytest.raises(kind):
            detect(path)
