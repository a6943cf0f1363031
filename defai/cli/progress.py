"""How far something has come, on stderr: one line written over on a terminal, now and then a line elsewhere."""

import sys
import time
from typing import Final

import click

_TERMINAL_S: Final = 0.2
_LINES_S: Final = 10.0


class StatusLine:
    """Lines on stderr, of which the last may be written over.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._said = time.monotonic()
        self._width = 0

    def say(self, text: str) -> None:
        """Say something that stays."""
        self._write(text, over=False)

    def update(self, text: str, *, now: float, last: bool = False) -> None:
        """Say how far it is: written over by what follows, unless it is the last word or this is no terminal."""
        self._said = now
        self._write(text, over=self._terminal and not last)

    def is_due(self, now: float) -> bool:
        """Whether enough time has passed to say something again."""
        return now - self._said >= (_TERMINAL_S if self._terminal else _LINES_S)

    def end(self) -> None:
        """No more will come: leave no half line behind."""
        if self._width:
            click.echo("\r" + " " * self._width + "\r", err=True, nl=False)
            self._width = 0

    def _write(self, text: str, *, over: bool) -> None:
        if self._quiet:
            return
        pad = " " * max(0, self._width - len(text))
        click.echo(f"\r{text}{pad}" if self._width or over else text, err=True, nl=not over)
        self._width = len(text) if over else 0


class RunProgress:
    """Counts runs and says how many are left, and for how long.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._line = StatusLine(quiet=quiet)
        self._done = self._runs = self._failed = self._before = 0
        self._began = time.monotonic()

    def begin(self, done: int, runs: int) -> None:
        """So many runs are done already, of so many."""
        self._done = self._before = done
        self._runs = runs
        self._began = time.monotonic()
        if done:
            self.say(f"{done:,} of {runs:,} runs were done before")

    def step(self, *, failed: bool) -> None:
        """One more is done."""
        self._done += 1
        self._failed += failed
        now = time.monotonic()
        last = self._done == self._runs
        if last or self._line.is_due(now):
            self._line.update(self._text(now), now=now, last=last)

    def end(self) -> None:
        """No more will come."""
        self._line.end()

    def say(self, text: str) -> None:
        """Say something else in between."""
        self._line.say(text)

    def _text(self, now: float) -> str:
        new = self._done - self._before
        left = (now - self._began) / new * (self._runs - self._done)
        failed = f", {self._failed:,} failed" if self._failed else ""
        ahead = (
            f", {duration(left)} left" if self._done < self._runs else f" in {duration(now - self._began)}"
        )
        return f"{self._done:,} of {self._runs:,} runs{failed}{ahead}"


class LifeProgress:
    """Says what is done, and how much of its history the present run has lived through.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._line = StatusLine(quiet=quiet)
        self._doing = ""
        self._began = time.monotonic()
        self._share = 0.0

    def say(self, text: str) -> None:
        """Something begins."""
        self._line.say(text)
        self._doing = text
        self._restart(0.0)

    def reached(self, share: float) -> None:
        """The run has lived through so much of its history, 0..1."""
        if share < self._share:
            self._restart(share)  # another start, another run
        self._share = share
        now = time.monotonic()
        if self._line.is_due(now) and 0 < share < 1:
            left = (now - self._began) * (1 - share) / share
            self._line.update(f"{self._doing}: {share:.0%}, {duration(left)} left", now=now)

    def end(self) -> None:
        """No more will come."""
        self._line.end()

    def _restart(self, share: float) -> None:
        self._began, self._share = time.monotonic(), share


def duration(seconds: float) -> str:
    """`42 s`, `3:05 min`, `1:20 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60}:{whole % 60:02} min" if whole < 3_600 else f"{whole // 3_600}:{whole // 60 % 60:02} h"
    )
