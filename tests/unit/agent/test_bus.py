"""The bus: nobody slows the publisher down, nothing is lost unseen."""

import asyncio

from defai.agent.bus import Bus
from defai.domain.stream import Notice, StreamEvent


def notices(count: int) -> list[Notice]:
    return [Notice("info", str(number)) for number in range(count)]


async def test_every_subscriber_sees_every_event_from_its_start_on() -> None:
    bus = Bus()
    first = bus.subscribe()
    one, two, three = notices(3)
    bus.publish(one)
    second = bus.subscribe()
    bus.publish(two)
    bus.publish(three)
    bus.close()
    assert [event async for event in first] == [one, two, three]
    assert [event async for event in second] == [two, three]
    assert bus.published == 3


async def test_a_full_queue_drops_the_oldest_and_counts() -> None:
    with Bus() as bus:
        slow = bus.subscribe(capacity=2)
        events = notices(5)
        for event in events:
            bus.publish(event)
    assert [event async for event in slow] == events[-2:]
    assert slow.dropped == 3


async def test_a_waiting_subscriber_is_woken_by_an_event_and_by_the_end() -> None:
    bus = Bus()
    subscription = bus.subscribe()
    heard: list[StreamEvent] = []

    async def listen() -> None:
        heard.extend([event async for event in subscription])

    listening = asyncio.create_task(listen())
    await asyncio.sleep(0)
    (one, two) = notices(2)
    bus.publish(one)
    await asyncio.sleep(0)
    bus.publish(two)
    await asyncio.sleep(0)
    assert not listening.done()
    bus.close()
    await asyncio.wait_for(listening, 60)
    assert heard == [one, two]


async def test_a_tap_hears_at_once() -> None:
    bus = Bus()
    heard: list[StreamEvent] = []
    bus.tap(heard.append)
    (one,) = notices(1)
    bus.publish(one)
    assert heard == [one]


def test_what_others_wrote_is_published_fit_to_be_shown() -> None:
    seen: list[StreamEvent] = []
    with Bus() as bus:
        bus.tap(seen.append)
        bus.publish(Notice("info", "sold\x1b[2J\nall", ""))
    assert seen == [Notice("info", "sold[2J all", "")]
