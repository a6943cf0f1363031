"""A pool before anything has happened to it."""

from defai.amm import PairPool, Pool
from defai.domain.pool import PoolKey


def unborn(key: PoolKey) -> Pool:
    """The pool of a key, with no price yet: a pair for one of Uniswap v2."""
    return PairPool() if key.is_pair else Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
