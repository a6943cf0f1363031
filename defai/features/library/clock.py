"""Features of the chain and the clock: gas, blocks, and the time of day."""

from typing import Final

from defai.features.arithmetic import RATIO_BITS, choose, ratio_x16
from defai.features.library import quantities as of
from defai.features.spec import feature
from defai.features.tape import Past

_DAY: Final = 86_400
_HOUR: Final = 3_600
_MARCH_FIRST_0: Final = 719_468
"""Days from the first of March of the year 0 to 1970."""
_NOVEMBER_FIRST: Final = 245
"""Days from the first of March to the first of November."""


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


@feature(
    "new_york_time",
    version=1,
    unit="seconds",
    source="US Energy Policy Act of 2005: summer time from March's second Sunday to November's first, at 2 o'clock",
)
def new_york_time(past: Past) -> int:
    """Seconds since midnight in New York, whose hours of trade and of news move the market; right from 2007 on."""
    now = past.now.timestamp
    days = now // _DAY
    since_march = days - _first_of_march(days)
    seconds = since_march * _DAY + now % _DAY
    second_sunday_of_march = (3 - days + since_march) % 7 + 7
    first_sunday_of_november = (3 - days + since_march - _NOVEMBER_FIRST) % 7 + _NOVEMBER_FIRST
    is_summer = (seconds >= second_sunday_of_march * _DAY + 7 * _HOUR) & (
        seconds < first_sunday_of_november * _DAY + 6 * _HOUR
    )
    return (now - choose(is_summer, 4 * _HOUR, 5 * _HOUR)) % _DAY


def _first_of_march(days: int) -> int:
    """The latest first of March up to a day, both in days since 1970 (Hinnant, days_from_civil)."""
    since = days + _MARCH_FIRST_0
    day = since % 146_097
    year = (day - day // 1_460 + day // 36_524 - day // 146_096) // 365
    return days - (day - (365 * year + year // 4 - year // 100))
