"""Generated histories of a pool, for tests of features, models and strategies that need no chain."""

from math import exp
from random import Random
from typing import Any

from defai.market.window import Observation
from defai.units import GWEI, Q96

SECONDS_A_BLOCK = 12


def generated_history(
    blocks: int,
    *,
    seed: int = 0,
    first_block: int = 1_000,
    start_tick: int = -1_200,
    volatility_ticks: float = 6.0,
    clustering: float = 0.0,
    reversion: float = 0.0,
) -> list[Observation]:
    """One row a block, the same for the same arguments.

    Args:
        blocks: how many rows.
        seed: of every random choice.
        first_block: number of the first row's block.
        start_tick: where the price starts.
        volatility_ticks: standard deviation of a block's tick move, on average over time.
        clustering: how much the logarithm of the volatility wanders from block to block; 0 for never.
        reversion: share of the distance to `start_tick` that a block takes back; 0 for a random walk.
    """
    draw = Random(seed)  # noqa: S311  a simulation, no secret
    level, position, tick = 0.0, float(start_tick), start_tick
    rows = []
    for index in range(blocks):
        level = 0.98 * level + draw.gauss(0.0, clustering)
        move = draw.gauss(0.0, volatility_ticks * exp(level)) - reversion * (position - start_tick)
        position += move
        before, tick = tick, round(position)
        swaps = draw.randrange(5) if tick == before else draw.randrange(1, 5)
        wiggle = draw.randrange(3) if swaps else 0
        volume = draw.randrange(10**18, 10**19) if swaps else 0
        rows.append(
            Observation(
                block_number=first_block + index,
                timestamp=1_700_000_000 + SECONDS_A_BLOCK * index,
                base_fee_wei=10 * GWEI + draw.randrange(5 * GWEI),
                sqrt_price_x96=int(1.0001 ** (tick / 2) * Q96),
                tick=tick,
                tick_low=min(before, tick) - wiggle,
                tick_high=max(before, tick) + wiggle,
                liquidity=10**19 + draw.randrange(10**18),
                swaps=swaps,
                amount0_in=0 if tick > before else volume,
                amount1_in=volume if tick > before else 0,
                **_details(volume, swaps, tick),
            )
        )
    return rows


def _details(volume: int, swaps: int, tick: int) -> dict[str, Any]:
    """What only some sources tell: a volume in swaps of which each is about twice the one before, and a depth."""
    parts = (1 << swaps) - 1
    return {
        "fee_pips": 500,
        "swap_sizes_raw": tuple((volume << index) // parts for index in range(swaps)),
        "depth_below": 10**21 + volume // 1_000,
        "depth_above": 10**21 + 10**18 * (tick % 97),
    }
