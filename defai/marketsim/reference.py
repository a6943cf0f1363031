"""The reference price in the pools' own terms: square roots of token1 per token0, and amounts in quote units."""

from dataclasses import dataclass
from decimal import Decimal
from math import isqrt

from defai.amm.tick_math import MAX_SQRT_RATIO, MIN_SQRT_RATIO
from defai.domain.pool import PoolKey
from defai.domain.tokens import Token
from defai.errors import ConfigError
from defai.units import WEI


@dataclass(frozen=True, slots=True)
class Reference:
    """What the base token costs elsewhere, at one moment.

    Attributes:
        quote: the token that prices are told in.
        quote_per_base: quote tokens for one base token.
        quote_per_ether: quote tokens for one ether, which pays for gas.
    """

    quote: Token
    quote_per_base: Decimal
    quote_per_ether: Decimal

    def sqrt_price_x96(self, key: PoolKey) -> int:
        """The square-root price at which a pool agrees with the reference, rounded down.

        Raises:
            ConfigError: where no pool can have such a price.
        """
        numerator, denominator = self._raw_ratio(key)
        if key.token1 != self.quote:
            numerator, denominator = denominator, numerator
        root_x96 = isqrt((numerator << 192) // denominator)
        if not MIN_SQRT_RATIO < root_x96 < MAX_SQRT_RATIO:
            raise ConfigError(f"No pool can have a price of {self.quote_per_base} {self.quote.symbol}.")
        return root_x96

    def value_raw(self, key: PoolKey, amount0: int, amount1: int) -> int:
        """What two amounts are worth together, in the quote token's smallest unit, rounded down."""
        base, quote = (amount0, amount1) if key.token1 == self.quote else (amount1, amount0)
        numerator, denominator = self._raw_ratio(key)
        return base * numerator // denominator + quote

    def base_raw(self, key: PoolKey, quote_raw: int) -> int:
        """How much base token an amount of the quote token buys, in smallest units, rounded down."""
        numerator, denominator = self._raw_ratio(key)
        return quote_raw * denominator // numerator

    def gas_value_raw(self, gas: int, base_fee_wei: int) -> int:
        """What an amount of gas costs, in the quote token's smallest unit, rounded down."""
        numerator, denominator = self.quote_per_ether.as_integer_ratio()
        unit: int = 10**self.quote.decimals
        return gas * base_fee_wei * numerator * unit // (denominator * WEI)

    def _raw_ratio(self, key: PoolKey) -> tuple[int, int]:
        """Quote per base in smallest units, as a fraction."""
        base = key.token0 if key.token1 == self.quote else key.token1
        numerator, denominator = self.quote_per_base.as_integer_ratio()
        return numerator * 10**self.quote.decimals, denominator * 10**base.decimals
