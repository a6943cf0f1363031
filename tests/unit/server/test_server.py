"""A session's server and who attaches to it: over a wire that breaks, to readers that are slow, against strangers."""

import asyncio
import json
import socket
from collections.abc import Iterator
from decimal import Decimal

import aiohttp
import pytest
from websockets.asyncio.client import ClientConnection

from defai.domain.answers import BacktestDone, BacktestProgressed, BacktestWish
from defai.domain.stream import (
    WIRE_VERSION,
    ConnectionChanged,
    EventsDropped,
    Notice,
    SessionEnded,
    SessionStarted,
    StepCompleted,
    StreamEvent,
    StreamRestarted,
)
from defai.errors import ConfigError, DefaiError, NotFoundError, NotRunningError, TooSlowError
from defai.server.client import RemoteSession, ask_once
from defai.server.protocol import LARGEST_FROM_READER, PROTOCOL_VERSION
from defai.server.standing import status_of
from defai.testing.stream import demo_stream
from tests.unit.server.stage import TOKEN, Stage, Wire, listening, spoken, staged, until

HELLO = json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION, "wire": WIRE_VERSION})


@pytest.fixture
def stage() -> Iterator[Stage]:
    with staged() as stage:
        yield stage


def port_of(stage: Stage) -> int:
    return int(stage.server.url.rpartition(":")[2])


def played(stage: Stage, blocks: int = 5, *, end: bool = False) -> list[StreamEvent]:
    events = list(demo_stream(blocks=blocks, end=end))
    for event in events:
        stage.backlog.append(event)
    return events


def notices(count: int, first: int = 0) -> list[StreamEvent]:
    return [Notice("info", f"{at}") for at in range(first, first + count)]


async def test_a_reader_hears_everything_from_the_beginning_and_as_it_comes(stage: Stage) -> None:
    before = played(stage)
    async with listening(stage.remote()) as audience:
        await until(lambda: len(audience.told()) >= len(before))
        stage.backlog.append(late := Notice("info", "late"))
        await until(lambda: late in audience.heard)
    assert audience.heard[0] == ConnectionChanged("connected", stage.server.url)
    assert audience.told() == [*before, late]


async def test_the_last_event_ends_it(stage: Stage) -> None:
    events = played(stage, end=True)
    heard = [event async for event in stage.remote().events()]
    assert heard[1:] == events


async def test_the_end_of_the_server_is_heard_before_it_is_gone() -> None:
    with staged() as stage:
        task = asyncio.create_task(_all(stage))
        await until(lambda: stage.server._readers)
        stage.backlog.append(SessionEnded("over", "", 0))
        await asyncio.to_thread(stage.server.stop)
    assert isinstance((await task)[-1], SessionEnded)


async def _all(stage: Stage) -> list[StreamEvent]:
    return [event async for event in stage.remote().events()]


async def test_a_broken_connection_goes_on_where_it_was(stage: Stage) -> None:
    async with Wire(port_of(stage)) as wire, listening(stage.remote(wire.url)) as audience:
        for at in range(5):
            for event in notices(50, at * 50):
                stage.backlog.append(event)
            wire.cut()
            await until(lambda at=at: len(audience.told()) == (at + 1) * 50)  # type: ignore[misc]  # a default binds it
    assert audience.told() == notices(250), "nothing twice, nothing lost"
    states = [event.state for event in audience.of(ConnectionChanged)]
    assert {"connected", "disconnected", "connecting"} == set(states)


async def test_a_slow_wire_delays_and_loses_nothing(stage: Stage) -> None:
    async with Wire(port_of(stage)) as wire:
        wire.lag_s = 0.02
        async with listening(stage.remote(wire.url)) as audience:
            for event in notices(300):
                stage.backlog.append(event)
            await until(lambda: len(audience.told()) == 300)
    assert audience.told() == notices(300)


async def test_a_reader_too_slow_misses_the_oldest_and_is_told() -> None:
    with staged(capacity=400) as stage:
        started = played(stage, blocks=3)
        async with Wire(port_of(stage)) as wire, listening(stage.remote(wire.url)) as audience:
            await until(lambda: len(audience.told()) == len(started))
            wire.open.clear()
            big = [Notice("info", "x" * 20_000 + str(at)) for at in range(2_000)]
            for event in big:
                stage.backlog.append(event)
                await asyncio.sleep(0)
            wire.open.set()
            await until(lambda: audience.told()[-1] == big[-1])
            dropped = sum(event.count for event in audience.of(EventsDropped))
            assert dropped > 0
            assert dropped + len(audience.of(Notice)) == len(big)
            said = status_of(stage.server.url, TOKEN)
            assert said["missed"] == dropped
        assert len(stage.backlog._recent) == 400


async def test_who_comes_late_is_told_what_still_holds() -> None:
    with staged(capacity=50) as stage:
        events = played(stage, blocks=40)
        async with listening(stage.remote()) as audience:
            await until(lambda: audience.told() and audience.told()[-1] == events[-1])
        told = audience.told()
    first, started = told[0], audience.of(SessionStarted)
    assert isinstance(first, EventsDropped)
    assert started == [event for event in events if isinstance(event, SessionStarted)]
    assert len({event.agent for event in audience.of(StepCompleted)}) == 4
    assert told[-50:] == events[-50:]
    assert first.count + len(told) - 1 == len(events)


async def test_a_server_that_starts_again_is_another_session() -> None:
    with staged() as first, staged() as second:  # on another port: this one's may be somebody else's by then
        where = first.server
        for event in notices(20):
            first.backlog.append(event)
        remote = RemoteSession(lambda: (where.url, TOKEN), shortest_wait_s=0.01, longest_wait_s=0.05)
        async with listening(remote) as audience:
            await until(lambda: len(audience.told()) == 20)
            await asyncio.to_thread(first.server.stop)
            await until(
                lambda: any(event.state == "disconnected" for event in audience.of(ConnectionChanged))
            )
            with pytest.raises(NotRunningError, match="cannot be reached now"):
                await remote.pause("tiers")
            where = second.server
            second.backlog.append(Notice("info", "anew"))
            await until(lambda: audience.told()[-1] == Notice("info", "anew"))
    assert isinstance(audience.told()[20], StreamRestarted)
    assert len(audience.told()) == 22


async def test_where_nobody_serves_that_is_said_at_once() -> None:
    with socket.socket() as taken:  # and not listened to: nobody else gets it meanwhile
        taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}"
        with staged() as stage, pytest.raises(NotRunningError, match="Nobody answers"):
            async with listening(stage.remote(url)):
                pass
        with pytest.raises(NotRunningError):
            status_of(url, TOKEN)
        with pytest.raises(NotRunningError):
            await ask_once(lambda: (url, TOKEN), "halt_all")


@pytest.mark.parametrize("token", ["wrong", "", TOKEN + "x", "é"])
async def test_a_wrong_token_lets_nobody_in(stage: Stage, token: str) -> None:
    with pytest.raises(ConfigError, match="does not take this token"):
        async with listening(stage.remote(token=token or "-")):
            pass
    with pytest.raises(ConfigError, match="token"):
        status_of(stage.server.url, token)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": TOKEN}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "null"}, 403),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 403),
    ],
)
async def test_strangers_and_pages_of_a_browser_are_turned_away(
    stage: Stage, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        await spoken(stage, HELLO, headers=headers)
    assert refused.value.status == status
    assert not stage.control.asked


@pytest.mark.parametrize(
    "text",
    [
        "no json",
        "[]",
        '{"type": 5}',
        '{"type": "pause"}',
        json.dumps({"type": "hello"}),
        json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION + 1, "wire": WIRE_VERSION}),
        json.dumps({"type": "hello", "protocol": PROTOCOL_VERSION, "wire": WIRE_VERSION + 1}),
        "[" * 10_000,
    ],
)
async def test_who_speaks_another_language_is_refused_in_a_sentence(stage: Stage, text: str) -> None:
    (answer,) = await spoken(stage, text)
    said = json.loads(answer.data)
    assert said["type"] == "refused"
    assert said["sentence"].endswith(".")


async def test_another_version_reaches_the_person(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("defai.server.client.PROTOCOL_VERSION", 99)
    with pytest.raises(ConfigError, match="you speak 99"):
        async with listening(stage.remote()):
            pass


async def test_a_session_that_is_too_busy_to_greet_is_asked_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object) -> None:
        raise TimeoutError

    async with Wire(port_of(stage)) as wire, listening(stage.remote(wire.url)) as audience:
        with monkeypatch.context() as patch:
            patch.setattr(ClientConnection, "recv", never)
            with pytest.raises(NotRunningError, match="did not greet within 15 s"):
                await ask_once(lambda: (stage.server.url, TOKEN), "halt_all")
            wire.cut()
            await until(lambda: any("greet" in one.reason for one in audience.of(ConnectionChanged)))
        stage.backlog.append(late := Notice("info", "late"))
        await until(lambda: late in audience.heard)


async def test_a_huge_message_ends_the_connection_alone(stage: Stage) -> None:
    _, answer = await spoken(stage, HELLO, json.dumps({"type": "call", "x": "x" * LARGEST_FROM_READER}))
    assert answer.type in {aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSED}
    assert answer.data == aiohttp.WSCloseCode.MESSAGE_TOO_BIG
    await until(lambda: not stage.server._readers)
    assert status_of(stage.server.url, TOKEN)["readers"] == 0


async def test_questions_are_answered_with_what_they_ask_for(stage: Stage) -> None:
    async with listening(stage.remote()) as audience:
        remote = audience.remote
        await remote.pause("tiers")
        said = await remote.quote("0xpool", "USDC", Decimal("12.5"))
        assert (said.amount_in, said.sell_symbol, said.cost_bps) == (Decimal("12.5"), "USDC", None)
        with pytest.raises(NotFoundError, match="no agent called 'nobody'") as refused:
            await remote.pause("nobody")
        assert refused.value.hint == "Name another."
        with pytest.raises(DefaiError, match="a defect in defai"):
            await remote.pause("broken")
        with pytest.raises(NotFoundError, match="cannot be verified"):
            await remote.verify("0x1234567890ab")
        with pytest.raises(NotFoundError, match="cannot be asked to seek"):
            await remote.seek(5)
    assert stage.control.asked == [("pause", "tiers")]


@pytest.mark.parametrize(
    ("method", "arguments", "words"),
    [
        ("pause", {"agent": "of no type"}, "a defect in defai"),
        ("__init__", {}, "cannot be asked to '__init__'"),
        ("asked", {}, "cannot be asked"),
        ("pause", {"agent": 5}, "does not take"),
        ("pause", {"agent": "a", "more": 1}, "takes agent"),
        ("pause", {}, "too little"),
        ("pause", [], "takes agent"),
        ("rate", {"digest": "0x", "verdict": "great"}, "does not take"),
    ],
)
async def test_nonsense_is_refused_and_the_connection_lives(
    stage: Stage, method: str, arguments: object, words: str
) -> None:
    call = {"type": "call", "id": 1, "method": method, "arguments": arguments}
    good = {"type": "call", "id": 2, "method": "pause", "arguments": {"agent": "tiers"}}
    _, failed, answer = await spoken(stage, HELLO, json.dumps(call), json.dumps(good))
    assert words in json.loads(failed.data)["sentence"]
    assert json.loads(answer.data) == {"type": "answer", "id": 2, "value": None}


@pytest.mark.parametrize("kind", ["call", "cancel"])
@pytest.mark.parametrize("number", [None, [1], {}, "1"])
async def test_a_call_without_a_number_is_refused(stage: Stage, kind: str, number: object) -> None:
    _, refused = await spoken(stage, HELLO, json.dumps({"type": kind, "id": number, "method": "strategies"}))
    assert json.loads(refused.data)["sentence"] == "A call has a number as its id."


async def test_a_number_stands_for_one_call_at_a_time(stage: Stage) -> None:
    wish = {"strategy": "hold", "source": "endless", "parameters": {}}
    call = json.dumps({"type": "call", "id": 1, "method": "backtest", "arguments": {"wish": wish}})
    _, part, refused = await spoken(stage, HELLO, call, call)
    assert json.loads(part.data)["type"] == "part"
    assert json.loads(refused.data)["sentence"] == "Call 1 is not answered yet."
    await until(stage.control.cancelled.is_set)


async def test_a_backtest_comes_part_by_part(stage: Stage) -> None:
    wish = BacktestWish("hold", "prices.csv", {})
    async with listening(stage.remote()) as audience:
        parts = [part async for part in audience.remote.backtest(wish)]
    assert [type(part) for part in parts] == [BacktestProgressed, BacktestDone]


async def test_a_backtest_that_nobody_waits_for_is_ended(stage: Stage) -> None:
    async with listening(stage.remote()) as audience:
        updates = audience.remote.backtest(BacktestWish("hold", "endless", {}))
        await anext(updates)
        await updates.aclose()  # type: ignore[attr-defined]  # it is a generator
        await until(stage.control.cancelled.is_set)


async def test_a_connection_that_breaks_answers_what_was_asked(stage: Stage) -> None:
    async with Wire(port_of(stage)) as wire, listening(stage.remote(wire.url)) as audience:
        asked = asyncio.create_task(audience.remote.pause("slow"))
        await until(lambda: stage.control.held)
        wire.cut()
        with pytest.raises(NotRunningError, match="broke meanwhile"):
            await asked


async def test_who_only_asks_is_sent_no_events(stage: Stage) -> None:
    played(stage, blocks=50)
    await ask_once(lambda: (stage.server.url, TOKEN), "pause", agent="tiers")
    assert stage.control.asked == [("pause", "tiers")]
    with pytest.raises(TooSlowError):
        await ask_once(lambda: (stage.server.url, TOKEN), "pause", 0.2, agent="slow")


async def test_the_status_says_how_things_stand(stage: Stage) -> None:
    assert status_of(stage.server.url, TOKEN)["agents"] == []
    events = played(stage, blocks=5)
    said = status_of(stage.server.url, TOKEN)
    assert said["events"] == len(events)
    assert [agent["name"] for agent in said["agents"]] == ["lp-wide", "reverter", "tiers", "hold"]
    assert said["network"] == "standin"
    assert said["approvals"] == []


def test_it_serves_the_loopback_interface_alone(stage: Stage) -> None:
    assert stage.server.url.startswith("ws://127.0.0.1:")
    host = socket.gethostbyname(socket.gethostname())
    if host.startswith("127."):
        pytest.skip("this machine has no other address")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((host, port_of(stage)), 2):
        pass


def test_a_port_that_is_taken_is_said(stage: Stage) -> None:
    with (
        pytest.raises(
            DefaiError, match=f"Port {port_of(stage)} cannot be served on: address already in use."
        ),
        staged(port_of(stage)),
    ):
        pass
