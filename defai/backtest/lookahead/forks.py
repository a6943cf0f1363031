"""Runs in processes that begin alike: each is a fork of this one, so nothing that one does is there in another."""

import os
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any, Generic, NamedTuple, TypeVar

from defai.errors import DefaiError

Answer = TypeVar("Answer")


class _UnderWay(NamedTuple, Generic[Answer]):
    job: int
    process: BaseProcess


def in_forks(jobs: Sequence[Callable[[], Answer]], width: int | None = None) -> Iterator[tuple[int, Answer]]:
    """Do jobs in forks of this process, some at a time.

    Args:
        jobs: what they give has to be picklable; a `DefaiError` of theirs is raised here.
        width: how many at a time; as many as there are processors by default.

    Yields:
        A job's place and its answer, in the order in which they are done.
    """
    context = get_context("fork")
    waiting = list(enumerate(jobs))[::-1]
    running: dict[Any, _UnderWay[Answer]] = {}
    most = width or os.cpu_count() or 1
    try:
        while waiting or running:
            while waiting and len(running) < most:
                job, work = waiting.pop()
                here, there = context.Pipe(duplex=False)
                process = context.Process(target=_do, args=(work, there), daemon=False)
                process.start()
                there.close()
                running[here] = _UnderWay(job, process)
            for ready in wait(list(running)):
                done = running.pop(ready)
                yield done.job, _answer_of(ready, done.process)
    finally:
        for one in running.values():
            one.process.kill()
            one.process.join()


def _do(work: Callable[[], Any], pipe: Connection) -> None:
    try:
        pipe.send((work(), None))
    except DefaiError as error:
        pipe.send((None, error))
    except KeyboardInterrupt:
        os._exit(130)


def _answer_of(pipe: Any, process: BaseProcess) -> Any:  # noqa: ANN401  `wait` tells no types
    try:
        answer, error = pipe.recv()
    except EOFError:
        process.join()
        raise DefaiError(
            f"A run ended without an answer, with exit code {process.exitcode}.",
            "What it said last stands above.",
        ) from None
    finally:
        pipe.close()
    process.join()
    if error is not None:
        raise error
    return answer
