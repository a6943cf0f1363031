"""A liquidity position held by an agent's vault."""

from dataclasses import dataclass

from defai.domain.tokens import Address


@dataclass(frozen=True, slots=True)
class Position:
    """An NFT of the position manager.

    Attributes:
        token_id: the NFT's number.
        pool: the pool's address.
        liquidity: the position's liquidity L.
        fee_growth_inside0_x128: fee growth inside the range when fees were last settled (token0 per L).
        tokens_owed0: fees and withdrawn amounts settled but not collected, in token0's smallest unit.
        opened_block: the block in which it was minted.
    """

    token_id: int
    pool: Address
    tick_lower: int
    tick_upper: int
    liquidity: int
    fee_growth_inside0_x128: int
    fee_growth_inside1_x128: int
    tokens_owed0: int
    tokens_owed1: int
    opened_block: int

    def contains(self, tick: int) -> bool:
        """Whether liquidity of this position is in use at a tick."""
        return self.tick_lower <= tick < self.tick_upper
