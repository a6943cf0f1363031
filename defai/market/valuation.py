"""What tokens are worth, in the smallest unit of the numeraire, at a pool's own price."""

from collections.abc import Callable
from decimal import Decimal

from defai.amm import Pool
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address, Token

_ETHER = frozenset({"ETH", "WETH"})


class Valuation:
    """Values the two tokens of one pricing pool in one of them.

    Args:
        key: the pricing pool.
        numeraire: the token that counts as money; one of the pool's two.

    Attributes:
        base: the other token.
        ether: the token that gas is counted in: the numeraire where that is ether, else the base token, whatever it
            is - a pool without ether in it doesn't know ether's worth.
    """

    def __init__(self, key: PoolKey, numeraire: Token) -> None:
        self.key = key
        self.numeraire = numeraire
        self._base_is_zero = key.token1 == numeraire
        self.base = key.token0 if self._base_is_zero else key.token1
        self.ether = numeraire if numeraire.symbol in _ETHER else self.base

    def worth_raw(self, pool: Pool, token: Address, amount_raw: int) -> int:
        """Worth of an amount in the numeraire's smallest unit, rounded down (towards minus infinity).

        Raises:
            KeyError: for a token that is neither of the pricing pool's.
        """
        return self.worth_at(pool.sqrt_price_x96, token, amount_raw)

    def worth_at(self, sqrt_price_x96: int, token: Address, amount_raw: int) -> int:
        """Like `worth_raw`, at a square-root price of the pricing pool's order."""
        if token == self.numeraire.address:
            return amount_raw
        if token != self.base.address:
            raise KeyError(token)
        square = sqrt_price_x96**2
        return (amount_raw * square) >> 192 if self._base_is_zero else (amount_raw << 192) // square

    def worths_at(self, sqrt_price_x96: int) -> Callable[[Address, int], int]:
        """`worth_at` for many amounts at one price, which is squared once."""
        money, base, base_is_zero = self.numeraire.address, self.base.address, self._base_is_zero
        square = sqrt_price_x96**2

        def worth(token: Address, amount_raw: int) -> int:
            """Worth of an amount in the numeraire's smallest unit."""
            if token == money:
                return amount_raw
            if token != base:
                raise KeyError(token)
            return (amount_raw * square) >> 192 if base_is_zero else (amount_raw << 192) // square

        return worth

    def base_price(self, sqrt_price_x96: int) -> Decimal:
        """Numeraire per base token, as a person would say it, at a square-root price of the pricing pool's order."""
        ratio = Decimal(sqrt_price_x96) ** 2 / Decimal(1 << 192)
        scale = self.base.decimals - self.numeraire.decimals
        return (ratio if self._base_is_zero else 1 / ratio).scaleb(scale)
