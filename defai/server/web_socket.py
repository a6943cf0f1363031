"""A WebSocket to a session on this machine (RFC 6455): texts there and back, not encrypted, nothing negotiated.

Of our own, since whoever attaches waits for it: what libraries need for the rest of the protocol, for proxies, TLS and
compression, takes longer to import than a tenth of all that a first screen needs.
"""

import asyncio
import base64
import hashlib
import os
import struct
from contextlib import suppress
from typing import Final, Self
from urllib.parse import urlsplit

_GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_MORE, _TEXT, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x8, 0x9, 0xA
_LAST: Final = 0x80
_MASKED: Final = 0x80
_GONE, _WRONG, _NOT_TEXT, _TOO_BIG = 1000, 1002, 1007, 1009
_LARGEST_CONTROL: Final = 125


class ClosedError(ConnectionError):
    """The connection is over, whoever ended it."""


class RefusedError(ConnectionError):
    """Who answers lets nobody in.

    Attributes:
        status: of the HTTP answer.
    """

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class WebSocket:
    """One connection; one task receives, any may send.

    Args:
        reader: what comes, behind the handshake.
        writer: where what is said goes.
        largest: bytes of a text at most.
        heartbeat_s: so often the other side is asked whether it is there; silent for twice as long, it is not.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, largest: int, heartbeat_s: float
    ) -> None:
        self._reader, self._writer, self._largest = reader, writer, largest
        self._heard_at = asyncio.get_running_loop().time()
        self._beating = asyncio.create_task(self._beat(heartbeat_s))

    @classmethod
    async def connect(cls, url: str, authorization: str, *, largest: int, heartbeat_s: float) -> Self:
        """Connect, and be let in.

        Args:
            url: ws://127.0.0.1:8765/session.
            authorization: the header's value.
            largest: bytes of a text at most.
            heartbeat_s: seconds between two questions whether the other side is there.

        Raises:
            RefusedError: where it lets nobody in.
            ClosedError: where who answers speaks no WebSocket.
            OSError: where nobody answers.
        """
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            key = base64.b64encode(os.urandom(16))
            writer.write(
                f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Key: {key.decode()}\r\nSec-WebSocket-Version: 13\r\n"
                f"Authorization: {authorization}\r\n\r\n".encode()
            )
            _require_upgrade(await reader.readuntil(b"\r\n\r\n"), key)
        except (
            asyncio.IncompleteReadError,
            asyncio.LimitOverrunError,
            ConnectionResetError,
            BrokenPipeError,
        ) as error:
            writer.transport.abort()
            raise ClosedError("who answers speaks no WebSocket, or hung up") from error
        except BaseException:
            writer.transport.abort()
            raise
        return cls(reader, writer, largest, heartbeat_s)

    @property
    def is_open(self) -> bool:
        """Whether anything can be sent."""
        return not self._writer.is_closing()

    async def send(self, text: str) -> None:
        """Send a text.

        Raises:
            ClosedError: where the connection is over.
        """
        await self._send(_TEXT, text.encode())

    async def receive(self) -> str:
        """The next text.

        Raises:
            ClosedError: where the connection is over, or the other side does not keep to the protocol.
        """
        parts: list[bytes] = []
        left = self._largest
        try:
            while True:
                last, kind, payload = await self._frame(left)
                if kind >= _CLOSE:
                    await self._obey(kind, payload)
                    continue
                if (kind == _MORE) != bool(parts) or kind not in {_MORE, _TEXT}:
                    raise await self._broken(_WRONG, "a message out of turn, or of no text")
                parts.append(payload)
                left -= len(payload)
                if last:
                    return b"".join(parts).decode()
        except UnicodeDecodeError as error:
            raise await self._broken(_NOT_TEXT, "a text that is none") from error
        except (asyncio.IncompleteReadError, OSError) as error:
            self._end()
            raise error if isinstance(error, ClosedError) else ClosedError("the connection broke") from error

    async def close(self) -> None:
        """Say farewell and go; nobody waits for an answer, for the other side may wait for one as well."""
        with suppress(ClosedError):
            await self._send(_CLOSE, _GONE.to_bytes(2))
        self._end()

    # -- frames ----------------------------------------------------------------------------------------------------

    async def _frame(self, largest: int) -> tuple[bool, int, bytes]:
        """Whether it is a message's last frame, its kind, and what is in it."""
        first, second = await self._reader.readexactly(2)
        kind, size = first & ~_LAST, second & ~_MASKED
        if size == 126:
            (size,) = struct.unpack("!H", await self._reader.readexactly(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", await self._reader.readexactly(8))
        if second & _MASKED or kind not in {_MORE, _TEXT, _CLOSE, _PING, _PONG}:
            raise await self._broken(_WRONG, "a frame of an unknown kind")
        if kind >= _CLOSE and (size > _LARGEST_CONTROL or not first & _LAST):
            raise await self._broken(_WRONG, "a control frame that is too long")
        if size > largest and kind < _CLOSE:
            raise await self._broken(_TOO_BIG, "a text that is too long")
        payload = await self._reader.readexactly(size)
        self._heard_at = asyncio.get_running_loop().time()
        return bool(first & _LAST), kind, payload

    async def _obey(self, kind: int, payload: bytes) -> None:
        """Do what a control frame asks for.

        Raises:
            ClosedError: where that is to go.
        """
        if kind == _PING:
            await self._send(_PONG, payload)
        elif kind == _CLOSE:
            with suppress(ClosedError):
                await self._send(_CLOSE, payload[:2])
            raise ClosedError("the other side closed the connection")

    async def _send(self, kind: int, payload: bytes) -> None:
        """Send a frame, masked as those of a client have to be."""
        if not self.is_open:
            raise ClosedError("the connection is closed")
        size = len(payload)
        if size <= _LARGEST_CONTROL:
            head = bytes([_LAST | kind, _MASKED | size])
        elif size < 1 << 16:
            head = struct.pack("!BBH", _LAST | kind, _MASKED | 126, size)
        else:
            head = struct.pack("!BBQ", _LAST | kind, _MASKED | 127, size)
        mask = os.urandom(4)
        cover = int.from_bytes((mask * (size // 4 + 1))[:size])
        self._writer.write(head + mask + (int.from_bytes(payload) ^ cover).to_bytes(size))
        try:
            await self._writer.drain()
        except OSError as error:
            raise ClosedError("the connection broke") from error

    async def _broken(self, code: int, why: str) -> ClosedError:
        """Give up on who does not keep to the protocol; gives the error to raise."""
        with suppress(ClosedError):
            await self._send(_CLOSE, code.to_bytes(2))
        self._end()
        return ClosedError(f"the other side sent {why}")

    # -- whether anybody is there ----------------------------------------------------------------------------------

    async def _beat(self, every_s: float) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ClosedError):
            while True:
                await asyncio.sleep(every_s)
                if loop.time() - self._heard_at > 2 * every_s:
                    self._writer.transport.abort()
                    return
                await self._send(_PING, b"")

    def _end(self) -> None:
        self._beating.cancel()
        self._writer.close()


def _require_upgrade(answer: bytes, key: bytes) -> None:
    """Hold the answer to a handshake against what was asked.

    Raises:
        RefusedError: where it is another one.
        ClosedError: where it is no answer to this handshake.
    """
    status, *lines = answer.decode("latin-1").split("\r\n")
    words = status.split(maxsplit=2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdecimal():
        raise ClosedError("who answers speaks no HTTP")
    if words[1] != "101":
        raise RefusedError(int(words[1]))
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    accepted = base64.b64encode(hashlib.sha1(key + _GUID, usedforsecurity=False).digest()).decode()
    if headers.get("sec-websocket-accept") != accepted or headers.get("upgrade", "").lower() != "websocket":
        raise ClosedError("who answers speaks no WebSocket")
