"""JSON-RPC over HTTP: one session, kept-alive connections, batches, and errors a person can act on."""

import asyncio
import io
import itertools
import json
from collections.abc import Callable, Mapping, Sequence
from ipaddress import ip_address
from types import TracebackType
from typing import Any, Final, Self, TypeAlias
from urllib.parse import urlsplit

import tenacity

from defai.errors import ConfigError, DefaiError, NotRunningError, TooSlowError
from defai.harmless import harmless
from defai.redaction import protect_parts, redacted

Json: TypeAlias = Any
"""A JSON value: what it is depends on the method that was called."""
Request: TypeAlias = tuple[str, Sequence[Json]]
"""A method and its parameters."""

READ_PREFIXES: Final = (
    "eth_get",
    "eth_call",
    "eth_chainId",
    "eth_blockNumber",
    "eth_feeHistory",
    "eth_estimate",
    "net_",
    "web3_",
)
"""Methods that change nothing, and may therefore be asked again when the connection breaks."""
ATTEMPTS: Final = 4
LONGEST_WORDS: Final = 1_000
BUSY: Final = frozenset({429, 502, 503, 504})


class RpcError(DefaiError):
    """The node understood the request and answered with an error.

    Attributes:
        code: the JSON-RPC error code.
        message: the node's own words, `LONGEST_WORDS` characters of them at most, on one line and without secrets.
        revert_data: what the contract reverted with; None where the error isn't a revert with data.
    """

    def __init__(self, method: str, code: int, message: str, revert_data: bytes | None = None) -> None:
        super().__init__(f"The node refused {method}: {message.strip().rstrip('.')}.")
        self.method = method
        self.code = code
        self.message = message
        self.revert_data = revert_data


class RpcReplyError(DefaiError):
    """The node's reply cannot be what was asked for: an id nobody asked with, a result of the wrong kind."""


class BusyError(DefaiError):
    """The node asks to come again later."""


class NoJsonError(ConfigError):
    """What answers is no node: or it is one, and its answer was cut off on the way."""


class Rpc:
    """A JSON-RPC connection. Use as an async context manager, or call `close`.

    Args:
        url: http or https address of the node. It may hold a secret: it is never shown but through `redact`.
        timeout_seconds: how long one request or batch may take.
        explain: says why the node is gone, where the caller knows it (a child process); None while it runs.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 20.0,
        explain: Callable[[], DefaiError | None] | None = None,
    ) -> None:
        if not _is_http(url):
            raise ConfigError(
                f"{redact(url)!r} is not the address of a node.", "Write it as http://host:port or https://…"
            )
        self._url = url
        protect_parts(url, urlsplit(url).hostname or "")
        import aiohttp  # noqa: PLC0415  heavy, and who only reads files asks no node

        self._timeout = aiohttp.ClientTimeout(total=timeout_seconds)
        self._seconds = timeout_seconds
        self._explain = explain
        self._session: aiohttp.ClientSession | None = None
        self._ids = itertools.count(1)

    @property
    def name(self) -> str:
        """The node's address without anything secret in it."""
        return redact(self._url)

    @property
    def url(self) -> str:
        """The node's address as it was given; may hold a secret."""
        return self._url

    def __repr__(self) -> str:
        return f"Rpc({self.name})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections. The object opens new ones if it is used again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, method: str, *params: Json) -> Json:
        """Call a method and return its result.

        Raises:
            RpcError: where the node answers with an error.
            NotRunningError, TooSlowError, ConfigError: where it does not answer, not in time, or is no node.
        """
        number = next(self._ids)
        body = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        reply = await self._post(body, retry=method.startswith(READ_PREFIXES))
        if not isinstance(reply, dict):
            raise RpcReplyError(f"The node at {self.name} answered {method} with something that is no reply.")
        error = reply.get("error")
        if error is not None:
            raise _rpc_error(method, error)
        if reply.get("id") != number:
            raise RpcReplyError(
                f"The node at {self.name} answered request {reply.get('id')!r} instead of {number}."
            )
        return self._result(method, reply)

    async def number(self, method: str, *params: Json) -> int:
        """Call a method whose result is a quantity: hex digits behind 0x.

        Raises:
            RpcReplyError: where it is none; and as `call` does.
        """
        answer = await self.call(method, *params)
        try:
            return int(answer, 16)
        except (TypeError, ValueError) as error:
            raise RpcReplyError(
                f"The node at {self.name} answered {method} with what is no number."
            ) from error

    async def view(self, contract: str, data: bytes, block: str = "latest") -> bytes:
        """What a contract answers to call data, read only; empty where there is no contract.

        Args:
            contract: its address.
            data: the call data.
            block: a block's number in hex, or "latest".
        """
        answer = await self.call("eth_call", {"to": contract, "data": "0x" + data.hex()}, block)
        return bytes.fromhex(answer[2:])

    async def batch(self, requests: Sequence[Request]) -> list[Json]:
        """Call several methods in one round trip; the results come in the order of the requests.

        Raises:
            RpcError: of the first request that failed.
        """
        results = await self.batch_settled(requests)
        for result in results:
            if isinstance(result, RpcError):
                raise result
        return results

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        """Like `batch`, but a request that failed gives its `RpcError` in place of a result."""
        if not requests:
            return []
        first = next(self._ids)
        for _ in requests[1:]:
            next(self._ids)
        body = [
            {"jsonrpc": "2.0", "id": first + i, "method": method, "params": params}
            for i, (method, params) in enumerate(requests)
        ]
        replies = await self._post(
            body, retry=all(method.startswith(READ_PREFIXES) for method, _ in requests)
        )
        if isinstance(replies, dict) and "error" in replies:
            raise _rpc_error("a batch of requests", replies["error"])
        by_id: dict[object, Mapping[str, Json]] = {}
        if isinstance(replies, list):
            told = [reply for reply in replies if isinstance(reply, dict)]
            by_id = {reply["id"]: reply for reply in told if isinstance(reply.get("id"), int)}
        if set(by_id) != set(range(first, first + len(requests))) or len(replies) != len(requests):
            raise RpcReplyError(
                f"The node at {self.name} answered other requests than the {len(requests)} of a batch."
            )
        results: list[Json] = []
        for i, (method, _) in enumerate(requests):
            reply = by_id[first + i]
            error = reply.get("error")
            results.append(self._result(method, reply) if error is None else _rpc_error(method, error))
        return results

    def _result(self, method: str, reply: Mapping[str, Json]) -> Json:
        if "result" not in reply:
            raise RpcReplyError(
                f"The node at {self.name} answered {method} with neither a result nor an error."
            )
        return reply["result"]

    async def _post(self, body: Json, *, retry: bool) -> Json:
        if not retry:
            return await self._post_once(body)
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(ATTEMPTS),
            wait=tenacity.wait_exponential(multiplier=0.05, max=1.0),
            retry=self._worth_another_try,
            reraise=True,
        )
        return await retrying(self._post_once, body)

    def _worth_another_try(self, state: tenacity.RetryCallState) -> bool:
        """Whether what happened may pass; silence once: it may be us who slept, as a shut laptop does."""
        error = state.outcome.exception() if state.outcome else None
        if self._explain is not None and self._explain() is not None:
            return False
        if isinstance(error, TooSlowError):
            return state.attempt_number == 1
        return isinstance(error, NotRunningError | BusyError)

    async def _post_once(self, body: Json) -> Json:
        import aiohttp  # noqa: PLC0415  as above

        if self._session is None:
            self._session = aiohttp.ClientSession(timeout=self._timeout)
        try:
            async with self._session.post(
                self._url,
                data=io.BytesIO(json.dumps(body).encode()),
                headers={"Content-Type": "application/json"},
            ) as response:
                text = await response.read()
                status = response.status
        except asyncio.TimeoutError as error:  # noqa: UP041  the same class as TimeoutError since 3.11; aiohttp raises this one
            raise TooSlowError(
                f"The node at {self.name} did not answer within {self._seconds:g} s."
            ) from error
        except aiohttp.InvalidURL as error:
            raise ConfigError(f"{self.name!r} is not the address of a node.") from error
        except (aiohttp.ClientError, OSError) as error:
            raise self._gone() from error
        return self._parse(status, text)

    def _gone(self) -> DefaiError:
        known = self._explain() if self._explain is not None else None
        return known or NotRunningError(
            f"No node answers at {self.name}.", "Is it running, and is the address right?"
        )

    def _parse(self, status: int, text: bytes) -> Json:
        if status in {401, 403}:
            raise ConfigError(
                f"The node at {self.name} refuses access (HTTP {status}).", "Check the key in its address."
            )
        if status in BUSY:
            raise BusyError(f"The node at {self.name} is overloaded or limits our requests (HTTP {status}).")
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            if status >= 500:
                raise BusyError(f"The node at {self.name} is out of order (HTTP {status}).") from error
            raise NoJsonError(
                f"{self.name} answers (HTTP {status}), but not in JSON-RPC.",
                "Is it the address of an Ethereum node?",
            ) from error


def redact(url: str) -> str:
    """An address without user, password, path and query: providers keep their keys in any of them."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "(an address that cannot be read)"
    if not parts.hostname:
        return "(an address without a host)" if parts.scheme or "/" in url else url[:12]
    secret = parts.path.strip("/") or parts.query
    return f"{parts.scheme}://{parts.hostname}{port}{'/…' if secret else ''}"


def is_loopback(url: str) -> bool:
    """Whether an address is one of this machine's own."""
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _words(said: Json) -> str:
    told = redacted(harmless(str(said)))
    return told if len(told) <= LONGEST_WORDS else f"{told[: LONGEST_WORDS - 1]}…"


def _rpc_error(method: str, error: Json) -> RpcError:
    if not isinstance(error, dict):
        return RpcError(method, 0, _words(error))
    code = error.get("code", 0)
    message = _words(error.get("message", "without a reason"))
    data = error.get("data")
    if isinstance(data, dict):
        data = data.get("data")
    revert: bytes | None = None
    if isinstance(data, str) and data.startswith("0x"):
        try:
            revert = bytes.fromhex(data[2:])
        except ValueError:
            revert = None
    return RpcError(method, code if isinstance(code, int) else 0, message, revert)
