"""What identifies a pool. Its state lives in `defai.amm.Pool`."""

from dataclasses import dataclass

from defai.domain.tokens import Address, Token


@dataclass(frozen=True, slots=True)
class PoolKey:
    """A Uniswap v3 pool: where it stands, what it trades, what it charges.

    Attributes:
        token0: the token with the lower address; prices are token1 per token0 unless a name says otherwise.
        fee_pips: the swap fee in hundredths of a basis point (500 is 0.05 %).
    """

    address: Address
    token0: Token
    token1: Token
    fee_pips: int
    tick_spacing: int

    @property
    def name(self) -> str:
        """How a person calls it: "USDC/WETH 0.05 %"."""
        return f"{self.token0.symbol}/{self.token1.symbol} {self.fee_pips / 10_000:g} %"

    def token(self, *, zero: bool) -> Token:
        """Token0 or token1."""
        return self.token0 if zero else self.token1
