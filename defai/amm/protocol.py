"""The protocol's share of the fees, and flash loans, which pay fees too."""

from defai.amm.errors import AmmRevert
from defai.amm.full_math import MAX_UINT128, MAX_UINT256, mul_div, mul_div_rounding_up, to_uint128, to_uint256
from defai.amm.observing import ObservingPool
from defai.units import PIPS, Q128

_SHARES = frozenset((0, *range(4, 11)))


class ProtocolPool(ObservingPool):
    """A pool's state with what the factory's owner and flash borrowers do to it."""

    __slots__ = ()

    def set_fee_protocol(self, fee_protocol0: int, fee_protocol1: int) -> None:
        """Set the protocol's share of the fees: one n-th of them for n = 4 to 10, none for 0.

        Raises:
            AmmRevert: 'LOK' before `initialize`, '' for another share.
        """
        self.require_unlocked()
        if not {fee_protocol0, fee_protocol1} <= _SHARES:
            raise AmmRevert("", f"The protocol can't take shares of {fee_protocol0} and {fee_protocol1}.")
        self.fee_protocol = fee_protocol0 + (fee_protocol1 << 4)

    def collect_protocol(self, amount0_requested: int, amount1_requested: int) -> tuple[int, int]:
        """Pay the protocol its fees, at most what is requested; one unit always stays, to save gas.

        Returns:
            Token0 and token1 paid out.

        Raises:
            AmmRevert: 'LOK' before `initialize`.
        """
        self.require_unlocked()
        amount0 = min(to_uint128(amount0_requested), max(self.protocol_fees0 - 1, 0))
        amount1 = min(to_uint128(amount1_requested), max(self.protocol_fees1 - 1, 0))
        self.protocol_fees0 -= amount0
        self.protocol_fees1 -= amount1
        return amount0, amount1

    def flash(
        self, amount0: int, amount1: int, *, paid0: int | None = None, paid1: int | None = None
    ) -> tuple[int, int]:
        """Lend within a transaction.

        Args:
            amount0: token0 lent.
            amount1: token1 lent.
            paid0: token0 paid back beyond the loan; None means just the fee. More is a gift to the liquidity in range.
            paid1: the same for token1.

        Returns:
            Token0 and token1 paid beyond the loan.

        Raises:
            AmmRevert: 'LOK' before `initialize`, 'L' without liquidity in range, 'F0' or 'F1' where less than the fee
                is paid.
        """
        self.require_unlocked()
        if not self.liquidity:
            raise AmmRevert("L")
        fee0 = mul_div_rounding_up(to_uint256(amount0), self.fee_pips, PIPS)
        fee1 = mul_div_rounding_up(to_uint256(amount1), self.fee_pips, PIPS)
        paid0 = fee0 if paid0 is None else paid0
        paid1 = fee1 if paid1 is None else paid1
        if paid0 < fee0:
            raise AmmRevert("F0")
        if paid1 < fee1:
            raise AmmRevert("F1")
        share0, share1 = self.fee_protocol & 15, self.fee_protocol >> 4
        protocol0 = paid0 // share0 if share0 else 0
        protocol1 = paid1 // share1 if share1 else 0
        growth0 = mul_div(paid0 - protocol0, Q128, self.liquidity)
        growth1 = mul_div(paid1 - protocol1, Q128, self.liquidity)
        self.fee_growth_global0_x128 = (self.fee_growth_global0_x128 + growth0) & MAX_UINT256
        self.fee_growth_global1_x128 = (self.fee_growth_global1_x128 + growth1) & MAX_UINT256
        self.protocol_fees0 = (self.protocol_fees0 + protocol0) & MAX_UINT128
        self.protocol_fees1 = (self.protocol_fees1 + protocol1) & MAX_UINT128
        return paid0, paid1
