"""Quotes for a person: what a swap would give now, by the pool's own arithmetic."""

from decimal import Decimal

from defai.agent.pool_views import short
from defai.domain.answers import QuoteView
from defai.domain.tokens import Token
from defai.errors import ConfigError, NotFoundError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.strategy.api import PoolView

_LONGEST_DIGITS = 60


def quote_swap(
    market: MarketState, valuation: Valuation, pool: str, sell_token: str, amount: Decimal
) -> QuoteView:
    """Quote an exact-input swap against a pool as it stands.

    Args:
        market: as of the newest block; it isn't changed.
        valuation: says which token is the base.
        pool: its address.
        sell_token: symbol or address of the token that is sold.
        amount: in whole tokens.

    Raises:
        NotFoundError: for a pool or a token that is not there.
        ConfigError: for an amount that cannot be sold.
    """
    key = market.keys.get(pool)
    if key is None:
        raise NotFoundError(f"There is no pool {pool} in this session.")
    tokens = (key.token0, key.token1)
    sold = next((token for token in tokens if sell_token in {token.symbol, token.address}), None)
    if sold is None:
        raise NotFoundError(
            f"{key.name} does not trade {sell_token}.", f"It trades {' and '.join(t.symbol for t in tokens)}."
        )
    amount_raw = _raw(amount, sold)
    zero_for_one = sold == key.token0
    bought = key.token1 if zero_for_one else key.token0
    state = market.pools[pool]
    found = PoolView(key, state, market.windows[pool]).quote(
        zero_for_one=zero_for_one, amount_in_raw=amount_raw
    )
    paid, got = sold.to_decimal(found.amount_in_raw), bought.to_decimal(found.amount_out_raw)
    quote, base = (got, paid) if sold == valuation.base else (paid, got)
    return QuoteView(
        pool=pool,
        block_number=market.head.number,
        sell_symbol=sold.symbol,
        buy_symbol=bought.symbol,
        amount_in=paid,
        amount_out=got,
        price=short(quote / base) if base else None,
        price_before=short(valuation.base_price(state.sqrt_price_x96)),
        price_after=short(valuation.base_price(found.sqrt_price_after_x96)),
        cost_bps=Decimal(f"{found.cost_bps:.2f}") if found.amount_out_raw else None,
        fee_bps=Decimal(state.fee_pips) / 100,
    )


def _raw(amount: Decimal, token: Token) -> int:
    fits = amount.is_finite() and amount.adjusted() <= _LONGEST_DIGITS
    amount_raw = int(amount.scaleb(token.decimals)) if fits else 0
    if not 0 < amount_raw < 1 << 255:
        raise ConfigError(f"{amount} {token.symbol} cannot be sold.", "Write an amount above zero.")
    return amount_raw
