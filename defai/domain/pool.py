"""What identifies a pool. Its state lives in `defai.amm.Pool`."""

from dataclasses import dataclass

from defai.domain.tokens import Address, Token


@dataclass(frozen=True, slots=True)
class PoolKey:
    """A Uniswap pool: where it stands, what it trades, what it charges.

    Attributes:
        token0: the token with the lower address; prices are token1 per token0 unless a name says otherwise.
        fee_pips: the swap fee in hundredths of a basis point (500 is 0.05 %).
        tick_spacing: only multiples of it can be a position's bounds; of a v2 pair, which has none, 1.
        version: 3, or 2 for a pair of Uniswap v2.
    """

    address: Address
    token0: Token
    token1: Token
    fee_pips: int
    tick_spacing: int
    version: int = 3

    @property
    def is_pair(self) -> bool:
        """Whether it is a pair of Uniswap v2: it has no positions, no ticks, and an average nobody should trust."""
        return self.version == 2

    @property
    def name(self) -> str:
        """How a person calls it: "USDC/WETH 0.05 %", or "USDC/WETH v2" of a pair, which all charge the same."""
        if self.is_pair:
            return f"{self.token0.symbol}/{self.token1.symbol} v2"
        return f"{self.token0.symbol}/{self.token1.symbol} {self.fee_pips / 10_000:g} %"

    def token(self, *, zero: bool) -> Token:
        """Token0 or token1."""
        return self.token0 if zero else self.token1
