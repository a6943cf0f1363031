"""The tripwire: the fold and the chain must agree after every block. Detect, say what differs, stop; never heal."""

from collections.abc import Mapping

from defai.domain.tokens import Address
from defai.errors import DivergenceError
from defai.market.state import MarketState, PoolReport, reported_of


def check(market: MarketState, reports: Mapping[Address, PoolReport]) -> None:
    """Compare every pool with what the chain says of it.

    Raises:
        DivergenceError: naming the first pool and field that differ, with both values.
    """
    for address, report in reports.items():
        pool = market.pools[address]
        for field in reported_of(pool):
            held, said = getattr(pool, field), getattr(report, field)
            if held != said:
                raise DivergenceError(
                    f"{market.keys[address].name} diverged at block {market.head.number}: "
                    f"{field} is {said} on chain, {held} in our replica.",
                    "No agent trades on a wrong picture: the session stops. Start it again to read the state afresh.",
                )
