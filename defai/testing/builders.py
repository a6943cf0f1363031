"""Small markets in memory, for tests of strategies and of whatever trades: pools, blocks, vaults, decisions.

market = market_of({USDC_WETH_005: pool_with_liquidity(USDC_WETH_005)})
market.apply(swap_block(market, USDC_WETH_005, zero_for_one=True, amount_in=10**9))
"""

from collections.abc import Mapping, Sequence
from math import isqrt
from random import Random
from typing import Final

from defai.amm import PairPool, Pool, get_sqrt_ratio_at_tick
from defai.audit.record import Draft
from defai.chain.mainnet import USDC, USDC_WETH_005, WETH
from defai.domain.chain_events import Block, LiquidityBurned, LiquidityMinted, PoolEvent, PoolSwapped
from defai.domain.decisions import ZERO_DIGEST, Action, Forecast
from defai.domain.pool import PoolKey
from defai.domain.position import Position
from defai.domain.tokens import Address
from defai.market.state import MarketState, PairReport, PoolReport
from defai.strategy.api import Context, Costs
from defai.strategy.gas import SWAP_GAS
from defai.strategy.pool_view import GlimpsedPoolView
from defai.units import GWEI
from defai.worlds.position_book import PositionBook
from defai.worlds.vaults import Vaults

START_TICK: Final = 200_310
"""About 2,000 USDC for a WETH, in pools whose token0 is USDC."""
BANDS: Final[tuple[tuple[int, int], ...]] = ((120_000, 5 * 10**16), (1_200, 8 * 10**17))
"""Half-width in ticks and liquidity: about five million dollars, most of them within twelve percent of the price."""
_MOST_IN_PAIR: Final = 1 << 111
FIRST_TIMESTAMP: Final = 1_700_000_000
SECONDS_A_BLOCK: Final = 12


def pool_with_liquidity(
    key: PoolKey = USDC_WETH_005, *, tick: int = START_TICK, bands: Sequence[tuple[int, int]] = BANDS
) -> Pool:
    """A pool at the price of a tick, with others' liquidity in bands around it.

    Args:
        key: which pool it is.
        tick: where its price stands.
        bands: half-width in ticks, widened to the tick spacing, and liquidity of each.
    """
    if key.is_pair:
        return _pair_with_liquidity(tick, bands)
    pool = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
    pool.initialize(get_sqrt_ratio_at_tick(tick), FIRST_TIMESTAMP)
    for half_width, liquidity in bands:
        lower = (tick - half_width) // key.tick_spacing * key.tick_spacing
        upper = -(-(tick + half_width) // key.tick_spacing) * key.tick_spacing
        pool.mint("others", lower, upper, liquidity)
    return pool


def _pair_with_liquidity(tick: int, bands: Sequence[tuple[int, int]]) -> PairPool:
    """All of the bands' liquidity over all prices; without any just a unit of it, since an empty pair has no price.

    Near the ends of all ticks it stands as far out as reserves of 112 bits let a pair stand.
    """
    square = get_sqrt_ratio_at_tick(tick) ** 2
    liquidity = sum(liquidity for _, liquidity in bands) or 1
    reserve0 = max(isqrt((liquidity * liquidity << 192) // square), 1)
    # Rounded up: the price of the reserves lies at the tick or right above it.
    reserve1 = -(-reserve0 * square // (1 << 192))
    return PairPool(min(reserve0, _MOST_IN_PAIR), min(reserve1, _MOST_IN_PAIR), FIRST_TIMESTAMP)


def market_of(pools: Mapping[PoolKey, Pool], *, number: int = 100) -> MarketState:
    """A market of these pools as of block `number`. The pools are copied."""
    head = Block(number, block_hash(number), block_hash(number - 1), FIRST_TIMESTAMP, 10 * GWEI)
    return MarketState(pools, {key.address: pool.copy() for key, pool in pools.items()}, head)


def block_hash(number: int, branch: str = "00") -> str:
    """A hash for a block; another branch of the chain has other hashes."""
    return "0x" + branch + number.to_bytes(31, "big").hex()


def next_block(market: MarketState, events: Sequence[PoolEvent] = (), *, branch: str = "00") -> Block:
    """The block that follows the market's newest, with these events in it."""
    head = market.head
    return Block(
        number=head.number + 1,
        hash=block_hash(head.number + 1, branch),
        parent_hash=head.hash,
        timestamp=head.timestamp + SECONDS_A_BLOCK,
        base_fee_wei=head.base_fee_wei,
        events=tuple(events),
    )


def swap_event(pool: Pool, key: PoolKey, *, zero_for_one: bool, amount_in: int) -> PoolSwapped:
    """What a pool would emit for a swap, which is carried out on it."""
    result = pool.swap(zero_for_one=zero_for_one, amount_specified=amount_in)
    state = (result.sqrt_price_x96, result.liquidity, result.tick)
    return PoolSwapped(key.address, "trader", "trader", result.amount0, result.amount1, *state, 0, "")


def liquidity_event(
    pool: Pool, key: PoolKey, ticks: tuple[int, int], liquidity: int
) -> LiquidityMinted | LiquidityBurned:
    """What a pool would emit for a change of liquidity, which is carried out on it; negative burns."""
    amount0, amount1 = pool.update_liquidity(*ticks, liquidity)
    kind = LiquidityMinted if liquidity > 0 else LiquidityBurned
    return kind(key.address, "others", *ticks, abs(liquidity), abs(amount0), abs(amount1), 0, "")


def swap_block(market: MarketState, key: PoolKey, *, zero_for_one: bool, amount_in: int) -> Block:
    """The block that follows, with one swap in it."""
    pool = market.pools[key.address].copy()
    return next_block(market, [swap_event(pool, key, zero_for_one=zero_for_one, amount_in=amount_in)])


def report_of(pool: Pool) -> PoolReport:
    """What a chain on which this pool stands would say of it."""
    if isinstance(pool, PairPool):
        return PairReport.of(pool.reserve0, pool.reserve1)
    return PoolReport(
        pool.sqrt_price_x96,
        pool.tick,
        pool.liquidity,
        pool.fee_growth_global0_x128,
        pool.fee_growth_global1_x128,
    )


def vault_on(pools: Mapping[PoolKey, Pool], agent: str, balances: Mapping[Address, int]) -> Vaults:
    """One agent's vault on these pools, which its plans change: what they do there is what they would do on chain."""
    book = PositionBook({key.address: pool for key, pool in pools.items()})
    return Vaults(book, {key.address: key for key in pools}, {agent: dict(balances)})


def context_on(
    pools: Mapping[PoolKey, Pool], *, forecast: Forecast | None = None, positions: Sequence[Position] = ()
) -> Context:
    """What a strategy is asked with on these pools, the main one first: 15,000 USDC and 7.5 WETH in its vault.

    Args:
        pools: their windows have a row for each of the last eight blocks, all at the present price.
        forecast: what its model says.
        positions: what it has open.
    """
    market = market_of(pools)
    for _ in range(8):
        market.apply(next_block(market))
    return Context(
        block_number=market.head.number,
        timestamp=market.head.timestamp,
        base_fee_wei=market.head.base_fee_wei,
        pools=tuple(GlimpsedPoolView(key, market.glimpse(key.address)) for key in pools),
        features=None,
        forecast=forecast,
        positions=tuple(positions),
        balances={USDC.address: 15_000 * 10**6, WETH.address: 75 * 10**17},
        numeraire=USDC,
        base=WETH,
        equity_raw=30_000 * 10**6,
        costs=Costs(gas_usd=5.0, rebalance_gas_usd=20.0, usd_per_gas=5.0 / SWAP_GAS),
        rng=Random(market.head.number),  # noqa: S311  a test's draw, not a secret
    )


def draft(
    number: int = 100,
    *,
    action: Action = Action.HOLD,
    action_digest: str = ZERO_DIGEST,
    forecast_x24: int = 0,
) -> Draft:
    """A decision upon a block, before it is numbered."""
    return Draft(
        block_number=number,
        block_hash=block_hash(number),
        strategy_digest="0x" + "11" * 32,
        model_digest=ZERO_DIGEST,
        features_digest=ZERO_DIGEST,
        forecast_x24=forecast_x24,
        action=action,
        action_digest=action_digest,
        payload={"reason": f"nothing to do at {number}"},
    )
