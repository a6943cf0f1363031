"""What a swap cost beyond the price that stood before it: the pool's fee and its own impact."""

from collections.abc import Iterator
from dataclasses import dataclass

from defai.domain.chain_events import PoolSwapped
from defai.domain.tokens import Address
from defai.market.state import MarketState
from defai.market.valuation import Valuation


@dataclass(frozen=True, slots=True)
class SwapMade:
    """A swap of the newest block.

    Attributes:
        before_x96: the pool's square-root price right before it; None where that is not known.
    """

    event: PoolSwapped
    before_x96: int | None


def newest_swaps(market: MarketState) -> Iterator[SwapMade]:
    """The swaps of a market's newest block in watched pools, in order."""
    before: dict[Address, int | None] = {}
    for event in market.head.events:
        if isinstance(event, PoolSwapped) and event.pool in market.windows:
            window = market.windows[event.pool]
            first = window[-2].sqrt_price_x96 if len(window) > 1 else None
            yield SwapMade(event, before.get(event.pool, first))
            before[event.pool] = event.sqrt_price_x96


def sold_and_lost(
    event: PoolSwapped, before_x96: int, pricing_x96: int, valuation: Valuation
) -> tuple[int, int]:
    """Worth of what a swap paid in, and of what it got less for it than at the price before it.

    Args:
        event: the swap, in a pool of the valuation's two tokens.
        before_x96: the pool's square-root price before it.
        pricing_x96: the pricing pool's.
        valuation: what tokens are worth; the result is in its numeraire's smallest unit.
    """
    paid0, paid1 = event.amount0, event.amount1
    square = before_x96 * before_x96
    key = valuation.key
    in_token1 = paid1 + ((paid0 * square) >> 192)
    lost = valuation.worth_at(pricing_x96, key.token1.address, in_token1)
    if paid0 > 0:
        return valuation.worth_at(pricing_x96, key.token0.address, paid0), lost
    return valuation.worth_at(pricing_x96, key.token1.address, max(paid1, 0)), lost


def cost_of_transaction(market: MarketState, valuation: Valuation, transaction_hash: str) -> int | None:
    """What the swaps of a transaction in the newest block cost, in the numeraire's smallest unit.

    Returns:
        None where it made none, or the price before one is not known.
    """
    pricing_x96 = market.pools[valuation.key.address].sqrt_price_x96
    total, found = 0, False
    for made in newest_swaps(market):
        if made.event.transaction_hash == transaction_hash:
            if made.before_x96 is None:
                return None
            total += sold_and_lost(made.event, made.before_x96, pricing_x96, valuation)[1]
            found = True
    return total if found else None
