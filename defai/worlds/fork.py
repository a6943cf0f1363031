"""The fork world: a local chain of our own - the stand-in, or a fork of a real one - that mines when we say so.

Asking for the next block sends everything that waits, mines it, reads it. Nothing reaches the chain in between, so
the order within a block, and with it the whole run, repeats to the last digest.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from time import perf_counter
from typing import Final, TypeAlias

from defai.agent.ports import (
    Arrival,
    AuditLog,
    Clock,
    Notices,
    Opening,
    Settlement,
    Submission,
)
from defai.amm import Pool
from defai.audit.record import AuditDomain
from defai.chain.deploy import OurContracts
from defai.chain.local import LocalChain
from defai.chain.pools import check_pools, snapshot_pool
from defai.chain.reader import BlockReader
from defai.chain.rpc import Rpc
from defai.chain.standin import open_fork, open_standin
from defai.chain.tx import SignedTransaction, get_receipts, send
from defai.domain.chain_events import Block
from defai.domain.operations import Call, Operation
from defai.domain.pool import PoolKey
from defai.domain.tokens import Address
from defai.errors import ConfigError, DefaiError
from defai.market.state import MarketState
from defai.market.valuation import Valuation
from defai.marketsim.actions import MarketMint
from defai.marketsim.market import Market
from defai.models.trained import TrainedModel
from defai.units import GWEI
from defai.worlds.announcing import Fees, announce
from defai.worlds.approving import OwnedVaults
from defai.worlds.audit_logs import open_audit_log
from defai.worlds.block_order import BlockItem, compose
from defai.worlds.chain_seats import Seating, SeatingPlan, seat_agents, throwaway_keyring
from defai.worlds.clocks import RealClock
from defai.worlds.market_accounts import MarketAccounts
from defai.worlds.purses import PlayMoney
from defai.worlds.seating import SeatRequest
from defai.worlds.speaking import Speaking
from defai.worlds.vault_accounts import VaultAccounts, agent_tip, count_records

MakeMarket: TypeAlias = Callable[[Decimal | None], Market]
"""Makes the market; given the price of pools that are there already, else None."""
Sent: TypeAlias = tuple[BlockItem, SignedTransaction]

_MARKET_TIP_WEI: Final = 2 * GWEI
_SETUP_SECONDS: Final = 120
"""The set-up's blocks begin this long before the market's first moment, at the latest."""
_FORK_BITMAP_WORDS: Final = 16


@dataclass(frozen=True, slots=True)
class ForkOptions:
    """Which chain.

    Attributes:
        seed: of the throwaway accounts.
        fork_url: whom to fork; None runs the stand-in.
        fork_block: at which block; None for the newest.
        block_time_s: seconds between blocks; 0 mines as soon as everyone has acted.
        decisions: file that decisions are kept in; None keeps them in memory.
    """

    seed: int
    fork_url: str | None = None
    fork_block: int | None = None
    block_time_s: float = 0.0
    decisions: Path | None = None


class ForkWorld(OwnedVaults, Speaking):
    """A chain of our own, its market, and the agents' vaults on it."""

    def __init__(
        self,
        options: ForkOptions,
        make_market: MakeMarket,
        keys: Sequence[PoolKey],
        valuation: Valuation,
        requests: Sequence[SeatRequest],
    ) -> None:
        self.network = "standin" if options.fork_url is None else "fork"
        self.feed = self
        self.executor = self
        self.clock: Clock = RealClock()
        self._options = options
        self._make_market = make_market
        self._keys = tuple(keys)
        self._valuation = valuation
        self._requests = tuple(requests)
        self._stack = AsyncExitStack()
        self._pending: dict[str, Submission] = {}
        self._settled: dict[str, Settlement] = {}
        self._index = 0
        self._shift_s = 0
        self._next_moment: float | None = None

    chain: LocalChain
    market: Market
    audit_log: AuditLog
    contracts: OurContracts
    _reader: BlockReader
    _actors: MarketAccounts
    _vaults: VaultAccounts
    _state: MarketState
    _head: Block

    @property
    def rpc_url(self) -> str:
        """Where the chain answers."""
        return self.chain.rpc.url

    @property
    def chain_id(self) -> int:
        """The chain's id; 0 before it runs."""
        return self.chain.chain_id if hasattr(self, "chain") else 0

    async def open(self) -> Opening:
        """Start the chain, let the market open, deploy our contracts, fund the vaults."""
        self.chain = await self._stack.enter_async_context(_open_chain(self._options))
        self._reader = BlockReader(self.chain.rpc, self._keys)
        existing = await _existing_pools(self.chain.rpc, self._keys, self._options)
        pricing = existing.get(self._valuation.key.address)
        self.market = self._make_market(
            self._valuation.base_price(pricing.sqrt_price_x96) if pricing else None
        )
        await self._set_time()
        self._actors = MarketAccounts(self.chain, self._keys, self._options.seed)
        approvals = await self._actors.join(self.market.actors, self._fee_limit(0))
        await self._send_all([(None, transaction) for transaction in approvals])
        await self._mine_set_up()
        await self._open_market(existing)
        seating = await self._seat()
        self._take_seats(seating)
        number = await self.chain.head()
        reading = await self._reader.read(number)
        self._head = reading.block
        pools = {
            key.address: await snapshot_pool(self.chain.rpc, key, number, words=_bitmap_words(self._options))
            for key in self._keys
        }
        self._state = MarketState(self._keys, pools, self._head)
        return Opening(self._state, seating.seats)

    def warm_up(self, wanted: int) -> int:
        """All of them: asking for a block makes it."""
        return wanted

    async def close(self) -> None:
        """End the chain."""
        await self._stack.aclose()

    def begin(self) -> None:
        """From now on blocks are due at their time."""
        if self._options.block_time_s:
            self._next_moment = self.clock.monotonic() + self._options.block_time_s

    async def due(self) -> None:
        """Wait for the next block's time; in lock-step, let others run."""
        if self._next_moment is None:
            await asyncio.sleep(0)
        elif not self._path_ended():
            await self.clock.sleep_until(self._next_moment)
            self._next_moment = max(self._next_moment + self._options.block_time_s, self.clock.monotonic())

    async def next(self) -> Arrival | None:
        """Let everyone act, mine, read; None where the market's path has ended."""
        return None if self._path_ended() else await self.make_block()

    async def make_block(self) -> Arrival | None:
        """A block at once; without the market's people where their path has ended."""
        market = None if self._path_ended() else self.market
        base_fee = self._next_base_fee()
        self._index += 1
        timestamp = self._timestamp(self._index) if market else self._head.timestamp + 1
        items = compose(market, self._index, self._state.pools, self._order())
        sent = await self._send(items, base_fee)
        number = await self.chain.mine(timestamp=timestamp, base_fee_wei=base_fee)
        started = perf_counter()
        reading = await self._reader.read(number)
        read_ms = (perf_counter() - started) * 1000
        self._head = reading.block
        await self._collect_receipts(sent)
        return Arrival(reading.block, reading.pools, read_ms)

    def encode(self, agent: str, operations: Sequence[Operation]) -> tuple[Call, ...]:
        """The calls of an agent's vault."""
        return self._vaults.encode(agent, operations, self._head.timestamp)

    async def submit(self, submission: Submission) -> None:
        """Take a submission into the next block."""
        self._pending[submission.agent] = submission

    async def settled(self, agent: str) -> Settlement | None:
        """What became of the agent's submission."""
        return self._settled.pop(agent, None)

    async def announce(self, write: Notices, models: Sequence[TrainedModel]) -> None:
        """Send models and charters; the next block has them."""
        fees: Fees = {"max_fee_wei": self._fee_limit(0), "priority_fee_wei": agent_tip(0)}
        place = self._deployer, self._vaults.accounts
        self._models = await announce(self.chain.rpc, *place, write, models, fees)

    async def fees(self) -> Fees:
        """The first agent's tip, and a limit above everybody's in the next block: that is what anvil orders it by."""
        base_fee = max(self._head.base_fee_wei, self._next_base_fee())
        return {"max_fee_wei": 2 * base_fee + 3 * _MARKET_TIP_WEI, "priority_fee_wei": agent_tip(0)}

    async def records(self) -> int:
        """How many records the audit contract has."""
        return await count_records(self.chain.rpc, self.contracts.audit)

    async def _set_time(self) -> None:
        """Let the market's time begin after the chain's, and the set-up's blocks lie right before it."""
        header = await self.chain.rpc.call("eth_getBlockByNumber", "latest", False)
        now, start = int(header["timestamp"], 16), self.market.timestamp(0)
        if self._options.fork_url is not None:
            self._shift_s = max(0, now + 2 * _SETUP_SECONDS - start)
        elif start <= now + _SETUP_SECONDS:
            raise ConfigError(
                f"{self.market.path.source} begins before the stand-in's genesis, 2015-07-30.",
                "Leave out the older rows.",
            )
        self._setup_time = start + self._shift_s - _SETUP_SECONDS

    async def _mine_set_up(self) -> None:
        self._setup_time += 1
        await self.chain.mine(timestamp=self._setup_time, base_fee_wei=self.market.base_fee_wei(0))

    async def _open_market(self, existing: Mapping[Address, Pool]) -> None:
        actions = self.market.opening(existing)
        sent = await self._send(actions, self.market.base_fee_wei(0))
        await self._mine_set_up()
        await self._collect_receipts(sent)

    async def _seat(self) -> Seating:
        key = self._valuation.key
        pricing = Pool(fee_pips=key.fee_pips, tick_spacing=key.tick_spacing)
        pricing.initialize(self.market.reference(0).sqrt_price_x96(key))
        plan = SeatingPlan(
            chain=self.chain,
            pools=self._keys,
            valuation=self._valuation,
            pricing=pricing,
            keys=throwaway_keyring(self._options.seed),
            purse=PlayMoney(self.chain),
            max_fee_wei=self._fee_limit(0),
            settle=self._mine_set_up,
        )
        return await seat_agents(plan, self._requests)

    def _take_seats(self, seating: Seating) -> None:
        self.contracts, self._deployer = seating.contracts, seating.deployer
        self._vaults = seating.vaults(self.chain.rpc, self._keys)
        domain = AuditDomain(self.chain_id, seating.contracts.audit)
        self.audit_log = open_audit_log(domain, self._options.decisions, self._stack)

    def _path_ended(self) -> bool:
        return self.market.last_block is not None and self._index >= self.market.last_block

    def _timestamp(self, index: int) -> int:
        return self.market.timestamp(index) + self._shift_s

    def _next_base_fee(self) -> int:
        return self._head.base_fee_wei if self._path_ended() else self.market.base_fee_wei(self._index + 1)

    def _fee_limit(self, index: int) -> int:
        return 2 * self.market.base_fee_wei(index) + _MARKET_TIP_WEI

    def _order(self) -> list[Submission]:
        return [self._pending[request.name] for request in self._requests if request.name in self._pending]

    async def _send(self, items: Sequence[BlockItem], base_fee: int) -> list[Sent]:
        """Sign everything with tips that fall from first to last, and send it in one round trip."""
        self._pending.clear()
        ranks = {request.name: rank for rank, request in enumerate(self._requests)}
        limit = 2 * base_fee + _MARKET_TIP_WEI  # plus the tip: anvil orders a block by what gas may cost
        prepared: list[tuple[BlockItem | None, SignedTransaction]] = []
        for place, item in enumerate(items):
            if isinstance(item, Submission):
                tip = agent_tip(ranks[item.agent])
                signed = self._vaults.sign(item, max_fee_wei=limit + tip, priority_fee_wei=tip)
                prepared.append((item, signed))
                continue
            tip = _market_tip(place, items, ranks)
            transaction = self._actors.sign(item, max_fee_wei=limit + tip, priority_fee_wei=tip)
            if transaction is not None:
                prepared.append((item, transaction))
        return await self._send_all(prepared)

    async def _send_all(self, prepared: Sequence[tuple[BlockItem | None, SignedTransaction]]) -> list[Sent]:
        sent: list[Sent] = []
        errors = await send(self.chain.rpc, [transaction for _, transaction in prepared])
        for (item, transaction), error in zip(prepared, errors, strict=True):
            if error is None:
                if item is not None:
                    sent.append((item, transaction))
            elif isinstance(item, Submission):
                refusal = self._vaults.refusal(item, self._head.number + 1, error.message)
                self._settled[item.agent] = refusal
                await self._vaults.accounts[item.agent].wallet.resync(self.chain.rpc)
            else:
                raise DefaiError(f"The node refused a transaction of the market: {error.message}.") from error
        return sent

    async def _collect_receipts(self, sent: Sequence[Sent]) -> None:
        wanted = [(item, signed) for item, signed in sent if isinstance(item, Submission | MarketMint)]
        if not wanted:
            return
        receipts = await get_receipts(self.chain.rpc, [signed.hash for _, signed in wanted])
        for (item, signed), receipt in zip(wanted, receipts, strict=True):
            if receipt is None:
                raise DefaiError(f"Transaction {signed.hash} is not in the block that was mined for it.")
            if isinstance(item, Submission):
                self._settled[item.agent] = await self._vaults.settlement(item, receipt)
            elif isinstance(item, MarketMint):
                self._actors.minted(item, receipt)


def _open_chain(options: ForkOptions) -> AbstractAsyncContextManager[LocalChain]:
    if options.fork_url is None:
        return open_standin()
    return open_fork(options.fork_url, block=options.fork_block)


def _bitmap_words(options: ForkOptions) -> int | None:
    return None if options.fork_url is None else _FORK_BITMAP_WORDS


def _market_tip(place: int, items: Sequence[BlockItem], ranks: Mapping[str, int]) -> int:
    """The tip of one of the market's own: above all agents, but next to its victim for an attacker."""
    before, after = items[:place], items[place + 1 :]
    if after and isinstance(after[0], Submission) and any(isinstance(item, Submission) for item in before):
        return agent_tip(ranks[after[0].agent]) + 1
    if before and isinstance(before[-1], Submission):
        return agent_tip(ranks[before[-1].agent]) - 1
    return _MARKET_TIP_WEI - place


async def _existing_pools(rpc: Rpc, keys: Sequence[PoolKey], options: ForkOptions) -> dict[Address, Pool]:
    """The pools of the chain that is forked, if one is."""
    if options.fork_url is None:
        return {}
    await check_pools(rpc, keys)
    number, words = await rpc.number("eth_blockNumber"), _bitmap_words(options)
    return {key.address: await snapshot_pool(rpc, key, number, words=words) for key in keys}
