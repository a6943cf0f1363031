"""What a pool keeps for a position (Uniswap's Position)."""

from typing import Final, NamedTuple

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_UINT128, MAX_UINT256
from defai.amm.liquidity_math import add_delta


class PositionState(NamedTuple):
    """An owner's liquidity between two ticks. Immutable: a pool replaces it, so copies of pools share it.

    Attributes:
        liquidity: the position's liquidity.
        fee_growth_inside0_last_x128: the range's token0 fee growth when fees were last settled.
        fee_growth_inside1_last_x128: the same for token1.
        tokens_owed0: token0 settled - fees and withdrawn amounts - and not yet collected.
        tokens_owed1: the same for token1.
    """

    liquidity: int = 0
    fee_growth_inside0_last_x128: int = 0
    fee_growth_inside1_last_x128: int = 0
    tokens_owed0: int = 0
    tokens_owed1: int = 0


EMPTY_POSITION: Final = PositionState()
"""What the contract's storage reads where there is no position."""


def settled(state: PositionState, liquidity_delta: int, inside_x128: tuple[int, int]) -> PositionState:
    """The position after its fees were settled and its liquidity changed.

    Args:
        state: the position as it was; `EMPTY_POSITION` if there was none.
        liquidity_delta: the change of liquidity; zero only settles the fees.
        inside_x128: the range's fee growth, token0 and token1.

    Raises:
        AmmRevert: 'NP' where there is nothing to settle, 'LS' or 'LA' where the liquidity would leave its bounds.
    """
    if liquidity_delta == 0 and state.liquidity == 0:
        raise AmmRevert("NP")
    grown0 = (inside_x128[0] - state.fee_growth_inside0_last_x128) & MAX_UINT256
    grown1 = (inside_x128[1] - state.fee_growth_inside1_last_x128) & MAX_UINT256
    return PositionState(
        add_delta(state.liquidity, liquidity_delta),
        *inside_x128,
        (state.tokens_owed0 + (grown0 * state.liquidity >> 128)) & MAX_UINT128,
        (state.tokens_owed1 + (grown1 * state.liquidity >> 128)) & MAX_UINT128,
    )
