"""The same EVM as in `evm`, but on anvil: every operation is a transaction in a block of its own."""

import itertools
import json
from http.client import HTTPConnection
from typing import Any, Final
from urllib.parse import urlsplit

from tests.conformance.amm.evm import DEPLOYER, START_TIME, Evm, EvmRevertError, selector, words

_GAS: Final = hex(100_000_000)
_READS: Final = frozenset(
    {
        *("slot0", "liquidity", "feeGrowthGlobal0X128", "feeGrowthGlobal1X128", "protocolFees", "ticks"),
        *("positions", "tickBitmap", "observations", "observe", "snapshotCumulativesInside"),
        *("feeAmountTickSpacing", "balanceOf"),
    }
)


class AnvilEvm(Evm):
    """A chain on anvil with the accounts of `Evm`, and its clock.

    Args:
        url: of a node that mines a block when it is told to.
    """

    def __init__(self, url: str) -> None:
        self._node = HTTPConnection(urlsplit(url).netloc, timeout=300)
        self._ids = itertools.count()
        self.transactions = 0
        self.machine = self
        self._ask("anvil_autoImpersonateAccount", True)
        self._ask("anvil_setBalance", DEPLOYER, hex(10**30))
        self.at(START_TIME)

    def close(self) -> None:
        """End the connection."""
        self._node.close()

    def at(self, timestamp: int) -> None:
        """Set the time of what follows."""
        self._now = timestamp

    def deploy(self, artifact: Any, *arguments: Any) -> str:  # noqa: ANN401  as the parent, and as the machine it deploys on
        """Deploy from an artifact, or, as the machine, for an account and from its code."""
        if artifact != DEPLOYER:
            return super().deploy(artifact, *arguments)
        return str(self._send({"data": "0x" + arguments[0].hex()})["contractAddress"])

    def call(
        self, to: str, signature: str, *arguments: int | str | bytes, via: str | None = None
    ) -> list[int]:
        """Look at what a call gives, and, unless it only reads, carry it out."""
        payload = selector(signature) + b"".join(
            argument if isinstance(argument, bytes) else words(argument) for argument in arguments
        )
        if via is not None:
            to, payload = via, words(to) + payload
        request = {"to": to, "data": "0x" + payload.hex()}
        answer = self._look(request)
        if signature.partition("(")[0] not in _READS:
            self._send(request)
        return [int.from_bytes(answer[at : at + 32], "big") for at in range(0, len(answer), 32)]

    def _look(self, request: dict[str, str]) -> bytes:
        whole = {"from": DEPLOYER, "gas": _GAS, **request}
        answer = self._answer("eth_call", whole, "latest", {}, {"time": hex(self._now)})
        if "error" in answer:
            raise EvmRevertError(bytes.fromhex(str(answer["error"].get("data") or "0x").removeprefix("0x")))
        return bytes.fromhex(answer["result"].removeprefix("0x"))

    def _send(self, request: dict[str, str]) -> dict[str, Any]:
        self._ask("evm_setNextBlockTimestamp", self._now)
        digest = self._ask("eth_sendTransaction", {"from": DEPLOYER, "gas": _GAS, **request})
        self._ask("evm_mine")
        receipt: dict[str, Any] = self._ask("eth_getTransactionReceipt", digest)
        assert receipt["status"] == "0x1", (
            "what went through when it was looked at was refused as a transaction"
        )
        self.transactions += 1
        return receipt

    def _ask(self, method: str, *params: object) -> Any:  # noqa: ANN401  whatever the node says
        answer = self._answer(method, *params)
        assert "error" not in answer, (method, answer["error"])
        return answer["result"]

    def _answer(self, method: str, *params: object) -> dict[str, Any]:
        body = json.dumps({"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params})
        self._node.request("POST", "/", body, {"Content-Type": "application/json"})
        answer: dict[str, Any] = json.loads(self._node.getresponse().read())
        return answer
