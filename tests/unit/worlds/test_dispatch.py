"""What is sent while a node is being asked: other tasks get their turn meanwhile, and use the same keys."""

from collections.abc import Awaitable, Callable, Sequence

import pytest

from defai.agent.ports import Submission
from defai.audit.outbox import Anchor
from defai.chain.keys import throwaway_key
from defai.chain.rpc import Json, Request, Rpc
from defai.chain.tx import Wallet
from defai.worlds.dispatch import STUCK_BLOCKS, Dispatch
from defai.worlds.sent_log import SentLog
from defai.worlds.vault_accounts import VaultAccount, VaultAccounts

NOWHERE = "0x" + "00" * 20
NONCE = 5
Turn = Callable[[], Awaitable[object]]


class Node(Rpc):
    """Takes everything and puts nothing into a block; before one of its answers somebody else gets a turn."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:1")
        self.turns: dict[str, Turn] = {}
        self.asked_of: list[str] = []

    async def call(self, method: str, *params: Json) -> Json:
        if method in self.turns:
            await self.turns.pop(method)()
        if method == "eth_getTransactionReceipt":
            self.asked_of += params
            return None
        return hex(NONCE) if method == "eth_getTransactionCount" else {"baseFeePerGas": "0x1"}

    async def batch_settled(self, requests: Sequence[Request]) -> list[Json]:
        return [await self.call(method, *params) for method, params in requests]


class Fleet:
    """Two agents' keys, and what sends for them."""

    def __init__(self) -> None:
        self.node = Node()
        self.wallets = {
            name: Wallet(throwaway_key(7, name), chain_id=1, nonce=NONCE) for name in ("one", "two")
        }
        accounts = {name: VaultAccount(wallet, NOWHERE, 0) for name, wallet in self.wallets.items()}
        vaults = VaultAccounts(self.node, accounts, (), NOWHERE)
        self.dispatch = Dispatch(self.node, vaults, SentLog(None), dict.fromkeys(self.wallets, 0))

    async def send(self, name: str) -> None:
        assert await self.dispatch.send(Submission(name, Anchor()), upon=100) is None

    async def announce(self) -> None:
        """As an agent does whose parameters or model changed."""
        wallet = self.wallets["one"]
        wallet.sign(wallet.address, b"news", gas=60_000, max_fee_wei=1, priority_fee_wei=1)


@pytest.fixture
def fleet() -> Fleet:
    return Fleet()


@pytest.mark.parametrize("moment", ["eth_getBlockByNumber", "eth_sendRawTransaction"])
async def test_an_agent_announces_something_while_it_sends(fleet: Fleet, moment: str) -> None:
    fleet.node.turns[moment] = fleet.announce
    await fleet.send("one")
    assert fleet.wallets["one"].nonce == NONCE + 2


async def test_what_was_announced_behind_a_stuck_transaction_keeps_its_nonce(fleet: Fleet) -> None:
    await fleet.send("one")
    await fleet.announce()
    await fleet.dispatch.collect(100 + STUCK_BLOCKS)
    fleet.node.asked_of.clear()
    await fleet.dispatch.collect(101 + STUCK_BLOCKS)
    assert len(fleet.node.asked_of) == 2, "it was sent again for more gas"
    assert fleet.wallets["one"].nonce == NONCE + 2


async def test_an_owner_answers_while_receipts_are_asked_for(fleet: Fleet) -> None:
    await fleet.send("one")
    fleet.node.turns["eth_getTransactionReceipt"] = lambda: fleet.send("two")
    assert await fleet.dispatch.collect(101) == {}
    fleet.node.asked_of.clear()
    assert await fleet.dispatch.collect(102) == {}
    assert len(fleet.node.asked_of) == 2
