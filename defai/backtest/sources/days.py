"""Days as the names of files carry them: `polygon-0x45dd…-2022-07-19.minute.csv`."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_ONE: Final = timedelta(days=1)


def day_of(path: Path) -> date | None:
    """The day that a file's name gives; None where it gives none."""
    match = _DAY.search(path.name)
    try:
        return date.fromisoformat(match[0]) if match else None
    except ValueError:
        return None


def begins_at(day: date) -> int:
    """The first moment of a day, in UTC, in seconds since 1970."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def without_a_gap(paths: Iterable[Path]) -> str:
    """What to do where days are missing between files: the longest stretch that has all of them, as an option."""
    days = sorted({day for path in paths if (day := day_of(path)) is not None})
    stretches: list[list[date]] = [days[:1]]
    for before, after in pairwise(days):
        if after - before > _ONE:
            stretches.append([])
        stretches[-1].append(after)
    longest = max(stretches, key=len)
    if not longest:
        return "Give a time range without a gap, or fetch the days between."
    return f"Fetch the days between, or take the longest stretch there is: --timerange {_range(longest)}."


def _range(days: Sequence[date]) -> str:
    return f"{days[0]:%Y%m%d}-{days[-1]:%Y%m%d}"
