"""The WebSocket of those who attach, against a library's server, and against one that does not keep to the protocol."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final

import pytest
from websockets.asyncio.server import ServerConnection, serve

from defai.server.web_socket import ClosedError, RefusedError, WebSocket
from tests.unit.server.stage import until

KEY: Final = re.compile(rb"Sec-WebSocket-Key: (\S+)")
GUID: Final = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
UPGRADE: Final = (
    b"HTTP/1.1 101 Come in\r\nupgrade: WebSocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n"
)
LARGEST: Final = 100_000
NEVER_S: Final = 3_600.0


@dataclass
class Other:
    """Somebody who says what he is told to, behind a handshake that is right, and keeps what he hears."""

    says: bytes
    answer: bytes = UPGRADE
    url: str = ""
    heard: bytes = b""
    writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writers.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            found = KEY.search(await reader.readuntil(b"\r\n\r\n"))
            key = base64.b64encode(hashlib.sha1((found[1] if found else b"") + GUID).digest())  # noqa: S324  RFC 6455
            writer.write((self.answer.replace(b"%s", key)) + self.says)
            while block := await reader.read(65_536):
                self.heard += block

    def frames(self) -> list[tuple[int, bytes]]:
        """First bytes and payloads of what was heard: short frames, masked."""
        found, left = [], self.heard
        while left:
            assert left[1] & 0x80, "a client masks what it says"
            size, mask = left[1] & 0x7F, left[2:6]
            found.append((left[0], bytes(byte ^ mask[at % 4] for at, byte in enumerate(left[6 : 6 + size]))))
            left = left[6 + size :]
        return found


@asynccontextmanager
async def answering(says: bytes = b"", answer: bytes = UPGRADE) -> AsyncIterator[Other]:
    other = Other(says, answer)
    async with await asyncio.start_server(other.take, "127.0.0.1", 0) as server:
        other.url = f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}/session"
        yield other
        for writer in other.writers:
            writer.close()


@asynccontextmanager
async def connected(url: str, heartbeat_s: float = NEVER_S) -> AsyncIterator[WebSocket]:
    socket = await WebSocket.connect(url, "Bearer it", largest=LARGEST, heartbeat_s=heartbeat_s)
    try:
        yield socket
    finally:
        await socket.close()


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536, LARGEST])
async def test_texts_of_every_size_come_back_from_a_librarys_server(size: int) -> None:
    async def echo(there: ServerConnection) -> None:
        assert there.request is not None
        assert there.request.headers["Authorization"] == "Bearer it"
        async for text in there:
            await there.send(text)

    async with serve(echo, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        async with connected(f"ws://127.0.0.1:{port}/session") as socket:
            for text in ("x" * size, "ünïcode ✓"):
                await socket.send(text)
                assert await socket.receive() == text


async def test_a_text_in_pieces_is_one_text_and_a_question_between_them_is_answered() -> None:
    async with (
        answering(b"\x01\x03one\x89\x02ok\x00\x00\x80\x03two") as other,
        connected(other.url) as socket,
    ):
        assert await socket.receive() == "onetwo"
        await until(lambda: other.frames() == [(0x8A, b"ok")])


async def test_a_farewell_is_answered() -> None:
    async with answering(b"\x88\x02\x03\xe9") as other, connected(other.url) as socket:
        with pytest.raises(ClosedError, match="the other side closed"):
            await socket.receive()
        await until(lambda: other.frames() == [(0x88, b"\x03\xe9")])
        assert not socket.is_open
        with pytest.raises(ClosedError):
            await socket.send("more")


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        (b"\x81\x82mask", 1002),
        (b"\xc1\x01a", 1002),
        (b"\x83\x01a", 1002),
        (b"\x82\x01a", 1002),
        (b"\x80\x01a", 1002),
        (b"\x01\x01a\x81\x01b", 1002),
        (b"\x89\x7e\x00\x7e" + b"x" * 126, 1002),
        (b"\x09\x01a", 1002),
        (b"\x81\x01\xff", 1007),
        (b"\x81\x7f" + (LARGEST + 1).to_bytes(8), 1009),
        (b"\x01\x01a\x80\x7f" + LARGEST.to_bytes(8), 1009),
    ],
)
async def test_who_does_not_keep_to_the_protocol_is_left(frame: bytes, code: int) -> None:
    async with answering(frame) as other, connected(other.url) as socket:
        with pytest.raises(ClosedError):
            await socket.receive()
        await until(lambda: other.heard)
        assert other.frames() == [(0x88, code.to_bytes(2))]
        assert not socket.is_open


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 101 Come in\r\n\r\n",
        UPGRADE.replace(b"%s", b"of another key"),
        UPGRADE.replace(b"WebSocket", b"h2c"),
        b"x" * 200_000,
    ],
)
async def test_who_speaks_something_else_is_told_from_a_session(answer: bytes) -> None:
    async with answering(answer=answer) as other:
        with pytest.raises(ClosedError):
            await WebSocket.connect(other.url, "", largest=LARGEST, heartbeat_s=NEVER_S)


async def test_who_hangs_up_is_told_from_a_session() -> None:
    async with answering(answer=b"") as other:
        connecting = asyncio.create_task(
            WebSocket.connect(other.url, "", largest=LARGEST, heartbeat_s=NEVER_S)
        )
        await until(lambda: other.writers)
        other.writers[0].close()
        with pytest.raises(ClosedError):
            await connecting


async def test_a_refusal_says_its_status() -> None:
    async with answering(answer=b"HTTP/1.1 503 Full\r\nContent-Length: 0\r\n\r\n") as other:
        with pytest.raises(RefusedError) as refused:
            await WebSocket.connect(other.url, "", largest=LARGEST, heartbeat_s=NEVER_S)
    assert refused.value.status == 503


async def test_who_is_silent_for_too_long_is_not_there_any_more() -> None:
    async with answering() as other, connected(other.url, heartbeat_s=0.02) as socket:
        with pytest.raises(ClosedError):
            await socket.receive()
        assert (0x89, b"") in other.frames()


async def test_whatever_comes_is_a_sign_of_life() -> None:
    async with answering(b"\x8a\x00\x81\x01a") as other, connected(other.url) as socket:
        socket._heard_at = long_ago = -1e9
        assert await socket.receive() == "a"
        assert socket._heard_at > long_ago
