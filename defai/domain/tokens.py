"""Tokens and addresses."""

from dataclasses import dataclass
from decimal import Decimal
from typing import TypeAlias

from defai.units import to_decimal

Address: TypeAlias = str
"""An account on the chain: 0x and 40 hex digits, EIP-55 checksummed."""


@dataclass(frozen=True, slots=True)
class Token:
    """An ERC-20 token."""

    address: Address
    symbol: str
    decimals: int

    def to_decimal(self, amount_raw: int) -> Decimal:
        """An amount in this token's smallest unit, as a person would write it."""
        return to_decimal(amount_raw, self.decimals)
