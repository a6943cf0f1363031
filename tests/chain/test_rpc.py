"""JSON-RPC against nodes that misbehave in every way we could think of, over real HTTP on the loopback."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from defai.chain.rpc import ATTEMPTS, LONGEST_WORDS, Json, Rpc, RpcError, RpcReplyError, redact
from defai.errors import ConfigError, DefaiError, NotRunningError, TooSlowError
from defai.redaction import redacted

Answer = Callable[[Json], Awaitable[web.Response] | web.Response]


class Node:
    """A node whose every answer the test decides."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.requests: list[Json] = []


@asynccontextmanager
async def node(answer: Answer) -> AsyncIterator[Node]:
    async def handle(request: web.Request) -> web.Response:
        body = await request.json()
        running.requests.append(body)
        response = answer(body)
        return response if isinstance(response, web.Response) else await response

    app = web.Application()
    app.router.add_post("/", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        running = Node(f"http://{host}:{port}")
        yield running
    finally:
        await runner.cleanup()


def reply(**fields: object) -> Answer:
    """Answers one request with these fields beside the right id."""
    return lambda body: web.json_response({"jsonrpc": "2.0", "id": body["id"], **fields})


async def test_a_result_is_returned_and_the_request_is_well_formed() -> None:
    async with node(reply(result="0x1")) as there, Rpc(there.url) as rpc:
        assert await rpc.call("eth_getBalance", "0xabc", "latest") == "0x1"
        (request,) = there.requests
    assert request["method"] == "eth_getBalance"
    assert request["params"] == ["0xabc", "latest"]
    assert request["jsonrpc"] == "2.0"


async def test_a_batch_is_one_request_and_keeps_its_order() -> None:
    def backwards(body: Json) -> web.Response:
        return web.json_response([{"id": item["id"], "result": item["params"][0]} for item in reversed(body)])

    async with node(backwards) as there, Rpc(there.url) as rpc:
        assert await rpc.batch([("eth_call", (i,)) for i in range(20)]) == list(range(20))
        assert len(there.requests) == 1
        assert await rpc.batch([]) == []
        assert len(there.requests) == 1


async def test_an_error_carries_code_words_and_revert_data() -> None:
    error = {"code": 3, "message": "execution reverted", "data": "0x08c379a0"}
    async with node(reply(error=error)) as there, Rpc(there.url) as rpc:
        with pytest.raises(RpcError, match="The node refused eth_call: execution reverted") as caught:
            await rpc.call("eth_call", {})
    assert caught.value.code == 3
    assert caught.value.revert_data == bytes.fromhex("08c379a0")


@pytest.mark.parametrize(
    ("error", "revert"),
    [
        ({"code": -32000, "message": "x", "data": {"data": "0xabcd"}}, b"\xab\xcd"),
        ({"code": -32000, "message": "x", "data": "no hex"}, None),
        ({"code": -32000, "message": "x", "data": "0xzz"}, None),
        ({"message": "x"}, None),
        ("just a text", None),
    ],
)
async def test_errors_of_every_shape_are_errors(error: object, revert: bytes | None) -> None:
    async with node(reply(error=error)) as there, Rpc(there.url) as rpc:
        with pytest.raises(RpcError) as caught:
            await rpc.call("eth_call", {})
    assert caught.value.revert_data == revert


async def test_what_a_node_says_is_one_line_with_an_end_and_without_the_key() -> None:
    key = "Zy9xW8vU7tS6rQ5p"
    error = {"code": -32000, "message": f"bad key {key}\nall is well\x1b[2J {'x' * 1_000_000}"}
    async with node(reply(error=error)) as there, Rpc(f"{there.url}/?key={key}") as rpc:
        with pytest.raises(RpcError) as caught:
            await rpc.call("eth_call", {})
    assert caught.value.sentence.startswith("The node refused eth_call: bad key *** all is well[2J xxx")
    assert caught.value.sentence.endswith("x….")
    assert len(caught.value.message) == LONGEST_WORDS


async def test_no_error_is_none() -> None:
    """As servers of JSON-RPC 1.0 say it, beside the result."""
    async with node(reply(result="0x1", error=None)) as there, Rpc(there.url) as rpc:
        assert await rpc.call("eth_getBalance", "0xabc", "latest") == "0x1"


async def test_a_settled_batch_gives_errors_in_place() -> None:
    def second_fails(body: Json) -> web.Response:
        error = {"code": -32000, "message": "nonce too low"}
        return web.json_response(
            [{"id": body[0]["id"], "result": "0x1"}, {"id": body[1]["id"], "error": error}]
        )

    requests = [("eth_sendRawTransaction", ("0x1",)), ("eth_sendRawTransaction", ("0x2",))]
    async with node(second_fails) as there, Rpc(there.url) as rpc:
        first, second = await rpc.batch_settled(requests)
        assert first == "0x1"
        assert isinstance(second, RpcError)
        with pytest.raises(RpcError, match="nonce too low"):
            await rpc.batch(requests)


@pytest.mark.parametrize(
    "lie",
    [
        lambda body: {"jsonrpc": "2.0", "id": body["id"] + 1, "result": "0x1"},
        lambda body: {"jsonrpc": "2.0", "id": body["id"]},
        lambda _: ["0x1"],
        lambda _: "0x1",
    ],
)
async def test_a_reply_to_something_else_is_not_believed(lie: Callable[[Json], object]) -> None:
    async with node(lambda body: web.json_response(lie(body))) as there, Rpc(there.url) as rpc:
        with pytest.raises(RpcReplyError, match=r"The node at http://127\.0\.0\.1:\d+ answered"):
            await rpc.call("eth_blockNumber")


@pytest.mark.parametrize(
    "lie",
    [
        lambda ids: [{"id": ids[0], "result": 1}, {"id": ids[0], "result": 1}],
        lambda ids: [{"id": ids[0], "result": 1}],
        lambda ids: [{"id": i, "result": 1} for i in (*ids, 999)],
        lambda ids: {"id": ids[0], "result": 1},
        lambda ids: [ids[0], ids[1]],
        lambda ids: [{"id": [i], "result": 1} for i in ids],
    ],
)
async def test_a_batch_that_lies_about_its_ids_is_not_believed(lie: Callable[[list[int]], object]) -> None:
    def answer(body: Json) -> web.Response:
        return web.json_response(lie([item["id"] for item in body]))

    async with node(answer) as there, Rpc(there.url) as rpc:
        with pytest.raises(RpcReplyError, match="answered other requests than the 2 of a batch"):
            await rpc.batch([("eth_chainId", ()), ("eth_blockNumber", ())])


async def test_a_node_that_knows_no_batches_says_so() -> None:
    refusal = {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "batches are not allowed"}}
    async with node(lambda _: web.json_response(refusal)) as there, Rpc(there.url) as rpc:
        with pytest.raises(RpcError, match="a batch of requests: batches are not allowed"):
            await rpc.batch([("eth_chainId", ()), ("eth_blockNumber", ())])


def test_a_host_of_one_long_word_is_named_and_the_key_behind_it_is_not() -> None:
    Rpc("http://Ethereum-Node:8545/v3/Qw8eR7tY6uI5")
    said = "No node answers at http://ethereum-node:8545: is Ethereum-Node up?"
    assert redacted(f"{said} Qw8eR7tY6uI5") == f"{said} ***"


@pytest.mark.parametrize("text", ["<html>hello</html>", "[" * 100_000])
async def test_a_web_page_is_not_a_node_nor_is_a_bottomless_answer(text: str) -> None:
    async with node(lambda _: web.Response(text=text)) as there, Rpc(there.url) as rpc:
        with pytest.raises(ConfigError, match="but not in JSON-RPC") as caught:
            await rpc.call("eth_chainId")
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refused_key_is_a_matter_of_configuration(status: int) -> None:
    async with node(lambda _: web.Response(status=status)) as there, Rpc(there.url) as rpc:
        with pytest.raises(ConfigError, match=f"refuses access .HTTP {status}."):
            await rpc.call("eth_chainId")


async def test_a_busy_node_is_asked_again() -> None:
    waiting = [web.Response(status=429)]

    def busy_once(body: Json) -> web.Response:
        return waiting.pop() if waiting else web.json_response({"id": body["id"], "result": "0x7"})

    async with node(busy_once) as there, Rpc(there.url) as rpc:
        assert await rpc.call("eth_blockNumber") == "0x7"
        assert len(there.requests) == 2


async def test_a_node_that_stays_busy_is_given_up() -> None:
    async with node(lambda _: web.Response(status=503)) as there, Rpc(there.url) as rpc:
        with pytest.raises(DefaiError, match="overloaded or limits our requests"):
            await rpc.call("eth_blockNumber")
        assert len(there.requests) == ATTEMPTS


async def test_what_changes_the_chain_is_never_sent_twice() -> None:
    async with node(lambda _: web.Response(status=503)) as there, Rpc(there.url) as rpc:
        with pytest.raises(DefaiError):
            await rpc.call("eth_sendRawTransaction", "0x")
        with pytest.raises(DefaiError):
            await rpc.batch([("eth_call", ()), ("evm_mine", ())])
        assert len(there.requests) == 2


async def test_silence_is_a_time_out() -> None:
    given_up = asyncio.Event()

    async def stay_silent(_: Json) -> web.Response:
        await given_up.wait()
        return web.Response()

    async with node(stay_silent) as there, Rpc(there.url, timeout_seconds=0.05) as rpc:
        attempts = counted(rpc)
        with pytest.raises(TooSlowError, match=r"did not answer within 0\.05 s") as caught:
            await rpc.call("eth_chainId")
        assert len(attempts) == 2, "a read is asked once more"
        with pytest.raises(TooSlowError):
            await rpc.call("evm_mine")
        assert len(attempts) == 3, "what acts is not"
        given_up.set()
    assert caught.value.exit_code == 5


async def test_silent_once_is_forgiven() -> None:
    given_up = asyncio.Event()
    attempts: list[Json] = []

    async def slow_at_first(body: Json) -> web.Response:
        if len(attempts) == 1:
            await given_up.wait()
        given_up.set()
        return web.json_response({"jsonrpc": "2.0", "id": body["id"], "result": "0x1"})

    async with node(slow_at_first) as there, Rpc(there.url, timeout_seconds=0.05) as rpc:
        attempts = counted(rpc, then_within_s=60)
        assert await rpc.number("eth_chainId") == 1
        assert len(attempts) == 2


def counted(rpc: Rpc, then_within_s: float | None = None) -> list[Json]:
    """What a connection posts from now on: on a busy machine not all of it gets there within a short time.

    Args:
        rpc: the connection.
        then_within_s: how long it waits once it gave up for the first time; None leaves that as it is.
    """
    posted: list[Json] = []
    inner = rpc._post_once

    async def post(body: Json) -> Json:
        posted.append(body)
        try:
            return await inner(body)
        except TooSlowError:
            if then_within_s is not None:
                await rpc.close()
                rpc._timeout = aiohttp.ClientTimeout(then_within_s)
            raise

    rpc._post_once = post  # type: ignore[method-assign]  # counted, and done all the same
    return posted


async def test_nobody_there() -> None:
    async with node(reply(result="0x1")) as there:
        url = there.url
    async with Rpc(url) as rpc:
        with pytest.raises(NotRunningError, match=r"No node answers at http://127\.0\.0\.1:\d+") as caught:
            await rpc.call("eth_chainId")
    assert caught.value.exit_code == 3


async def test_who_knows_why_it_is_gone_is_asked() -> None:
    async with node(reply(result="0x1")) as there:
        url = there.url
    async with Rpc(url, explain=lambda: NotRunningError("The child has ended.")) as rpc:
        with pytest.raises(NotRunningError, match="The child has ended"):
            await rpc.call("eth_chainId")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8545",
        "ftp://host",
        "http://",
        "http:///path",
        "wss://host",
        "http://[half",
        "http://host:99999",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="is not the address of a node"):
        Rpc(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://mainnet.example/v3/0123456789abcdef", "https://mainnet.example/…"),
        ("https://user:password@node.example:8545/", "https://node.example:8545"),
        ("https://node.example/?apikey=0123456789", "https://node.example/…"),
        ("http://127.0.0.1:8545", "http://127.0.0.1:8545"),
        ("http://[half", "(an address that cannot be read)"),
        ("http://host:99999", "(an address that cannot be read)"),
        ("https:///0123456789abcdef", "(an address without a host)"),
    ],
)
def test_addresses_are_shown_without_their_secrets(url: str, shown: str) -> None:
    assert redact(url) == shown


async def test_nothing_secret_is_logged_or_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with node(reply(result="0x1")) as there:
        url = there.url.replace("http://", "http://user:swordfish@") + "/swordfish?key=swordfish"
    rpc = Rpc(url)
    with pytest.raises(NotRunningError) as caught:
        await rpc.call("eth_chainId")
    await rpc.close()
    said = json.dumps([str(caught.value), repr(rpc), rpc.name, caplog.text])
    assert "swordfish" not in said


async def test_a_closed_connection_opens_again() -> None:
    async with node(reply(result="0x1")) as there:
        rpc = Rpc(there.url)
        await rpc.call("eth_chainId")
        await rpc.close()
        assert await rpc.call("eth_chainId") == "0x1"
        await rpc.close()
