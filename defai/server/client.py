"""The other end of a session's server: its events and its control, through a connection that may break."""

import asyncio
import itertools
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterable
from contextlib import aclosing, suppress
from typing import Any, Final, TypeVar

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus, WebSocketException
from websockets.protocol import State

from defai.agent.passing_on import PassingControl
from defai.domain.stream import (
    WIRE_VERSION,
    ConnectionChanged,
    SessionEnded,
    StreamEvent,
)
from defai.domain.wire import plain, read_events
from defai.errors import NotRunningError, TooSlowError
from defai.server.protocol import (
    LARGEST_TO_READER,
    PROTOCOL_VERSION,
    SOCKET_PATH,
    read_answer,
    read_failure,
)
from defai.server.standing import CONNECT_WITHIN_S, no_session, nobody, refusal, silent

HEARTBEAT_S: Final = 10.0
PART_WITHIN_S: Final = 0.25
"""How long to wait for the session's farewell: where both say theirs at once, each may wait for the other's."""
SHORTEST_WAIT_S: Final = 0.25
LONGEST_WAIT_S: Final = 10.0

Answer = TypeVar("Answer")
Credentials = Callable[[], tuple[str, str]]
"""Gives address and token; asked before every attempt, since a session that was started again has another token."""


class RemoteSession(PassingControl):
    """A session in another process, on one event loop.

    Args:
        credentials: where it is and what lets one in.
        shortest_wait_s: after a connection broke; it doubles with every attempt that fails.
        longest_wait_s: at most.
    """

    def __init__(
        self,
        credentials: Credentials,
        *,
        shortest_wait_s: float = SHORTEST_WAIT_S,
        longest_wait_s: float = LONGEST_WAIT_S,
    ) -> None:
        self.url = ""
        self._credentials = credentials
        self._waits = shortest_wait_s, longest_wait_s
        self._socket: ClientConnection | None = None
        self._session: str | None = None
        self._last = 0
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Queue[Any]] = {}
        self._leaving = asyncio.Event()

    async def events(self) -> AsyncGenerator[StreamEvent, None]:
        """What the session tells, and in between how the connection is; until it ends, or `detach`.

        Raises:
            DefaiError: where it cannot be reached at first, refuses the token, or speaks another version.
        """
        attempt = 0
        while not self._leaving.is_set():
            reason = ""
            try:
                async with aclosing(self._connected()) as events:
                    async for event in events:
                        attempt = 0
                        yield event
                        if isinstance(event, SessionEnded):
                            return
                reason = "the session closed the connection"
            except NotRunningError as error:
                if self._session is None and not self._leaving.is_set():
                    raise
                reason = error.sentence
            if self._leaving.is_set():
                break
            wait = min(self._waits[0] * 2**attempt, self._waits[1])
            attempt += 1
            yield ConnectionChanged("disconnected", self.url, reason, attempt, wait)
            with suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), wait)
            if not self._leaving.is_set():
                yield ConnectionChanged("connecting", self.url, reason, attempt)

    async def detach(self) -> None:
        """Go, and let the session go on."""
        self._leaving.set()
        if self._socket is not None:
            await self._socket.close()

    async def _connected(self) -> AsyncGenerator[StreamEvent, None]:
        """One connection, from its welcome to its end."""
        self.url, token = self._credentials()
        socket = await self._unless_left(_open(self.url, token))
        try:
            known = {"session": self._session} if self._session is not None else {}
            welcome = await self._unless_left(_greet(self.url, socket, {"after": self._last, **known}))
            if self._session != welcome["session"]:
                self._session, self._last = str(welcome["session"]), 0
            self._socket = socket
            yield ConnectionChanged("connected", self.url)
            with suppress(ConnectionClosed):
                async for message in socket:
                    for event in self._hear(json.loads(message)):
                        yield event
        finally:
            self._socket = None
            self._fail_all()
            await socket.close()

    async def _unless_left(self, coming: Coroutine[Any, Any, Answer]) -> Answer:
        """Wait for what comes, or until one leaves: who answers may never say a word."""
        task, left = asyncio.ensure_future(coming), asyncio.ensure_future(self._leaving.wait())
        try:
            await asyncio.wait({task, left}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                return task.result()
            raise NotRunningError("You have left.")
        finally:
            task.cancel()
            left.cancel()

    def _hear(self, message: dict[str, Any]) -> Iterable[StreamEvent]:
        if message["type"] == "events":
            self._last = message["last"]
            return read_events(message["events"])
        if message["type"] == "refused":
            raise read_failure(message)
        queue = self._waiting.get(message.get("id", 0))
        if queue is not None:
            queue.put_nowait(message)
        return ()

    def _fail_all(self) -> None:
        for queue in self._waiting.values():
            queue.put_nowait(
                {"type": "failed", "exit_code": 3, "sentence": "The connection broke meanwhile."}
            )

    async def ask(self, method: str, **arguments: Any) -> Any:  # noqa: ANN401  whatever the method takes and gives
        """Have the session asked."""
        async with aclosing(self._conversation(method, arguments)) as answers:
            answer = await anext(answers)
        return read_answer(method, answer.get("value"))

    async def follow(self, method: str, **arguments: Any) -> AsyncIterator[Any]:  # noqa: ANN401  the same
        """One part after the other."""
        async with aclosing(self._conversation(method, arguments)) as answers:
            async for message in answers:
                if message["type"] == "done":
                    return
                yield read_answer(method, message.get("value"))

    async def _conversation(
        self, method: str, arguments: dict[str, Any]
    ) -> AsyncGenerator[dict[str, Any], None]:
        socket, number = self._socket, next(self._numbers)
        if socket is None or socket.state is not State.OPEN:
            raise NotRunningError(
                "The session cannot be reached now.", "Its events go on once it answers again."
            )
        queue = self._waiting[number] = asyncio.Queue[Any]()
        answered = False
        try:
            await socket.send(_call(number, method, arguments))
            while True:
                message = await queue.get()
                answered = message["type"] != "part"
                if message["type"] == "failed":
                    raise read_failure(message)
                yield message
        except ConnectionClosed as error:
            raise NotRunningError("The connection broke.") from error
        finally:
            del self._waiting[number]
            if not answered:
                with suppress(ConnectionClosed):
                    await socket.send(json.dumps({"type": "cancel", "id": number}))


async def ask_once(credentials: Credentials, method: str, within_s: float = 30.0, **arguments: Any) -> Any:  # noqa: ANN401  what the method takes and gives
    """Connect, ask one thing, and go; no event is sent meanwhile.

    Raises:
        NotRunningError: where nobody answers.
        TooSlowError: where the answer takes too long.
    """
    url, token = credentials()
    try:
        async with asyncio.timeout(within_s):
            socket = await _open(url, token)
            try:
                await _greet(url, socket, {"events": False})
                await socket.send(_call(1, method, arguments))
                async for message in socket:
                    answer = json.loads(message)
                    if answer["type"] in {"failed", "refused"}:
                        raise read_failure(answer)
                    return read_answer(method, answer.get("value"))
            finally:
                await socket.close()
    except TimeoutError as error:
        raise TooSlowError(f"The session at {url} did not answer within {within_s:g} s.") from error
    except ConnectionClosed as error:
        raise NotRunningError(f"The connection to {url} broke.") from error
    raise NotRunningError("The session went before it answered.")


async def _open(url: str, token: str) -> ClientConnection:
    try:
        return await connect(
            url + SOCKET_PATH,
            additional_headers={"Authorization": f"Bearer {token}"},
            compression=None,
            proxy=None,
            open_timeout=CONNECT_WITHIN_S,
            ping_interval=HEARTBEAT_S,
            ping_timeout=HEARTBEAT_S,
            close_timeout=PART_WITHIN_S,
            max_size=LARGEST_TO_READER,
        )
    except InvalidStatus as error:
        raise refusal(url, error.response.status_code) from error
    except TimeoutError as error:
        raise silent(url, CONNECT_WITHIN_S) from error
    except (WebSocketException, OSError) as error:
        raise nobody(url) from error


async def _greet(url: str, socket: ClientConnection, words: dict[str, Any]) -> dict[str, Any]:
    hello = {"type": "hello", "protocol": PROTOCOL_VERSION, "wire": WIRE_VERSION, **words}
    try:
        await socket.send(json.dumps(hello))
        async with asyncio.timeout(CONNECT_WITHIN_S):
            answer = await socket.recv()
    except TimeoutError as error:
        raise silent(url, CONNECT_WITHIN_S) from error
    except ConnectionClosed as error:
        raise NotRunningError("Who answers does not greet.", "Is it a session's address?") from error
    try:
        welcome = json.loads(answer)
    except (ValueError, RecursionError):
        welcome = None
    if isinstance(welcome, dict) and welcome.get("type") == "refused":
        raise read_failure(welcome)
    if not isinstance(welcome, dict) or "session" not in welcome:
        raise no_session(url)
    return welcome


def _call(number: int, method: str, arguments: dict[str, Any]) -> str:
    call = {"type": "call", "id": number, "method": method, "arguments": plain(arguments)}
    return json.dumps(call)
