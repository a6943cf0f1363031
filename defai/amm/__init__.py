"""Uniswap arithmetic, exact to the last unit, in plain integers; usable without the rest of defai.

    from defai.amm import Pool, get_sqrt_ratio_at_tick

    pool = Pool(fee_pips=3000, tick_spacing=60)
    pool.initialize(get_sqrt_ratio_at_tick(0))
    paid0, paid1 = pool.mint("alice", -600, 600, liquidity=10**18)
    result = pool.swap(zero_for_one=True, amount_specified=10**15)
    print(result.amount0, result.amount1, result.fee_amount)
    pool.burn("alice", -600, 600, 0)                                # settles alice's fees
    fees0, fees1 = pool.collect("alice", -600, 600, 2**128 - 1, 2**128 - 1)

Amounts are in the tokens' smallest units and signed as in the pool's events: positive is what the pool receives.
Refusals raise `AmmRevert`, whose `reason` is the contract's.
"""

from defai.amm.errors import AmmRevert, PoolStateError
from defai.amm.liquidity_math import amounts_for_liquidity, liquidity_for_amounts
from defai.amm.oracle import Observation
from defai.amm.pair_pool import PairPool
from defai.amm.pool import Pool
from defai.amm.position import PositionState
from defai.amm.state import PoolSnapshot
from defai.amm.swap import SwapResult
from defai.amm.tick import TickState, max_liquidity_per_tick
from defai.amm.tick_math import (
    MAX_SQRT_RATIO,
    MAX_TICK,
    MIN_SQRT_RATIO,
    MIN_TICK,
    get_sqrt_ratio_at_tick,
    get_tick_at_sqrt_ratio,
    max_usable_tick,
    min_usable_tick,
)
from defai.amm.v2_pair import V2Pair

__all__ = [
    "MAX_SQRT_RATIO",
    "MAX_TICK",
    "MIN_SQRT_RATIO",
    "MIN_TICK",
    "AmmRevert",
    "Observation",
    "PairPool",
    "Pool",
    "PoolSnapshot",
    "PoolStateError",
    "PositionState",
    "SwapResult",
    "TickState",
    "V2Pair",
    "amounts_for_liquidity",
    "get_sqrt_ratio_at_tick",
    "get_tick_at_sqrt_ratio",
    "liquidity_for_amounts",
    "max_liquidity_per_tick",
    "max_usable_tick",
    "min_usable_tick",
]
