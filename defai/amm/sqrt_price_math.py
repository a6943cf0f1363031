"""How amounts move the square-root price, and which amounts a move of the price takes (Uniswap's SqrtPriceMath).

Every rounding is in the pool's favour: what it receives is rounded up, what it gives is rounded down, and the price
after a swap is rounded towards the side on which the pool gives less.
"""

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_UINT160, MAX_UINT256


def get_next_sqrt_price_from_amount0(sqrt_price_x96: int, liquidity: int, amount: int, *, add: bool) -> int:
    """The price after token0 comes in (`add`) or goes out, rounded up.

    `liquidity * sqrt_price / (liquidity +- amount * sqrt_price)`; where the exact denominator needs more than 256
    bits the contract takes the less precise `liquidity / (liquidity / sqrt_price + amount)`, and so does this.

    Raises:
        AmmRevert: '' where more token0 goes out than there is.
    """
    if amount == 0:
        return sqrt_price_x96
    numerator = liquidity << 96
    product = amount * sqrt_price_x96
    if add:
        denominator = numerator + product
        if denominator <= MAX_UINT256:
            return (numerator * sqrt_price_x96 + denominator - 1) // denominator
        denominator = numerator // sqrt_price_x96 + amount
        if denominator > MAX_UINT256:
            raise AmmRevert("")
        return -(-numerator // denominator)
    if product > MAX_UINT256 or numerator <= product:
        raise AmmRevert("")
    denominator = numerator - product
    return _to_uint160((numerator * sqrt_price_x96 + denominator - 1) // denominator)


def get_next_sqrt_price_from_amount1(sqrt_price_x96: int, liquidity: int, amount: int, *, add: bool) -> int:
    """The price after token1 comes in (`add`) or goes out, rounded down: `sqrt_price +- amount / liquidity`.

    Raises:
        AmmRevert: '' where the price would need more than 160 bits, or fall to zero.
    """
    if add:
        return _to_uint160(sqrt_price_x96 + (amount << 96) // liquidity)
    quotient = -(-(amount << 96) // liquidity)
    if sqrt_price_x96 <= quotient:
        raise AmmRevert("")
    return sqrt_price_x96 - quotient


def get_amount0_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, *, round_up: bool) -> int:
    """Token0 between two prices: `liquidity * (1 / sqrt_a - 1 / sqrt_b)`. The order of the prices doesn't matter.

    Raises:
        AmmRevert: '' where the lower price is zero.
    """
    if sqrt_a_x96 > sqrt_b_x96:
        sqrt_a_x96, sqrt_b_x96 = sqrt_b_x96, sqrt_a_x96
    if sqrt_a_x96 <= 0:
        raise AmmRevert("")
    numerator = (liquidity << 96) * (sqrt_b_x96 - sqrt_a_x96)
    denominator = sqrt_a_x96 * sqrt_b_x96
    return (numerator + denominator - 1) // denominator if round_up else numerator // denominator


def get_amount1_delta(sqrt_a_x96: int, sqrt_b_x96: int, liquidity: int, *, round_up: bool) -> int:
    """Token1 between two prices: `liquidity * (sqrt_b - sqrt_a)`. The order of the prices doesn't matter."""
    product = liquidity * abs(sqrt_b_x96 - sqrt_a_x96)
    return -(-product >> 96) if round_up else product >> 96


def get_amounts_for_liquidity_delta(
    sqrt_price_x96: int,
    tick: int,
    bounds: tuple[int, int],
    sqrt_bounds_x96: tuple[int, int],
    liquidity_delta: int,
) -> tuple[int, int]:
    """What a position's change of liquidity brings in: positive what the pool receives, negative what it gives.

    Args:
        sqrt_price_x96: the pool's price.
        tick: the pool's tick, which decides on which side of the bounds the pool stands.
        bounds: the position's lower and upper tick.
        sqrt_bounds_x96: the square-root prices at the bounds.
        liquidity_delta: the liquidity added, or, negative, taken away.
    """
    lower, upper = sqrt_bounds_x96
    add, size = liquidity_delta > 0, abs(liquidity_delta)
    amount0 = amount1 = 0
    if tick < bounds[0]:
        amount0 = get_amount0_delta(lower, upper, size, round_up=add)
    elif tick < bounds[1]:
        amount0 = get_amount0_delta(sqrt_price_x96, upper, size, round_up=add)
        amount1 = get_amount1_delta(lower, sqrt_price_x96, size, round_up=add)
    else:
        amount1 = get_amount1_delta(lower, upper, size, round_up=add)
    return (amount0, amount1) if add else (-amount0, -amount1)


def _to_uint160(number: int) -> int:
    if number > MAX_UINT160:
        raise AmmRevert("")
    return number
