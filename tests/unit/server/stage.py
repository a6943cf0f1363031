"""A session that only pretends to trade, behind the real server; and a wire that can be cut, held up and slow."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Self, TypeVar

import aiohttp

from defai.agent.control import BareControl
from defai.domain.answers import BacktestDone, BacktestProgressed, BacktestUpdate, BacktestWish, QuoteView
from defai.domain.stream import ConnectionChanged, StreamEvent
from defai.errors import NotFoundError
from defai.server.backlog import CAPACITY, Backlog
from defai.server.client import RemoteSession
from defai.server.serving import EventServer, served

TOKEN = "a-token-that-nobody-guesses"  # noqa: S105  nothing hides behind it
DEADLINE_S = 60.0
Kind = TypeVar("Kind")


class Steered(BareControl):
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, ...]] = []
        self.cancelled = asyncio.Event()
        self.hold = asyncio.Event()
        self.held = False

    async def pause(self, agent: str) -> None:
        if agent == "nobody":
            raise NotFoundError("There is no agent called 'nobody'.", "Name another.")
        if agent == "broken":
            raise ZeroDivisionError("a defect")
        if agent == "of no type":
            raise TypeError("a defect, whatever it was asked with")
        if agent == "slow":
            self.held = True
            await self.hold.wait()
        self.asked.append(("pause", agent))

    async def quote(self, pool: str, sell_token: str, amount: Decimal) -> QuoteView:
        one = Decimal(1)
        return QuoteView(pool, 7, sell_token, "WETH", amount, one, one, one, one, None, Decimal(5))

    async def backtest(self, wish: BacktestWish) -> AsyncIterator[BacktestUpdate]:
        try:
            yield BacktestProgressed(f"running {wish.strategy}", 0.5, 1.0)
            if wish.source == "endless":
                await asyncio.Event().wait()
            yield BacktestDone("done", "", 900, (), 2.0)
        finally:
            self.cancelled.set()


@dataclass
class Stage:
    """A served session."""

    backlog: Backlog
    control: Steered
    server: EventServer
    token: str = TOKEN

    def remote(self, url: str | None = None, token: str | None = None) -> RemoteSession:
        """A session at the other end; it comes back quickly."""
        where = url or self.server.url, token or self.token
        return RemoteSession(lambda: where, shortest_wait_s=0.01, longest_wait_s=0.05)


@contextmanager
def staged(port: int = 0, capacity: int = CAPACITY) -> Iterator[Stage]:
    """A stage while this lasts."""
    backlog, control = Backlog(capacity), Steered()
    with served(backlog, control, TOKEN, port) as server:
        yield Stage(backlog, control, server)


@dataclass
class Audience:
    """What a reader has heard."""

    remote: RemoteSession
    heard: list[StreamEvent] = field(default_factory=list)

    def of(self, kind: type[Kind]) -> list[Kind]:
        return [event for event in self.heard if isinstance(event, kind)]

    def told(self) -> list[StreamEvent]:
        """What the session said, without how the connection was."""
        return [event for event in self.heard if not isinstance(event, ConnectionChanged)]


@asynccontextmanager
async def listening(remote: RemoteSession) -> AsyncIterator[Audience]:
    """Listen while this lasts."""
    audience = Audience(remote)

    async def listen() -> None:
        async with aclosing(remote.events()) as events:
            async for event in events:
                audience.heard.append(event)

    task = asyncio.create_task(listen())
    try:
        await until(lambda: audience.heard or task.done())
        if task.done():
            task.result()
        yield audience
    finally:
        await remote.detach()
        with suppress(asyncio.CancelledError):
            task.cancel()
            await task


async def until(condition: Callable[[], object], within_s: float = DEADLINE_S) -> None:
    """Wait for something to become true."""
    deadline = time.monotonic() + within_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        await asyncio.sleep(0.005)


class Wire:
    """A TCP relay that can be cut, and hold back what the server sends."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: set[asyncio.StreamWriter] = set()
        self.lag_s = 0.0
        self.open = asyncio.Event()
        self.open.set()
        self.url = ""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._relay, "127.0.0.1", 0)
        self.url = f"ws://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """Break every connection, without a farewell."""
        for stream in self._streams:
            stream.transport.abort()
        self._streams.clear()

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self._port)
        self._streams |= {writer, back}
        with suppress(ConnectionError, asyncio.CancelledError):
            await asyncio.gather(self._pump(reader, back, held=False), self._pump(there, writer, held=True))

    async def _pump(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, held: bool) -> None:
        while block := await source.read(16_384):
            if held:
                await self.open.wait()
                if self.lag_s:
                    await asyncio.sleep(self.lag_s)
            sink.write(self._addressed(block))
            await sink.drain()
        sink.close()

    def _addressed(self, block: bytes) -> bytes:
        """The server lets in only who asks for its own address."""
        return block.replace(self.url[5:].encode(), f"127.0.0.1:{self._port}".encode())


async def spoken(stage: Stage, *texts: str, headers: dict[str, str] | None = None) -> list[aiohttp.WSMessage]:
    """Say something by hand, and hear everything until the server hangs up, or answers the last text."""
    address = stage.server.url.replace("ws", "http", 1) + "/session"
    given = {"Authorization": f"Bearer {TOKEN}"} if headers is None else headers
    heard = []
    async with aiohttp.ClientSession() as http, http.ws_connect(address, headers=given) as socket:
        for text in texts:
            await socket.send_str(text)
            heard.append(await socket.receive(DEADLINE_S))
    return heard
