"""Which world the settings mean, and what its models are trained on."""

from collections.abc import Callable, Sequence
from decimal import Decimal

from defai.agent.ports import World
from defai.chain.mainnet import POOLS, USDC
from defai.config import Settings
from defai.market.valuation import Valuation
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market, MarketShape
from defai.marketsim.price_files import load
from defai.marketsim.prices import PricePath
from defai.session.history import HistoryRecipe
from defai.worlds.seating import SeatRequest
from defai.worlds.sim import SimWorld

_BLOCK_SECONDS = 12


def build_world(
    settings: Settings, requests: Sequence[SeatRequest], valuation: Valuation, warn: Callable[[str], None]
) -> World:
    """The world of the settings, not opened yet.

    Args:
        settings: which network, which market.
        requests: the agents that want a seat.
        valuation: what money is.
        warn: told what can be lived with but should be known.
    """
    path = price_path(settings)
    if path.warning:
        warn(path.warning)
    market = Market(
        settings.market.seed,
        path,
        POOLS,
        quote=USDC,
        attackers=settings.market.attackers,
        shape=MarketShape(liquidity_usd=settings.market.liquidity_usd),
    )
    return SimWorld(market, valuation, requests)


def price_path(settings: Settings) -> PricePath:
    """The reference price: the file of the settings, or a generated path."""
    if settings.market.prices is not None:
        return load(settings.market.prices)
    return generate(settings.market.seed)


def history_recipe(settings: Settings) -> HistoryRecipe:
    """What models are trained on: generated history with the step and the first price of the run's own path.

    Nothing else of a price file is looked at: it is the future.
    """
    if settings.market.prices is None:
        return HistoryRecipe()
    path = load(settings.market.prices)
    steps = sorted(
        path[i + 1].timestamp - path[i].timestamp for i in range(min(99, (path.length or 100) - 1))
    )
    step = steps[len(steps) // 2] if steps else _BLOCK_SECONDS
    return HistoryRecipe(
        block_seconds=step, start_quote_per_base=path[0].quote_per_base.quantize(Decimal("0.01"))
    )
