"""One step of a swap: as far as a target price, or as far as the amount goes (Uniswap's SwapMath)."""

from defai.amm.sqrt_price_math import (
    get_amount0_delta,
    get_amount1_delta,
    get_next_sqrt_price_from_input,
    get_next_sqrt_price_from_output,
)
from defai.units import PIPS


def compute_swap_step(
    sqrt_price_x96: int, sqrt_target_x96: int, liquidity: int, amount_remaining: int, fee_pips: int
) -> tuple[int, int, int, int]:
    """Swap within one stretch of constant liquidity.

    Args:
        sqrt_price_x96: the price at the start; above the target the step sells token0, else token1.
        sqrt_target_x96: the price that is not to be passed.
        liquidity: the liquidity in use.
        amount_remaining: positive, how much is still to come in; negative, how much is still to go out.
        fee_pips: the fee, taken off the input.

    Returns:
        The price reached, the amount in (without the fee), the amount out, the fee.
    """
    zero_for_one = sqrt_price_x96 >= sqrt_target_x96
    exact_in = amount_remaining >= 0
    delta_in, delta_out = (
        (get_amount0_delta, get_amount1_delta) if zero_for_one else (get_amount1_delta, get_amount0_delta)
    )
    if exact_in:
        offered = amount_remaining * (PIPS - fee_pips) // PIPS
        amount_in = delta_in(sqrt_price_x96, sqrt_target_x96, liquidity, round_up=True)
        if offered < amount_in:
            sqrt_next_x96 = get_next_sqrt_price_from_input(
                sqrt_price_x96, liquidity, offered, zero_for_one=zero_for_one
            )
            if sqrt_next_x96 != sqrt_target_x96:
                amount_in = delta_in(sqrt_price_x96, sqrt_next_x96, liquidity, round_up=True)
                amount_out = delta_out(sqrt_price_x96, sqrt_next_x96, liquidity, round_up=False)
                return sqrt_next_x96, amount_in, amount_out, amount_remaining - amount_in
        amount_out = delta_out(sqrt_price_x96, sqrt_target_x96, liquidity, round_up=False)
        return sqrt_target_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
    amount_out = delta_out(sqrt_price_x96, sqrt_target_x96, liquidity, round_up=False)
    sqrt_next_x96 = sqrt_target_x96
    if -amount_remaining < amount_out:
        sqrt_next_x96 = get_next_sqrt_price_from_output(
            sqrt_price_x96, liquidity, -amount_remaining, zero_for_one=zero_for_one
        )
        if sqrt_next_x96 != sqrt_target_x96:
            amount_out = delta_out(sqrt_price_x96, sqrt_next_x96, liquidity, round_up=False)
    amount_in = delta_in(sqrt_price_x96, sqrt_next_x96, liquidity, round_up=True)
    amount_out = min(amount_out, -amount_remaining)
    return sqrt_next_x96, amount_in, amount_out, -(-amount_in * fee_pips // (PIPS - fee_pips))
