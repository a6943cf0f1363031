"""Liquidity for amounts, and amounts for liquidity (Uniswap's LiquidityMath, and periphery's LiquidityAmounts)."""

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_UINT128, mul_div, to_uint128
from defai.units import Q96


def add_delta(liquidity: int, delta: int) -> int:
    """Liquidity after a signed change.

    Raises:
        AmmRevert: 'LS' where it would become negative, 'LA' where it would need more than 128 bits.
    """
    result = liquidity + delta
    if result < 0:
        raise AmmRevert("LS")
    if result > MAX_UINT128:
        raise AmmRevert("LA")
    return result


def liquidity_for_amount0(sqrt_a_x96: int, sqrt_b_x96: int, amount0: int) -> int:
    """The liquidity that token0 buys between two prices, rounded down: `amount0 * sqrt_a * sqrt_b / (sqrt_b - sqrt_a)`.

    Raises:
        AmmRevert: '' where it needs more than 128 bits, or the prices are equal.
    """
    lower, upper = sorted((sqrt_a_x96, sqrt_b_x96))
    return to_uint128(mul_div(amount0, mul_div(lower, upper, Q96), upper - lower))


def liquidity_for_amount1(sqrt_a_x96: int, sqrt_b_x96: int, amount1: int) -> int:
    """The liquidity that token1 buys between two prices, rounded down: `amount1 / (sqrt_b - sqrt_a)`.

    Raises:
        AmmRevert: '' where it needs more than 128 bits, or the prices are equal.
    """
    return to_uint128(mul_div(amount1, Q96, abs(sqrt_b_x96 - sqrt_a_x96)))


def liquidity_for_amounts(
    sqrt_price_x96: int, sqrt_a_x96: int, sqrt_b_x96: int, amount0: int, amount1: int
) -> int:
    """The most liquidity that both amounts pay for, between two prices, at the pool's price.

    Rounded down as periphery rounds it, so minting it never takes more than the amounts.

    Raises:
        AmmRevert: '' where it needs more than 128 bits, or the prices are equal.
    """
    lower, upper = sorted((sqrt_a_x96, sqrt_b_x96))
    if sqrt_price_x96 <= lower:
        return liquidity_for_amount0(lower, upper, amount0)
    if sqrt_price_x96 >= upper:
        return liquidity_for_amount1(lower, upper, amount1)
    return min(
        liquidity_for_amount0(sqrt_price_x96, upper, amount0),
        liquidity_for_amount1(lower, sqrt_price_x96, amount1),
    )


def amounts_for_liquidity(
    sqrt_price_x96: int, sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int
) -> tuple[int, int]:
    """What a position of this liquidity between two prices is worth in token0 and token1, rounded down.

    What a burn gives back; minting the same liquidity takes up to one smallest unit more of each.
    """
    lower, upper = (sqrt_a_x96, sqrt_b_x96) if sqrt_a_x96 < sqrt_b_x96 else (sqrt_b_x96, sqrt_a_x96)
    middle = lower if sqrt_price_x96 < lower else min(sqrt_price_x96, upper)
    return (
        (liquidity << 96) * (upper - middle) // upper // middle,
        liquidity * (middle - lower) >> 96,
    )
