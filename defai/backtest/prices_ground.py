"""Recorded prices as a ground to run on: the price is history, the market around it is made up.

The pools are the demo's, exact to the unit, and live in the sim world. Their arbitrageur pulls them after the
recorded price, noise traders push them about, providers hold their liquidity; all of that is drawn from a seed.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Final

from defai.backtest.ground import Ground, valuation_of
from defai.chain.mainnet import USDC, pools_with
from defai.errors import ConfigError, NotFoundError
from defai.market.valuation import Valuation
from defai.marketsim.bridged_prices import BridgedPath
from defai.marketsim.market import Market, MarketShape
from defai.marketsim.price_files import load
from defai.marketsim.prices import PricePath, RecordedPath
from defai.session.history import HistoryRecipe
from defai.worlds.seating import SeatRequest
from defai.worlds.sim import SimWorld

LIQUIDITY_USD: Final = Decimal(10_000_000)
SEED: Final = 1
WARM_UP: Final = 64
"""The market lives through so many prices before the agents join, where there are any: features look back on them."""
_FULL_VOLUME_S: Final = 90
"""In longer steps noise traders swap less than in as much real time (see `defai.marketsim.flow`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What is made up around recorded prices.

    Attributes:
        seed: of everything drawn.
        liquidity_usd: worth of the others' liquidity, in all pools together.
        step_s: time from block to block, where it is to be shorter than from price to price.
        base_fee_at: the base fee in wei at a moment, 0 where gas is free; None makes fees up.
        pools: names of the pools that are looked at: with a pair of Uniswap v2 among them the market has it too.
    """

    seed: int = SEED
    liquidity_usd: Decimal = LIQUIDITY_USD
    step_s: int | None = None
    base_fee_at: Callable[[int], int] | None = None
    pools: tuple[str, ...] = ()


def prices_ground(
    source: Path,
    *,
    surroundings: Surroundings,
    numeraire: str | None = None,
    priced_gas: bool = True,
    first_time: int | None = None,
    end_time: int | None = None,
) -> Ground:
    """Read prices, and make up a market around them.

    Args:
        source: CSV or parquet with a timestamp and a close, in USDC per WETH.
        surroundings: what is made up.
        numeraire: symbol of the token that counts as money.
        priced_gas: whether gas has a price.
        first_time: agents join at the first price from this moment on.
        end_time: the run ends before the first price from this moment on.

    Raises:
        NotFoundError: where there are no prices within the time range.
        ConfigError: naming file, row and cause.
    """
    recorded = load(source)
    moments = recorded.timestamps
    joins = 0 if first_time is None else bisect_left(moments, first_time)
    ends = len(moments) if end_time is None else bisect_left(moments, end_time)
    if ends - joins < 2:
        raise NotFoundError(f"{source} has fewer than two prices within the time range.")
    begins = max(joins - WARM_UP, 0)
    path = _path(recorded.rows(begins, ends), surroundings)
    shape = MarketShape(liquidity_usd=surroundings.liquidity_usd)
    keys = pools_with(surroundings.pools)
    market = Market(
        surroundings.seed, path, keys, quote=USDC, shape=shape, base_fee_at=surroundings.base_fee_at
    )
    pieces = recorded.step_seconds // path.step_seconds
    scene = _Scene(market, valuation_of(keys, numeraire), surroundings, source, _digest(source), priced_gas)
    return _ground_of(scene, (joins - begins) * pieces, (path.length or 1) - 1)


@dataclass(frozen=True, slots=True)
class _Scene:
    """What all windows of a ground have in common."""

    market: Market
    valuation: Valuation
    surroundings: Surroundings
    source: Path
    sha256: str
    priced_gas: bool

    def block_at(self, moment: int) -> int:
        """The first block from a moment on."""
        last = self.market.last_block or 0
        return bisect_left(range(last + 1), moment, key=self.market.timestamp)


def _path(recorded: RecordedPath, surroundings: Surroundings) -> PricePath:
    step_s = surroundings.step_s or recorded.step_seconds
    if step_s > recorded.step_seconds or recorded.step_seconds % step_s:
        raise ConfigError(
            f"The prices of {recorded.source} are {recorded.step_seconds:,} s apart, no multiple of {step_s:,} s.",
            f"Give a --step that divides {recorded.step_seconds:,}, or none.",
        )
    pieces = recorded.step_seconds // step_s
    return recorded if pieces == 1 else BridgedPath(recorded, pieces, surroundings.seed)


def _ground_of(scene: _Scene, first_block: int, last_block: int) -> Ground:
    market, path = scene.market, scene.market.path

    def make_world(requests: Sequence[SeatRequest]) -> SimWorld:
        return SimWorld(market, scene.valuation, requests, first_block=first_block, last_block=last_block)

    def window(first_time: int, end_time: int) -> Ground:
        return _ground_of(
            scene,
            max(scene.block_at(first_time), first_block),
            min(scene.block_at(end_time) - 1, last_block),
        )

    start = path[first_block].quote_per_base.quantize(Decimal("0.01"))
    return Ground(
        kind="prices",
        keys=market.keys,
        valuation=scene.valuation,
        fidelity=_fidelity(scene),
        exact_share=None,
        priced_gas=scene.priced_gas,
        sha256=scene.sha256,
        source=str(scene.source),
        settings={
            "seed": scene.surroundings.seed,
            "step_s": path.step_seconds,
            "liquidity_usd": str(scene.surroundings.liquidity_usd),
        },
        make_world=make_world,
        until=lambda moment: window(path[first_block].timestamp, moment + 1),
        window=window,
        step_s=path.step_seconds,
        decisions_a_day=max(1, 86_400 // path.step_seconds),
        recipe=HistoryRecipe(
            block_seconds=path.step_seconds,
            start_quote_per_base=start,
            liquidity_usd=scene.surroundings.liquidity_usd,
        ),
        first_time=path[first_block].timestamp,
        last_time=path[last_block].timestamp,
    )


def _fidelity(scene: _Scene) -> str:
    path, surroundings = scene.market.path, scene.surroundings
    between = ", with made-up prices between them" if isinstance(path, BridgedPath) else ""
    gaps = f" ({path.gaps:,} prices missing)" if path.gaps else ""
    thin = (
        ""
        if path.step_seconds <= _FULL_VOLUME_S
        else "; at this step noise volume, and fees, are understated"
    )
    return (
        f"recorded: the price alone, a block each {path.step_seconds:,} s{between}{gaps}; generated around it (seed "
        f"{surroundings.seed}): every swap, and {surroundings.liquidity_usd:,.0f} USD of liquidity in "
        f"{len(scene.market.keys)} pools, exact in their arithmetic{thin}"
    )


def _digest(source: Path) -> str:
    return "0x" + sha256(source.read_bytes()).hexdigest()
