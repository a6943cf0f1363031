"""Features that a target is given where nobody names others: one configuration, chosen on validation data."""

from collections.abc import Sequence
from typing import Final

from defai.models.targets import VOLATILITIES, Target

_HOUR_S: Final = 3_600
_LONG: Final = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336)
_SHORT: Final = (1, 5, 15, 60, 180, 360, 480)
_FAR: Final = (6, 24, 72, 168, 336)
_RATIO: Final = (
    *(f"fees_to_lvr_{n}" for n in (15, 60, 240, 480)),
    *(f"liquidity_level_{n}" for n in (60, 480)),
    "log_volatility_60",
    "log_volatility_480",
    "volume_ratio_60",
    "liquidity_change_60",
    "time_of_day",
)
_NEXT_ROW: Final = (
    *(f"from_high_{n}" for n in _FAR),
    *(f"from_low_{n}" for n in _FAR),
    *(f"mean_log_range_{n}" for n in (2, 3, 6, 12, 24, 48, 168, 336)),
    "range_position_1",
    *(f"parkinson_rise_{n}" for n in (2, 3, 8, 24)),
    *(f"scaled_return_{n}" for n in (8, 16, 24, 48, 96, 192, 336)),
    "new_york_time",
)
_NEXT_DAY: Final = (
    *(f"parkinson_rise_{n}" for n in (8, 24, 96, 168)),
    "scaled_return_24",
    "scaled_return_168",
)
_POOL: Final = (
    "volume_ratio_{h}",
    "imbalance_{h}",
    "fees_to_lvr_{h}",
    "fees_to_lvr_{d}",
    "liquidity_change_{h}",
)


def default_features(target: Target, step_s: int, *, pool: bool) -> tuple[str, ...]:
    """The features' names.

    Args:
        target: what is forecast.
        step_s: seconds from row to row.
        pool: whether rows tell volumes and liquidity.
    """
    hourly = step_s >= _HOUR_S
    if target.kind == "fee_lvr" and not hourly:
        return _RATIO
    windows, calm, cycle = (_LONG, (24, 168), 168) if hourly else (_SHORT, (60, 360), 0)
    names = [f"log_parkinson_{n}" for n in windows]
    names += [f"log_volatility_{n}" for n in ((1, 6, 24, 168) if hourly else (5, 60, 180, 480))]
    names += [f"return_{n}" for n in ((1, 3, 6, 24, 168) if hourly else (1, 5, 15, 60, 360))]
    names += [f"{family}_{calm[0]}" for family in ("garman_klass", "fall_share", "jump_share")]
    names += [f"peak_parkinson_{n}" for n in calm]
    if hourly:
        names += [
            "garman_klass_6",
            *(f"echo_parkinson_{n}" for n in (2, 3, 24, 48, 168)),
            f"cycle_parkinson_{cycle}",
        ]
        names += _NEXT_ROW if target.horizon_blocks == 1 else _NEXT_DAY
        names += ["time_of_week"]
    names += ["time_of_day", "day_of_week"]
    if pool and target.kind not in VOLATILITIES:
        names += _with_windows(_POOL, *calm)
    return tuple(names)


def _with_windows(families: Sequence[str], hour: int, day: int) -> list[str]:
    return [family.format(h=hour, d=day) for family in families]
