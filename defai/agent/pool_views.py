"""Pools for people: the newest block's swaps, and where liquidity lies."""

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from defai.amm import get_sqrt_ratio_at_tick
from defai.domain.chain_events import LiquidityBurned, LiquidityMinted
from defai.domain.pool import PoolKey
from defai.domain.stream import DepthLevel, LiquidityBar, LiquiditySeen, SwapsSeen, SwapView
from defai.domain.tokens import Address
from defai.market.distribution import bar_width, bars, paid_to_move
from defai.market.state import MarketState
from defai.market.swap_cost import SwapMade, newest_swaps
from defai.market.valuation import Valuation

SWAPS_TOLD: Final = 24
"""Swaps of a pool and block that are told; the agents' own are told in any case."""
LIQUIDITY_EVERY_BLOCKS: Final = 20
LEVELS_BPS: Final = (10, 50, 100, 200)
_DIGITS: Final = 8


class PoolTeller:
    """Makes the pools' events.

    Args:
        market: the pools, as of the newest block whenever it is asked.
        valuation: says which token is the base.
        pools: those that are told of.
    """

    def __init__(self, market: MarketState, valuation: Valuation, pools: tuple[Address, ...]) -> None:
        self._market, self._valuation, self._pools = market, valuation, pools
        self._told: dict[Address, tuple[int, int]] = {}

    def swaps(self, owners: Mapping[str, str]) -> list[SwapsSeen]:
        """The swaps of the newest block, by pool; none of a pool that had none.

        Args:
            owners: agents by the hash of their transaction.
        """
        head = self._market.head
        found: dict[Address, deque[SwapView]] = {}
        counts: dict[Address, int] = {}
        for made in newest_swaps(self._market):
            event = made.event
            if event.pool not in self._pools:
                continue
            counts[event.pool] = counts.get(event.pool, 0) + 1
            kept = found.setdefault(event.pool, deque())
            kept.append(self._view(made, owners.get(event.transaction_hash)))
            strangers = [view for view in kept if view.agent is None]
            if len(strangers) > SWAPS_TOLD:
                kept.remove(strangers[0])
        return [
            SwapsSeen(pool, head.number, head.timestamp, tuple(kept), counts[pool] - len(kept))
            for pool, kept in found.items()
        ]

    def liquidity(self) -> list[LiquiditySeen]:
        """Where liquidity lies, of the pools in which that changed, or that were not told of for a while."""
        return [self._liquidity(pool) for pool in self._pools if self._is_due(pool)]

    def _is_due(self, pool: Address) -> bool:
        number, bar = self._market.head.number, self._bar_of(pool)
        told = self._told.get(pool)
        changed = any(
            isinstance(event, LiquidityMinted | LiquidityBurned) and event.pool == pool
            for event in self._market.head.events
        )
        due = told is None or changed or number >= told[0] + LIQUIDITY_EVERY_BLOCKS or bar != told[1]
        if due:
            self._told[pool] = number, bar
        return due

    def _bar_of(self, pool: Address) -> int:
        state = self._market.pools[pool]
        return state.tick // bar_width(state.tick_spacing)

    def _liquidity(self, pool: Address) -> LiquiditySeen:
        state, key = self._market.pools[pool], self._market.keys[pool]
        base_is_zero = key.token0 == self._valuation.base
        views = []
        for bar in bars(state):
            base, quote = (bar.amount0, bar.amount1) if base_is_zero else (bar.amount1, bar.amount0)
            ends = sorted(
                self._valuation.base_price(get_sqrt_ratio_at_tick(tick)) for tick in (bar.lower, bar.upper)
            )
            amounts = self._tokens(key, base, quote)
            views.append(
                LiquidityBar(bar.lower, bar.upper, short(ends[0]), short(ends[1]), bar.liquidity, *amounts)
            )
        levels = []
        for move in LEVELS_BPS:
            sold = paid_to_move(state, move, up=not base_is_zero)
            paid = paid_to_move(state, move, up=base_is_zero)
            base_amount, quote_amount = self._tokens(key, sold, paid)
            levels.append(DepthLevel(move, quote_amount, base_amount))
        return LiquiditySeen(pool, self._market.head.number, state.tick, tuple(views), tuple(levels))

    def _tokens(self, key: PoolKey, base_raw: int, quote_raw: int) -> tuple[Decimal, Decimal]:
        base = self._valuation.base
        quote = key.token1 if key.token0 == base else key.token0
        return short(base.to_decimal(base_raw)), short(quote.to_decimal(quote_raw))

    def _view(self, made: SwapMade, agent: str | None) -> SwapView:
        event, key = made.event, self._market.keys[made.event.pool]
        base_is_zero = key.token0 == self._valuation.base
        base_raw, quote_raw = (
            (event.amount0, event.amount1) if base_is_zero else (event.amount1, event.amount0)
        )
        base, quote = self._tokens(key, abs(base_raw), abs(quote_raw))
        cost = None
        if made.before_x96 is not None:
            fair = self._valuation.base_price(made.before_x96) * base
            paid, got = (fair, quote) if base_raw > 0 else (quote, fair)
            cost = (1 - got / paid if paid else Decimal(0)) * 10_000
        return SwapView(
            side="sell" if base_raw > 0 else "buy",
            base_amount=base,
            quote_amount=quote,
            price=short(quote / base) if base else Decimal(0),
            price_after=short(self._valuation.base_price(event.sqrt_price_x96)),
            agent=agent,
            transaction_hash=event.transaction_hash,
            cost_bps=None if cost is None else cost.quantize(Decimal("0.01")),
        )


def short(value: Decimal) -> Decimal:
    """To eight significant digits, never shorter than its whole part."""
    exponent = min(0, value.adjusted() - _DIGITS + 1)
    return value.quantize(Decimal(1).scaleb(exponent)) if value else Decimal(0)
