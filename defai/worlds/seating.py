"""What agents start with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from defai.amm import Pool
from defai.domain.tokens import Address
from defai.market.valuation import Valuation
from defai.risk.limits import Limits


@dataclass(frozen=True, slots=True)
class SeatRequest:
    """An agent that asks for a place in a world.

    Attributes:
        worth_raw: what it starts with, in the numeraire's smallest unit, half of it in each token; or
        balances: what it starts with, by token.
        limits: what its vault holds it to, where it has one on a chain.
        pools: names of the pools it looks at: a market has a pair of Uniswap v2 where somebody asks for it.
    """

    name: str
    worth_raw: int = 0
    balances: Mapping[Address, int] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    pools: tuple[str, ...] = ()


def opening_balances(request: SeatRequest, valuation: Valuation, pool: Pool) -> dict[Address, int]:
    """The balances a request comes to at a pool's price."""
    if request.balances:
        return dict(request.balances)
    half = request.worth_raw // 2
    unit = 10**valuation.base.decimals
    one_base_raw = valuation.worth_raw(pool, valuation.base.address, unit)
    return {
        valuation.numeraire.address: request.worth_raw - half,
        valuation.base.address: half * unit // one_base_raw,
    }
