"""What a vault's contract holds an agent to, from the limits its own process trades within.

The guard speaks first, in dollars at the present price; the vault holds on chain, in amounts that were fixed when it
was made. So the vault's caps leave room for the price to move, and its breaker trips after the guard has stopped.
"""

from collections.abc import Sequence
from decimal import ROUND_UP, Decimal
from typing import Final

from defai.amm import Pool
from defai.chain.deploy import UNLIMITED, VaultRules
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.market.valuation import Valuation
from defai.risk.limits import Limits

ROOM: Final = Decimal("1.25")
"""How far the base token's price may fall before a trade that the guard lets through meets the vault's cap."""
DAY_SHARE: Final = 2
"""A day's cap lets half of it through at once: with twice the turnover the guard's limit is met first."""
BREAKER_ROOM: Final = Decimal("0.05")
"""How much further than the guard's drawdown limit the vault's worth may fall: it is told at average prices."""
MARK_SECONDS: Final = 3_600


def vault_rules(limits: Limits, pools: Sequence[PoolKey], valuation: Valuation, pricing: Pool) -> VaultRules:
    """The rules of an agent's vault.

    Args:
        limits: the agent's.
        pools: where it may trade.
        valuation: what money is.
        pricing: state of the pricing pool, by which limits in money become amounts of tokens.
    """
    caps = {
        name: _by_token(usd, valuation, pricing)
        for name, usd in (
            ("trade", limits.max_trade_usd),
            ("day", DAY_SHARE * limits.max_turnover_usd),
            ("approval", limits.approval_above_usd),
        )
    }
    drawdown = min(limits.max_drawdown + BREAKER_ROOM, Decimal("0.99"))
    priced = all({key.token0, key.token1} == {valuation.numeraire, valuation.base} for key in pools)
    breaks = priced and limits.twap_seconds > 0
    return VaultRules(
        pools=tuple(pools),
        trade_cap_raw=caps["trade"],
        day_cap_raw=caps["day"],
        approval_above_raw=caps["approval"],
        twap_seconds=limits.twap_seconds,
        max_tick_deviation=limits.max_average_deviation_bps,
        numeraire=valuation.numeraire.address,
        max_drawdown_bps=int(drawdown * 10_000) if breaks else 0,
        mark_seconds=MARK_SECONDS,
    )


def _by_token(usd: Decimal | None, valuation: Valuation, pricing: Pool) -> dict[Address, int]:
    if usd is None:
        return {}
    numeraire, base = valuation.numeraire, valuation.base
    price = valuation.base_price(pricing.sqrt_price_x96)
    amounts = ((numeraire, usd), (base, usd / price * ROOM))
    return {
        token.address: min(UNLIMITED, int((amount * 10**token.decimals).to_integral_value(ROUND_UP)))
        for token, amount in amounts
    }
