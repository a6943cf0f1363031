"""Time ranges as people write them: `20230101-20230102`, UTC."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from defai.errors import ConfigError

_MOMENT: Final = r"\d{8}(?:T\d{4}(?:\d\d)?)?"
_RANGE: Final = re.compile(rf"(?P<first>{_MOMENT})?-(?P<last>{_MOMENT})?")


def parse_timerange(text: str) -> tuple[int | None, int | None]:
    """The first moment of a time range, and the first one after it, in seconds since 1970; None for an open end.

    `20230101-20230102` are two whole days; `20230101T0600-20230102T1200` ends before noon. All in UTC.

    Raises:
        ConfigError: where the text is none, or ends before it begins.
    """
    match = _RANGE.fullmatch(text.strip())
    try:
        first = _moment(match["first"]) if match else None
        end = _moment(match["last"], whole_day=True) if match else None
    except ValueError:
        match = first = end = None
    if match is None:
        raise ConfigError(
            f"'{text}' is no time range.", "Write YYYYMMDD-YYYYMMDD, in UTC; both days are in it."
        )
    if first is not None and end is not None and end <= first:
        raise ConfigError(f"The time range {text} ends before it begins.")
    return first, end


def moment_text(seconds: int) -> str:
    """A moment as a time range has it, in seconds since 1970."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%S")


def _moment(digits: str | None, *, whole_day: bool = False) -> int | None:
    if digits is None:
        return None
    day, _, time = digits.partition("T")
    moment = datetime.strptime(day + time.ljust(6, "0"), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return int((moment + timedelta(days=whole_day and not time)).timestamp())
