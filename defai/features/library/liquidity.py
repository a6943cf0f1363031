"""Features of the liquidity: how much there is, where it lies, and what it earns."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, known, larger, ratio_x16
from defai.features.library import quantities as of
from defai.features.spec import feature
from defai.features.tape import Past
from defai.market.window import DEPTH_TICKS

YEAR_SECONDS: Final = 31_536_000
_SQUARED_LOG_TICKS: Final = 100_010_000
"""1 / ln(1.0001)**2, to eight digits: squared ticks in a variance of one."""


@feature("liquidity_change_{n}", version=1, unit="share", scale_bits=RATIO_BITS, source="definition")
def liquidity_change(past: Past, n: int) -> int:
    """Liquidity in range now less that of n blocks ago, over the sum of both: -1..1; 0 where both are 0."""
    now, then = past.now.liquidity, past.ago(n).liquidity
    return ratio_x16(now - then, now + then)


@feature("liquidity_level_{n}", version=1, unit="of the mean", scale_bits=RATIO_BITS, source="definition")
def liquidity_level(past: Past, n: int) -> int:
    """Liquidity in range now over its average of the last n blocks, the current one included; 0 where there is none."""
    return ratio_x16(past.now.liquidity * n, past.total(of.liquidity_level, n))


@feature(
    "depth_concentration",
    version=1,
    unit="of the mean",
    scale_bits=RATIO_BITS,
    depth=True,
    source="liquidity distribution: Uniswap v3 core whitepaper, section 6",
)
def depth_concentration(past: Past) -> int:
    """Liquidity in range over its average within one percent of the price; 0 where there is none."""
    around = known(past.now.depth_below) + known(past.now.depth_above)
    return ratio_x16(past.now.liquidity * 2 * DEPTH_TICKS, around)


@feature(
    "depth_imbalance",
    version=1,
    unit="share",
    scale_bits=RATIO_BITS,
    depth=True,
    source="depth imbalance of an order book: Cont, Kukanov, Stoikov 2014",
)
def depth_imbalance(past: Past) -> int:
    """Liquidity within one percent above the price less that below, over both: -1..1; 0 where there is none."""
    below, above = known(past.now.depth_below), known(past.now.depth_above)
    return ratio_x16(above - below, above + below)


@feature("depth_change_{n}", version=1, unit="share", scale_bits=RATIO_BITS, depth=True, source="definition")
def depth_change(past: Past, n: int) -> int:
    """Liquidity within one percent of the price now less that of n blocks ago, over the sum of both: -1..1."""
    now = known(past.now.depth_below) + known(past.now.depth_above)
    then = known(past.ago(n).depth_below) + known(past.ago(n).depth_above)
    return ratio_x16(now - then, now + then)


@feature(
    "fee_apr_{n}",
    version=1,
    unit="a year",
    scale_bits=RATIO_BITS,
    source="fees over value of liquidity across all prices, 2 L sqrt(P); the protocol's share is not taken off",
)
def fee_apr(past: Past, n: int) -> int:
    """What a year of the last n blocks' fees would yield on liquidity across all prices: 1 is its whole value."""
    seconds = larger(past.now.timestamp - past.ago(n).timestamp, 1)
    return ratio_x16((past.total(of.fee_turnover_x48, n) * YEAR_SECONDS) >> 32, seconds << 17)


@feature(
    "fees_to_lvr_{n}",
    version=1,
    unit="of LVR",
    scale_bits=RATIO_BITS,
    source="loss versus rebalancing: Milionis, Moallemi, Roughgarden, Zhang 2022; variance from moves of the tick",
)
def fees_to_lvr(past: Past, n: int) -> int:
    """Fees of the last n blocks over what arbitrage takes from liquidity across all prices; 0 in standstill.

    Both by value of the position: fees are half the turnover of fees, LVR is an eighth of the realised variance.
    """
    fees = 4 * past.total(of.fee_turnover_x48, n) * _SQUARED_LOG_TICKS
    return ratio_x16(fees, past.total(of.squared_move, n) << 48)
