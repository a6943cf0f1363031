import asyncio
import threading

import pytest

from defai.domain.stream import Notice, SessionEnded, SessionStarted, StreamEvent
from defai.tui.bridge import EventQueue


def notice(number: int) -> Notice:
    return Notice("info", str(number))


START = SessionStarted("standin", 1, 0, 1, "USDC", (), (), None)
END = SessionEnded("done", "", 0)


async def read(queue: EventQueue) -> list[StreamEvent]:
    return [event async for event in queue]


async def test_events_arrive_in_order_from_another_thread() -> None:
    queue = EventQueue()

    def session() -> None:
        for number in range(5_000):
            queue.put_threadsafe(notice(number))
        queue.put_threadsafe(END)

    thread = threading.Thread(target=session)
    reading = asyncio.create_task(read(queue))
    thread.start()
    events = await asyncio.wait_for(reading, 60)
    thread.join()
    assert events == [*map(notice, range(5_000)), END]
    assert queue.dropped == 0


async def test_the_oldest_give_way_and_are_counted_but_not_the_beginning_nor_the_end() -> None:
    queue = EventQueue(capacity=10)
    queue.put_threadsafe(START)
    for number in range(100):
        queue.put_threadsafe(notice(number))
    queue.put_threadsafe(END)
    assert len(queue) == 10
    assert await read(queue) == [START, *map(notice, range(92, 100)), END]
    assert queue.dropped == 92


async def test_closing_ends_the_reading_after_what_is_queued() -> None:
    queue = EventQueue()
    queue.put_threadsafe(notice(1))
    queue.close()
    queue.put_threadsafe(notice(2))
    assert await asyncio.wait_for(read(queue), 60) == [notice(1)]


async def test_closing_wakes_a_reader_that_waits() -> None:
    queue = EventQueue()
    reading = asyncio.create_task(read(queue))
    await asyncio.sleep(0)
    queue.close()
    assert await asyncio.wait_for(reading, 60) == []


async def test_a_slow_reader_is_woken_once_however_many_events_come() -> None:
    queue = EventQueue()
    reading = asyncio.create_task(read(queue))
    await asyncio.sleep(0)
    loop = asyncio.get_running_loop()
    woken = 0
    original = loop.call_soon_threadsafe

    def counting(*arguments: object, **options: object) -> object:
        nonlocal woken
        woken += 1
        return original(*arguments, **options)  # type: ignore[arg-type]  # passed on as they came

    loop.call_soon_threadsafe = counting  # type: ignore[assignment,method-assign]  # counts on the way
    for number in range(1_000):
        queue.put_threadsafe(notice(number))
    queue.put_threadsafe(END)
    assert woken == 1
    assert len(await asyncio.wait_for(reading, 60)) == 1_001


def test_putting_after_the_readers_loop_has_ended_is_no_error() -> None:
    queue = EventQueue()

    async def look_once() -> None:
        queue.put_threadsafe(notice(1))
        async for _ in queue:
            break

    asyncio.run(look_once())
    queue.put_threadsafe(notice(2))
    queue.put_threadsafe(notice(3))
    assert len(queue) == 2


def test_a_queue_without_room_for_a_beginning_and_an_end_is_refused() -> None:
    with pytest.raises(ValueError, match="room"):
        EventQueue(capacity=1)
