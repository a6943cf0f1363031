"""How much to swap so that two balances fit a band: solved on the pool itself, fee and impact included."""

from dataclasses import dataclass

from defai.amm import Pool, get_sqrt_ratio_at_tick, liquidity_for_amounts

_DUST = 1_000
"""A swap of less than a thousandth of a balance is not worth its gas."""
_STEPS = 32


@dataclass(frozen=True, slots=True)
class BandSwap:
    """A swap that brings two balances to the ratio of a band."""

    zero_for_one: bool
    amount_in: int


def swap_into_band(
    pool: Pool, tick_lower: int, tick_upper: int, amount0: int, amount1: int
) -> BandSwap | None:
    """The swap after which both balances give the same liquidity in the band, at the price after the swap.

    Bisects over the amount with the pool's own quote; 32 halvings, so the amount is right to a 2**-32 of the
    balance. None where no swap is worth making.
    """
    zero_for_one = _surplus_is_zero(pool.sqrt_price_x96, tick_lower, tick_upper, amount0, amount1)
    offered = amount0 if zero_for_one else amount1
    low, high = 0, offered
    for _ in range(_STEPS):
        middle = (low + high) // 2
        if middle in {low, high}:
            break
        result = pool.quote(zero_for_one=zero_for_one, amount_specified=middle)
        left0, left1 = amount0 - result.amount0, amount1 - result.amount1
        still = _surplus_is_zero(result.sqrt_price_x96, tick_lower, tick_upper, left0, left1)
        if still == zero_for_one:
            low = middle
        else:
            high = middle
    return BandSwap(zero_for_one, low) if low > offered // _DUST else None


def _surplus_is_zero(
    sqrt_price_x96: int, tick_lower: int, tick_upper: int, amount0: int, amount1: int
) -> bool:
    """Whether token0 is the one in surplus for the band at this price."""
    lower, upper = get_sqrt_ratio_at_tick(tick_lower), get_sqrt_ratio_at_tick(tick_upper)
    if sqrt_price_x96 <= lower:
        return False
    if sqrt_price_x96 >= upper:
        return True
    by0 = liquidity_for_amounts(sqrt_price_x96, sqrt_price_x96, upper, amount0, 0)
    by1 = liquidity_for_amounts(sqrt_price_x96, lower, sqrt_price_x96, 0, amount1)
    return by0 > by1
