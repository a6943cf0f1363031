"""The event bus: one publisher, any number of subscribers, and none of them can slow the publisher down."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Self

from defai.domain.others_words import fit_to_show
from defai.domain.stream import StreamEvent


class Subscription:
    """A bounded queue of events. When it is full the oldest event is dropped, and counted."""

    def __init__(self, capacity: int) -> None:
        self._events: deque[StreamEvent] = deque(maxlen=capacity)
        self._ready = asyncio.Event()
        self._closed = False
        self.dropped = 0

    def push(self, event: StreamEvent) -> None:
        """Add an event without waiting."""
        if len(self._events) == self._events.maxlen:
            self.dropped += 1
        self._events.append(event)
        self._ready.set()

    def close(self) -> None:
        """No more events will come; what is queued can still be read."""
        self._closed = True
        self._ready.set()

    def __aiter__(self) -> AsyncIterator[StreamEvent]:
        return self._iterate()

    async def _iterate(self) -> AsyncIterator[StreamEvent]:
        while True:
            while self._events:
                yield self._events.popleft()
            if self._closed:
                return
            self._ready.clear()
            await self._ready.wait()


class Bus:
    """Hands every published event to every subscription."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription] = []
        self._taps: list[Callable[[StreamEvent], None]] = []
        self.published = 0

    def subscribe(self, capacity: int = 10_000) -> Subscription:
        """A new subscription that sees events from now on."""
        subscription = Subscription(capacity)
        self._subscriptions.append(subscription)
        return subscription

    def tap(self, observer: Callable[[StreamEvent], None]) -> None:
        """Call an observer with every event, on the publisher's thread: it must not block and must not raise."""
        self._taps.append(observer)

    def publish(self, event: StreamEvent) -> None:
        """Hand an event to all, with texts that can be shown; never waits."""
        self.published += 1
        event = fit_to_show(event)
        for subscription in self._subscriptions:
            subscription.push(event)
        for observer in self._taps:
            observer(event)

    def close(self) -> None:
        """End all subscriptions."""
        for subscription in self._subscriptions:
            subscription.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
