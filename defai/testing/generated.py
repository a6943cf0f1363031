"""Hypothesis strategies for what a market is made of. They need hypothesis, which defai itself does not.

from hypothesis import given
from defai.testing import event_sequences

@given(event_sequences())
def test_it_always_says_why(blocks): ...
"""

from hypothesis import strategies as st

from defai.amm import MAX_TICK, MIN_TICK, Pool, get_sqrt_ratio_at_tick, max_usable_tick, min_usable_tick
from defai.chain.mainnet import USDC_WETH_005
from defai.domain.chain_events import PoolEvent
from defai.domain.pool import PoolKey
from defai.testing.builders import liquidity_event, pool_with_liquidity, swap_event


def ticks(spacing: int = 1, *, lowest: int = MIN_TICK, highest: int = MAX_TICK) -> st.SearchStrategy[int]:
    """Ticks on a spacing, from end to end where nothing else is said."""
    low, high = max(lowest, min_usable_tick(spacing)), min(highest, max_usable_tick(spacing))
    return st.integers(-(-low // spacing), high // spacing).map(lambda step: step * spacing)


def sqrt_prices_x96(*, lowest: int = MIN_TICK, highest: int = MAX_TICK) -> st.SearchStrategy[int]:
    """Square roots of prices, Q64.96: between ticks too, and as often small as large."""

    def between(place: tuple[int, float]) -> int:
        tick, share = place
        low, high = get_sqrt_ratio_at_tick(tick), get_sqrt_ratio_at_tick(tick + 1)
        return low + int((high - low - 1) * share)

    steps = st.integers(lowest, highest - 1)
    return st.tuples(steps, st.floats(0, 1, allow_nan=False)).map(between)


@st.composite
def event_sequences(
    draw: st.DrawFn, key: PoolKey = USDC_WETH_005, *, blocks: int = 12, pool: Pool | None = None
) -> list[tuple[PoolEvent, ...]]:
    """What happens to a pool in some blocks: swaps either way, and liquidity that comes and goes.

    Every event is one that the pool would emit, in that order. `next_block(market, events)` makes a block of each.

    Args:
        draw: hypothesis hands it in.
        key: the pool.
        blocks: at most so many, at least one.
        pool: as it stands before; `pool_with_liquidity(key)` by default. It is not changed.
    """
    scratch = (pool or pool_with_liquidity(key)).copy()
    added: list[tuple[int, int, int]] = []
    return [
        tuple(_event(draw, scratch, key, added) for _ in range(draw(st.integers(0, 3))))
        for _ in range(draw(st.integers(1, blocks)))
    ]


def _event(draw: st.DrawFn, pool: Pool, key: PoolKey, added: list[tuple[int, int, int]]) -> PoolEvent:
    kind = draw(st.sampled_from(("swap", "mint", "burn")))
    if kind == "burn" and added:
        lower, upper, liquidity = added.pop(draw(st.integers(0, len(added) - 1)))
        return liquidity_event(pool, key, (lower, upper), -liquidity)
    if kind == "mint":
        spacing = key.tick_spacing
        middle = pool.tick // spacing
        lower = (middle + draw(st.integers(-40, 39))) * spacing
        upper = lower + draw(st.integers(1, 40)) * spacing
        liquidity = draw(st.integers(1, 10**17))
        added.append((lower, upper, liquidity))
        return liquidity_event(pool, key, (lower, upper), liquidity)
    zero = draw(st.booleans())
    dollars = draw(st.integers(1, 200_000))
    scale = 10**6 if zero == (key.token0.decimals < key.token1.decimals) else 5 * 10**14
    return swap_event(pool, key, zero_for_one=zero, amount_in=dollars * scale)
