"""Plays a finished run back: its journal as a stream of events, at any speed, from any block.

It opens where something was decided first; what the market lived through before that is told at once.

A leap sends `StreamRestarted`, then what still holds from before, then the last blocks before the goal at once, so that
charts have a past; a run of any length takes the memory of an index and of those blocks.
"""

import asyncio
import json
from bisect import bisect_right
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from defai.agent.control import BareControl, PlayerControl
from defai.domain.answers import Rated, Verification
from defai.domain.stream import (
    EventsDropped,
    Notice,
    PlaybackMoved,
    SessionEnded,
    StreamEvent,
    StreamRestarted,
)
from defai.domain.wire import Unreadable, read_event
from defai.errors import ConfigError, NotFoundError

BLOCKS_A_SECOND: Final = 4.0
SLOWEST: Final = 0.1
FASTEST: Final = 1_000.0
PAST_BLOCKS: Final = 600
"""Blocks before the goal of a leap that are played at once."""
_BLOCK: Final = b'"kind":"block_arrived"'
_DECIDED: Final = b'"decision":{'
_STANDING: Final = tuple(
    f'"kind":"{kind}"'.encode()
    for kind in (
        "agent_state_changed",
        "parameters_changed",
        "model_seen",
        "approval_requested",
        "approval_resolved",
    )
)


@dataclass(frozen=True, slots=True)
class _Mark:
    """A block in the journal: where its line begins."""

    number: int
    timestamp: int
    offset: int


class Player(BareControl, PlayerControl):
    """A run's events, and the control of their playing; on one event loop.

    Args:
        run: the run's directory.
        blocks_per_s: how fast at first.

    Raises:
        NotFoundError: where there is no journal.
        ConfigError: where it holds no block.
    """

    def __init__(self, run: Path, blocks_per_s: float = BLOCKS_A_SECOND) -> None:
        self._run = run
        self._path = run / "events.jsonl"
        self._marks, self._opening = _index(self._path)
        if not self._marks:
            raise ConfigError(f"The run {run} has no block: there is nothing to play.")
        self._next = 0
        """Index of the block that is played next."""
        self._speed = _speed_of(blocks_per_s)
        self._playing = True
        self._goal: int | None = None
        self._left = False
        self._nudged = asyncio.Event()
        self._unreadable = 0

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """The run from its first decision on, until it is left; at its end it stands still."""
        for event in self._past(self._opening):
            yield event
        while not self._left:
            if self._goal is not None:
                goal, self._goal = self._goal, None
                for event in self._leap(goal):
                    yield event
                yield self._moved()
                if self._playing:
                    await self._rest(1 / self._speed)
            elif self._playing and self._next < len(self._marks):
                for event in self._block(self._next):
                    yield event
                self._next += 1
                if self._next == len(self._marks):
                    self._playing = False
                yield self._moved()
                await self._rest(1 / self._speed)
            else:
                yield self._moved()
                await self._rest(None)
        yield SessionEnded("The replay was left.", "", 0)

    async def play(self) -> None:
        """Go on, from where it opened where the end was reached."""
        if self._next == len(self._marks):
            self._goal = max(self._opening - 1, 0)
        self._playing = True
        self._nudged.set()

    async def hold(self) -> None:
        """Stand still."""
        self._playing = False
        self._nudged.set()

    async def seek(self, block_number: int) -> None:
        """Go to a block; to the nearest one before it where the run has not that one."""
        at = bisect_right(self._marks, block_number, key=lambda mark: mark.number) - 1
        self._goal = max(at, 0)
        self._nudged.set()

    async def set_speed(self, blocks_per_s: float) -> None:
        """Play so many blocks a second from now on."""
        self._speed = _speed_of(blocks_per_s)
        self._nudged.set()

    async def stop(self) -> None:
        """Leave; the run stays as it is."""
        self._left = True
        self._nudged.set()

    async def verify(self, digest: str) -> Verification:
        """Climb the rungs as far as the run's directory bears them."""
        from defai.session.kept_rungs import verify_kept  # noqa: PLC0415  asked for now and then

        return await asyncio.to_thread(verify_kept, self._run, digest)

    async def rate(self, digest: str, verdict: Rated, why: str = "") -> None:
        """Keep what one thinks of a decision in the run's directory."""
        from defai.session.ratings import rate_digest  # noqa: PLC0415  asked for now and then

        await asyncio.to_thread(rate_digest, self._run, digest, verdict, why)

    def _leap(self, goal: int) -> Iterator[StreamEvent]:
        """Everything that leads to a block, and the block, at once."""
        yield StreamRestarted("a leap in time")
        yield from self._past(goal + 1)
        if self._next == len(self._marks):
            self._playing = False

    def _past(self, upto: int) -> Iterator[StreamEvent]:
        """What was told before a block, at once: the last blocks before it, and what still holds from earlier ones."""
        begin = max(0, upto - 1 - PAST_BLOCKS)
        yield from self._between(0, self._marks[0].offset)
        yield from self._between(self._marks[0].offset, self._marks[begin].offset, standing=True)
        if begin:
            first, last = self._marks[0].number, self._marks[begin - 1].number
            yield EventsDropped(begin, f"the blocks from {first:,} to {last:,} are not played again")
        for at in range(begin, upto):
            yield from self._block(at)
        self._next = upto

    def _block(self, at: int) -> Iterator[StreamEvent]:
        end = self._marks[at + 1].offset if at + 1 < len(self._marks) else None
        yield from self._between(self._marks[at].offset, end)

    def _between(self, begin: int, end: int | None, *, standing: bool = False) -> Iterator[StreamEvent]:
        """Events of a stretch of the journal; only those that hold until the next of their kind, if so wished."""
        with self._path.open("rb") as file:
            file.seek(begin)
            while end is None or file.tell() < end:
                line = file.readline()
                if not line.endswith(b"\n"):
                    return
                if standing and not any(kind in line for kind in _STANDING):
                    continue
                event = self._read(line)
                if event is not None:
                    yield event

    def _read(self, line: bytes) -> StreamEvent | None:
        try:
            event = read_event(line)
        except Unreadable:
            self._unreadable += 1
            if self._unreadable == 1:
                return Notice("warning", "Some events of this run cannot be read; they are left out.")
            return None
        if isinstance(event, SessionEnded):  # the run's end is not the replay's
            return Notice("info", event.sentence, event.hint)
        return event

    def _moved(self) -> PlaybackMoved:
        here = self._marks[max(self._next - 1, 0)]
        return PlaybackMoved(
            block_number=here.number,
            first_block=self._marks[0].number,
            last_block=self._marks[-1].number,
            timestamp=here.timestamp,
            speed=self._speed,
            playing=self._playing,
            at_end=self._next == len(self._marks),
        )

    async def _rest(self, seconds: float | None) -> None:
        """Wait, or until somebody wishes something."""
        try:
            await asyncio.wait_for(self._nudged.wait(), seconds)
        except TimeoutError:
            return
        self._nudged.clear()


def _speed_of(blocks_per_s: float) -> float:
    if not SLOWEST <= blocks_per_s <= FASTEST:
        raise ConfigError(
            f"{blocks_per_s:g} blocks a second are not played.", f"{SLOWEST:g} to {FASTEST:g} are."
        )
    return blocks_per_s


def _index(path: Path) -> tuple[list[_Mark], int]:
    """The blocks of a journal, and the index of the first that was decided upon; 0 where none was."""
    marks: list[_Mark] = []
    offset, first = 0, None
    try:
        with path.open("rb") as file:
            for line in file:
                if _BLOCK in line and line.endswith(b"\n"):
                    raw = json.loads(line)
                    marks.append(_Mark(raw["number"], raw["timestamp"], offset))
                elif first is None and _DECIDED in line:
                    first = len(marks) - 1
                offset += len(line)
    except FileNotFoundError as error:
        raise NotFoundError(
            f"There is no journal in {path.parent}.", "Name a run's directory; `defai status` tells one."
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path} is no journal of a run.") from error
    return marks, max(first or 0, 0)
