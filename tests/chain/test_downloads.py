"""Downloads of a stand-in's thousands of events, through providers with every bad habit."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from defai.backtest.sources.event_files import read_event_history
from defai.chain.download.patience import PatientRpc
from defai.chain.mainnet import MULTICALL3, USDC_WETH_005
from defai.chain.pools import snapshot_pool
from defai.chain.rpc import Json
from defai.chain.standin import open_standin
from defai.errors import ConfigError, DefaiError
from defai.worlds.dataset import BLOCK_TABLE, LOG_TABLE, read_data_set
from defai.worlds.download import Download
from defai.worlds.download_plan import Wanted
from defai.worlds.journal import JOURNAL, Journal, read_notes
from defai.worlds.live_recording import record
from defai.worlds.recording import OPENING
from defai.worlds.verification import Replay, first_difference
from tests.chain.histories import live_through
from tests.chain.providers import Provider, provider
from tests.chain.scenes import Market, opened_market

KEY = USDC_WETH_005
BLOCKS = 30
PROGRAM = (sys.executable, "-m", "defai", "download-data", "--pool", KEY.address)


@dataclass(frozen=True)
class Past:
    """A chain with a past.

    Attributes:
        seeded: the block after which the pools have liquidity.
        plain: a download of its middle, made without obstacles.
    """

    url: str
    seeded: int
    head: int
    plain: Path

    @property
    def middle(self) -> Wanted:
        return Wanted(pools=(KEY.address,), first=str(self.seeded + 9), last=str(self.head - 2))


@pytest.fixture(scope="module")
def past(cache_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    plain = tmp_path_factory.mktemp("plain")
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def build() -> Past:
            chain = await stack.enter_async_context(open_standin(cache_directory=cache_directory))
            market = await opened_market(chain)
            await live_through(market, KEY, blocks=BLOCKS, seed=5)
            past = Past(chain.url, market.seeded, await chain.head(), plain)
            assert (await download(past.url, past.middle, plain))["verification"]["equal"]
            return past

        try:
            yield runner.run(build())
        finally:
            runner.run(stack.aclose())


async def download(url: str, wanted: Wanted, folder: Path, **options: Json) -> dict[str, Any]:
    patience = {"timeout_seconds": options.pop("seconds", 20), "attempts": options.pop("attempts", 8)}
    async with PatientRpc(url, first_wait_seconds=0.01, **patience) as rpc:
        with Journal(folder) as journal:
            return await Download(rpc, journal, wanted, **options).run()


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def test_what_was_downloaded_is_replayed_to_the_last_unit(past: Past) -> None:
    history = read_event_history(past.plain)
    assert len(history.calls) >= 2_000
    assert history.exact_share == 1.0
    assert history.priced_gas
    assert not history.reconstructed
    assert [block.number for block in history.blocks] == list(range(past.seeded + 9, past.head - 1))
    assert "verified against the chain" in history.fidelity
    manifest = read_data_set(past.plain).manifest
    assert manifest["logs"]["SetFeeProtocol"] == 1
    assert manifest["logs"]["Mint"] > 2
    assert manifest["logs"]["Burn"] > 2
    assert manifest["opening"]["how"] == f"read from the chain at block {past.seeded + 8}"


@pytest.mark.parametrize(
    "habits",
    [
        {"widest": 5},
        {"batch": 7},
        {"batch": 1, "most": 100},
        {"faults": ["", "429", "500", "torn", "busy", "", "429", "torn", "torn", "", "500", "busy"] * 3},
    ],
    ids=",".join,
)
async def test_bad_habits_show_nowhere_in_the_result(
    past: Past, tmp_path: Path, habits: dict[str, Any]
) -> None:
    async with provider(past.url, **habits) as there:
        await download(there.url, past.middle, tmp_path)
        assert not there.faults
    assert contents(tmp_path) == contents(past.plain)


async def test_a_silent_node_is_asked_again_for_less(past: Past, tmp_path: Path) -> None:
    async with provider(past.url) as there:
        there.faults = [*[""] * 12, "silence", "", "silence"]
        await download(there.url, past.middle, tmp_path, seconds=1)
    assert contents(tmp_path) == contents(past.plain)


async def test_ranges_shrink_where_they_are_refused_and_grow_again(past: Past, tmp_path: Path) -> None:
    async with provider(past.url, widest=6) as there:
        await download(there.url, past.middle, tmp_path)
    widths = [last - first + 1 for first, last in there.ranges]
    accepted = [width for width in widths if width <= 6]
    assert len(widths) - len(accepted) < len(accepted)
    assert max(accepted[1:]) >= accepted[0]


async def test_a_log_that_was_left_out_is_noticed(past: Past, tmp_path: Path) -> None:
    def lie(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [log for log in logs if int(log["blockNumber"], 16) != past.seeded + 12 or log != logs[-7]][
            :-3
        ]

    async with provider(past.url, lie=lie) as there:
        manifest = await download(there.url, past.middle, tmp_path)
    found = manifest["verification"]
    assert found["equal"] is False
    assert "block" in found["difference"] or "after the logs" in found["difference"]
    assert read_event_history(tmp_path).fidelity.count("NOT in agreement") == 1


async def test_logs_of_another_chain_are_not_believed(past: Past, tmp_path: Path) -> None:
    def lie(logs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return [log | {"blockHash": "0x" + "00" * 32} for log in logs]

    async with provider(past.url, lie=lie) as there:
        with pytest.raises(DefaiError, match=r"gave a log of block 0x0000.* for block"):
            await download(there.url, past.middle, tmp_path, attempts=3)
        there.lie = lambda logs: logs
        await download(there.url, past.middle, tmp_path)
    assert contents(tmp_path) == contents(past.plain)


async def test_without_an_archive_the_state_is_rolled_back_exactly(past: Past, tmp_path: Path) -> None:
    said: list[str] = []
    async with provider(past.url, oldest_state=past.head - 2) as there:
        manifest = await download(there.url, past.middle, tmp_path, say=said.append)
    assert "missing trie node" in said[0]
    assert manifest["verification"]["equal"] is True
    assert (
        manifest["opening"]["how"]
        == f"rolled back by the logs from the chain's state at block {past.head - 2}"
    )
    ours, theirs = (read_data_set(folder).opening[KEY.address] for folder in (tmp_path, past.plain))
    ends = read_ticks_at_the_end(past)
    for tick in set(theirs.ticks) - ends:  # emptied on the way: what they remembered is gone
        theirs.tick_states[tick] = ours.ticks[tick]
    assert first_difference(KEY, ours, theirs) == ""
    assert contents(tmp_path)[LOG_TABLE] == contents(past.plain)[LOG_TABLE]


def read_ticks_at_the_end(past: Past) -> set[int]:
    """Ticks that were initialised from the beginning to the end of the middle."""
    there = read_data_set(past.plain)
    alive = set(there.opening[KEY.address].ticks)
    pools = {address: pool.copy() for address, pool in there.opening.items()}
    replay = Replay(pools)
    for block in there.blocks():
        replay.fold(block)
        alive &= set(replay.pools[KEY.address].ticks)
    return alive


async def test_a_whole_life_needs_no_state_at_all(past: Past, tmp_path: Path) -> None:
    wanted = Wanted(pools=(KEY.address,), first="creation", last=str(past.head - 2), sparse=True)
    async with provider(past.url, oldest_state=past.head + 1) as there:
        manifest = await download(there.url, wanted, tmp_path)
    assert manifest["opening"]["how"] == "the pool was not initialised yet"
    assert manifest["verification"]["equal"] is None
    assert "missing trie node" in manifest["verification"]["refusal"]
    history = read_event_history(tmp_path)
    assert history.exact_share == 1.0
    assert all(pool.sqrt_price_x96 for pool in history.opening.values())
    assert len(history.blocks) < past.head - past.seeded


async def test_dates_name_blocks(past: Past, tmp_path: Path) -> None:
    first, last = (
        read_data_set(past.plain).manifest["blocks"][end]["timestamp"] for end in ("first", "last")
    )
    wanted = Wanted(pools=(KEY.address,), first=iso(first - 3), last=iso(last + 3))  # blocks are 12 s apart
    await download(past.url, wanted, tmp_path)
    for name in (BLOCK_TABLE, LOG_TABLE, OPENING):
        assert contents(tmp_path)[name] == contents(past.plain)[name]


def iso(timestamp: int) -> str:
    return datetime.fromtimestamp(timestamp, UTC).isoformat()


async def test_a_killed_download_goes_on_where_it_was(past: Past, tmp_path: Path) -> None:
    out = tmp_path / "out"
    gate = asyncio.Event()
    async with provider(past.url, widest=4, gate=gate) as there:
        options = ("--from", past.middle.first, "--to", past.middle.last, "--out", str(out))
        process = await asyncio.create_subprocess_exec(*PROGRAM, "--rpc", there.url, *options)
        await let_through(there, gate, out / JOURNAL)
        process.send_signal(signal.SIGKILL)
        await process.wait()
        assert not (out / LOG_TABLE).exists()
        with (out / JOURNAL).open("ab") as torn:
            torn.write(b'{"kind":"span","first":')
        _, reached = read_notes(out / JOURNAL)
        there.ranges.clear()
        gate.set()
        process = await asyncio.create_subprocess_exec(*PROGRAM, "--rpc", there.url, *options)
        assert await process.wait() == 0
    assert reached is not None
    assert reached > int(past.middle.first) + 8
    assert min(first for first, _ in there.ranges) == reached + 1
    assert contents(out) == contents(past.plain)


async def let_through(there: Provider, gate: asyncio.Event, journal: Path) -> None:
    """Open the gate for a moment at a time, until some spans are in the journal."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 300
    while spans_in(journal) < 3:
        assert loop.time() < deadline
        gate.set()
        await asyncio.sleep(0.005)
        gate.clear()
    assert there.asked


def spans_in(journal: Path) -> int:
    return journal.read_bytes().count(b'"kind":"span"') if journal.exists() else 0


async def test_a_reorganisation_is_noticed_and_what_it_undid_is_fetched_again(
    market: Market, tmp_path: Path
) -> None:
    chain = market.chain
    await live_through(market, KEY, blocks=4, seed=1)
    snapshot = await chain.snapshot()
    await live_through(market, KEY, blocks=6, seed=2)
    head = await chain.head()
    wanted = Wanted(pools=(KEY.address,), first=str(market.seeded + 1), last=str(head))
    said: list[str] = []
    async with provider(chain.url, widest=2) as there, PatientRpc(there.url, first_wait_seconds=0.01) as rpc:
        with Journal(tmp_path) as journal:
            interrupted = Download(rpc, journal, wanted)
            await interrupted.begin()
            await interrupted.fetch(head - 1)
        await chain.revert(snapshot)
        await market.trader.resync(chain.rpc)
        await live_through(market, KEY, blocks=8, seed=3)
        manifest = await download(there.url, wanted, tmp_path, say=said.append)
    assert any("reorganised" in sentence for sentence in said)
    assert manifest["verification"]["equal"] is True
    await download(chain.url, wanted, tmp_path / "fresh")
    assert contents(tmp_path / "fresh").items() <= contents(tmp_path).items()


async def test_a_recording_is_the_download_of_its_blocks_gaps_filled(market: Market, tmp_path: Path) -> None:
    chain, first = market.chain, await market.chain.head() + 1
    wanted = Wanted(pools=(KEY.address,), first="latest", last="")
    async with PatientRpc(chain.url) as rpc:
        with Journal(tmp_path / "live") as journal:
            task = asyncio.create_task(
                record(rpc, Download(rpc, journal, wanted), asyncio.Event(), poll_seconds=0.01)
            )
            await until(lambda: (tmp_path / "live" / JOURNAL).stat().st_size > 0)
            await live_through(market, KEY, blocks=3, seed=1)
            await until(lambda: journal.last is not None)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await live_through(market, KEY, blocks=3, seed=2)
        with Journal(tmp_path / "live") as journal:
            stop = asyncio.Event()
            download_again = Download(rpc, journal, wanted)
            task = asyncio.create_task(record(rpc, download_again, stop, poll_seconds=0.01))
            await live_through(market, KEY, blocks=2, seed=3)
            head = await chain.head()
            await until(lambda: journal.last is not None and journal.last.number == head)
            stop.set()
            manifest = await task
    assert manifest["verification"]["equal"] is True
    again = Wanted(pools=(KEY.address,), first=str(first), last=str(head))
    await download(chain.url, again, tmp_path / "again")
    for name in (BLOCK_TABLE, LOG_TABLE, OPENING):
        assert contents(tmp_path / "live")[name] == contents(tmp_path / "again")[name]


async def until(holds: Callable[[], bool]) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + 300
    while not holds():
        assert loop.time() < deadline
        await asyncio.sleep(0.01)


async def test_a_pool_is_read_where_there_is_no_multicall(market: Market) -> None:
    rpc, number = market.chain.rpc, await market.chain.head()
    with_it = await snapshot_pool(rpc, KEY, number)
    await rpc.call("anvil_setCode", MULTICALL3, "0x")
    await market.chain.mine()
    without_it = await snapshot_pool(rpc, KEY, number + 1)
    assert first_difference(KEY, without_it, with_it) == ""


async def test_two_downloads_keep_out_of_each_others_way(past: Past, tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        async with PatientRpc(past.url) as rpc:
            await Download(rpc, journal, past.middle).begin()
        with pytest.raises(DefaiError, match="Another process is writing"):
            Journal(tmp_path)
    other = Wanted(pools=past.middle.pools, first="1", last=past.middle.last)
    with pytest.raises(ConfigError, match="holds the beginning of another download"):
        await download(past.url, other, tmp_path)


async def test_a_file_that_was_changed_is_refused(past: Past, tmp_path: Path) -> None:
    for name, content in contents(past.plain).items():
        (tmp_path / name).write_bytes(content)
    table = tmp_path / LOG_TABLE
    table.write_bytes(table.read_bytes()[:-100])
    with pytest.raises(ConfigError, match=r"logs\.parquet is cut short or was changed"):
        read_event_history(tmp_path)
    assert json.loads((tmp_path / "manifest.json").read_text())["format"] == 1


@pytest.mark.long
async def test_ten_thousand_events_through_every_bad_habit_at_once(market: Market, tmp_path: Path) -> None:
    await live_through(market, KEY, blocks=130, seed=9)
    wanted = Wanted(pools=(KEY.address,), first="creation", last=str(await market.chain.head()))
    faults = ["", "429", "", "torn", "500", "", "", "busy"] * 60
    async with provider(market.chain.url, widest=40, most=900, batch=30, faults=faults) as there:
        manifest = await download(there.url, wanted, tmp_path / "bad")
    assert manifest["logs"]["Swap"] > 10_000
    assert manifest["verification"]["equal"] is True
    await download(market.chain.url, wanted, tmp_path / "good")
    assert contents(tmp_path / "bad") == contents(tmp_path / "good")
