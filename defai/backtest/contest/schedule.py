"""When runs begin and end: so many shifted starts within each day that is tested."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from defai.errors import ConfigError

DAY_S: Final = 86_400


@dataclass(frozen=True, slots=True)
class Schedule:
    """The runs of a contest.

    Attributes:
        days: when each begins, UTC, in seconds since 1970.
        starts: how many runs begin on a day, `shift_s` apart; all end within it and are equally long.
    """

    days: tuple[int, ...]
    starts: int
    shift_s: int

    @classmethod
    def between(cls, first: int, end: int, starts: int, shift_s: int) -> "Schedule":
        """All whole days from one moment to another, which is not in it.

        Raises:
            ConfigError: where there is no whole day, or no room for the starts.
        """
        begin = -(-first // DAY_S) * DAY_S
        days = tuple(range(begin, end - DAY_S + 1, DAY_S))
        if not days:
            raise ConfigError("There is no whole day to test.", "Let the test begin earlier.")
        if (starts - 1) * shift_s * 2 > DAY_S:
            raise ConfigError(
                f"{starts} starts, {shift_s:,} s apart, leave runs of less than half a day.",
                "Take fewer, or a shorter --shift.",
            )
        return cls(days, starts, shift_s)

    @property
    def run_s(self) -> int:
        """How long each run is."""
        return DAY_S - (self.starts - 1) * self.shift_s


def day_text(moment: int) -> str:
    """A day as people write it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")
