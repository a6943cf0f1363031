"""Where the session's thread meets the terminal's loop.

The session puts events in and never waits; the terminal takes them out at its own pace. When the terminal is slow
the oldest events give way, except those without which nothing makes sense: how the session began and how it ended.
Every event that gives way is counted, and the screen says so.
"""

import asyncio
import threading
from collections import deque
from collections.abc import AsyncIterator
from typing import Final

from defai.domain.stream import SessionEnded, SessionStarted, StreamEvent

CAPACITY: Final = 8_192
"""Events a terminal may lag behind: half a minute of 200 agents."""


class EventQueue:
    """A bounded queue from any thread into one event loop. The observer never slows the observed.

    Args:
        capacity: events kept at most; beyond it the oldest give way.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 2:
            raise ValueError("an event queue needs room for a beginning and an end")
        self._capacity = capacity
        self._events: deque[StreamEvent] = deque()
        self._taken: deque[StreamEvent] = deque()
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready: asyncio.Event | None = None
        self._closed = False
        self._signalled = False
        self.dropped = 0
        """Events that gave way so far."""

    def put_threadsafe(self, event: StreamEvent) -> None:
        """Add an event; from any thread, never blocking. After `close` it does nothing."""
        with self._lock:
            if self._closed:
                return
            if len(self._events) >= self._capacity:
                self._make_room()
            self._events.append(event)
            signalled, self._signalled = self._signalled, True
        if not signalled:
            self._wake()

    def close(self) -> None:
        """Say that nothing follows: iteration ends after what is queued. From any thread."""
        with self._lock:
            self._closed = True
        self._wake()

    def __len__(self) -> int:
        """How many events were put and not yet read."""
        return len(self._events) + len(self._taken)

    async def __aiter__(self) -> AsyncIterator[StreamEvent]:
        """The events, in order, on the loop that iterates; one reader at a time."""
        self._loop, self._ready = asyncio.get_running_loop(), asyncio.Event()
        ready = self._ready
        while True:
            with self._lock:
                ready.clear()
                self._signalled = False
                self._taken.extend(self._events)
                self._events.clear()
                closed = self._closed
            if not self._taken:
                if closed:
                    return
                await ready.wait()
            while self._taken:
                event = self._taken.popleft()
                yield event
                if isinstance(event, SessionEnded):
                    return

    def _make_room(self) -> None:
        oldest = self._events.popleft()
        if isinstance(oldest, SessionStarted | SessionEnded):
            self._events.popleft()
            self._events.appendleft(oldest)
        self.dropped += 1

    def _wake(self) -> None:
        loop, ready = self._loop, self._ready
        if loop is None or ready is None:
            return
        try:
            loop.call_soon_threadsafe(ready.set)
        except RuntimeError:
            # The reader's loop is closed: nobody looks any more, which is no concern of the session's.
            self._loop = None
