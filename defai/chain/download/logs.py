"""Logs of long stretches, in ranges as wide as the node will have them."""

from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from defai.chain.codec import checksum
from defai.chain.download.patience import PatientRpc, is_rate_limit
from defai.chain.rpc import NoJsonError, RpcError, RpcReplyError
from defai.domain.tokens import Address
from defai.errors import TooSlowError

FIRST_WIDTH: Final = 512
WIDEST: Final = 65_536
SUCCESSES_BEFORE_GROWTH: Final = 4
_SUSPICIOUS: Final = 1_000
"""Nodes that cut an answer short without a word do so at a round number."""


class LogReader:
    """Reads the logs of some contracts, range by range.

    A refusal, whatever its words, halves the range; success widens it again, carefully where it was refused before.

    Args:
        rpc: the node.
        contracts: whose logs.
        topics: as `eth_getLogs` wants them; none for all.
        widest: the most blocks in one request.
    """

    def __init__(
        self,
        rpc: PatientRpc,
        contracts: Sequence[Address],
        topics: Sequence[Any] = (),
        *,
        widest: int = WIDEST,
    ) -> None:
        self.width = min(FIRST_WIDTH, widest)
        self._rpc = rpc
        self._filter = {"address": list(contracts), **({"topics": list(topics)} if topics else {})}
        self._watched = set(contracts)
        self._widest = widest
        self._since_refusal = SUCCESSES_BEFORE_GROWTH

    async def read(self, first: int, last: int) -> tuple[int, list[dict[str, Any]]]:
        """The logs of the first blocks of a stretch, as many as the node gives at once.

        Returns:
            The last block that was read, and its and its predecessors' logs in the chain's order.

        Raises:
            DefaiError: where the node refuses even a single block, or goes on being busy.
        """
        while True:
            end = min(last, first + self.width - 1)
            try:
                logs = await self._rpc.patiently(
                    partial(self._once, first, end),
                    self._rpc.may_pass if end == first else is_rate_limit,
                )
            except (RpcError, RpcReplyError, TooSlowError, NoJsonError) as error:
                if end == first or is_rate_limit(error):
                    raise
                self._narrow(end - first + 1)
                continue
            if end > first and logs and not len(logs) % _SUSPICIOUS:
                self._narrow(end - first + 1)
                continue
            self._widen()
            return end, logs

    async def _once(self, first: int, last: int) -> list[dict[str, Any]]:
        wanted = {"fromBlock": hex(first), "toBlock": hex(last), **self._filter}
        logs = await self._rpc.once("eth_getLogs", wanted)
        try:
            logs = [log for log in logs if checksum(log["address"]) in self._watched]
            logs.sort(key=place_of)
            places = [place_of(log) for log in logs]
        except (KeyError, TypeError, ValueError) as error:
            raise RpcReplyError(f"The logs that {self._rpc.name} gave are none.") from error
        if places and not first <= places[0][0] <= places[-1][0] <= last:
            raise RpcReplyError(f"{self._rpc.name} gave logs of other blocks than {first:,} to {last:,}.")
        if len(set(places)) != len(places):
            raise RpcReplyError(f"{self._rpc.name} gave a log twice in blocks {first:,} to {last:,}.")
        return logs

    def _narrow(self, refused: int) -> None:
        self.width = max(1, refused // 2)
        self._since_refusal = 0

    def _widen(self) -> None:
        """Twice as wide where nothing was refused lately; else only after some successes."""
        self._since_refusal += 1
        if self._since_refusal > SUCCESSES_BEFORE_GROWTH:
            self.width = min(self._widest, 2 * self.width)


def place_of(log: Any) -> tuple[int, int]:  # noqa: ANN401  a log as the node gives it
    """Block number and index of a log."""
    return int(log["blockNumber"], 16), int(log["logIndex"], 16)
