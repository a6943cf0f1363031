"""Models retrained while agents run on: in a process of their own, judged on rows nobody has seen, switched in between.

Market time says when a model is due; the worker takes its own time. On a chain that mines in lock-step a run must be
the same every time, so there the switch comes a fixed number of blocks after the start, and is waited for.
"""

import asyncio
import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final, TextIO, cast

from defai.errors import DefaiError
from defai.market.window import Observation
from defai.models.challenge import Challenge, Outcome, challenge

LOCK_STEP_BLOCKS: Final = 25
"""Blocks that agents run on for, in lock-step, before the worker is waited for."""
LEAST_BLOCKS: Final = 1_000
_NICENESS: Final = 10
_STDOUT: Final = 1
_STDERR: Final = 2
_JOIN_SECONDS: Final = 5.0
_POLL_SECONDS: Final = 3_600.0

Work = Callable[[Challenge], Outcome]


@dataclass(slots=True)
class RowKeeper:
    """The rows of a session's pools, as long as a retraining looks back.

    Args:
        period_seconds: rows older than that, by the market's time, fall out.
    """

    period_seconds: float
    rows: dict[str, deque[Observation]] = field(default_factory=dict)

    def add(self, windows: Mapping[str, Sequence[Observation]]) -> None:
        """Take the newest row of each pool; nothing where it is there already. A rolled-back block goes first."""
        for pool, window in windows.items():
            kept = self.rows.setdefault(pool, deque())
            newest = window[-1] if window else None
            if newest is None:
                continue
            while kept and kept[-1].block_number >= newest.block_number:
                kept.pop()
            if kept:
                kept.append(newest)
            else:
                kept.extend(window)  # what it has lived through already
            while kept[0].timestamp < newest.timestamp - self.period_seconds:
                kept.popleft()

    def of(self, pools: Sequence[str]) -> dict[str, tuple[Observation, ...]]:
        """The rows of some pools, of the blocks that all of them have."""
        first = max(self.rows[pool][0].block_number for pool in pools)
        return {pool: tuple(row for row in self.rows[pool] if row.block_number >= first) for pool in pools}


class Worker:
    """One challenge in a process of its own, at low priority.

    Raises:
        DefaiError: where no process can be started.
    """

    def __init__(self, task: Challenge, started_at: int, work: Work = challenge) -> None:
        context = multiprocessing.get_context("spawn")
        self.started_at = started_at
        with ExitStack() as opened:
            try:
                self._answers, sender = (opened.enter_context(end) for end in context.Pipe(duplex=False))
                self._process: BaseProcess = context.Process(
                    target=_work, args=(work, task, sender), name="retraining", daemon=True
                )
                with _described_stderr():
                    self._process.start()
            except OSError as error:
                raise DefaiError(
                    f"No process could be started for the retraining: {error.strerror or error}.",
                    "Are there too many processes or open files, or too little memory?",
                ) from error
            sender.close()
            opened.pop_all()

    @property
    def is_done(self) -> bool:
        """Whether there is an answer, or none to be expected any more."""
        return self._answers.poll()

    async def wait(self) -> None:
        """Until there is an answer."""
        await asyncio.to_thread(self._answers.poll, _POLL_SECONDS)

    def outcome(self) -> Outcome:
        """What came of it.

        Raises:
            DefaiError: where it failed.
        """
        try:
            answer = self._answers.recv()
        except EOFError as error:
            raise DefaiError(
                "The retraining ended without an answer.", "Was there too little memory?"
            ) from error
        finally:
            self.close()
        if isinstance(answer, Outcome):
            return answer
        raise DefaiError(str(answer))

    def close(self) -> None:
        """End the process, whatever it does."""
        self._process.terminate()
        self._process.join(_JOIN_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        self._answers.close()


class _Described:
    """A stream as it is, with the descriptor of the process's stderr."""

    def __init__(self, stream: object) -> None:
        self._stream = stream

    def fileno(self) -> int:
        return _STDERR

    def __getattr__(self, name: str) -> object:
        return getattr(self._stream, name)


@contextmanager
def _described_stderr() -> Iterator[None]:
    """While this lasts stderr has a descriptor: the first process of this kind wants one, and a terminal's has none."""
    before = sys.stderr
    described = cast("TextIO", _Described(before))
    sys.stderr = described
    try:
        yield
    finally:
        if sys.stderr is described:  # the terminal may have given stderr back meanwhile
            sys.stderr = before


def _work(work: Work, task: Challenge, sender: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # ctrl-c is the session's to settle
    _fall_silent()
    os.nice(_NICENESS)
    try:
        sender.send(work(task))
    except DefaiError as error:
        sender.send(error.sentence)
    except Exception as error:  # noqa: BLE001  the session says it; a traceback in a worker is nobody's
        sender.send(f"The retraining failed: {type(error).__name__}: {error}")
    finally:
        sender.close()


def _fall_silent() -> None:
    """Write nothing where the session's terminal is: whatever is to be said is answered."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, _STDOUT)
    os.dup2(nowhere, _STDERR)
