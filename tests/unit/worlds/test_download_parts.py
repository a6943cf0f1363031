"""The parts of a download that need no chain: moments, patience, the journal, rolling back, listing."""

import io
import json
import random
from pathlib import Path

import pytest
from click.testing import CliRunner

from defai.amm import AmmRevert, Pool, get_sqrt_ratio_at_tick
from defai.chain.download.moments import Moment, parse_moment
from defai.chain.download.patience import is_rate_limit
from defai.chain.download.spans import Header, RawLog, Span
from defai.chain.mainnet import USDC_WETH_005
from defai.chain.rpc import BusyError, RpcError
from defai.cli.fetching import ProgressLine, checked_pools, protect_address
from defai.cli.list_datasets import command as list_data
from defai.domain.chain_events import (
    Block,
    FeeProtocolSet,
    LiquidityBurned,
    LiquidityMinted,
    PoolEvent,
    PoolFlashed,
    PoolSwapped,
)
from defai.errors import ConfigError
from defai.redaction import redacted
from defai.worlds.dataset import LOG_TABLE, write_manifest
from defai.worlds.download import Progress
from defai.worlds.journal import JOURNAL, Journal
from defai.worlds.rolling_back import LastWord, RollBackError, roll_back
from defai.worlds.verification import Replay, first_difference

KEY = USDC_WETH_005
WHO = ("0x" + "aa" * 20, "0x" + "bb" * 20)


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("17_000_000", False, Moment(number=17_000_000)),
        ("17,000,000", False, Moment(number=17_000_000)),
        ("17_", False, Moment(number=17)),
        ("latest:-6__4", False, Moment(back=64)),
        ("latest", True, Moment(back=0)),
        ("latest:-64", True, Moment(back=64)),
        ("latest-64", False, Moment(back=64)),
        ("creation", False, Moment(creation=True)),
        ("2024-05-01", False, Moment(instant=1_714_521_600)),
        ("2024-05-01", True, Moment(instant=1_714_608_000)),
        ("2024-05-01T12:00", False, Moment(instant=1_714_564_800)),
        ("2024-05-01T12:00", True, Moment(instant=1_714_564_801)),
        ("2024-05-01T12:00+02:00", False, Moment(instant=1_714_557_600)),
    ],
)
def test_a_moment_is_a_number_a_date_or_a_word(text: str, end: bool, moment: Moment) -> None:
    assert parse_moment(text, end=end) == moment


@pytest.mark.parametrize(
    ("text", "end"),
    [("yesterday", False), ("-5", False), ("creation", True), ("", True), ("2024-13-01", True)],
)
def test_what_names_no_block_is_refused(text: str, end: bool) -> None:
    with pytest.raises(ConfigError, match="names no block"):
        parse_moment(text, end=end)


@pytest.mark.parametrize(
    ("code", "message", "limited"),
    [
        (-32005, "project ID request rate exceeded, too many requests", True),
        (429, "Your app has exceeded its compute units per second capacity", True),
        (-32029, "slow", True),
        (429, "too many requests for logs: 10 a second", True),
        (-32000, "daily request count exceeded, request rate limited", True),
        (-32005, "query returned more than 10000 results", False),
        (-32602, "eth_getLogs is limited to a 10,000 range", False),
        (-32600, "You can make eth_getLogs requests with up to a 500 block range", False),
        (-32602, "Log response size exceeded. Try with this block range [0x1, 0x2].", False),
        (-32000, "block range is too wide", False),
        (-32000, "missing trie node", False),
    ],
)
def test_whoever_says_later_is_told_from_whoever_says_less(code: int, message: str, limited: bool) -> None:
    assert is_rate_limit(RpcError("eth_getLogs", code, message)) is limited
    assert is_rate_limit(BusyError("busy"))


def header(number: int) -> Header:
    return Header(number, f"0x{number:064x}", f"0x{number - 1:064x}", 1_600_000_000 + 12 * number, 7)


def span(first: int, last: int) -> Span:
    log = RawLog(first, 3, KEY.address.lower(), "0x01", ("0x02", "0x03"), "0x04")
    return Span(first, last, tuple(header(n) for n in range(first, last + 1)), (log,))


def test_a_journal_gives_back_what_was_kept_and_forgets_a_torn_line(tmp_path: Path) -> None:
    with Journal(tmp_path) as journal:
        journal.note("plan", {"first": 5})
        journal.append(span(5, 7))
        journal.append(span(8, 9))
    whole = (tmp_path / JOURNAL).read_bytes()
    for cut in range(len(whole) - 1, len(whole) - 60, -7):
        (tmp_path / JOURNAL).write_bytes(whole[:cut])
        with Journal(tmp_path) as journal:
            assert journal.notes == {"plan": {"first": 5}}
            assert list(journal.spans()) == [span(5, 7)]
            assert journal.last == header(7)
            journal.append(span(8, 9))
        assert (tmp_path / JOURNAL).read_bytes() == whole
    with Journal(tmp_path) as journal:
        journal.drop_last()
        assert (journal.last, journal.logs) == (header(7), 1)
        journal.append(span(8, 8))
        assert list(journal.spans()) == [span(5, 7), span(8, 8)]


def test_a_journal_that_kept_nothing_leaves_nothing(tmp_path: Path) -> None:
    with Journal(tmp_path / "new"):
        assert (tmp_path / "new" / JOURNAL).exists()
    assert not (tmp_path / "new").exists()


def test_what_is_no_journal_is_refused(tmp_path: Path) -> None:
    (tmp_path / JOURNAL).write_text("hello\n")
    with pytest.raises(ConfigError, match="is no journal of a download"):
        Journal(tmp_path)


def opened() -> Pool:
    pool = Pool(fee_pips=KEY.fee_pips, tick_spacing=KEY.tick_spacing)
    pool.initialize(get_sqrt_ratio_at_tick(200_000), 1_600_000_000)
    pool.mint("everywhere", -887_270, 887_270, 10**15)
    pool.mint("near", 199_900, 200_200, 10**17)
    pool.swap(zero_for_one=True, amount_specified=10**9)
    pool.swap(zero_for_one=False, amount_specified=10**18)
    return pool


def lived(seed: int, pool: Pool, events: int = 120) -> list[Block]:
    """Blocks of what happens to the pool, which is changed by it."""
    rng = random.Random(seed)  # noqa: S311  a market, not a secret
    held: list[tuple[int, int, int]] = []
    blocks: list[Block] = []
    for number in range(1, events + 1):
        kind = rng.random()
        event: PoolEvent
        if kind < 0.15:
            lower = (pool.tick // 10 - rng.randrange(1, 20)) * 10
            held.append((lower, lower + rng.randrange(1, 30) * 10, rng.randrange(10**14, 10**17)))
            pool.mint("one", *held[-1])
            event = LiquidityMinted(KEY.address, WHO[0], *held[-1], 0, 0, 0, "")
        elif kind < 0.25 and held:
            lower, upper, liquidity = held.pop(rng.randrange(len(held)))
            pool.burn("one", lower, upper, liquidity)
            event = LiquidityBurned(KEY.address, WHO[0], lower, upper, liquidity, 0, 0, 0, "")
        elif kind < 0.28:
            paid = pool.flash(10**9, 10**18)
            event = PoolFlashed(KEY.address, *WHO, 10**9, 10**18, *paid, 0, "")
        elif kind < 0.31:
            before = pool.fee_protocol & 15, pool.fee_protocol >> 4
            shares = rng.choice(((0, 0), (4, 5), (10, 0)))
            pool.set_fee_protocol(*shares)
            event = FeeProtocolSet(KEY.address, *before, *shares, 0, "")
        else:
            zero = rng.random() < 0.5
            amount = rng.randrange(10**6, 10**12) if zero else rng.randrange(10**12, 10**20)
            try:
                done = pool.swap(zero_for_one=zero, amount_specified=amount)
            except AmmRevert:
                continue
            event = PoolSwapped(KEY.address, *WHO, *done[:5], 0, "")
        blocks.append(made(number, event))
    return blocks


def made(number: int, event: PoolEvent) -> Block:
    at = header(number)
    return Block(number, at.hash, at.parent_hash, 1_600_000_000, 0, (event,))


@pytest.mark.parametrize("seed", range(12))
def test_a_pool_is_rolled_back_to_what_it_was(seed: int) -> None:
    first, pool = opened(), opened()
    blocks = lived(seed, pool)
    word = LastWord(first.sqrt_price_x96, first.tick, first.liquidity)
    back = roll_back(KEY, pool, blocks, word, first.timestamp)
    assert first_difference(KEY, back, first) == ""
    replay = Replay({KEY.address: back})
    for block in blocks:
        replay.fold(block)
    assert first_difference(KEY, replay.pools[KEY.address], pool) == ""
    assert replay.swaps == replay.exact > 50


def test_a_missing_log_makes_rolling_back_impossible() -> None:
    first, pool = opened(), opened()
    blocks = lived(3, pool)
    swap = next(i for i, block in enumerate(blocks) if isinstance(block.events[0], PoolSwapped))
    word = LastWord(first.sqrt_price_x96, first.tick, first.liquidity)
    with pytest.raises(RollBackError, match=r"cannot be rolled back exactly\. The swap in block \d+"):
        roll_back(KEY, pool, blocks[:swap] + blocks[swap + 1 :], word, first.timestamp)


def test_every_difference_is_named() -> None:
    ours, theirs = opened(), opened()
    assert first_difference(KEY, ours, theirs) == ""
    theirs.liquidity += 1
    assert "liquidity in range of USDC/WETH 0.05 %" in first_difference(KEY, ours, theirs)
    theirs = opened()
    theirs.tick_states[199_900] = theirs.ticks[199_900]._replace(fee_growth_outside1_x128=9)
    assert "fee growth of token1 outside at tick 199900" in first_difference(KEY, ours, theirs)
    theirs = opened()
    theirs.mint("late", 199_000, 201_000, 1)
    theirs.liquidity -= 1
    assert first_difference(KEY, ours, theirs).startswith("Tick 199000")


def test_keys_in_addresses_are_never_printed() -> None:
    key = "f00dfacef00dfacef00d"
    protect_address(f"https://user:swordfish@node.example/v3/{key}?token=sesame-open")
    said = redacted(f"{key} swordfish sesame-open mainnet v3")
    assert said == "*** *** *** mainnet v3"


def test_addresses_of_pools_are_checked() -> None:
    assert checked_pools([KEY.address.lower(), KEY.address]) == (KEY.address,)
    with pytest.raises(ConfigError, match="is not an address"):
        checked_pools(["0x12"])


def test_unfinished_and_unreadable_folders_are_listed(tmp_path: Path) -> None:
    plan = {"chain_id": 1, "first": 5, "last": 20, "pools": [{"address": KEY.address}]}
    with Journal(tmp_path / "half") as journal:
        journal.note("plan", plan)
        journal.append(span(5, 9))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / JOURNAL).write_text("hello\n")
    result = CliRunner().invoke(list_data, [str(tmp_path), "--json"])
    found = {Path(one["folder"]).name: one for one in json.loads(result.output)["data_sets"]}
    assert found["half"]["complaint"] == "blocks 10 to 20 are missing"
    assert found["half"]["missing_blocks"] == 11
    assert found["broken"]["state"] == "unreadable"
    shown = CliRunner().invoke(list_data, [str(tmp_path)]).output
    assert "unfinished" in shown
    assert CliRunner().invoke(list_data, [str(tmp_path / "half" / "none")]).exit_code != 0


def test_gaps_between_data_sets_of_a_pool_are_listed(tmp_path: Path) -> None:
    pool = {"name": KEY.name, "address": KEY.address}
    for first, last in ((10, 19), (20, 29), (15, 25), (40, 49)):
        folder = tmp_path / f"from-{first}"
        folder.mkdir()
        (folder / LOG_TABLE).touch()
        places = {
            end: {"number": number, "hash": "0x", "timestamp": 0}
            for end, number in (("first", first), ("last", last))
        }
        manifest = {
            "format": 1,
            "chain_id": 1,
            "pools": [pool],
            "blocks": places,
            "logs": {"total": 3},
            "verification": {"equal": True, "difference": ""},
        }
        write_manifest(folder, manifest)
    told = json.loads(CliRunner().invoke(list_data, [str(tmp_path), "--json"]).output)
    assert [one["state"] for one in told["data_sets"]] == ["verified"] * 4
    assert told["gaps"] == [{"chain_id": 1, "pool": KEY.address, "first": 30, "last": 39}]
    assert "has no blocks 30 to 39" in CliRunner().invoke(list_data, [str(tmp_path)]).output


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_shown_where_somebody_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Terminal()
    monkeypatch.setattr("sys.stderr", watched)
    halfway = Progress(first=101, last=200, reached=150, logs=1_234, seconds=10.0, blocks_at_start=25)
    assert halfway.seconds_left == 20.0
    line = ProgressLine(quiet=False)
    line.update(halfway)
    assert "block 150 · 50 of 100 (50%) · 1,234 logs · 20 s left" in watched.getvalue()
    line.clear()
    before = watched.getvalue()
    ProgressLine(quiet=True).update(halfway)
    assert watched.getvalue() == before
