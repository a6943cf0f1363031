"""What is told of a context from block to block adds up to the context, whatever happens to the market meanwhile."""

import pickle
from collections.abc import Callable
from random import Random

from defai.agent.desk import Desk
from defai.agent.outlook import Outlook
from defai.amm import PairPool
from defai.amm.pair_pool import pair_of
from defai.chain.mainnet import USDC, USDC_WETH_005, USDC_WETH_V2, WETH
from defai.domain.chain_events import PairSynced
from defai.market.state import WINDOW_BLOCKS, MarketState
from defai.market.valuation import Valuation
from defai.portfolio.ledger import Portfolio
from defai.portfolio.pnl import Valued
from defai.risk.limits import Limits
from defai.strategy.api import Context
from defai.strategy.isolation.mirror import Mirror
from defai.strategy.isolation.told import Told
from defai.testing.builders import (
    liquidity_event,
    market_of,
    next_block,
    pool_with_liquidity,
    swap_block,
)

KEYS = (USDC_WETH_005, USDC_WETH_V2)


def test_a_process_knows_what_it_was_told_in_parts() -> None:
    market = market_of({key: pool_with_liquidity(key) for key in KEYS})
    market.pools[USDC_WETH_005.address].oracle.grow(5)
    outlook, valued = outlook_on(market)
    told, mirror, sizes = Told(), Mirror(), []
    dice = Random(7)  # noqa: S311  a test's draw
    for step in range(WINDOW_BLOCKS + 60):
        dice.choice((swap, swap, provide, nothing, nothing, sync))(market, dice)
        if step % 40 == 39:
            market.roll_back(market.head.number - dice.randrange(1, 6))
            swap(market, dice)
        context = outlook.context(KEYS, None, valued, ())
        if step % 3 == 0:
            rows = [list(market.windows[key.address])[-4:] for key in KEYS]
            ahead = [told.rows(index, one, whole=False) for index, one in enumerate(rows)]
            assert not mirror.features((), ahead)
        body = pickle.dumps(told.context(context))
        sizes.append(len(body))
        seen = mirror.contemplate(pickle.loads(body))  # noqa: S301  of our own making
        if step < 10 or step % 5 == 0 or step % 40 > 37:
            same(seen, context)
        assert mirror.contemplate(told.context(context)) is mirror.context, "the same is not told twice"
    assert sorted(sizes)[len(sizes) // 2] < 6_000


def outlook_on(market: MarketState) -> tuple[Outlook, Valued]:
    balances = {USDC.address: 10**10, WETH.address: 10**18}
    desk = Desk(market, Valuation(KEYS[0], USDC), Portfolio.opening(balances), Limits(), lambda _: ())
    return Outlook("told", desk, ()), desk.valued()


def swap(market: MarketState, dice: Random) -> None:
    up = dice.random() < 0.5
    amount = dice.randrange(1, 10**9) if up else dice.randrange(1, 10**17)
    block = swap_block(market, dice.choice(KEYS), zero_for_one=up, amount_in=amount)
    market.apply(block)


def provide(market: MarketState, dice: Random) -> None:
    pool = market.pools[USDC_WETH_005.address].copy()
    lower = pool.tick // 10 * 10 - 10 * dice.randrange(1, 4)
    ticks = (lower, lower + 100)
    held = lower in pool.tick_states and lower + 100 in pool.tick_states and dice.random() < 0.7
    amount = -min(pool.tick_states[one].liquidity_gross for one in ticks) if held else 10**12
    try:
        event = liquidity_event(pool, USDC_WETH_005, ticks, amount)
    except Exception:  # noqa: BLE001  there is not as much to take out
        return nothing(market, dice)
    return market.apply(next_block(market, [event]))


def nothing(market: MarketState, _: Random) -> None:
    market.apply(next_block(market))


def sync(market: MarketState, dice: Random) -> None:
    pair = pair_of(market.pools[USDC_WETH_V2.address])
    more0, more1 = (1 + dice.random() / 50 for _ in range(2))
    synced = PairSynced(USDC_WETH_V2.address, int(pair.reserve0 * more0), int(pair.reserve1 * more1), 0, "")
    market.apply(next_block(market, [synced]))


def same(one: Context, other: Context) -> None:
    plain: Callable[[Context], list[object]] = lambda ctx: [  # noqa: E731  said once
        getattr(ctx, name)
        for name in ("block_number", "timestamp", "equity_raw", "costs", "positions", "outcomes")
    ]
    assert plain(one) == plain(other)
    assert dict(one.balances) == dict(other.balances)
    assert one.rng.getstate() == other.rng.getstate()
    for view, wanted in zip(one.pools, other.pools, strict=True):
        assert view.key == wanted.key
        assert view.history == wanted.history
        assert type(view.state) is type(wanted.state)
        assert view.state.snapshot() == wanted.state.snapshot()
        if isinstance(view.state, PairPool) and isinstance(wanted.state, PairPool):
            assert view.state.reserve0 == wanted.state.reserve0
            assert view.state.reserve1 == wanted.state.reserve1
