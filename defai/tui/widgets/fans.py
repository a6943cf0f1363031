"""Forecasts as a chart of prices shows them: from where each was made to where its band says the price may be."""

import math
import re
from collections.abc import Iterable
from typing import Final

from defai.domain.stream import ForecastView, PoolQuote
from defai.tui.lines import AgentLine
from defai.tui.pools import PoolState
from defai.tui.widgets.picture import Fan

_NAMED: Final = re.compile(r"(return|volatility|range volatility) of the next (\d+) blocks")
"""Targets that say where the price may be, as models name them."""
_TICK: Final = math.log(1.0001)
_DECIMAL: Final = math.log(10) / _TICK
"""A digit of a price, in ticks."""
MOST: Final = 8
"""More than so many would hide the price."""


def fans(lines: Iterable[AgentLine], pool: PoolState, shown: str | None) -> tuple[Fan, ...]:
    """The newest forecasts of a pool's agents, as long as what they are about lies ahead; one a model.

    Args:
        lines: agents whose main pool it is.
        pool: the pool.
        shown: the agent that is looked at: its forecast stands out, or else the first agent's that has one.
    """
    newest = pool.prices.last_block
    if newest is None or pool.quote is None:
        return ()
    found: dict[str, Fan] = {}
    for line in sorted(lines, key=lambda one: one.key != shown):
        block, forecast = line.forecasts[-1] if line.forecasts else (newest, None)
        start = pool.prices.at(block)
        if forecast is None or start is None or forecast.model_digest in found:
            continue
        ink = "faint" if found else "accent"
        fan = fan_of(forecast, block, start, sign_of_ticks(pool.quote), ink)
        if fan is not None and fan.last_block > newest:
            found[forecast.model_digest] = fan
    return tuple(found.values())[:MOST]


def fan_of(forecast: ForecastView, block: int, start: float, sign: int, ink: str) -> Fan | None:
    """A forecast from a price on: a return's band, or what is forecast to both sides where it is a volatility.

    Args:
        forecast: in ticks.
        block: when it was made.
        start: the price then.
        sign: 1 where the price rises with the tick, else -1.
        ink: of its lines.

    Returns:
        None where it says nothing of where the price goes.
    """
    named = _NAMED.fullmatch(forecast.name)
    if named is None or forecast.unit != "ticks":
        return None
    if named[1] == "return":
        low = forecast.value if forecast.low is None else forecast.low
        high = forecast.value if forecast.high is None else forecast.high
    else:
        low, high = -forecast.value, forecast.value
    edges = [start * math.exp(sign * ticks * _TICK) for ticks in (low, high)]
    return Fan(block, block + int(named[2]), start, min(edges), max(edges), ink)


def sign_of_ticks(quote: PoolQuote) -> int:
    """Whether a price rises with its pool's tick (1) or falls (-1).

    A tick is the logarithm, to the base of 1.0001, of token1's units per token0's. A price in quote per base is that or
    its inverse, shifted by the digits in which the tokens differ: of the two, one differs by whole digits.
    """
    own = math.log(float(quote.price)) / _TICK

    def off(sign: int) -> float:
        digits = (own - sign * quote.tick) / _DECIMAL
        return abs(digits - round(digits))

    return min((1, -1), key=off)
