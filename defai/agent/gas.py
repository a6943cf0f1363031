"""What gas is worth, in the numeraire; how much of it operations take stands in `defai.strategy.gas`."""

from typing import Final

from defai.market.valuation import Valuation
from defai.strategy.api import Costs
from defai.strategy.gas import (
    ANCHOR_GAS,
    OPERATION_GAS,
    PENDING_GAS,
    REBALANCE_GAS,
    RECORD_GAS,
    REPLACING_SAVES,
    SWAP_GAS,
    TIP_WEI,
    estimate,
    estimate_kinds,
)
from defai.units import WEI

__all__ = [
    "ANCHOR_GAS",
    "OPERATION_GAS",
    "PENDING_GAS",
    "REBALANCE_GAS",
    "RECORD_GAS",
    "REPLACING_SAVES",
    "SWAP_GAS",
    "TIP_WEI",
    "costs",
    "estimate",
    "estimate_kinds",
    "in_ether_raw",
    "worth_raw",
]

_MANY: Final = 10**9
"""Gas enough for its worth to have digits; the numeraire's smallest unit may be worth more than a unit of gas."""


def worth_raw(valuation: Valuation, sqrt_price_x96: int, gas_units: int, fee_wei: int) -> int:
    """Worth of gas in the numeraire's smallest unit; see `Valuation.ether`.

    Args:
        valuation: what tokens are worth.
        sqrt_price_x96: at which square-root price of its pool.
        gas_units: so much gas.
        fee_wei: what a unit of it costs.
    """
    paid_in = valuation.ether
    return valuation.worth_at(sqrt_price_x96, paid_in.address, in_ether_raw(valuation, gas_units * fee_wei))


def in_ether_raw(valuation: Valuation, amount_wei: int) -> int:
    """An amount of ether in the smallest unit of the token that stands for it."""
    whole: int = 10**valuation.ether.decimals
    return amount_wei * whole // WEI


def costs(valuation: Valuation, sqrt_price_x96: int, base_fee_wei: int) -> Costs:
    """What acting costs at a base fee; arguments as for `worth_raw`."""
    fee, unit = base_fee_wei + TIP_WEI, 10**valuation.numeraire.decimals
    return Costs(
        worth_raw(valuation, sqrt_price_x96, SWAP_GAS, fee) / unit,
        worth_raw(valuation, sqrt_price_x96, REBALANCE_GAS, fee) / unit,
        worth_raw(valuation, sqrt_price_x96, _MANY, fee) / (unit * _MANY),
    )
