"""How much liquidity lies around the price, tick by tick."""

from defai.amm import MAX_TICK, MIN_TICK, Pool


def depth_around(pool: Pool, ticks: int) -> tuple[int, int]:
    """The liquidity of every tick near the price, summed: below and above.

    Liquidity of a tick t is what is in range while t is the pool's tick. Below are the tick itself and those under it,
    above are those over it, `ticks` of them each; beyond the range of ticks there is none.

    Args:
        pool: the pool; it isn't changed.
        ticks: how many to either side.
    """
    states = pool.tick_states
    tick = pool.tick
    lowest, highest = max(tick - ticks + 1, MIN_TICK), min(tick + ticks, MAX_TICK - 1)
    liquidity, begin, below = pool.liquidity, tick + 1, 0
    for at in _initialized(pool, lowest + 1, tick, descending=True):
        below += liquidity * (begin - at)
        liquidity, begin = liquidity - states[at].liquidity_net, at
    below += liquidity * (begin - lowest)
    liquidity, begin, above = pool.liquidity, tick + 1, 0
    for at in _initialized(pool, tick + 1, highest, descending=False):
        above += liquidity * (at - begin)
        liquidity, begin = liquidity + states[at].liquidity_net, at
    return below, above + liquidity * (highest + 1 - begin)


def _initialized(pool: Pool, lowest: int, highest: int, *, descending: bool) -> list[int]:
    """The initialised ticks from lowest to highest, in the order the price meets them."""
    spacing, states = pool.tick_spacing, pool.tick_states
    first, last = -(-lowest // spacing) * spacing, highest // spacing * spacing
    steps = range(last, first - 1, -spacing) if descending else range(first, last + 1, spacing)
    return [at for at in steps if at in states]
