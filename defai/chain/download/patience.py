"""A connection that puts up with public nodes: it waits, asks again and asks for less."""

import re
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, TypeVar

import tenacity

from defai.chain.rpc import BusyError, Json, NoJsonError, Request, Rpc, RpcError, RpcReplyError
from defai.errors import NotRunningError, TooSlowError

ATTEMPTS: Final = 8
FIRST_WAIT_SECONDS: Final = 0.5
LONGEST_WAIT_SECONDS: Final = 20.0
LARGEST_BATCH: Final = 100
BATCHES_BETWEEN_GROWTH: Final = 16

_LIMITED: Final = re.compile(
    r"rate.?limit|too many requests|requests? (?:per|a) second|compute units|throughput|capacity exceeded"
    r"|try again|temporar|throttl|overload|timeout waiting|\b429\b",
    re.IGNORECASE,
)
"""What nodes say in JSON-RPC where others say HTTP 429."""
_LIMIT_CODES: Final = frozenset({429, -32029, -32097})
_TOO_MANY_RESULTS: Final = re.compile(r"results|range|logs|blocks|response size", re.IGNORECASE)

Answer = TypeVar("Answer")


def is_rate_limit(error: BaseException) -> bool:
    """Whether the node asks to come again later, as opposed to asking for less."""
    if isinstance(error, BusyError):
        return True
    if not isinstance(error, RpcError):
        return False
    if error.code in _LIMIT_CODES:
        return True
    return bool(_LIMITED.search(error.message)) and not _TOO_MANY_RESULTS.search(error.message)


class PatientRpc(Rpc):
    """A connection that waits where the node is busy, silent or out of order, and cuts batches that are too large.

    What a wrong address gives is not waited for: only a node that has answered once is believed to come back.

    Args:
        url: as `Rpc` wants it.
        timeout_seconds: how long one request or batch may take.
        attempts: how often anything is asked before it is given up.
        first_wait_seconds: before the second attempt; each further wait is twice as long, up to 20 s.
    """

    def __init__(
        self,
        url: str,
        *,
        timeout_seconds: float = 30.0,
        attempts: int = ATTEMPTS,
        first_wait_seconds: float = FIRST_WAIT_SECONDS,
    ) -> None:
        super().__init__(url, timeout_seconds=timeout_seconds)
        self._attempts = attempts
        self._first_wait = first_wait_seconds
        self._batch = LARGEST_BATCH
        self._good = 0
        self._proven = False

    async def call(self, method: str, *params: Json) -> Json:
        """As `Rpc.call`, with patience."""
        return await self.patiently(lambda: self.once(method, *params), self.may_pass)

    async def once(self, method: str, *params: Json) -> Json:
        """As `Rpc.call`, a single time."""
        return await super().call(method, *params)

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        """As `Rpc.batch_settled`, with patience, in as many round trips as the node wants."""
        results: list[Json] = []
        while len(results) < len(requests):
            rest = requests[len(results) :]
            results += await self.patiently(partial(self._some, rest), self.may_pass)
        return results

    async def patiently(
        self, ask: Callable[[], Awaitable[Answer]], worth_it: Callable[[BaseException], bool]
    ) -> Answer:
        """Ask until there is an answer, an error that will stay, or no patience left.

        Args:
            ask: asks once.
            worth_it: whether it is worth asking again after an error.
        """
        retrying = tenacity.AsyncRetrying(
            stop=tenacity.stop_after_attempt(self._attempts),
            wait=tenacity.wait_exponential(multiplier=self._first_wait, max=LONGEST_WAIT_SECONDS),
            retry=tenacity.retry_if_exception(worth_it),
            reraise=True,
        )

        async def attempt() -> Answer:  # tenacity awaits what is declared async, and nothing else
            return await ask()

        return await retrying(attempt)

    def may_pass(self, error: BaseException) -> bool:
        """Whether an error may be gone the next time."""
        if isinstance(error, NotRunningError | NoJsonError):
            return self._proven
        return isinstance(error, TooSlowError | RpcReplyError) or is_rate_limit(error)

    async def _post(self, body: Json, *, retry: bool) -> Json:  # noqa: ARG002  patience is had by the callers, who can ask for less
        answer = await self._post_once(body)
        self._proven = True
        return answer

    async def _some(self, requests: Sequence[Request]) -> list[Json]:
        """The results of the first few requests: as many as the node takes at once."""
        while len(some := requests[: self._batch]) > 1:
            try:
                results = await super().batch_settled(some)
            except (NoJsonError, RpcError, RpcReplyError, TooSlowError) as error:
                if is_rate_limit(error) or not self._proven:
                    raise
                self._batch = len(some) // 2
                continue
            self._grow()
            limited = next((i for i, result in enumerate(results) if is_rate_limit(result)), len(some))
            if not limited:
                raise results[0]
            return results[:limited]
        method, params = some[0]
        try:
            return [await self.once(method, *params)]
        except RpcError as error:
            if is_rate_limit(error):
                raise
            self._grow()
            return [error]

    def _grow(self) -> None:
        """Try larger batches again after a while: what was cut off once need not be again."""
        self._good += 1
        if not self._good % BATCHES_BETWEEN_GROWTH:
            self._batch = min(LARGEST_BATCH, 2 * self._batch)
