"""Fees per unit of liquidity: how much of them grew inside a range."""

from defai.amm.full_math import MAX_UINT256
from defai.amm.tick import TickState


def fee_growth_inside(
    lower: tuple[int, TickState], upper: tuple[int, TickState], tick: int, global_x128: tuple[int, int]
) -> tuple[int, int]:
    """Fees per liquidity that grew between two ticks (Uniswap's Tick.getFeeGrowthInside).

    The numbers count from an arbitrary start and wrap at 256 bits; only their differences over time mean anything.

    Args:
        lower: the lower tick and its state.
        upper: the upper tick and its state.
        tick: the pool's tick.
        global_x128: the pool's fee growth, token0 and token1.

    Returns:
        Token0 and token1 per unit of liquidity, in Q128.128.
    """
    global0, global1 = global_x128
    below0, below1 = lower[1].fee_growth_outside0_x128, lower[1].fee_growth_outside1_x128
    above0, above1 = upper[1].fee_growth_outside0_x128, upper[1].fee_growth_outside1_x128
    if tick < lower[0]:
        below0, below1 = global0 - below0, global1 - below1
    if tick >= upper[0]:
        above0, above1 = global0 - above0, global1 - above1
    return (global0 - below0 - above0) & MAX_UINT256, (global1 - below1 - above1) & MAX_UINT256
