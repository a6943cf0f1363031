"""Record fixtures/ anew: a short run of the stand-in with its market, and what Uniswap's own quoter says in it.

Usage: python scripts/make_fixtures.py [--out DIRECTORY]

The same checkout gives the same bytes, on any machine: the market is seeded, blocks are mined in lock-step at the
market's own times, and no agent takes part, so none of our contracts does either. Nothing of Uniswap's bytecode is
kept, only what it answered. MANIFEST.toml says of each file where it is from and what it has to hash to.
"""

import argparse
import asyncio
import csv
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final

from defai.amm import Pool
from defai.chain import mainnet
from defai.chain.codec import decode_values, encode_call
from defai.chain.multicall import multicall
from defai.chain.rpc import Rpc
from defai.config import Settings
from defai.domain.operations import Call
from defai.domain.pool import PoolKey
from defai.errors import DivergenceError
from defai.features import FeatureSpec, build_table
from defai.market import tripwire
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.session.choice import make_market
from defai.worlds.fork import ForkOptions, ForkWorld
from defai.worlds.recording import BLOCKS, OPENING, Recorder

CHECKOUT: Final = Path(__file__).resolve().parents[1]
FIXTURES: Final = CHECKOUT / "fixtures"
RUN: Final = "standin_run"
QUOTES: Final = "quotes.jsonl"
FEATURES: Final = "features.csv"
COMMAND: Final = "make fixtures"

SEED: Final = 20
BLOCKS_RECORDED: Final = 120
QUOTED_EVERY: Final = 10
SHARES: Final = (1e-7, 1e-4, 1e-2, 0.3, 1.0)
"""Sizes of quotes as shares of what the pool holds, each times a random factor from 1/2 to 1: dust to many ticks."""
FEATURE_NAMES: Final = (
    *("return_1", "return_12", "volatility_6", "volatility_24", "parkinson_24", "velocity_12"),
    *("deviation_12", "imbalance_6", "swaps_12", "liquidity_change_12", "base_fee", "seconds_since_swap_12"),
    *("time_of_day", "day_of_week", "spread", "spread_deviation_12"),
)

_QUOTE_INPUT: Final = "quoteExactInputSingle((address,address,uint256,uint24,uint160))"
_QUOTE_OUTPUT: Final = "quoteExactOutputSingle((address,address,uint256,uint24,uint160))"
_ANSWER: Final = ("uint256", "uint160", "uint32", "uint256")


@dataclass(frozen=True, slots=True)
class Question:
    """A quote to be asked for: exact input where `exact_input`, else exact output. No limit is 0."""

    key: PoolKey
    zero_for_one: bool
    exact_input: bool
    amount_raw: int
    sqrt_price_limit_x96: int = 0

    def call(self) -> Call:
        """The call of QuoterV2."""
        sold, bought = (
            self.key.token(zero=self.zero_for_one).address,
            self.key.token(zero=not self.zero_for_one).address,
        )
        signature = _QUOTE_INPUT if self.exact_input else _QUOTE_OUTPUT
        values = (sold, bought, self.amount_raw, self.key.fee_pips, self.sqrt_price_limit_x96)
        return Call(mainnet.QUOTER_V2, encode_call(signature, values))

    def row(self, block: int, answer: bytes) -> dict[str, Any]:
        """The question and its answer, as the fixture has them; the quoter's gas estimate is left out."""
        amount, after_x96, crossed, _ = decode_values(_ANSWER, answer)
        return {
            "block": block,
            "pool": self.key.address,
            "zero_for_one": self.zero_for_one,
            "exact": "input" if self.exact_input else "output",
            "amount": str(self.amount_raw),
            "sqrt_price_limit_x96": str(self.sqrt_price_limit_x96),
            "answer": str(amount),
            "sqrt_price_after_x96": str(after_x96),
            "initialized_ticks_crossed": crossed,
        }


def questions(market: MarketState) -> Iterator[Question]:
    """What is asked at the market's newest block: every pool, direction, kind and size, and limits that bind."""
    draw = Random(f"{SEED}:{market.head.number}")  # noqa: S311  a choice of sizes, not a secret
    for key in market.keys.values():
        pool = market.pools[key.address]
        for zero_for_one in (True, False):
            everything = pool.quote(zero_for_one=zero_for_one, amount_specified=-(1 << 120))
            most_out = -everything.amount1 if zero_for_one else -everything.amount0
            value_in = value_of(pool, most_out, in_token0=zero_for_one)
            for exact_input, most in ((True, value_in), (False, most_out)):
                yield Question(key, zero_for_one, exact_input, draw.randrange(1, 1_000))
                for share in SHARES:
                    amount = int(most * share * (0.5 + draw.random() / 2))
                    yield Question(key, zero_for_one, exact_input, amount)
            limit = limit_x96(pool, zero_for_one=zero_for_one, share=draw.random() / 100)
            yield Question(key, zero_for_one, True, value_in, limit)
            yield Question(key, zero_for_one, False, most_out, limit)


def value_of(pool: Pool, amount: int, *, in_token0: bool) -> int:
    """What an amount of one token is worth in the other (token0 if `in_token0`), at the pool's price."""
    square = pool.sqrt_price_x96**2
    return (amount << 192) // square if in_token0 else (amount * square) >> 192


def limit_x96(pool: Pool, *, zero_for_one: bool, share: float) -> int:
    """A price limit so far beyond a pool's price."""
    step = int(pool.sqrt_price_x96 * share) + 1
    return pool.sqrt_price_x96 - step if zero_for_one else pool.sqrt_price_x96 + step


async def ask(rpc: Rpc, block: int, asked: Sequence[Question]) -> list[dict[str, Any]]:
    """Ask QuoterV2 at a block.

    Raises:
        DivergenceError: where it refuses; every question can be answered.
    """
    answers = await multicall(rpc, [question.call() for question in asked], hex(block))
    rows = []
    for question, answer in zip(asked, answers, strict=True):
        if answer is None:
            raise DivergenceError(f"The quoter refused {question}.")
        rows.append(question.row(block, answer))
    return rows


async def record(folder: Path) -> MarketState:
    """Record the run and the quotes; the market as it stands at the end."""
    valuation = Valuation(mainnet.USDC_WETH_005, mainnet.USDC)
    settings = Settings.demo({"market.seed": SEED}, environment={})
    make = partial(make_market, settings, _refuse)
    world = ForkWorld(ForkOptions(seed=SEED), make, mainnet.POOLS, valuation, ())
    rows: list[dict[str, Any]] = []
    try:
        market = (await world.open()).market
        with Recorder(folder, world.chain_id, market) as recorder:
            for index in range(BLOCKS_RECORDED):
                arrival = await world.make_block()
                if arrival is None:
                    raise DivergenceError(f"The market ended after {index} blocks.")
                recorder.append(arrival)
                market.apply(arrival.block)
                tripwire.check(market, arrival.reports)
                if (index + 1) % QUOTED_EVERY == 0:
                    asked = list(questions(market))
                    rows += await ask(world.chain.rpc, arrival.block.number, asked)
    finally:
        await world.close()
    lines = (json.dumps(row, separators=(",", ":")) for row in rows)
    (folder / QUOTES).write_text("".join(f"{line}\n" for line in lines))
    return market


def write_features(folder: Path, market: MarketState) -> FeatureSpec:
    """The feature table over the recorded blocks, a row a block once there is history enough."""
    spec = FeatureSpec.of(FEATURE_NAMES)
    table = build_table([tuple(market.windows[key.address]) for key in mainnet.POOLS], spec)
    with (folder / FEATURES).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("block", *spec.names))
        writer.writerows((row.block_number, *row.values) for row in table if row is not None)
    return spec


def manifest(out: Path, first: int, last: int, spec: FeatureSpec) -> str:
    """MANIFEST.toml: where each file is from, which blocks it is about, and what it has to hash to."""
    packages = json.loads((CHECKOUT / "contracts" / "package.json").read_text())
    versions = {**packages["dependencies"], **packages["optionalDependencies"]}
    chain = (
        f"the stand-in: @uniswap/v3-core {versions['@uniswap/v3-core']} and v3-periphery "
        f"{versions['@uniswap/v3-periphery']} on anvil {versions['@foundry-rs/anvil-linux-amd64']}, "
        f"generated market, seed {SEED}"
    )
    files = {
        OPENING: (first - 1, first - 1, f"{chain}; pools with all their ticks"),
        BLOCKS: (first, last, f"{chain}; blocks, pool events, and each pool's own report after the block"),
        QUOTES: (first + QUOTED_EVERY - 1, last, f"{chain}; answers of QuoterV2 at {mainnet.QUOTER_V2}"),
        FEATURES: (
            first + spec.warm_up - 1,
            last,
            f"defai.features over {RUN}/{BLOCKS}; specification {spec.digest}",
        ),
    }
    parts = [
        f"# Written by `{COMMAND}`. A file that is not listed, or does not hash to this, fails a test.\n"
    ]
    for name, (begin, end, source) in files.items():
        content = (out / RUN / name).read_bytes()
        parts.append(
            f'[[files]]\npath = "{RUN}/{name}"\nsource = "{source}"\n'
            f"first_block = {begin}\nlast_block = {end}\n"
            f'sha256 = "{hashlib.sha256(content).hexdigest()}"\nsize = {len(content)}\ncommand = "{COMMAND}"\n'
        )
    return "\n".join(parts)


def main() -> int:
    """Record everything and say how large it is."""
    parser = argparse.ArgumentParser(description="Record fixtures/ anew from the stand-in.")
    parser.add_argument("--out", type=Path, default=FIXTURES, help="where the fixtures go")
    out = parser.parse_args().out
    folder = out / RUN
    market = asyncio.run(record(folder))
    spec = write_features(folder, market)
    last = market.head.number
    text = manifest(out, last - BLOCKS_RECORDED + 1, last, spec)
    (out / "MANIFEST.toml").write_text(text)
    total = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    print(f"{BLOCKS_RECORDED} blocks in {out}, {total:,} bytes; swaps exact: {market.swaps_exact}")
    return 0


def _refuse(sentence: str) -> None:
    raise DivergenceError(f"The market is not what fixtures are made from: {sentence}")


if __name__ == "__main__":
    sys.exit(main())
