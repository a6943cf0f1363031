"""Features of the chain and the clock: gas, blocks, and the time of day."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, ratio_x16
from defai.features.library import quantities as of
from defai.features.spec import feature
from defai.features.tape import Past

_DAY: Final = 86_400


@feature("base_fee", version=1, unit="million wei", source="EIP-1559")
def base_fee(past: Past) -> int:
    """The block's base fee per gas, rounded down to a thousandth of a gwei."""
    return past.now.base_fee_wei // 1_000_000


@feature("base_fee_level_{n}", version=1, unit="of the mean", scale_bits=RATIO_BITS, source="EIP-1559")
def base_fee_level(past: Past, n: int) -> int:
    """The block's base fee over its average of the last n blocks, the current one included; 0 where there is none."""
    return ratio_x16(past.now.base_fee_wei * n, past.total(of.base_fee_level, n))


@feature("block_seconds_{n}", version=1, unit="seconds", scale_bits=RATIO_BITS, source="definition")
def block_seconds(past: Past, n: int) -> int:
    """Average time from block to block over the last n."""
    return ratio_x16(past.now.timestamp - past.ago(n).timestamp, n)


@feature("time_of_day", version=1, unit="seconds", source="UTC, from the block's timestamp")
def time_of_day(past: Past) -> int:
    """Seconds since midnight UTC."""
    return past.now.timestamp % _DAY


@feature("day_of_week", version=1, unit="days", source="UTC, from the block's timestamp")
def day_of_week(past: Past) -> int:
    """Days since Monday, UTC: 0..6."""
    return (past.now.timestamp // _DAY + 3) % 7
