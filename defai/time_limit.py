"""A time limit on an author's code that really interrupts it: a loop that never ends is ended from another thread.

A guard thread looks twenty times a second at who is being asked. Who was asked the same question for longer than the
limit, or let the process grow by more than it may, is interrupted: `Interrupted` is raised inside its own thread, again
and again, should it be caught. It is no `Exception`, so code that catches those does not catch it. Time in which the
guard itself did not get to look does not count: the process was stopped, or the machine had others to serve.

What this cannot end is a single call into compiled code that does not come back: Python raises nothing before it does.
Asking costs two assignments and a lock, no thread and no clock.
"""

import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from time import monotonic
from typing import Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

LIMIT_S: Final = 5.0
"""A decision's most, in seconds: far beyond what one takes, even where the machine has much else to do."""
LIMIT_BYTES: Final = 1 << 30
"""By how much the process may grow while one decision is made."""
_LOOK_S: Final = 0.05
_MOST_BETWEEN_LOOKS_S: Final = 2 * _LOOK_S
_QUIET_LOOKS: Final = 40
"""After so many looks at nobody the guard sleeps until somebody is asked."""
_PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_STATM: Final = Path("/proc/self/statm")


class Interrupted(BaseException):
    """Raised inside code that takes too long or too much."""


class OverrunError(Exception):
    """Somebody's code was interrupted; it says why, in words that follow its name."""


class TimeLimit:
    """Asks others, one question at a time and thread, within a limit.

    Args:
        limit_s: seconds a question may take.
        limit_bytes: by how much the process may grow meanwhile.

    Attributes:
        asked: how many questions there were. Whoever asks many within one call counts them here himself.
    """

    def __init__(self, limit_s: float = LIMIT_S, limit_bytes: int = LIMIT_BYTES) -> None:
        self.limit_s = limit_s
        self.limit_bytes = limit_bytes
        self._lock = threading.Lock()
        self._thread_id: int | None = None
        self.asked = 0
        self._why = ""

    def ask(self, function: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """Call a function.

        Raises:
            OverrunError: where it took too long or too much.
            BaseException: what it raises itself.
        """
        self.asked += 1
        self._why = ""
        self._thread_id = (
            threading.get_ident()
        )  # ahead of the guard's being told: it may be about to fall asleep
        try:
            try:
                _GUARD.watch(self)
                return function(*arguments, **named)
            finally:
                with self._lock:  # from here on nobody interrupts
                    self._thread_id = None
                if self._why:
                    raise Interrupted
        except Interrupted:
            self._calm_down()
            raise OverrunError(self._why) from None

    def interrupt(self, question: int, why: str) -> None:
        """End a question, should it still be the one that is asked."""
        with self._lock:
            if self._thread_id is not None and self.asked == question:
                self._why = why
                _raise_in(self._thread_id, Interrupted)

    @property
    def question(self) -> int | None:
        """The number of the question that is being asked; None where none is."""
        return None if self._thread_id is None else self.asked

    def _calm_down(self) -> None:
        """Let no interruption that is still on its way reach whoever asks next."""
        while True:
            try:
                with self._lock:
                    self._thread_id = None
                    _raise_in(threading.get_ident(), None)
            except Interrupted:
                continue
            return


class _Guard:
    """The thread that looks; it begins with the first question, and one serves all."""

    def __init__(self) -> None:
        self._watched: dict[int, TimeLimit] = {}
        self._awake = threading.Event()
        self._started = threading.Lock()
        self._looks = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    def watch(self, limit: TimeLimit) -> None:
        """Look at somebody from now on."""
        if id(limit) not in self._watched:
            self._begin(limit)
        if not self._awake.is_set():
            self._awake.set()

    def _begin(self, limit: TimeLimit) -> None:
        with self._started:
            if not self._looks:
                self._looks = True
                threading.Thread(target=self._look_on, name="time limits", daemon=True).start()
            self._watched[id(limit)] = limit

    def _begin_anew(self) -> None:
        """In a process that was forked off: threads do not survive that."""
        self._looks = False
        self._watched = {}
        self._awake = threading.Event()
        self._started = threading.Lock()

    def _look_on(self) -> None:
        since: dict[int, tuple[int, float, int]] = {}
        quiet, looked = 0, monotonic()
        while True:
            self._awake.wait()
            threading.Event().wait(_LOOK_S)
            asked, now = False, monotonic()
            passed, looked = min(now - looked, _MOST_BETWEEN_LOOKS_S), now
            for key, limit in list(self._watched.items()):
                question = limit.question
                if question is None:
                    since.pop(key, None)
                    continue
                asked = True
                known = since.get(key)
                if known is None or known[0] != question:
                    since[key] = (question, 0.0, _resident_bytes())
                else:
                    since[key] = known = (question, known[1] + passed, known[2])
                    _hold_to(limit, *known)
            quiet = 0 if asked else quiet + 1
            if quiet > _QUIET_LOOKS:
                quiet = 0
                self._fall_asleep()

    def _fall_asleep(self) -> None:
        """Forget everybody and wait, unless somebody has begun to ask in this moment."""
        with self._started:
            self._awake.clear()
            if any(limit.question is not None for limit in self._watched.values()):
                self._awake.set()
            else:
                self._watched = {}


def _hold_to(limit: TimeLimit, question: int, took_s: float, bytes_before: int) -> None:
    if took_s > limit.limit_s:
        limit.interrupt(question, f"took longer than {limit.limit_s:g} s and was interrupted")
    elif _resident_bytes() - bytes_before > limit.limit_bytes:
        most = limit.limit_bytes / (1 << 20)
        limit.interrupt(question, f"took more than {most:,.0f} MB of memory and was interrupted")


def _resident_bytes() -> int:
    """What the process has in memory; 0 where the system doesn't say."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * _PAGE
    except (OSError, ValueError, IndexError):
        return 0


def _raise_in(thread_id: int, error: type[BaseException] | None) -> None:
    """Have an exception raised in a thread, at the next step it takes in Python; None takes back one on its way."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread_id), None if error is None else ctypes.py_object(error)
    )


_GUARD: Final = _Guard()
