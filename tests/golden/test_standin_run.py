"""A recorded run of the stand-in, replayed without a chain: the fold, the quotes and the features as they were."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from defai.amm import Pool
from defai.domain.chain_events import LiquidityMinted
from defai.errors import DivergenceError
from defai.features import FeatureSpec, build_table
from defai.market import tripwire
from defai.market.state import MarketState
from defai.worlds.recording import Recording

FEATURES_DIGEST = "0x3fea72f4274bdac6a9424107396f8ac3023507416efca2ed0bfd54a3429e3ef3"
"""Of the specification the recorded table was made with: it changes with any feature's version."""


@pytest.fixture(scope="module")
def replayed(run: Recording) -> MarketState:
    market = run.market()
    for arrival in run.arrivals():
        market.apply(arrival.block)
    return market


def quotes(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / "quotes.jsonl").read_text().splitlines():
        yield json.loads(line)


def features(folder: Path) -> tuple[list[str], list[tuple[int, ...]]]:
    with (folder / "features.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    return header[1:], [tuple(map(int, row)) for row in rows]


def answer(pool: Pool, quote: dict[str, Any]) -> tuple[int, int, int]:
    """What our pool says to a question that the chain's quoter was asked."""
    exact_input, zero_for_one = quote["exact"] == "input", quote["zero_for_one"]
    amount, limit = int(quote["amount"]), int(quote["sqrt_price_limit_x96"])
    result = pool.quote(
        zero_for_one=zero_for_one,
        amount_specified=amount if exact_input else -amount,
        sqrt_price_limit_x96=limit or None,
    )
    paid, got = (result.amount0, -result.amount1) if zero_for_one else (result.amount1, -result.amount0)
    counted = quoters_count(pool, result.tick)
    assert result.ticks_crossed <= counted <= result.ticks_crossed + 1
    return got if exact_input else paid, result.sqrt_price_x96, counted


def quoters_count(pool: Pool, after: int) -> int:
    """Initialised ticks crossed on the way to a tick, as QuoterV2 counts them (PoolTicksCounter).

    It counts by tick spacings: on the way down, the tick at which the last spacing begins is counted as soon as the
    price stands anywhere in that spacing, crossed or not. Our own count is of the crossings that happened.
    """
    low, high = sorted((pool.tick, after))
    first, last = low // pool.tick_spacing, high // pool.tick_spacing
    within = [tick for tick in pool.ticks if first <= tick // pool.tick_spacing <= last]
    return len(within) - (low != high and low in within)


def test_the_fold_arrives_at_every_report_of_the_chain(run: Recording) -> None:
    market, blocks = run.market(), 0
    for arrival in run.arrivals():
        market.apply(arrival.block)
        assert set(arrival.reports) == set(market.pools)
        tripwire.check(market, arrival.reports)
        blocks += 1
    assert (blocks, market.swaps_exact, market.swaps_forced) == (120, 531, 0)


def test_the_fold_would_notice_one_missing_event(run: Recording) -> None:
    market = run.market()

    def replay() -> None:
        for arrival in run.arrivals():
            kept = [event for event in arrival.block.events if not isinstance(event, LiquidityMinted)]
            market.apply(replace(arrival.block, events=tuple(kept)))
            tripwire.check(market, arrival.reports)

    with pytest.raises(DivergenceError, match="liquidity is"):
        replay()


def test_quotes_are_the_chains_own_quoters_to_the_wei(run: Recording) -> None:
    market, blocks = run.market(), run.arrivals()
    kinds: set[tuple[str, bool, str, bool]] = set()
    crossed: set[int] = set()
    for block, asked in groupby(quotes(run.folder), key=lambda quote: quote["block"]):
        while market.head.number < block:
            market.apply(next(blocks).block)
        for quote in asked:
            said = (
                int(quote["answer"]),
                int(quote["sqrt_price_after_x96"]),
                quote["initialized_ticks_crossed"],
            )
            assert answer(market.pools[quote["pool"]], quote) == said, quote
            kinds.add(
                (quote["pool"], quote["zero_for_one"], quote["exact"], quote["sqrt_price_limit_x96"] != "0")
            )
            crossed.add(said[2])
    assert len(kinds) == 2 * 2 * 2 * 2  # pools, directions, exact input and output, with and without a limit
    assert {0, 1, 2} <= crossed


def test_roll_back_and_replay_give_the_same_quotes(run: Recording) -> None:
    market, blocks = run.market(), list(run.arrivals())
    for arrival in blocks[:30]:
        market.apply(arrival.block)
    before = {address: pool.snapshot() for address, pool in market.pools.items()}
    market.roll_back(market.head.number - 10)
    for arrival in blocks[20:30]:
        market.apply(arrival.block)
    assert {address: pool.snapshot() for address, pool in market.pools.items()} == before


def test_features_are_as_recorded(run: Recording, replayed: MarketState) -> None:
    names, recorded = features(run.folder)
    spec = FeatureSpec.of(names)
    table = build_table([tuple(replayed.windows[key.address]) for key in run.keys], spec)
    assert [(row.block_number, *row.values) for row in table if row is not None] == recorded
    assert spec.digest == FEATURES_DIGEST
    assert len(recorded) == 120 - (spec.warm_up - 1)
