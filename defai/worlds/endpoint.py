"""The endpoint world: a development chain that somebody else runs and mines, on the loopback interface.

Blocks come by themselves, transactions are sent at once, and a submission is settled when its receipt's block has
been read. There is no market of ours: whoever else is on that chain is the market.
"""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from time import perf_counter
from typing import Final
from urllib.parse import urlsplit

from defai.agent.ports import (
    Arrival,
    AuditLog,
    Clock,
    ModelChange,
    Notices,
    Opening,
    Settlement,
    Submission,
)
from defai.audit.record import AuditDomain
from defai.chain.deploy import OurContracts
from defai.chain.local import DevelopmentChain
from defai.chain.pools import check_chain, check_pools, snapshot_pool
from defai.chain.reader import BlockReader
from defai.chain.rpc import Rpc, RpcError, redact
from defai.chain.tx import Wallet, get_receipts, send
from defai.domain.chain_events import Block
from defai.domain.operations import Call, Operation
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, DefaiError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.models.trained import TrainedModel
from defai.units import GWEI
from defai.worlds.announcing import announce, announce_switch
from defai.worlds.audit_logs import open_audit_log
from defai.worlds.chain_seats import seat_agents
from defai.worlds.clocks import RealClock
from defai.worlds.seating import SeatRequest
from defai.worlds.vault_accounts import VaultAccounts, agent_tip, count_records

POLL_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 15.0
"""How long the end of a session waits for a block to settle in."""


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """Which endpoint.

    Attributes:
        url: its address; may hold a secret.
        seed: of the throwaway accounts.
        chain_id: what it must say it is; None takes its word.
        history_blocks: how far back reading begins, where the node has it.
        decisions: file that decisions are kept in; None keeps them in memory.
    """

    url: str
    seed: int
    history_blocks: int = 0
    chain_id: int | None = None
    decisions: Path | None = None


class EndpointWorld:
    """A chain that is there already, and the agents' vaults on it."""

    network = "rpc"

    def __init__(
        self,
        options: EndpointOptions,
        keys: Sequence[PoolKey],
        valuation: Valuation,
        requests: Sequence[SeatRequest],
    ) -> None:
        self.feed = self
        self.executor = self
        self.clock: Clock = RealClock()
        self._options = options
        self._keys = tuple(keys)
        self._valuation = valuation
        self._requests = tuple(requests)
        self._stack = AsyncExitStack()
        self._under_way: dict[str, tuple[Submission, str]] = {}
        self._settled: dict[str, Settlement] = {}

    chain: DevelopmentChain
    audit_log: AuditLog
    contracts: OurContracts
    _reader: BlockReader
    _vaults: VaultAccounts
    _deployer: Wallet | None
    _models: Address | None = None
    _head: Block
    _newest: int

    @property
    def rpc_url(self) -> str:
        """Where the chain answers."""
        return self.chain.rpc.url

    @property
    def chain_id(self) -> int:
        """The chain's id; 0 before it is connected to."""
        return self.chain.chain_id if hasattr(self, "chain") else 0

    async def open(self) -> Opening:
        """Connect, make sure that it is a chain whose money is play money, and seat the agents."""
        rpc = await self._stack.enter_async_context(Rpc(self._options.url))
        await self._check(rpc)
        self.chain = DevelopmentChain(rpc, int(await rpc.call("eth_chainId"), 16))
        await check_pools(rpc, self._keys)
        self._reader = BlockReader(rpc, self._keys)
        pricing = await snapshot_pool(rpc, self._valuation.key, await self._reader.head())
        seating = await seat_agents(
            self.chain,
            self._requests,
            self._keys,
            self._valuation,
            pricing,
            seed=self._options.seed,
            max_fee_wei=await self._max_fee_wei(),
            settle=None,
        )
        self.contracts, self._deployer = seating.contracts, seating.deployer
        self._vaults = VaultAccounts(rpc, seating.accounts, self._keys, seating.contracts.audit)
        domain = AuditDomain(self.chain_id, seating.contracts.audit)
        self.audit_log = open_audit_log(domain, self._options.decisions, self._stack)
        self._newest = await self._reader.head()
        number = await self._beginning(rpc)
        self._head = (await self._reader.read(number)).block
        pools = {key.address: await snapshot_pool(rpc, key, number) for key in self._keys}
        return Opening(MarketState(self._keys, pools, self._head), seating.seats)

    def warm_up(self, wanted: int) -> int:
        """The blocks between where reading begins and the newest when the agents were seated."""
        return min(wanted, self._newest - self._head.number)

    async def close(self) -> None:
        """Leave the chain as it is."""
        await self._stack.aclose()

    def begin(self) -> None:
        """Blocks come when they come."""

    async def due(self) -> None:
        """Wait until there is a block after the last one."""
        while await self._reader.head() <= self._head.number:  # noqa: ASYNC110  a node is asked, it does not call
            await asyncio.sleep(POLL_SECONDS)

    async def next(self) -> Arrival | None:
        """The block after the last one, once it is there."""
        await self.due()
        started = perf_counter()
        reading = await self._reader.read(self._head.number + 1)
        read_ms = (perf_counter() - started) * 1000
        self._head = reading.block
        await self._collect_receipts()
        return Arrival(reading.block, reading.pools, read_ms)

    async def make_block(self) -> Arrival | None:
        """The next block, if it comes within `PATIENCE_SECONDS`."""
        try:
            await asyncio.wait_for(self.due(), PATIENCE_SECONDS)
        except TimeoutError:
            return None
        return await self.next()

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """The calls of an agent's vault."""
        return self._vaults.encode(agent, operations, self._head.timestamp)

    async def submit(self, submission: Submission) -> None:
        """Send a submission at once."""
        ranks = [request.name for request in self._requests]
        signed = self._vaults.sign(
            submission,
            max_fee_wei=await self._max_fee_wei(),
            priority_fee_wei=agent_tip(ranks.index(submission.agent)),
        )
        (error,) = await send(self.chain.rpc, [signed])
        if error is None:
            self._under_way[submission.agent] = (submission, signed.hash)
            return
        self._settled[submission.agent] = self._vaults.refusal(submission, self._head.number, error.message)
        await self._vaults.accounts[submission.agent].wallet.resync(self.chain.rpc)

    async def settled(self, agent: str) -> Settlement | None:
        """What became of the agent's submission."""
        return self._settled.pop(agent, None)

    async def announce(self, write: Notices, models: Sequence[TrainedModel]) -> None:
        """Send models and charters; the next block has them."""
        fees = {"max_fee_wei": await self._max_fee_wei(), "priority_fee_wei": agent_tip(0)}
        place = self._deployer, self._vaults.accounts
        self._models = await announce(self.chain.rpc, *place, write, models, fees)

    async def announce_switch(self, change: ModelChange) -> None:
        """Send the new model, and why; the next block has both."""
        fees = {"max_fee_wei": await self._max_fee_wei(), "priority_fee_wei": agent_tip(0)}
        await announce_switch(self.chain.rpc, self._deployer, self._models, change, fees)

    async def records(self) -> int:
        """How many records the audit contract has."""
        return await count_records(self.chain.rpc, self.contracts.audit)

    async def _beginning(self, rpc: Rpc) -> int:
        """The block to begin reading at: as far back as history is wanted and the pools were there already."""
        span = min(self._options.history_blocks, self._newest)
        while span:
            number = self._newest - span
            try:
                for key in self._keys:
                    await snapshot_pool(rpc, key, number)
            except DefaiError:
                span //= 2  # too young a chain, or a node that keeps no state that old
            else:
                return number
        return self._newest

    async def _check(self, rpc: Rpc) -> None:
        shown = redact(self._options.url)
        if not _is_loopback(self._options.url):
            raise ConfigError(
                f"{shown} is not on this machine: trading there would be live trading, which is not open yet.",
                "Fork it instead: --network fork --fork-url URL.",
            )
        if self._options.chain_id is not None:
            await check_chain(rpc, self._options.chain_id)
        try:
            await rpc.call("anvil_nodeInfo")
        except RpcError as error:
            raise ConfigError(
                f"The node at {shown} is not a development node: the agents' vaults cannot be funded there.",
                "Run `defai chain start`, or an anvil, and name its address.",
            ) from error

    async def _max_fee_wei(self) -> int:
        header = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        return 2 * int(header["baseFeePerGas"], 16) + 2 * GWEI

    async def _collect_receipts(self) -> None:
        names = list(self._under_way)
        if not names:
            return
        receipts = await get_receipts(self.chain.rpc, [self._under_way[name][1] for name in names])
        for name, receipt in zip(names, receipts, strict=True):
            if receipt is not None and receipt.block_number <= self._head.number:
                submission, _ = self._under_way.pop(name)
                self._settled[name] = await self._vaults.settlement(submission, receipt)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
