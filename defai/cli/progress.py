"""How far many runs have come, on stderr: one line written over on a terminal, now and then a line elsewhere."""

import sys
import time
from typing import Final

import click

_TERMINAL_S: Final = 0.2
_LINES_S: Final = 10.0


class RunProgress:
    """Counts runs and says how many are left, and for how long.

    Args:
        quiet: say nothing at all.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._done = self._runs = self._failed = self._before = 0
        self._began = self._said = time.monotonic()
        self._width = 0

    def begin(self, done: int, runs: int) -> None:
        """So many runs are done already, of so many."""
        self._done = self._before = done
        self._runs = runs
        self._began = self._said = time.monotonic()
        if done:
            self._say(f"{done:,} of {runs:,} runs were done before")

    def step(self, *, failed: bool) -> None:
        """One more is done."""
        self._done += 1
        self._failed += failed
        now = time.monotonic()
        last = self._done == self._runs
        if last or now - self._said >= (_TERMINAL_S if self._terminal else _LINES_S):
            self._said = now
            self._write(self._line(now), over=self._terminal and not last)

    def end(self) -> None:
        """No more will come."""
        if self._width:
            self._write("", over=True)

    def say(self, text: str) -> None:
        """Say something else in between."""
        self._say(text)

    def _line(self, now: float) -> str:
        new = self._done - self._before
        left = (now - self._began) / new * (self._runs - self._done)
        failed = f", {self._failed:,} failed" if self._failed else ""
        ahead = (
            f", {duration(left)} left" if self._done < self._runs else f" in {duration(now - self._began)}"
        )
        return f"{self._done:,} of {self._runs:,} runs{failed}{ahead}"

    def _say(self, text: str) -> None:
        self._write(text, over=False)

    def _write(self, text: str, *, over: bool) -> None:
        if self._quiet:
            return
        pad = " " * max(0, self._width - len(text))
        click.echo(f"\r{text}{pad}" if self._width or over else text, err=True, nl=not over)
        self._width = len(text) if over else 0


def duration(seconds: float) -> str:
    """`42 s`, `3:05 min`, `1:20 h`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60}:{whole % 60:02} min" if whole < 3_600 else f"{whole // 3_600}:{whole // 60 % 60:02} h"
    )
