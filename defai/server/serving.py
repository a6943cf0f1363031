"""A session's server: events, questions and wishes over a WebSocket, and a status over HTTP; on the loopback alone.

It runs in a thread of its own. The session appends events to a backlog and never waits for anybody.
"""

import asyncio
import hmac
import logging
import os
import secrets
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Final

from aiohttp import web

from defai.agent.control import Control
from defai.errors import DefaiError
from defai.server.backlog import Backlog
from defai.server.protocol import PROTOCOL_VERSION, SOCKET_PATH
from defai.server.reader import Reader
from defai.server.standing import STATUS_PATH
from defai.server.status import summary

log = logging.getLogger(__name__)

HOST: Final = "127.0.0.1"
READERS: Final = 16
_JOIN_S: Final = 5.0
_LAST_WORDS_S: Final = 2.0
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class EventServer:
    """Serves one session.

    Args:
        backlog: what is told.
        control: what can be asked; safe to call from the server's loop.
        token: what a reader has to know.
        port: 0 for one that is free.
    """

    def __init__(self, backlog: Backlog, control: Control, token: str, port: int = 0) -> None:
        self.url = ""
        self._backlog, self._control = backlog, control
        self._token, self._port = token, port
        self._session = secrets.token_hex(8)
        self._readers: set[Reader] = set()
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failed: OSError | None = None
        self._over = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="event server", daemon=True)

    def start(self) -> None:
        """Begin to serve; `url` says where.

        Raises:
            DefaiError: where the port is taken.
        """
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            why = os.strerror(self._failed.errno) if self._failed.errno else str(self._failed)
            raise DefaiError(
                f"Port {self._port} cannot be served on: {why.lower()}.",
                "Choose another, or leave out --port: one that is free is taken.",
            )

    def stop(self) -> None:
        """Let readers have the last words, and end."""
        if self._thread.is_alive():
            self._backlog.wake()
            with suppress(RuntimeError):  # it ended meanwhile
                self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._ready.set()
            self._loop.close()

    async def _serve(self) -> None:
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=_LAST_WORDS_S)
        await runner.setup()
        try:
            site = web.TCPSite(runner, HOST, self._port)
            await site.start()
            self.url = f"ws://{HOST}:{runner.addresses[0][1]}"
        except OSError as error:
            self._failed = error
        else:
            self._ready.set()
            await self._over.wait()
            await self._say_farewell()
        finally:
            await runner.cleanup()

    async def _say_farewell(self) -> None:
        loop = asyncio.get_running_loop()
        deadline = loop.time() + _LAST_WORDS_S
        while self._readers and loop.time() < deadline:  # the last event ends a reader by itself
            if all(reader.sent >= self._backlog.newest for reader in self._readers):
                break
            await asyncio.sleep(0.02)
        for reader in list(self._readers):
            await reader.close()

    def _application(self) -> web.Application:
        app = web.Application(middlewares=[self._guard], client_max_size=1024)
        app.router.add_get(SOCKET_PATH, self._attach)
        app.router.add_get(STATUS_PATH, self._status)
        return app

    @web.middleware
    async def _guard(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Let nobody in who has no token, nor any page of a browser."""
        port = self.url.rpartition(":")[2]
        ours = {f"{HOST}:{port}", f"localhost:{port}"}
        if request.host not in ours or request.headers.get("Origin") is not None:
            raise web.HTTPForbidden(text="Pages of a browser are not let in.\n")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(_bytes(given), _bytes(self._token)):
            raise web.HTTPUnauthorized(text="The token is missing or wrong.\n")
        return await handler(request)

    async def _attach(self, request: web.Request) -> web.StreamResponse:
        if len(self._readers) >= READERS:
            raise web.HTTPServiceUnavailable(text=f"{READERS} readers are attached already.\n")
        reader = Reader(self._session, self._backlog, self._control)
        self._readers.add(reader)
        try:
            return await reader.serve(request)
        finally:
            self._readers.discard(reader)

    async def _status(self, _: web.Request) -> web.Response:
        served = {
            "protocol": PROTOCOL_VERSION,
            "session": self._session,
            "readers": len(self._readers),
            "missed": sum(reader.missed for reader in self._readers),
        }
        return web.json_response({**served, **summary(self._backlog)})


def _bytes(text: str) -> bytes:
    """As it came: a header may hold what is no text."""
    return text.encode("utf-8", "surrogateescape")


@contextmanager
def served(backlog: Backlog, control: Control, token: str, port: int = 0) -> Iterator[EventServer]:
    """Serve while this lasts."""
    server = EventServer(backlog, control, token, port)
    server.start()
    try:
        yield server
    finally:
        server.stop()
