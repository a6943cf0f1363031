"""Notices what a strategy reaches for while it decides. It sees what Python itself is asked; it is no wall."""

import os
import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, Final

_WATCHED: Final = (
    "open",
    "socket.",
    "subprocess.",
    "os.",
    "shutil.",
    "ctypes.",
    "sqlite3.",
    "urllib.",
    "tempfile.",
)
_CLOCKS: Final = ("time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns")
_DRAWS: Final = (
    "random",
    "randint",
    "randrange",
    "uniform",
    "gauss",
    "choice",
    "shuffle",
    "normalvariate",
    "getrandbits",
)


@dataclass(slots=True)
class Watch:
    """What was noticed, while it was on.

    Attributes:
        file: the strategy's; what others do on their own account is not noticed.
        noticed: in words, with the line of the file.
    """

    file: str
    noticed: dict[str, int] = field(default_factory=dict)
    is_on: bool = False

    def install(self) -> None:
        """Begin to listen; before the strategy is imported, so that it gets hold of nothing unheard."""
        for name in _CLOCKS:
            setattr(time, name, self._told(getattr(time, name), f"asks the clock: time.{name}()"))
        for name in _DRAWS:
            setattr(
                random, name, self._told(getattr(random, name), f"draws by random.{name}(), not by ctx.rng")
            )
        setattr(os, "urandom", self._told(os.urandom, "draws by os.urandom()"))  # noqa: B010  mypy wants no assignment to a function
        sys.addaudithook(self._hear)

    @contextmanager
    def on(self) -> Iterator[None]:
        """Notice what happens inside."""
        self.is_on = True
        try:
            yield
        finally:
            self.is_on = False

    def _told(self, function: Callable[..., Any], words: str) -> Callable[..., Any]:
        def told(*arguments: Any, **named: Any) -> Any:  # noqa: ANN401  whatever the function takes and gives
            if self.is_on:
                line = self._line_in_file(sys._getframe(1), deep=False)  # noqa: SLF001  there is no public way to a caller
                if line:
                    self.noticed.setdefault(words, line)
            return function(*arguments, **named)

        return told

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.is_on or not event.startswith(_WATCHED):
            return
        self.is_on = False  # what follows must not be heard itself
        try:
            line = self._line_in_file(sys._getframe(1), deep=True)  # noqa: SLF001  as above
            if line:
                what = f" {arguments[0]!r}" if arguments and isinstance(arguments[0], str) else ""
                self.noticed.setdefault(f"does {event}{what}"[:200], line)
        finally:
            self.is_on = True

    def _line_in_file(self, frame: FrameType | None, *, deep: bool) -> int:
        """The line of the file that is being run; 0 where it is somebody else's, or an import's."""
        while frame is not None:
            if frame.f_code.co_filename == self.file:
                return frame.f_lineno
            if not deep or frame.f_code.co_filename.startswith("<frozen importlib"):
                return 0
            frame = frame.f_back
        return 0
