"""The limits an agent trades within. They hold in our process; the vault's policy holds on chain."""

from decimal import Decimal
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

Ratio = Annotated[Decimal, Field(ge=0, le=1)]
Usd = Annotated[Decimal, Field(ge=0)]

MOST_BPS: Final = 5_000
ROOM_BPS: Final = 250
"""What the price may move within the average's time, and the pool's fee take, beyond the slippage."""


class Limits(BaseModel):
    """Limits of one agent. Amounts are in the numeraire (dollars), ratios between 0 and 1.

    Attributes:
        max_slippage_bps: price impact of a swap beyond the pool's fee, and how much worse than quoted it may fill.
        max_trade_usd: the most one decision may move through swaps; larger swaps are clipped to it.
        max_turnover_usd: the most that swaps may move within a day of block time.
        max_base_share: the largest share of the equity that may be held in the base token after a swap into it.
        max_gas_usd: the most one transaction may cost.
        max_drawdown: fall of the equity from its highest point at which the agent is stopped.
        approval_above_usd: above this a decision waits for the owner; None lets none wait.
        approval_waits_s: how long it waits before it is dropped, by the chain's clock.
        twap_seconds: length of the pool's average price that every trade is held against; 0 for no such check.
        max_average_deviation_bps: how far from that average a swap's minimum, or the price that liquidity moves at, may
            stand; the pool's fee and the slippage count towards it. At least the slippage; without a word 250 more.
        max_failures: reverted or refused transactions in a row at which the agent is stopped.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_slippage_bps: Annotated[int, Field(ge=1, le=MOST_BPS)] = 50
    max_trade_usd: Usd = Decimal(25_000)
    max_turnover_usd: Usd = Decimal(1_000_000)
    max_base_share: Ratio = Decimal("0.95")
    max_gas_usd: Usd = Decimal(50)
    max_drawdown: Ratio = Decimal("0.25")
    approval_above_usd: Usd | None = None
    approval_waits_s: Annotated[int, Field(ge=1, le=43_200)] = 600
    twap_seconds: Annotated[int, Field(ge=0, le=86_400)] = 300
    max_average_deviation_bps: Annotated[int, Field(ge=0, le=MOST_BPS, validate_default=True)] = 0
    max_failures: Annotated[int, Field(ge=1)] = 5

    @field_validator("max_average_deviation_bps")
    @classmethod
    def _wider_than_the_slippage(cls, deviation: int, info: ValidationInfo) -> int:
        slippage: int = info.data.get("max_slippage_bps", 0)
        if deviation == 0:
            return min(MOST_BPS, slippage + ROOM_BPS)
        if deviation < slippage:
            raise ValueError(f"should not be below max_slippage_bps, {slippage}: no swap would be allowed")
        return deviation
