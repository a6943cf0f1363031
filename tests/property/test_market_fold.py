"""Whatever happens in a market: it can be undone, and done again, to the same state."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from defai.amm import Pool
from defai.chain.mainnet import USDC_WETH_005, USDC_WETH_030
from defai.domain.chain_events import PoolEvent
from defai.domain.pool import PoolKey
from defai.market.state import MarketState
from defai.testing.builders import (
    START_TICK,
    liquidity_event,
    market_of,
    next_block,
    pool_with_liquidity,
    swap_event,
)

KEYS = (USDC_WETH_005, USDC_WETH_030)


@dataclass(frozen=True)
class Sale:
    key: PoolKey
    zero_for_one: bool
    dollars_raw: int

    def event(self, pool: Pool) -> PoolEvent:
        amount = self.dollars_raw if self.zero_for_one else self.dollars_raw * 5 * 10**8
        return swap_event(pool, self.key, zero_for_one=self.zero_for_one, amount_in=amount)


@dataclass(frozen=True)
class Provision:
    key: PoolKey
    step: int
    liquidity: int

    def event(self, pool: Pool) -> PoolEvent:
        lower = (START_TICK // 60 + self.step) * 60
        return liquidity_event(pool, self.key, (lower, lower + 120), self.liquidity)


Deed = Sale | Provision
Life = list[list[Deed]]

keys = st.sampled_from(KEYS)
deeds = st.one_of(
    st.builds(Sale, keys, st.booleans(), st.integers(1, 10**12)),
    st.builds(Provision, keys, st.integers(-20, 19), st.integers(1, 10**18)),
)
lives = st.lists(st.lists(deeds, max_size=4), min_size=1, max_size=8)


def fresh() -> MarketState:
    return market_of({key: pool_with_liquidity(key) for key in KEYS})


def state_of(market: MarketState) -> object:
    return (
        market.head,
        {address: pool.snapshot() for address, pool in market.pools.items()},
        {address: tuple(window) for address, window in market.windows.items()},
        (market.swaps_exact, market.swaps_forced),
    )


def live(market: MarketState, life: Life) -> None:
    for deeds_of_block in life:
        pools = {key: market.pools[key.address].copy() for key in KEYS}
        market.apply(next_block(market, [deed.event(pools[deed.key]) for deed in deeds_of_block]))


@given(before=lives, undone=lives)
def test_folding_and_rolling_back_is_as_if_nothing_happened(before: Life, undone: Life) -> None:
    market = fresh()
    live(market, before)
    was = state_of(market)
    number = market.head.number
    live(market, undone)
    market.roll_back(number)
    assert state_of(market) == was
    live(market, undone)
    straight = fresh()
    live(straight, [*before, *undone])
    assert state_of(market) == state_of(straight)
    assert straight.swaps_forced == 0
