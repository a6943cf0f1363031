"""Whether the amounts in a pool's logs are those of its arithmetic.

A pool works its amounts out from price and liquidity alone, whatever its tokens do when they move. So where one
token's amount is what price and liquidity give and the other's is not, the log does not say what the pool worked out:
it says what arrived, less a fee that the token took on the way, or it was scaled. No replay on such logs is exact, and
no fee counted from them is right.
"""

from collections.abc import Iterable
from typing import Final

from defai.amm import get_sqrt_ratio_at_tick
from defai.amm.sqrt_price_math import get_amount0_delta, get_amount1_delta
from defai.backtest.sources.logged import Logged
from defai.domain.chain_events import LiquidityBurned, LiquidityMinted, PoolInitialized, PoolSwapped
from defai.domain.pool import PoolKey
from defai.errors import ConfigError
from defai.units import PIPS
from defai.worlds.event_history import KINDS

_SAME: Final = 10**6
"""Amounts agree that differ by no more than one part in so many, and by rounding."""
_OTHER: Final = 10**4
"""Amounts differ that are more than one part in so many apart."""
_ROUNDING: Final = 4
_FEWEST: Final = 10**6
"""Of fewer smallest units than this, rounding says more than fees do."""


def require_pool_arithmetic(key: PoolKey, events: Iterable[Logged], sqrt_price_x96: int = 0) -> None:
    """Check that mints, burns, and the swaps that can have crossed no tick, have the amounts a pool gives them.

    Args:
        key: the pool.
        events: its logs, in order.
        sqrt_price_x96: its square-root price before them; 0 where that is not known.

    Raises:
        ConfigError: naming file, line, token and difference, where one token's amounts cannot be the pool's.
    """
    at_x96, tick = sqrt_price_x96, None
    for logged in events:
        event = logged.event
        if isinstance(event, PoolInitialized):
            at_x96 = event.sqrt_price_x96
        elif isinstance(event, PoolSwapped):
            spacing = key.tick_spacing
            if at_x96 and tick is not None and tick // spacing == event.tick // spacing:
                said = abs(event.amount0), abs(event.amount1)
                _compare(key, logged, said, _swapped(key, at_x96, event))
            at_x96, tick = event.sqrt_price_x96, event.tick
        elif isinstance(event, LiquidityMinted | LiquidityBurned) and at_x96:
            _compare(key, logged, (event.amount0, event.amount1), _moved(at_x96, event))


def _swapped(key: PoolKey, before_x96: int, event: PoolSwapped) -> tuple[int, int]:
    """What a swap between two prices pays and gets where no tick lies between them, the fee on top of what comes in."""
    after_x96, liquidity = event.sqrt_price_x96, event.liquidity
    falls = after_x96 < before_x96
    amount0 = get_amount0_delta(before_x96, after_x96, liquidity, round_up=falls)
    amount1 = get_amount1_delta(before_x96, after_x96, liquidity, round_up=not falls)
    rest = PIPS - key.fee_pips
    return (amount0 * PIPS // rest, amount1) if falls else (amount0, amount1 * PIPS // rest)


def _moved(at_x96: int, event: LiquidityMinted | LiquidityBurned) -> tuple[int, int]:
    lower_x96, upper_x96 = get_sqrt_ratio_at_tick(event.tick_lower), get_sqrt_ratio_at_tick(event.tick_upper)
    middle_x96 = min(max(at_x96, lower_x96), upper_x96)
    minted = isinstance(event, LiquidityMinted)
    return (
        get_amount0_delta(middle_x96, upper_x96, event.liquidity, round_up=minted),
        get_amount1_delta(lower_x96, middle_x96, event.liquidity, round_up=minted),
    )


def _compare(key: PoolKey, logged: Logged, said: tuple[int, int], given: tuple[int, int]) -> None:
    """Refuse amounts of which one is the pool's and one is not; where neither is, events are missing before them."""
    for wrong, right in ((0, 1), (1, 0)):
        if _agree(said[right], given[right]) and _differ(said[wrong], given[wrong]):
            token = key.token(zero=wrong == 0).symbol
            share = 100 * (said[wrong] - given[wrong]) / given[wrong]
            file, line = logged.place
            raise ConfigError(
                f"{file}, line {line}: this {KINDS[type(logged.event)]} has {said[wrong]} of {token} where the pool's "
                f"arithmetic gives {given[wrong]} ({share:+.2f} %), as with a token that takes a fee on transfer.",
                "No replay of such a pool would be right; pools of plain tokens can be replayed.",
            )


def _agree(said: int, given: int) -> bool:
    return abs(said - given) <= given // _SAME + _ROUNDING


def _differ(said: int, given: int) -> bool:
    return given >= _FEWEST and abs(said - given) > given // _OTHER + _ROUNDING
