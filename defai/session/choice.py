"""Which world the settings mean, and what its models are trained on."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Protocol

from defai.agent.ports import World
from defai.chain.mainnet import POOLS, USDC, pools_with
from defai.config import Settings
from defai.domain.pool import PoolKey
from defai.errors import ConfigError
from defai.market.valuation import Valuation
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market
from defai.marketsim.price_files import load
from defai.marketsim.prices import PricePath
from defai.session.history import HistoryRecipe, lapse_shape
from defai.worlds.endpoint import EndpointOptions, EndpointWorld
from defai.worlds.fork import ForkOptions, ForkWorld
from defai.worlds.kept import Kept
from defai.worlds.permits import LivePermit, Permit, PlayPermit
from defai.worlds.recorded import RecordedWorld
from defai.worlds.seating import SeatRequest
from defai.worlds.shadow import ShadowedWorld
from defai.worlds.sim import SimWorld

START_QUOTE_PER_BASE = Decimal(2_000)
BLOCK_SECONDS = 60
"""Market time from block to block: the demo's market is a time lapse, a minute in each block."""


class WorldBuilder(Protocol):
    """Makes the world of some settings, not opened yet."""

    def __call__(
        self,
        settings: Settings,
        requests: Sequence[SeatRequest],
        valuation: Valuation,
        warn: Callable[[str], None],
        kept: Kept | None = None,
    ) -> World:
        """See `build_world`."""
        ...


def build_parity(
    settings: Settings,
    requests: Sequence[SeatRequest],
    valuation: Valuation,
    warn: Callable[[str], None],
    kept: Kept | None = None,
) -> ShadowedWorld:
    """The stand-in with the same market in memory beside it. Arguments as in `build_world`."""
    options = ForkOptions(seed=settings.market.seed, decisions=kept.decisions if kept else None)
    keys = watched(requests)
    make = partial(make_market, settings, warn, keys=keys)
    return ShadowedWorld(
        ForkWorld(options, make, keys, valuation, requests), SimWorld(make(), valuation, requests)
    )


def watched(requests: Sequence[SeatRequest]) -> tuple[PoolKey, ...]:
    """The pools of a fleet's world: the ones that are always there, and the pairs that somebody looks at."""
    return pools_with(name for request in requests for name in request.pools)


def build_recorded(
    folder: Path,
    build: WorldBuilder,
    settings: Settings,
    requests: Sequence[SeatRequest],
    valuation: Valuation,
    warn: Callable[[str], None],
    kept: Kept | None = None,
) -> RecordedWorld:
    """The world that `build` makes, with its blocks written to a folder. Other arguments as in `build_world`."""
    return RecordedWorld(build(settings, requests, valuation, warn, kept), folder)


def build_world(
    settings: Settings,
    requests: Sequence[SeatRequest],
    valuation: Valuation,
    warn: Callable[[str], None],
    kept: Kept | None = None,
) -> World:
    """The world of the settings, not opened yet.

    Args:
        settings: which network, which market.
        requests: the agents that want a seat.
        valuation: what money is.
        warn: told what can be lived with but should be known.
        kept: where the run is kept; None keeps nothing.

    Raises:
        ConfigError: for a live chain: only `build_live` goes there.
    """
    network = settings.network
    if network.kind == "live":
        raise ConfigError(
            "Only `defai trade --network live` trades live, and only once that was confirmed.",
            "Fork the live chain instead: --network fork --fork-url URL.",
        )
    if network.kind == "rpc" and network.rpc_url is not None:
        permit = PlayPermit(network.rpc_url, settings.market.seed, network.chain_id)
        return _endpoint(settings, permit, requests, valuation, kept)
    options = ForkOptions(
        seed=settings.market.seed,
        fork_url=network.fork_url if network.kind == "fork" else None,
        fork_block=network.fork_block,
        block_time_s=network.block_time_s,
        decisions=kept.decisions if kept else None,
    )
    keys = watched(requests)
    return ForkWorld(options, partial(make_market, settings, warn, keys=keys), keys, valuation, requests)


def build_live(
    permit: LivePermit,
    settings: Settings,
    requests: Sequence[SeatRequest],
    valuation: Valuation,
    warn: Callable[[str], None],  # noqa: ARG001  a world builder's signature
    kept: Kept | None = None,
) -> EndpointWorld:
    """The live world of the settings, on terms that the operator has confirmed. Other arguments as in `build_world`."""
    return _endpoint(settings, permit, requests, valuation, kept)


def _endpoint(
    settings: Settings,
    permit: Permit,
    requests: Sequence[SeatRequest],
    valuation: Valuation,
    kept: Kept | None,
) -> EndpointWorld:
    options = EndpointOptions(
        url=settings.network.rpc_url or "",
        permit=permit,
        history_blocks=settings.market.warm_up_blocks,
        kept=kept,
    )
    return EndpointWorld(options, watched(requests), valuation, requests)


def make_market(
    settings: Settings,
    warn: Callable[[str], None],
    existing: Decimal | None = None,
    *,
    keys: Sequence[PoolKey] = POOLS,
) -> Market:
    """The market of the settings.

    Args:
        settings: seed, prices, attackers, liquidity.
        warn: told of gaps in a price file.
        existing: price of the base token in pools that are there already; they have their own liquidity.
        keys: the pools.
    """
    path = price_path(settings, existing)
    if path.warning:
        warn(path.warning)
    return Market(
        settings.market.seed,
        path,
        keys,
        quote=USDC,
        attackers=settings.market.attackers,
        shape=lapse_shape(
            path.step_seconds, settings.market.liquidity_usd if existing is None else Decimal(0)
        ),
    )


def price_path(settings: Settings, existing: Decimal | None = None) -> PricePath:
    """The reference price: the file of the settings, or a path generated from the price that is there."""
    if settings.market.prices is not None:
        return load(settings.market.prices)
    return generate(settings.market.seed, existing or START_QUOTE_PER_BASE, BLOCK_SECONDS)


def history_recipe(settings: Settings) -> HistoryRecipe:
    """What models are trained on: generated history with the step and the first price of the run's own path.

    Nothing else of a price file is looked at: it is the future.
    """
    if settings.market.prices is None:
        return HistoryRecipe(block_seconds=BLOCK_SECONDS)
    path = load(settings.market.prices)
    start = path[0].quote_per_base.quantize(Decimal("0.01"))
    return HistoryRecipe(block_seconds=path.step_seconds, start_quote_per_base=start)
