"""One reader of a session: sends it events at its own pace, and passes its calls on."""

import asyncio
import json
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final

from aiohttp import WSCloseCode, WSMsgType, web

from defai.agent.control import Control
from defai.agent.passing_on import method_of
from defai.domain.stream import WIRE_VERSION, EventsDropped, SessionEnded, StreamRestarted
from defai.domain.wire import plain, write_event
from defai.errors import ConfigError, DefaiError
from defai.server.backlog import Backlog, Told
from defai.server.protocol import (
    BATCH_BYTES,
    BATCH_EVENTS,
    CALLS_AT_ONCE,
    LARGEST_FROM_READER,
    PROTOCOL_VERSION,
    STREAMING,
    read_arguments,
    read_text,
    write_failure,
)

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 10.0
HELLO_WITHIN_S: Final = 10.0
PAUSE_S: Final = 0.02
"""Between two batches: what comes meanwhile goes together, so that a reader costs little."""


class Reader:
    """A WebSocket from its first word to its last.

    Args:
        session: names this run of the server; numbers of events are good within it.
        backlog: what is sent.
        control: what is asked.

    Attributes:
        sent: the number of the last event that was sent.
        missed: events that the reader was too slow for.
    """

    def __init__(self, session: str, backlog: Backlog, control: Control) -> None:
        self.sent = self.missed = 0
        self._session, self._backlog, self._control = session, backlog, control
        self._socket = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_FROM_READER, compress=False
        )
        self._calls: dict[int, asyncio.Task[None]] = {}
        self._wants_events = True

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Until the reader goes, the session ends or something is wrong with what it says."""
        socket = self._socket
        await socket.prepare(request)
        try:
            if await self._greet():
                sending = asyncio.create_task(self._send_events() if self._wants_events else self._stay())
                try:
                    await self._listen(sending)
                finally:
                    sending.cancel()
                    with suppress(asyncio.CancelledError, ConnectionError):
                        await sending
        except ConfigError as error:
            await self._say({"type": "refused", **write_failure(error)})
            await socket.close(code=WSCloseCode.POLICY_VIOLATION)
        except ConnectionError:
            log.info("a reader is gone")
        finally:
            for call in self._calls.values():
                call.cancel()
        return socket

    async def close(self) -> None:
        """Send the reader away."""
        await self._socket.close(code=WSCloseCode.GOING_AWAY)

    async def _greet(self) -> bool:
        """Hear the reader's first word, and answer; whether it can stay."""
        with suppress(TimeoutError):
            first = await self._socket.receive(HELLO_WITHIN_S)
            if first.type is not WSMsgType.TEXT:
                return False
            hello = read_text(first.data)
            if hello["type"] != "hello":
                raise ConfigError("A reader opens with hello.")
            if hello.get("protocol") != PROTOCOL_VERSION or hello.get("wire") != WIRE_VERSION:
                raise ConfigError(
                    f"This session speaks version {PROTOCOL_VERSION}.{WIRE_VERSION}, you speak "
                    f"{hello.get('protocol')}.{hello.get('wire')}.",
                    "Use the defai that the session was started with.",
                )
            await self._begin(hello)
            return True
        return False

    async def _begin(self, hello: dict[str, Any]) -> None:
        after = hello.get("after", 0)
        known = hello.get("session")
        self._wants_events = hello.get("events", True) is not False
        goes_on = known == self._session and isinstance(after, int) and 0 <= after <= self._backlog.newest
        self.sent = after if goes_on else 0
        welcome = {
            "type": "welcome",
            "protocol": PROTOCOL_VERSION,
            "wire": WIRE_VERSION,
            "session": self._session,
            "newest": self._backlog.newest,
        }
        await self._say(welcome)
        if known is not None and not goes_on:
            await self._say_event(StreamRestarted("this is another session than before"))

    async def _stay(self) -> None:
        """Send nothing: whoever only asks is done when it goes."""
        self.sent = self._backlog.newest
        await asyncio.Event().wait()

    async def _send_events(self) -> None:
        loop, more = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(more.set)

        while not self._socket.closed:
            reading = self._backlog.read(self.sent, BATCH_EVENTS)
            if reading.missed:
                began = self.sent == 0
                self.missed += 0 if began else reading.missed
                reason = "they were over before you came" if began else "you read too slowly"
                await self._say_event(EventsDropped(reading.missed, reason))
            if reading.events:
                await self._send(reading.events)
                if any(isinstance(told.event, SessionEnded) for told in reading.events):
                    return
                await asyncio.sleep(PAUSE_S)
            else:
                more.clear()
                self._backlog.wake_on_next(self.sent, wake)
                await more.wait()

    async def _send(self, events: Sequence[Told]) -> None:
        texts: list[bytes] = []
        size = 0
        for told in events:
            text = write_event(told.event)
            if texts and size + len(text) > BATCH_BYTES:
                await self._send_texts(texts)
                texts, size = [], 0
            texts.append(text)
            size += len(text)
            self.sent = max(self.sent, told.sequence)
        await self._send_texts(texts)

    async def _send_texts(self, texts: list[bytes]) -> None:
        head = b'{"type":"events","last":%d,"events":[' % self.sent
        await self._socket.send_str((head + b",".join(texts) + b"]}").decode())

    async def _say_event(self, event: EventsDropped | StreamRestarted) -> None:
        await self._send_texts([write_event(event)])

    async def _say(self, message: dict[str, Any]) -> None:
        if not self._socket.closed:
            await self._socket.send_str(json.dumps(message, ensure_ascii=False))

    async def _listen(self, sending: "asyncio.Task[None]") -> None:
        while not self._socket.closed:
            hearing = asyncio.ensure_future(self._socket.receive())
            await asyncio.wait({hearing, sending}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done() and not hearing.done():
                hearing.cancel()
                sending.result()
                await asyncio.gather(*self._calls.values(), return_exceptions=True)
                await self._socket.close()
                return
            message = hearing.result()
            if message.type is not WSMsgType.TEXT:
                return
            self._hear(read_text(message.data))

    def _hear(self, message: dict[str, Any]) -> None:
        number = message.get("id")
        if not isinstance(number, int):
            raise ConfigError("A call has a number as its id.")
        if message["type"] == "cancel" and number in self._calls:
            self._calls[number].cancel()
        elif message["type"] == "call":
            if len(self._calls) >= CALLS_AT_ONCE:
                raise ConfigError(f"More than {CALLS_AT_ONCE} calls at once.")
            if number in self._calls:
                raise ConfigError(f"Call {number} is not answered yet.")
            call = asyncio.create_task(self._answer(number, str(message.get("method")), message))
            self._calls[number] = call
            call.add_done_callback(lambda _: self._calls.pop(number, None))
        elif message["type"] != "cancel":
            raise ConfigError(f"Nobody knows what '{message['type'][:20]}' means here.")

    async def _answer(self, number: int, method: str, message: dict[str, Any]) -> None:
        try:
            arguments = read_arguments(method, message.get("arguments", {}))
            given = method_of(self._control, method)(**arguments)
            if method in STREAMING:
                async for part in given:
                    await self._say({"type": "part", "id": number, "value": plain(part)})
                await self._say({"type": "done", "id": number})
            else:
                answer = plain(await given)
                await self._say({"type": "answer", "id": number, "value": answer})
        except ConnectionError:
            return
        except DefaiError as error:
            await self._say({"type": "failed", "id": number, **write_failure(error)})
        except Exception as error:  # a defect; whoever asked is told, and the log keeps it
            log.exception("a call of %s failed", method)
            defect = DefaiError(f"This is a defect in defai, not a mistake of yours: {type(error).__name__}.")
            await self._say({"type": "failed", "id": number, **write_failure(defect)})
