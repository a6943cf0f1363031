"""One step of a swap: as far as a target price, or as far as the amount goes (Uniswap's SwapMath).

The hot loop of everything that simulates, so the amounts of `sqrt_price_math` are written out here: token0 between two
prices is `(liquidity << 96) * width / (price * other)`, token1 is `liquidity * width >> 96`. Whether an amount reaches
the target is asked by multiplying out, which spares the division: `a < ceil(n / d)` is `a * d < n`.
"""

from defai.amm.sqrt_price_math import get_next_sqrt_price_from_amount0, get_next_sqrt_price_from_amount1
from defai.units import PIPS


def compute_swap_step(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    """Swap within one stretch of constant liquidity.

    Args:
        sqrt_price_x96: the price at the start; at or above the target the step sells token0, else token1.
        sqrt_target_x96: the price that is not to be passed.
        liquidity: the liquidity in use.
        amount_remaining: positive, how much is still to come in; negative, how much is still to go out.
        fee_pips: the fee, taken off the input.

    Returns:
        The price reached, the amount in (without the fee), the amount out, the fee.
    """
    if sqrt_price_x96 >= sqrt_target_x96:
        return _sell_token0(sqrt_price_x96, sqrt_target_x96, liquidity, amount_remaining, fee_pips)
    return _sell_token1(sqrt_price_x96, sqrt_target_x96, liquidity, amount_remaining, fee_pips)


def _sell_token0(
    price_x96: int, target_x96: int, liquidity: int, remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    next_x96, width = target_x96, price_x96 - target_x96
    if remaining >= 0:
        offered = remaining * (PIPS - fee_pips) // PIPS
        if offered * price_x96 * target_x96 < (liquidity << 96) * width:
            next_x96 = get_next_sqrt_price_from_amount0(price_x96, liquidity, offered, add=True)
            width = price_x96 - next_x96
    elif -remaining < liquidity * width >> 96:
        next_x96 = get_next_sqrt_price_from_amount1(price_x96, liquidity, -remaining, add=False)
        width = price_x96 - next_x96
    amount_in = -(-(liquidity << 96) * width // (price_x96 * next_x96))
    amount_out = liquidity * width >> 96
    if remaining < 0:
        amount_out = min(amount_out, -remaining)
    elif next_x96 != target_x96:
        return next_x96, amount_in, amount_out, remaining - amount_in
    return next_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))


def _sell_token1(
    price_x96: int, target_x96: int, liquidity: int, remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    next_x96, width = target_x96, target_x96 - price_x96
    if remaining >= 0:
        offered = remaining * (PIPS - fee_pips) // PIPS
        if offered << 96 < liquidity * width:
            next_x96 = get_next_sqrt_price_from_amount1(price_x96, liquidity, offered, add=True)
            width = next_x96 - price_x96
    elif (1 - remaining) * price_x96 * target_x96 <= (liquidity << 96) * width:
        next_x96 = get_next_sqrt_price_from_amount0(price_x96, liquidity, -remaining, add=False)
        width = next_x96 - price_x96
    amount_in = -(-liquidity * width >> 96)
    amount_out = (liquidity << 96) * width // (price_x96 * next_x96)
    if remaining < 0:
        amount_out = min(amount_out, -remaining)
    elif next_x96 != target_x96:
        return next_x96, amount_in, amount_out, remaining - amount_in
    return next_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
