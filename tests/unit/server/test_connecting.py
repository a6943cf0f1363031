"""Connecting to who takes the call and says nothing, or something else: a sentence, within a bounded time."""

import asyncio
import base64
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest

from defai.cli import status as status_words
from defai.domain.stream import StreamEvent
from defai.errors import ConfigError, DefaiError, NotRunningError
from defai.server import client, standing
from defai.server.client import RemoteSession, ask_once
from defai.server.places import find
from defai.server.standing import status_of
from tests.unit.server.stage import TOKEN, until

KEY = re.compile(rb"sec-websocket-key: (\S+)", re.IGNORECASE)
GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
UPGRADE = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: ACCEPTED\r\n\r\n"
)


@asynccontextmanager
async def answering(*answer: bytes) -> AsyncIterator[str]:
    """Somebody who takes every call, and says this much and no more: its address."""
    calls: list[asyncio.StreamWriter] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        calls.append(writer)
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            found = KEY.search(await reader.readuntil(b"\r\n\r\n"))
            key = found[1] if found else b""
            accepted = base64.b64encode(hashlib.sha1(key + GUID).digest())  # noqa: S324  as the protocol has it
            for part in answer:
                writer.write(part.replace(b"ACCEPTED", accepted))
            await reader.read()

    async with await asyncio.start_server(take, "127.0.0.1", 0) as server:
        yield f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for writer in calls:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


@pytest.mark.parametrize("answer", [(), (UPGRADE,)], ids=["no word", "no greeting"])
async def test_who_answers_and_says_nothing_is_waited_for_so_long_and_no_longer(
    answer: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "CONNECT_WITHIN_S", 0.2)
    async with answering(*answer) as url:
        said = f"Who answers at {url} did not greet within 0.2 s"
        with pytest.raises(NotRunningError, match=said):
            await anext(remote_at(url).events())
        with pytest.raises(NotRunningError, match=said):
            await ask_once(lambda: (url, TOKEN), "halt_all")


async def test_a_status_is_waited_for_so_long_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "CONNECT_WITHIN_S", 0.2)
    async with answering() as url:
        with pytest.raises(NotRunningError, match=f"Who answers at {url} did not greet within 0.2 s"):
            await asyncio.to_thread(status_of, url, TOKEN)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "is no session"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "is no session"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "answers with 404"),
        (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "as many readers as it takes"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "is no session"),
    ],
    ids=["no JSON", "no object", "another server", "too many", "another protocol"],
)
async def test_a_status_of_something_else_is_said(answer: bytes, said: str) -> None:
    async with answering(answer) as url:
        with pytest.raises(DefaiError, match=said):
            await asyncio.to_thread(status_of, url, TOKEN)


@pytest.mark.parametrize("answer", [(), (UPGRADE,)], ids=["no word", "no greeting"])
async def test_whoever_leaves_while_it_connects_waits_for_nobody(
    answer: tuple[bytes, ...],
) -> None:
    async with answering(*answer) as url:
        remote = remote_at(url)
        listening = asyncio.create_task(heard_from(remote))
        await until(lambda: remote.url)
        await remote.detach()
        assert await asyncio.wait_for(listening, standing.CONNECT_WITHIN_S / 2) == []


async def heard_from(remote: RemoteSession) -> list[StreamEvent]:
    return [event async for event in remote.events()]


@pytest.mark.parametrize("words", [b"hello", b"[]"])
async def test_who_greets_in_other_words_is_no_session(words: bytes) -> None:
    async with answering(UPGRADE, bytes([0x81, len(words)]) + words) as url:
        with pytest.raises(ConfigError, match="is no session"):
            await anext(remote_at(url).events())


def test_a_token_too_short_to_be_one_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEFAI_TOKEN", "x")
    with pytest.raises(ConfigError, match="too short to be a session's token"):
        find("ws://127.0.0.1:8765")


def remote_at(url: str) -> RemoteSession:
    return RemoteSession(lambda: (url, TOKEN), shortest_wait_s=0.01, longest_wait_s=0.05)


def test_a_status_before_the_agents_are_there_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    said = {"setting_up": "", "url": "ws://x", "network": "standin", "block_number": 70, "readers": 0}
    status_words._print({**said, "run_directory": "run", "agents": [], "approvals": []})
    assert capsys.readouterr().out.splitlines()[-1] == "its agents join when the warm-up is over"
