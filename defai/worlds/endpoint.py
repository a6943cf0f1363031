"""The endpoint world: a chain that somebody else runs and mines. On a development node with play money, or live.

Blocks come by themselves, transactions are sent at once, and a submission is settled when its receipt's block has
been read. There is no market of ours: whoever else is on that chain is the market. The chain goes on when the process
ends, and so can the run: opening is the same the first time and every time after.
"""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from time import perf_counter
from typing import Final

from defai.agent.ports import (
    Arrival,
    AuditLog,
    Clock,
    Notices,
    Opening,
    Settlement,
    Submission,
)
from defai.audit.charter import Charter
from defai.audit.record import AuditDomain
from defai.chain.deploy import OurContracts
from defai.chain.local import DevelopmentChain
from defai.chain.pools import check_pools, snapshot_pool
from defai.chain.reader import BlockReader, BlockReading
from defai.chain.rpc import Rpc, RpcError
from defai.domain.chain_events import Block
from defai.domain.decisions import Decision
from defai.domain.operations import Call, Operation
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import DefaiError, DivergenceError, NotFoundError
from defai.market.state import MarketState, PoolReport
from defai.market.valuation import Valuation
from defai.models.trained import TrainedModel
from defai.worlds.announcing import Fees, announce_once, announced_charters
from defai.worlds.approving import OwnedVaults
from defai.worlds.audit_logs import open_audit_log
from defai.worlds.chain_seats import Seating, SeatingPlan, seat_agents
from defai.worlds.clocks import RealClock
from defai.worlds.dispatch import Dispatch, max_fee_wei
from defai.worlds.kept import Kept
from defai.worlds.permits import Permit
from defai.worlds.seat_ledger import SeatLedger
from defai.worlds.seating import SeatRequest
from defai.worlds.sent_log import SentLog
from defai.worlds.speaking import Speaking
from defai.worlds.vault_accounts import agent_tip, count_records, read_place

ANNOUNCING_BLOCKS: Final = 4
"""So many blocks announcing takes at most, as a rule."""
POLL_SECONDS: Final = 0.1
PATIENCE_SECONDS: Final = 15.0
"""How long the end of a session waits for a block to settle in, and a reading for the node to have all of a block."""


@dataclass(frozen=True, slots=True)
class EndpointOptions:
    """Which endpoint, and on what terms.

    Attributes:
        url: its address; may hold a secret.
        permit: who pays and signs there.
        history_blocks: how far back reading begins, where the node has it.
        kept: where the run is kept; None keeps nothing.
    """

    url: str
    permit: Permit
    history_blocks: int = 0
    kept: Kept | None = None


class EndpointWorld(OwnedVaults, Speaking):
    """A chain that is there already, and the agents' vaults on it."""

    def __init__(
        self,
        options: EndpointOptions,
        keys: Sequence[PoolKey],
        valuation: Valuation,
        requests: Sequence[SeatRequest],
    ) -> None:
        self.network = options.permit.network
        self.feed = self.executor = self
        self.clock: Clock = RealClock()
        self.note = ""
        self._options = options
        self._keys = tuple(keys)
        self._valuation = valuation
        self._requests = tuple(requests)
        self._stack = AsyncExitStack()
        self._settled: dict[str, Settlement] = {}
        self._reports: Mapping[Address, PoolReport] = {}
        self._ledger = SeatLedger(options.kept.seats if options.kept else None)

    chain: DevelopmentChain
    audit_log: AuditLog
    contracts: OurContracts
    _reader: BlockReader
    _dispatch: Dispatch
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

    @property
    def charters(self) -> Mapping[str, Charter]:
        """What the agents announced when the run began, by agent; empty before."""
        return announced_charters(self._ledger)

    async def open(self) -> Opening:
        """Connect, make sure that it is the chain that is meant, and seat the agents: anew, or where they sat."""
        rpc = await self._stack.enter_async_context(Rpc(self._options.url))
        await self._options.permit.check(rpc)
        self.chain = DevelopmentChain(rpc, await rpc.number("eth_chainId"))
        await self._check_past(rpc)
        await check_pools(rpc, self._keys)
        self._reader = BlockReader(rpc, self._keys)
        seating = await self._seat(rpc)
        self._newest = await self._reader.head()
        number = await self._beginning(rpc)
        reading = await self._read(number)
        self._head, self._reports = reading.block, reading.pools
        pools = {key.address: await snapshot_pool(rpc, key, number) for key in self._keys}
        return Opening(MarketState(self._keys, pools, self._head), seating.seats)

    def warm_up(self, wanted: int) -> int:
        """The blocks between where reading begins and the newest when the agents were seated.

        Where they have not announced yet what they set out with, some more: until that stands, nobody decides. Where
        they have, on to the block they said they count from, should the chain not be there yet.
        """
        behind = self._newest - self._head.number
        charters = self.charters.values()
        if not charters:
            return min(wanted, behind) + ANNOUNCING_BLOCKS
        return max(behind, max(charter.counts_from for charter in charters) - self._head.number)

    async def close(self) -> None:
        """Leave the chain as it is."""
        await self._stack.aclose()

    def begin(self) -> None:
        """Blocks come when they come."""

    async def behind(self) -> int:
        """How many blocks there are after the newest one that was read."""
        return await self._reader.head() - self._head.number

    async def due(self) -> None:
        """Wait until there is a block after the last one."""
        while await self._reader.head() <= self._head.number:  # noqa: ASYNC110  a node is asked, it does not call
            await asyncio.sleep(POLL_SECONDS)

    async def next(self) -> Arrival | None:
        """The block after the last one, once it is there."""
        await self.due()
        started = perf_counter()
        reading = await self._read(self._head.number + 1)
        read_ms = (perf_counter() - started) * 1000
        self._head = reading.block
        self._settled |= await self._dispatch.collect(self._head.number)
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
        refusal = await self._dispatch.send(submission, self._head.number)
        if refusal is not None:
            self._settled[submission.agent] = refusal

    async def settled(self, agent: str) -> Settlement | None:
        """What became of the agent's submission."""
        return self._settled.pop(agent, None)

    def was_sent(self, agent: str, block_number: int) -> bool:
        """Whether an earlier process sent something upon a block that came onto the chain."""
        return self._dispatch.was_sent(agent, block_number)

    def carried(self, agent: str, block_number: int) -> Decision | None:
        """The decision that went with what an earlier process sent upon a block."""
        return self._dispatch.carried(agent, block_number)

    def submissions(self, agent: str) -> int:
        """How many submissions of an agent there were, of this and earlier processes."""
        return self._dispatch.count(agent)

    async def place_of(self, agent_id: int) -> tuple[int, str]:
        """Where an agent's chain of decisions stands: the number of its next one, and the digest of the one before."""
        return await read_place(self.chain.rpc, self.contracts.audit, agent_id)

    async def announce(self, write: Notices, models: Sequence[TrainedModel]) -> None:
        """Put models and charters on the chain, those that are not there yet, and see them stand."""
        fees = await self.fees()
        place = self._deployer, self._vaults.accounts
        self._models = await announce_once(self.chain.rpc, self._ledger, *place, write, models, fees)

    async def fees(self) -> Fees:
        """The first agent's."""
        return {"max_fee_wei": await max_fee_wei(self.chain.rpc), "priority_fee_wei": agent_tip(0)}

    async def records(self) -> int:
        """How many records the audit contract has."""
        return await count_records(self.chain.rpc, self.contracts.audit)

    async def _seat(self, rpc: Rpc) -> Seating:
        kept, permit = self._options.kept, self._options.permit
        pricing = await snapshot_pool(rpc, self._valuation.key, await self._reader.head())
        highest_fee = await max_fee_wei(rpc)
        plan = SeatingPlan(
            chain=self.chain,
            pools=self._keys,
            valuation=self._valuation,
            pricing=pricing,
            keys=permit.keyring(self.chain_id),
            purse=await permit.purse(self.chain, highest_fee),
            max_fee_wei=highest_fee,
            tip_wei=agent_tip(0),
            ledger=self._ledger,
            factory=permit.factory,
        )
        seating = await seat_agents(plan, self._requests)
        self.contracts, self._deployer = seating.contracts, seating.deployer
        self._vaults = seating.vaults(rpc, self._keys)
        domain = AuditDomain(self.chain_id, seating.contracts.audit)
        self.audit_log = open_audit_log(domain, kept.decisions if kept else None, self._stack)
        sent = SentLog(kept.sent if kept else None)
        self._stack.callback(sent.close)
        ranks = {request.name: rank for rank, request in enumerate(self._requests)}
        self._dispatch = Dispatch(rpc, self._vaults, sent, ranks)
        await self._dispatch.recover(kept.folded if kept else {}, domain)
        for account in seating.accounts.values():
            await account.wallet.resync(rpc)
        return seating

    async def _beginning(self, rpc: Rpc) -> int:
        """The block to begin reading at: as far back as history is wanted and the node and the pools reach."""
        wanted = max(0, self._newest - self._options.history_blocks)
        if self.charters:
            wanted = max(charter.opens for charter in self.charters.values())
            kept = self._options.kept
            if kept is not None and kept.block is not None:
                wanted = max(wanted, kept.block[0] - kept.history_blocks)
        span = self._newest - wanted
        while span:
            number = self._newest - span
            try:
                for key in self._keys:
                    await snapshot_pool(rpc, key, number)
            except DefaiError:
                span //= 2  # too young a chain, or a node that keeps no state that old
            else:
                break
        if self.charters and self._newest - span > wanted:
            self.note = (
                f"The node keeps no state of block {wanted:,}: the agents remember from block "
                f"{self._newest - span:,} on; an auditor finds other features until they remember as much again."
            )
        return self._newest - span

    async def _read(self, number: int) -> BlockReading:
        """Read a block once all of it is there: a node may know its number before its logs, another node not at all."""
        deadline = self.clock.monotonic() + PATIENCE_SECONDS
        while True:
            late = self.clock.monotonic() > deadline
            try:
                reading = await self._reader.read(number)
            except (NotFoundError, RpcError):
                if late:
                    raise
            else:
                if late or self._is_whole(reading):
                    self._reports = reading.pools
                    return reading
            await asyncio.sleep(POLL_SECONDS)

    def _is_whole(self, reading: BlockReading) -> bool:
        """Whether every pool that is not what it was has a log that says so."""
        told = {event.pool for event in reading.block.events}
        return all(
            address in told or report == self._reports.get(address, report)
            for address, report in reading.pools.items()
        )

    async def _check_past(self, rpc: Rpc) -> None:
        """Make sure that the run to be taken up was on this chain, and that its newest block still stands."""
        if self._ledger.get("chain_id") not in {None, self.chain_id}:
            raise DivergenceError(
                f"This run is on chain {self._ledger.get('chain_id')}; {rpc.name} is on chain {self.chain_id}.",
                "Name the right node, or another --run-dir.",
            )
        self._ledger.note(chain_id=self.chain_id)
        kept = self._options.kept
        if kept is None or kept.block is None:
            return
        number, digest = kept.block
        header = await rpc.call("eth_getBlockByNumber", hex(number), False)
        if header is None or header["hash"] != digest:
            raise DivergenceError(
                f"Block {number:,} of this run is not on the chain of {rpc.name}.",
                "It is another chain, began anew, or was reorganised: name another --run-dir.",
            )
