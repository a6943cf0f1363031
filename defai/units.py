"""Scales of numbers, and the few conversions between them.

On the chain's side every amount is an integer and its name says the scale (`_raw`, `_wei`, `_x96`, `_x24`,
`_bps`, `_pips`). Decimals are for people. Floats live inside models only.
"""

from decimal import Decimal
from typing import Final

Q24: Final = 1 << 24
"""One, in the fixed-point scale of forecasts (`_x24`)."""
Q96: Final = 1 << 96
"""One, in the scale of square-root prices (`_x96`)."""
Q128: Final = 1 << 128
"""One, in the scale of fee growth (`_x128`)."""
BPS: Final = 10_000
"""Basis points in one."""
PIPS: Final = 1_000_000
"""Hundredths of a basis point in one: Uniswap's unit of fees."""
WEI: Final = 10**18
"""Wei in one ether."""
GWEI: Final = 10**9
"""Wei in one gwei."""


def to_decimal(amount_raw: int, decimals: int) -> Decimal:
    """An amount in the token's smallest unit, as the number a person would write.

    Args:
        amount_raw: the amount in the token's smallest unit; may be negative.
        decimals: the token's decimals.
    """
    return Decimal(amount_raw).scaleb(-decimals)


def to_raw(amount: Decimal, decimals: int) -> int:
    """The reverse of `to_decimal`; digits below the token's smallest unit are cut off towards zero."""
    return int(amount.scaleb(decimals))
