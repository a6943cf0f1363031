"""History to train on, made by the market simulation: no two pools' worth of it takes more than seconds."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from defai.chain.mainnet import POOLS, USDC, USDC_WETH_005
from defai.market.valuation import Valuation
from defai.market.window import Observation
from defai.marketsim.generated_prices import generate
from defai.marketsim.market import Market, MarketShape
from defai.worlds.sim import SimWorld

TRAINING_SEED = 20_250_101
"""Another seed than any run's by default: a model never sees the market it will trade in."""
GENERATED = "generated: "
"""How the source of such rows begins on a model's card: their times are made up, and say nothing of any market's."""


@dataclass(frozen=True, slots=True)
class HistoryRecipe:
    """What generated history is made from. The same recipe gives the same rows, on any machine.

    Attributes:
        block_seconds: time from block to block; volatility scales with it.
        start_quote_per_base: the first price of the base token, in the quote token.
        liquidity_usd: worth of the pools' liquidity.
    """

    blocks: int = 4_000
    seed: int = TRAINING_SEED
    block_seconds: int = 12
    start_quote_per_base: Decimal = Decimal(2_000)
    liquidity_usd: Decimal = Decimal(5_000_000)

    def __str__(self) -> str:
        start = f"from {self.start_quote_per_base:f}"
        return f"{GENERATED}{self.blocks:,} blocks of {self.block_seconds} s, seed {self.seed}, {start}"


def lapse_shape(block_seconds: int, liquidity_usd: Decimal) -> MarketShape:
    """The market of blocks of this length: a training ground, noisier and thinner than mainnet.

    Each block gives the arbitrageur even odds, however long it lasts, and noise trades are large beside the
    liquidity, so that some moves do come back and can be forecast. Nobody should expect that elsewhere.
    """
    return MarketShape(
        liquidity_usd=liquidity_usd,
        swap_median_usd=Decimal(2_500),
        arbitrage_half_time_seconds=max(12, block_seconds),
    )


async def generate_history(recipe: HistoryRecipe) -> Mapping[str, tuple[Observation, ...]]:
    """Rows by pool name, one a block, the newest last."""
    path = generate(recipe.seed, recipe.start_quote_per_base, recipe.block_seconds)
    shape = lapse_shape(recipe.block_seconds, recipe.liquidity_usd)
    market_people = Market(recipe.seed, path, POOLS, quote=USDC, shape=shape)
    world = SimWorld(market_people, Valuation(USDC_WETH_005, USDC))
    market = (await world.open()).market
    market.measures_depth = True
    rows: dict[str, list[Observation]] = {key.name: [] for key in POOLS}
    for _ in range(recipe.blocks):
        arrival = await world.next()
        if arrival is None:
            break
        market.apply(arrival.block)
        for key in POOLS:
            rows[key.name].append(market.windows[key.address][-1])
    return {name: tuple(observations) for name, observations in rows.items()}
