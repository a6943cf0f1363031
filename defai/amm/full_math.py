"""Products and quotients that may need 512 bits on the way and must fit 256 at the end (Uniswap's FullMath)."""

from typing import Final

from defai.amm.errors import AmmRevert

MAX_UINT128: Final = (1 << 128) - 1
MAX_UINT160: Final = (1 << 160) - 1
MAX_UINT256: Final = (1 << 256) - 1
MAX_INT128: Final = (1 << 127) - 1
MAX_INT256: Final = (1 << 255) - 1
MIN_INT256: Final = -(1 << 255)


def mul_div(a: int, b: int, denominator: int) -> int:
    """`a * b / denominator`, rounded down.

    Raises:
        AmmRevert: '' where the denominator is zero or the result needs more than 256 bits.
    """
    if denominator == 0:
        raise AmmRevert("")
    result = a * b // denominator
    if result > MAX_UINT256:
        raise AmmRevert("")
    return result


def mul_div_rounding_up(a: int, b: int, denominator: int) -> int:
    """`a * b / denominator`, rounded up.

    Raises:
        AmmRevert: '' where the denominator is zero or the result needs more than 256 bits.
    """
    if denominator == 0:
        raise AmmRevert("")
    result = -(-a * b // denominator)
    if result > MAX_UINT256:
        raise AmmRevert("")
    return result


def to_uint128(number: int) -> int:
    """The number itself, if an unsigned 128-bit word holds it; the reverting cast of the contract's ABI."""
    if not 0 <= number <= MAX_UINT128:
        raise AmmRevert("", f"{number} doesn't fit an unsigned 128-bit word.")
    return number


def to_uint256(number: int) -> int:
    """The number itself, if an unsigned 256-bit word holds it; the reverting cast of the contract's ABI."""
    if not 0 <= number <= MAX_UINT256:
        raise AmmRevert("", f"{number} doesn't fit an unsigned 256-bit word.")
    return number
